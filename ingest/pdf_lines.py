"""Printed lines, the paragraphs that they make and the columns that they stand in: the values of a page's layout."""

import re
from dataclasses import dataclass

from unabridged.ingest.document import Box
from unabridged.ingest.pdf_tables import RuledTable

CELL_GAP = "\t"  # stands in a line's text for a gap as wide as between the cells of a table
_CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class TextLine:
    """A printed line of one column."""

    page: int
    text: str
    box: Box
    size: float
    bold: bool
    cells: tuple[tuple[float, float], ...] = ()  # left and right edges of what wide gaps divide, where there are any
    turn: int = 0  # `box` lies on the page turned clockwise by so many degrees (page_turn)
    joint: str | None = None  # what stands before it in its paragraph, where it is the first line of a cell
    table: RuledTable | None = None  # in place of text


@dataclass(slots=True)
class TextParagraph:
    """Lines that belong together; the rows of a table, too."""

    lines: list[TextLine]
    is_table: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """Lines in reading order with the left and right edge of the column that they stand in."""

    lines: tuple[TextLine, ...]
    left: float
    right: float


def is_cjk(character: str) -> bool:
    return _CJK.match(character) is not None


def is_bullet(text: str) -> bool:
    return re.match(r"[•●○■□◆▪➢❖◦‣☐☑☒\uf0b7\uf0a7]\s*\S|[-–*]\s+\S", text) is not None
