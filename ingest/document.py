"""What a reader makes of a file: one text, and for every part of it where it stands.

Spans are half-open ranges of code points in `Document.text`: `document.text[start:end]` *is* the quotation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    TABLE = "table"
    FOOTNOTE = "footnote"
    COMMENT = "comment"
    CAPTION = "caption"


class ProblemKind(StrEnum):
    EMPTY_PAGE = "empty page"
    GARBLED_TEXT = "garbled text layer"
    OCR_USED = "OCR used"
    ENCRYPTED = "encrypted"
    DROPPED_OBJECT = "dropped object"
    ENCODING = "encoding"
    REVISIONS = "revisions"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page in points (1/72 inch), origin at the top left."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where something stands for a person: sheet (counted from 1), its printed label, its box, its clause or chapter."""

    page: int | None = None
    page_label: str | None = None
    box: Box | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, table, …: `level` is the outline level of a heading or list item, 0 for the rest."""

    kind: BlockKind
    start: int
    end: int
    anchor: Anchor
    level: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line: a span and its box, so that a citation can be shown on the page image."""

    start: int
    end: int
    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet and the span of the text that it holds; `start == end` for a page without text. Sizes in points."""

    number: int
    label: str
    start: int
    end: int
    width: float
    height: float
    ocr: bool = False

    @property
    def is_empty(self) -> bool:
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Furniture:
    """A running head or foot, page or line numbers, the address behind a link: kept apart, not in the text."""

    page: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not read as it stands, where, and what the user can do."""

    kind: ProblemKind
    where: str
    hint: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file. `id` is the sha256 of its bytes in hex. Only white space stands between blocks, which are in order."""

    id: str
    name: str
    media_type: str
    text: str
    blocks: Sequence[Block]
    problems: Sequence[Problem] = ()
    pages: Sequence[Page] = ()
    lines: Sequence[Line] = ()
    furniture: Sequence[Furniture] = ()
    details: dict[str, str] = field(default_factory=dict)  # encoding, number of revisions, …: shown by inspect

    @property
    def outline(self) -> list[Block]:
        return [block for block in self.blocks if block.kind is BlockKind.HEADING]


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered stretch of one document, on paragraph and clause boundaries. Passages tile the text: joined they are it."""

    number: int  # from 1
    start: int
    end: int
    anchor: Anchor
