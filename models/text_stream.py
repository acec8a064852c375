"""Token bytes to text, as they come: whole UTF-8 characters only, cut at a stop string. Knows no models."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Feed bytes; get text that is final. A possible beginning of a stop string is held back until it is decided."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = [text for text in stop if text]
        self._held = ""
        self.text = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        return self._release(self._decoder.decode(data), final=False)

    def finish(self) -> str:
        """What was held back; half a character becomes U+FFFD."""
        return self._release(self._decoder.decode(b"", True), final=True)

    def _release(self, fresh: str, *, final: bool) -> str:
        if self.stopped:
            return ""
        text = self._held + fresh
        cuts = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if cuts:
            text, self._held, self.stopped = text[: min(cuts)], "", True
        else:
            keep = 0 if final else max((_overlap(text, stop) for stop in self._stop), default=0)
            text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        self.text += text
        return text


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a proper beginning of `stop`."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
