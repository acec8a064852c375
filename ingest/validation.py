"""Checks that a Document keeps its promises: for tests, and for what comes back from the process that read hostile input.

It looks at shape only, not at whether the text is what the file says.
"""

from collections.abc import Iterator, Sequence
from math import isfinite

from unabridged.errors import DocumentDamaged
from unabridged.ingest.document import Box, Document, Passage


def validate(document: Document) -> None:
    """Raise DocumentDamaged unless spans are in order, inside the text, and only white space stands between blocks."""
    broken = next(_broken_promises(document), None)
    if broken is not None:
        raise DocumentDamaged(
            f"What was read from {document.name} does not hold together: {broken}.",
            hint="The file may be damaged or made to mislead a reader; save it anew with the program that wrote it.",
        )


def tiles(passages: Sequence[Passage], length: int) -> bool:
    """Whether the passages, joined, are a text of `length` code points, numbered from 1."""
    ends = [0, *(passage.end for passage in passages)]
    return ends[-1] == length and all(
        passage.start == end and passage.end > passage.start and passage.number == number
        for number, (passage, end) in enumerate(zip(passages, ends, strict=False), 1)
    )


def _broken_promises(document: Document) -> Iterator[str]:
    text, length = document.text, len(document.text)
    if any("\ud800" <= c <= "\udfff" for c in set(text)) or "\0" in text or "\r" in text:
        yield "the text holds characters that cannot be kept"
    position = 0
    for index, block in enumerate(document.blocks):
        if not position <= block.start < block.end <= length:
            yield f"block {index} is out of order or outside the text"
            return
        if text[position : block.start].strip():
            yield f"text before block {index} belongs to no block"
        if not text[block.start : block.end].strip():
            yield f"block {index} is empty"
        if block.anchor.box is not None and not _is_box(block.anchor.box):
            yield f"block {index} has an impossible box"
        if block.anchor.page is not None and not 1 <= block.anchor.page <= len(document.pages):
            yield f"block {index} stands on a page that is not there"
        if block.level < 0:
            yield f"block {index} has a negative level"
        position = block.end
    if text[position:].strip():
        yield "text after the last block belongs to no block"
    yield from _broken_pages(document)
    yield from _broken_lines(document)


def _broken_pages(document: Document) -> Iterator[str]:
    position = 0
    for number, page in enumerate(document.pages, 1):
        if page.number != number or page.start != position or page.end < page.start:
            yield f"page {number} is out of order"
            return
        if not (isfinite(page.width) and isfinite(page.height) and page.width >= 0 and page.height >= 0):
            yield f"page {number} has an impossible size"
        position = page.end
    if document.pages and position != len(document.text):
        yield "the pages do not cover the text"


def _broken_lines(document: Document) -> Iterator[str]:
    position = 0
    for index, line in enumerate(document.lines):
        if not position <= line.start < line.end <= len(document.text):
            yield f"line {index} is out of order or outside the text"
            return
        if not 1 <= line.page <= len(document.pages) or not _is_box(line.box):
            yield f"line {index} has no possible place on a page"
        position = line.end


def _is_box(box: Box) -> bool:
    return all(map(isfinite, (box.x0, box.y0, box.x1, box.y1))) and box.x0 <= box.x1 and box.y0 <= box.y1
