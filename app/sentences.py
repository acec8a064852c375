"""Where the sentences of a passage are, in Chinese and English. Spans only; a long sentence stays whole.

A sentence ends at 。！？； or at . ! ? before white space, with the closing quotes and brackets that follow. It never goes on
into the next block; a line end closes it in tables only, since printed lines break anywhere. A full stop after a known
abbreviation, an initial, or the number that begins a clause does not end a sentence, nor does one before a small letter.
"""

import re

from unabridged.ingest.document import BlockKind
from unabridged.prompts import Numbered

_CLOSERS = "\"'”’」』）)\\]"
_END = re.compile(rf"(?:[。！？；…]+|[.!?;]+(?=[{_CLOSERS}]*(?:\s|$)))[{_CLOSERS}]*|\n[ \t]*\n\s*")
_WORD = re.compile(r"\S")
_LINE_END = re.compile(rf"{_END.pattern}|\n+")
_NOT_AN_END = re.compile(
    r"(?:^\s*(?:[ivxlcIVXLC]{1,5}|\d{1,3}(?:\.\d+)*)|(?:^|[\s(\[“\"])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Art|Arts|Sec|Inc|Ltd|Co|Corp"
    r"|Jr|Sr|vs|cf|Fig|pp|al|e\.g|i\.e|U\.S|U\.S\.A|D\.C))\.$"
)


def sentence_spans(text: str, *, lines: bool = False) -> list[tuple[int, int]]:
    """Half-open spans in `text`, in order, without white space at their ends; together they hold all of its words.

    With `lines` the end of a line ends a sentence, too.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in (_LINE_END if lines else _END).finditer(text):
        if match.group() == "." and _goes_on(text, start, match.end()):
            continue
        start = _close(spans, text, start, match.end())
    _close(spans, text, start, len(text))
    return spans


def sentences_of(numbered: Numbered) -> list[tuple[int, int]]:
    """The sentences of a passage, as spans in its own text; none reaches over the end of a block."""
    first, last = numbered.passage.start, numbered.passage.end
    spans: list[tuple[int, int]] = []
    for block in numbered.document.blocks:
        start, end = max(block.start, first), min(block.end, last)
        if start < end:
            table = block.kind is BlockKind.TABLE
            found = sentence_spans(numbered.document.text[start:end], lines=table)
            spans += [(a + start - first, b + start - first) for a, b in found]
    return spans


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether the full stop before `end` stands inside a sentence."""
    following = _WORD.search(text, end)
    return (following is not None and following.group().islower()) or _NOT_AN_END.search(text[start:end]) is not None


def _close(spans: list[tuple[int, int]], text: str, start: int, end: int) -> int:
    words = text[start:end]
    if words.strip():
        spans.append((start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())))
    return end
