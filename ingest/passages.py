"""Cuts a Document into Passages: what the model cites by number.

Passages tile the text. A passage ends where the clause or chapter changes, so none holds parts of two; the paragraphs of one
article (款) stay together where they are short. A heading goes with what follows it. Running paragraphs under one path are
grouped up to a size; a block far beyond that is split, tables at rows and prose at the ends of sentences. Works on positions
only and never changes the text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from unabridged.ingest.clauses import clause_of
from unabridged.ingest.document import Anchor, Block, BlockKind, Document, Passage

_LONGEST = 3  # times the target: a block beyond it is split
_ROW_END = re.compile(r"\n+")
_SENTENCE_END = re.compile(r"[。！？!?；;…]+[”’」』）)\"']*\s*|\.[”’)\"']*\s+(?=[\"“‘(]?[A-Z0-9])|\n+")
_PAUSE = re.compile(r"[，、,:：]\s*|\s+")


def passages(document: Document, *, target_characters: int = 400) -> list[Passage]:
    """Numbered from 1; [] for a document without text. `target_characters` is about how long a group of paragraphs gets."""
    found: list[tuple[int, Anchor]] = []
    for group in _groups(document.blocks, target_characters):
        body = next((block for block in group if block.kind is not BlockKind.HEADING), group[0])
        found.append((group[0].start, body.anchor))
        longest = _LONGEST * target_characters
        for block in group:
            if block.end - block.start > longest:
                found += ((cut, block.anchor) for cut in _cuts(document.text, block, target_characters))
    starts = [0, *(start for start, _ in found[1:])]
    ends = [*starts[1:], len(document.text)]
    return [
        Passage(number, start, end, anchor)
        for number, (start, end, (_, anchor)) in enumerate(zip(starts, ends, found, strict=False), 1)
    ]


def _groups(blocks: Sequence[Block], target: int) -> Iterator[list[Block]]:
    """Blocks that make a passage together; every block is in exactly one."""
    group: list[Block] = []
    for block in blocks:
        if group and not _joins(group, block, target):
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _joins(group: Sequence[Block], block: Block, target: int) -> bool:
    last = group[-1]
    if last.kind is BlockKind.HEADING and block.kind is not BlockKind.HEADING:
        return True
    same_clause = clause_of(block.anchor.path) == clause_of(last.anchor.path)
    if last.kind is BlockKind.HEADING or (block.kind is not BlockKind.HEADING and same_clause):
        return block.end - group[0].start <= target
    return False


def _cuts(text: str, block: Block, target: int) -> Iterator[int]:
    """Where the pieces of a long block begin, the first left out; each but the last has about `target` code points."""
    position = block.start
    while block.end - position > target * 1.5:
        cut = _cut(text, position, min(position + 2 * target, block.end), target, table=block.kind is BlockKind.TABLE)
        if cut >= block.end:
            return
        yield cut
        position = cut


def _cut(text: str, start: int, limit: int, target: int, *, table: bool) -> int:
    """The end of the sentence (or row) nearest to `start + target` before `limit`; else a pause; else the limit itself."""
    for pattern in (_ROW_END, _SENTENCE_END, _PAUSE) if table else (_SENTENCE_END, _PAUSE):
        ends = [match.end() for match in pattern.finditer(text, start + 1, limit)]
        if ends:
            return min(ends, key=lambda end: abs(end - start - target))
    while limit < len(text) and (
        unicodedata.combining(text[limit]) or text[limit] in "\u200d\ufe0e\ufe0f" or text[limit - 1] == "\u200d"
    ):
        limit += 1
    return limit
