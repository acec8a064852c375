"""Rows of tables that no rules divide, and of tables of contents: printed lines with wide gaps at the same places."""

import re
from collections.abc import Sequence

from unabridged.ingest.clauses import number_of
from unabridged.ingest.pdf_lines import CELL_GAP, TextLine, is_bullet

_TABLE_ROWS = 3
_CONTENTS_ROW = re.compile(r"(?:(?:\.\s?){4,}|…{2,}|·{4,}|\t)\s*(?:\d{1,4}|[ivxlc]{1,6})$")


def table_rows(lines: Sequence[TextLine]) -> set[int]:
    """Indexes of lines that are rows of a table: at least three in a row divided by wide gaps at the same places.

    The rows of a table of contents are those of one, also with a line between two of them that has no number.
    """
    rows: set[int] = set()
    run: list[int] = []
    for index in range(len(lines) + 1):
        line = lines[index] if index < len(lines) else None
        above = next((lines[i] for i in reversed(run) if _is_row(lines[i])), None)
        if line is not None and _is_row(line) and (above is None or _is_aligned(above, line)):
            run.append(index)
            continue
        if line is not None and run and _is_between_contents(lines, index):
            run.append(index)
            continue
        if len(run) >= _TABLE_ROWS:
            rows.update(run)
        run = [index] if line is not None and _is_row(line) else []
    return rows


def _is_between_contents(lines: Sequence[TextLine], index: int) -> bool:
    """A title of two lines, or one that has no page of its own, between two rows of a table of contents."""
    if not 0 < index < len(lines) - 1 or lines[index].table is not None:
        return False
    before, after = lines[index - 1], lines[index + 1]
    gap = after.box.y0 - before.box.y1
    return _is_contents_row(before) and _is_contents_row(after) and gap < 6 * (before.box.y1 - before.box.y0)


def _is_contents_row(line: TextLine) -> bool:
    return _CONTENTS_ROW.search(line.text) is not None and re.search(r"[^\W\d_]{2}", line.text) is not None


def _is_row(line: TextLine) -> bool:
    """A number and its clause stand apart, too; that is no table."""
    if _is_contents_row(line):
        return True
    if len(line.cells) < 2:
        return False
    first = line.text.partition(CELL_GAP)[0].strip()
    return len(line.cells) > 2 or (
        number_of(f"{first} X") is None and number_of(f"{first}. X") is None and not is_bullet(f"{first} X")
    )


def _is_aligned(one: TextLine, other: TextLine) -> bool:
    slack = 0.8 * one.size
    if _is_contents_row(one) and _is_contents_row(other):
        return abs(one.box.x1 - other.box.x1) < 2 * slack and other.box.y0 - one.box.y1 < 4 * (one.box.y1 - one.box.y0)
    matches = sum(any(abs(a0 - b0) < slack or abs(a1 - b1) < slack for b0, b1 in other.cells[1:]) for a0, a1 in one.cells[1:])
    near = other.box.y0 - one.box.y1 < 2.5 * (one.box.y1 - one.box.y0)
    return near and matches >= max(1, min(len(one.cells), len(other.cells)) // 2)
