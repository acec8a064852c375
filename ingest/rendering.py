"""Where words are to be shown: in which boxes of which sheets (PDF), and in which blocks of the text (every format).

Values for whoever draws: a sheet's image is drawn from the file itself, boxes lie on it in points; HTML of the text gives every
block its `block_id`, which stays the same as long as the document does. Knows no browser and draws nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from unabridged.ingest.document import Block, Box, Document, Line

Spanned = TypeVar("Spanned", Block, Line)


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box on the image of a sheet; the sheets are counted from 1."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Rendering:
    """`boxes` are empty where no sheets can be shown; `blocks` are the ids of the blocks that hold the words."""

    boxes: Sequence[PlacedBox]
    blocks: Sequence[str]


def render(document: Document, *, start: int, end: int) -> Rendering:
    """How to show `document.text[start:end]`: the first and the last line are cut in proportion to their characters."""
    within = blocks(document, start=start, end=end)
    boxes = [PlacedBox(line.page, _part(line, start, end)) for line in _overlapping(document.lines, start, end)]
    if not boxes and document.pages:  # a format without lines: the boxes of whole blocks
        boxes = [
            PlacedBox(block.anchor.page, block.anchor.box)
            for block in within
            if block.anchor.page is not None and block.anchor.box is not None
        ]
    return Rendering(tuple(boxes), tuple(block_id(block.start) for block in within))


def block_id(start: int) -> str:
    """The id, in HTML, of the block that begins at this place of the text."""
    return f"b{start}"


def is_paged(document: Document) -> bool:
    """Whether its sheets can be shown as images: only a PDF has sheets of its own."""
    return document.media_type == "application/pdf" and bool(document.pages)


def blocks(document: Document, *, start: int, end: int) -> Sequence[Block]:
    """The blocks that hold any of these words."""
    return _overlapping(document.blocks, start, end)


def lines_on(document: Document, page: int) -> Sequence[Line]:
    """The printed lines of a sheet: selectable text over its image."""
    first = bisect_left(document.lines, page, key=lambda line: line.page)
    last = bisect_right(document.lines, page, key=lambda line: line.page)
    return document.lines[first:last]


def page_of(document: Document, position: int) -> int | None:
    """The sheet on which a character stands; None when the document has no sheets."""
    if not document.pages:
        return None
    index = bisect_right(document.pages, position, key=lambda page: page.start) - 1
    while index > 0 and document.pages[index].is_empty:
        index -= 1
    return document.pages[max(0, index)].number


def _overlapping(items: Sequence[Spanned], start: int, end: int) -> Sequence[Spanned]:
    """Items are in order and do not overlap each other."""
    first = bisect_right(items, start, key=lambda item: item.end)
    last = bisect_left(items, end, key=lambda item: item.start)
    return items[first:last]


def _part(line: Line, start: int, end: int) -> Box:
    length = max(1, line.end - line.start)
    width = line.box.x1 - line.box.x0
    x0 = line.box.x0 + width * max(0, start - line.start) / length
    x1 = line.box.x0 + width * min(length, end - line.start) / length
    return Box(x0, line.box.y0, x1, line.box.y1)
