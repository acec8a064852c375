"""Words divided at the end of a line: "agree-" + "ment" is one word, "long-" + "term" keeps its hyphen.

Printed text does not say which is which; the rest of the same document usually does.
"""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST = re.compile(r"([^\W\d_]+)[-\u2010]$")
_FIRST = re.compile(r"[^\W\d_]+")
SOFT_HYPHEN = "\u00ad"


class Vocabulary:
    """The words of a document inside its lines; these come in order, since parts of divided words do not count."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: set[str] = set()
        was_divided = False
        for line in lines:
            whole = _LAST.sub("", line)
            words = _WORD.findall(whole.lower().replace("\u2010", "-"))
            self._words.update(words[was_divided:])
            was_divided = whole != line

    def joint(self, before: str, after: str) -> str | None:
        """How a line goes on in the next: "" where a word was cut, "-" where the hyphen belongs to the word, else None."""
        if before.endswith(SOFT_HYPHEN):
            return ""
        if not before.endswith(("-", "\u2010")):
            return None  # told without a search through the whole paragraph
        last, first = _LAST.search(before), _FIRST.match(after)
        if last is None or first is None or not first[0][0].islower():
            return None
        one, other = last[1].lower(), first[0].lower()
        if f"{one}-{other}" in self._words:
            return "-"
        if one + other in self._words or not (one in self._words and other in self._words):
            return ""
        return "-"
