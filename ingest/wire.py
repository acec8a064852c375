"""How a Document crosses from the reader's process to ours: JSON, never pickle. Decoding trusts nothing about shapes and types.

Blocks, lines and pages are rows of plain values, since a novel has tens of thousands of them.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from unabridged.errors import DocumentDamaged
from unabridged.ingest.document import Anchor, Block, BlockKind, Box, Document, Furniture, Line, Page, Problem, ProblemKind

T = TypeVar("T")


def encode(document: Document) -> dict[str, object]:
    """`id` and `name` are left out: the parent knows them better."""
    return {
        "media_type": document.media_type,
        "text": document.text,
        "blocks": [
            [b.kind, b.start, b.end, b.level, b.anchor.page, b.anchor.page_label, _row(b.anchor.box), b.anchor.path]
            for b in document.blocks
        ],
        "problems": [[p.kind, p.where, p.hint] for p in document.problems],
        "pages": [[p.number, p.label, p.start, p.end, p.width, p.height, p.ocr] for p in document.pages],
        "lines": [[n.start, n.end, n.page, _row(n.box)] for n in document.lines],
        "furniture": [[f.page, f.text] for f in document.furniture],
        "details": document.details,
    }


def decode(data: object, *, id: str, name: str) -> Document:
    """The Document that `data` (parsed JSON) describes; raises DocumentDamaged where it describes none."""
    try:
        if not isinstance(data, dict):
            raise TypeError("not an object")
        return Document(
            id=id,
            name=name,
            media_type=_text(data["media_type"]),
            text=_text(data["text"]),
            blocks=_rows(data["blocks"], _block),
            problems=_rows(data["problems"], _problem),
            pages=_rows(data["pages"], _page),
            lines=_rows(data["lines"], _line),
            furniture=_rows(data["furniture"], _furniture),
            details={_text(key): _text(value) for key, value in data["details"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DocumentDamaged(
            f"What was read from {name} does not describe a document ({type(error).__name__}).",
            hint="The file may be damaged or made to mislead a reader; save it anew with the program that wrote it.",
        ) from error


def dumps(message: dict[str, object]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _row(box: Box | None) -> list[float] | None:
    return None if box is None else [round(box.x0, 2), round(box.y0, 2), round(box.x1, 2), round(box.y1, 2)]


def _rows(rows: Any, make: Callable[..., T]) -> Sequence[T]:  # noqa: ANN401
    if not isinstance(rows, list):
        raise TypeError("not a list")
    return tuple(make(*row) for row in rows)


def _block(
    kind: object, start: object, end: object, level: object, page: object, page_label: object, box: object, path: object
) -> Block:
    anchor = Anchor(
        None if page is None else _whole(page),
        None if page_label is None else _text(page_label),
        None if box is None else _box(box),
        _text(path),
    )
    return Block(BlockKind(_text(kind)), _whole(start), _whole(end), anchor, _whole(level))


def _problem(kind: object, where: object, hint: object) -> Problem:
    return Problem(ProblemKind(_text(kind)), _text(where), _text(hint))


def _page(number: object, label: object, start: object, end: object, width: object, height: object, ocr: object) -> Page:
    if not isinstance(ocr, bool):
        raise TypeError("not a truth value")
    return Page(_whole(number), _text(label), _whole(start), _whole(end), _real(width), _real(height), ocr)


def _line(start: object, end: object, page: object, box: object) -> Line:
    return Line(_whole(start), _whole(end), _whole(page), _box(box))


def _furniture(page: object, text: object) -> Furniture:
    return Furniture(None if page is None else _whole(page), _text(text))


def _box(box: object) -> Box:
    if not isinstance(box, list) or len(box) != 4:
        raise TypeError("not a box")
    return Box(*map(_real, box))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _real(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("not a number")
    return float(value)
