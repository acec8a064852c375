"""Where the sentences of a text are, in Chinese and English. Spans only; a long sentence stays whole.

A sentence ends at 。！？； or at . ! ? before white space, with the closing quotes and brackets that follow; and at a line end.
A full stop after a known abbreviation, a single capital letter or the number of a list item does not end one.
"""

import re

_END = re.compile(r"(?:[。！？；…]+|[.!?;]+(?=[\"'”’)\]]*(?:\s|$)))[\"'”’」』）)\]]*|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"])(?:[A-Z]|[ivxlc]{1,4}|\d{1,3}(?:\.\d+)*|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Art|Sec|Inc|Ltd|Co|Corp|Jr|Sr|vs|cf|Fig|pp|al|etc|"
    r"e\.g|i\.e|U\.S|U\.S\.A|D\.C)\.$"
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Half-open spans in `text`, in order, without white space at their ends; together they hold all of its words."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _ABBREVIATION.search(text, start, match.start() + 1):
            continue
        start = _close(spans, text, start, match.end())
    _close(spans, text, start, len(text))
    return spans


def _close(spans: list[tuple[int, int]], text: str, start: int, end: int) -> int:
    words = text[start:end]
    if words.strip():
        spans.append((start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())))
    return end
