"""A document as values for the source pane: outline, sections of text, lines and boxes of a page, places of words.

Pure functions of a document; spans are code points of `document.text`. Knows no browser and no database.
"""

import re
from itertools import pairwise
from typing import Any

from unabridged.ingest import rendering
from unabridged.ingest.document import Block, BlockKind, Box, Document, Page, Problem
from unabridged.ui.translated import translated

SECTION_CHARACTERS = 12_000  # the pane asks for a long text in stretches of about this length
MOST_FOUND = 500
WHITE_POINTS = 12.0
TASTED = 4000  # characters that tell in which kind of script a text is

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def sections(document: Document) -> list[tuple[int, int]]:
    """Spans that tile the text, cut between blocks only."""
    cuts = [0]
    for block in document.blocks:
        if block.start - cuts[-1] >= SECTION_CHARACTERS:
            cuts.append(block.start)
    if cuts[-1] != len(document.text) or len(cuts) == 1:
        cuts.append(len(document.text))
    return list(pairwise(cuts))


def manifest(document: Document, *, language: str) -> dict[str, Any]:
    """All that the pane needs before it draws the first page or section."""
    return {
        "id": document.id,
        "name": document.name,
        "media_type": document.media_type,
        "characters": len(document.text),
        "paged": rendering.is_paged(document),
        "cjk": len(_CJK.findall(document.text[:TASTED])) > 0.3 * len(document.text[:TASTED]),
        "pages": [[page.label, page.width, page.height, page.start, page.end] for page in document.pages],
        "printed": printed(document),
        "sections": sections(document),
        "outline": [
            {
                "level": block.level,
                "title": _title(document.text[block.start : block.end]),
                "start": block.start,
                "end": block.end,
                "page": block.anchor.page,
            }
            for block in document.outline
        ],
        "problems": [problem_shown(problem, language=language) for problem in document.problems],
    }


def problem_shown(problem: Problem, *, language: str) -> dict[str, str]:
    told = {"kind": problem.kind.value, "where": problem.where, "hint": problem.hint}
    return {name: translated(words, language) for name, words in told.items()}


def printed(document: Document) -> tuple[float, float]:
    """From where to where, in points, the sheets are printed on, with a little white beside it; all of them if they differ."""
    widths = {round(page.width) for page in document.pages}
    inside = [line.box for line in document.lines if line.box.x1 > line.box.x0]
    if len(widths) != 1 or not inside:
        return 0.0, max((page.width for page in document.pages), default=0.0)
    left, right = min(box.x0 for box in inside) - WHITE_POINTS, max(box.x1 for box in inside) + WHITE_POINTS
    return max(0.0, round(left, 1)), min(document.pages[0].width, round(right, 1))


def section(document: Document, *, start: int, end: int) -> list[dict[str, Any]]:
    """The blocks of one section, each with its text, its place and whether a sheet begins with it."""
    first_of_page = {page.start: page for page in reversed(document.pages)}
    return [_block(document, block, first_of_page) for block in rendering.blocks(document, start=start, end=end)]


def _block(document: Document, block: Block, first_of_page: dict[int, Page]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": rendering.block_id(block.start),
        "kind": block.kind.value,
        "level": block.level,
        "start": block.start,
        "text": document.text[block.start : block.end],
    }
    if block.kind is not BlockKind.HEADING and block.anchor.path:
        row["path"] = block.anchor.path
    if block.start in first_of_page:
        row["page"] = first_of_page[block.start].label
    return row


def page_lines(document: Document, number: int) -> list[dict[str, Any]]:
    """The printed lines of a sheet with their boxes in points: selectable text over the page image."""
    return [
        {"start": line.start, "text": document.text[line.start : line.end], "box": _rounded(line.box)}
        for line in rendering.lines_on(document, number)
    ]


def boxes(document: Document, *, start: int, end: int) -> list[dict[str, Any]]:
    """Where a span stands on the sheets."""
    shown = rendering.render(document, start=start, end=end)
    return [{"page": placed.page, "box": _rounded(placed.box)} for placed in shown.boxes]


def find(document: Document, words: str) -> dict[str, Any]:
    """Spans that hold the words, whatever their case and white space; `total` counts them all, `spans` are the first ones."""
    if not words.strip():
        return {"total": 0, "spans": []}
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words.split()), re.IGNORECASE)
    spans = [match.span() for match in pattern.finditer(document.text)]
    shown = [[start, end, rendering.page_of(document, start)] for start, end in spans[:MOST_FOUND]]
    return {"total": len(spans), "spans": shown}


def _rounded(box: Box) -> list[float]:
    return [round(value, 1) for value in (box.x0, box.y0, box.x1, box.y1)]


def _title(text: str) -> str:
    """A heading on one line, without Markdown's sign before it."""
    return re.sub(r"^#{1,6} ", "", " ".join(text.split()))
