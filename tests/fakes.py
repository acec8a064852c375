"""An engine that follows a script: for tests only, the program cannot reach it.

Its tokens are bytes, so what stands in a prompt can be read back; numbers from 256 on are its control tokens.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from unabridged.errors import DoesNotFit
from unabridged.models.engine import (
    ChatFrame,
    Choice,
    DocumentSpan,
    EngineOptions,
    Finder,
    Generation,
    ModelInfo,
    Piece,
    Quotation,
    Reading,
    ReadProgress,
    Sampling,
    Tokens,
)

SYSTEM, USER, ASSISTANT, DOC = 256, 257, 258, 259
FIRST_NUMBER = 300
CHUNK = 64
GREEDY = Sampling()

FINDER = Finder(doc=DOC, user=USER, assistant=ASSISTANT, first_number=FIRST_NUMBER, numbers=200, threshold=0.9)


@dataclass
class Script:
    """What an engine does: the replies in order, where it quotes (by default the whole first sentence), what goes wrong."""

    replies: list[str] = field(default_factory=lambda: ["I do not know."])
    window: int = 100_000
    finder: Finder | None = None
    quote_words: str = ""
    read_fails: Exception | None = None
    unsaved: str | None = None


class FakeEngine:
    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.prompts: list[list[int]] = []  # reading and prompt of every call that answered
        self.readings: list[list[int]] = []
        self.labels: dict[str, bytes] = {}  # of the last reading: the text between the ends of each document's span
        self.closed = False
        self._kept: list[list[int]] = []
        self.info = ModelInfo(
            name="scripted",
            path=Path("scripted.gguf"),
            architecture="none",
            parameters=0,
            size_bytes=0,
            trained_window=self.script.window,
            vocabulary=512,
            kv_bytes_per_token=1,
            fingerprint="5c" * 32,
            tokenizer="bytes",
            device="CPU",
            finder=self.script.finder,
        )

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [np.frombuffer(text.encode(), np.uint8).astype(np.int32) for text in texts]

    def frame(self, system: str) -> ChatFrame:
        head = np.concatenate([ids(SYSTEM), self.tokenize([system])[0], ids(USER)])
        return ChatFrame(head=head, answer=ids(ASSISTANT), next_question=ids(USER))

    def window_for(self, tokens: int) -> int:
        return self.script.window

    def read(
        self, tokens: Tokens, *, reserve: int = 0, fresh: bool = False, documents: Sequence[DocumentSpan] = ()
    ) -> Generator[ReadProgress, None, Reading]:
        self.labels = {span.document: _text(tokens[span.start : span.end]) for span in documents}
        if len(tokens) + reserve > self.script.window:
            raise DoesNotFit(needed_tokens=len(tokens) + reserve, window_tokens=self.script.window, choices=["none"])
        wanted = tokens.tolist()
        reused = 0 if fresh else max((common(kept, wanted) for kept in self._kept), default=0)
        for done in range(reused, len(wanted), CHUNK):
            self._kept.append(wanted[:done])
            yield ReadProgress(done, len(wanted), reused, 1000.0, (len(wanted) - done) / 1000)
            if self.script.read_fails and done > reused:
                raise self.script.read_fails
        self._kept.append(wanted)
        self.readings.append(wanted)
        yield ReadProgress(len(wanted), len(wanted), reused, 1000.0, 0.0)
        return Reading("key", len(wanted), reused, len(wanted) - reused, self.script.window, self.script.unsaved)

    def generate(
        self, reading: Reading, prompt: Tokens, *, limit: int, sampling: Sampling = GREEDY, stop: Sequence[str] = ()
    ) -> Generator[Piece, None, Generation]:
        self.prompts.append(self.readings[-1] + prompt.tolist())
        reply = self.script.replies.pop(0)
        for start in range(0, len(reply), 3):
            yield Piece(reply[start : start + 3], tuple(reply[start : start + 3].encode()))
        return Generation(reply, tuple(reply.encode()), evaluated=len(prompt), reused=reading.tokens, finish="stop")

    def choose(self, reading: Reading | None, prompt: Tokens, options: Sequence[Tokens]) -> Choice:
        """As the real finder is meant to: the passage that shares most words with the question."""
        whole = (self.readings[-1] if reading else []) + prompt.tolist()
        self.prompts.append(whole)
        user = max(position for position, token in enumerate(whole) if token == USER)
        question = words(text_of(whole[user + 1 : -1]))
        scores = []
        for option in options:
            if int(option[0]) == DOC:  # no passage fits: far likelier than one without a common word, less than one with two
                scores.append(30.0 if max(scores) > 1 else 100_000.0)
                continue
            start = whole.index(int(option[0])) + 1
            passage = words(text_of(whole[start : next(p for p in range(start, len(whole)) if whole[p] >= 256)]))
            scores.append(100.0 ** sum(word in passage for word in question))
        total = sum(scores)
        best = max(scores)
        share = 0.01 if best == 1 else 1.0
        return Choice(tuple(share * score / total for score in scores), share, evaluated=len(prompt))

    def quote(
        self, reading: Reading | None, prompt: Tokens, passage: str, *, starts: Sequence[int], ends: Sequence[int], limit: int
    ) -> Quotation:
        position = max(passage.find(self.script.quote_words), 0)
        start = max(s for s in starts if s <= position) if any(s <= position for s in starts) else starts[0]
        end = min(e for e in ends if e > position)
        return Quotation(start, end, -0.1, evaluated=len(prompt))

    def close(self) -> None:
        self.closed = True


class FakeEngines:
    """Starts scripted engines in place of processes, and remembers them."""

    def __init__(self) -> None:
        self.script = Script()
        self.started: list[FakeEngine] = []
        self.options: list[EngineOptions] = []

    def start(self, path: Path, options: EngineOptions) -> FakeEngine:
        self.options.append(options)
        self.started.append(FakeEngine(self.script))
        return self.started[-1]


def ids(*tokens: int) -> Tokens:
    return np.array(tokens, np.int32)


def text_of(tokens: Sequence[int]) -> str:
    """The text in a stretch of tokens, control tokens left out."""
    return bytes(token for token in tokens if token < 256).decode("utf-8", "replace")


def words(text: str) -> set[str]:
    """Words of English, pairs of characters of Chinese."""
    found = {word.strip(".,?!:;").lower() for word in text.split() if len(word) > 3}
    return found | {a + b for a, b in pairwise(text) if a > "\u3000" and b > "\u3000"}


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two sequences begin with together."""
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _text(tokens: Tokens) -> bytes:
    return bytes(token for token in tokens.tolist() if token < SYSTEM)
