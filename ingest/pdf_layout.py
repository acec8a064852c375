"""Printed lines of a column become paragraphs and tables. Geometry and punctuation only; knows no PDF."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from unabridged.ingest.clauses import number_of
from unabridged.ingest.pdf_columns import line_of, rows_of
from unabridged.ingest.pdf_lines import CELL_GAP, Column, TextLine, TextParagraph, is_bullet
from unabridged.ingest.pdf_rows import table_rows
from unabridged.ingest.pdf_tables import RuledTable

_SENTENCE_END = re.compile(r"[.!?。！？:：;；][\"”’)）』」]*$")
_MAY_PRECEDE_ITEM = re.compile(r"(?:[.;:,。；：，!?！？)）]|\band|\bor|及|或|和|—|–)[\"”’]*$")


def paragraphs(column: Column) -> list[TextParagraph]:
    """The column's lines, put together where one goes on in the next."""
    found: list[TextParagraph] = []
    leading = _leading(column.lines)
    rows = table_rows(column.lines)
    for index, line in enumerate(column.lines):
        if line.table is not None:
            found.append(TextParagraph(cell_lines(line.table, line.page), is_table=True))
            continue
        if index in rows:
            written = replace(line, text=line.text.replace(CELL_GAP, " | "))
            if index - 1 in rows and found:
                found[-1].lines.append(written)
            else:
                found.append(TextParagraph([written], is_table=True))
            continue
        line = replace(line, text=line.text.replace(CELL_GAP, " ")) if line.cells else line
        if found and not found[-1].is_table and not _begins(found[-1].lines, line, column, leading):
            found[-1].lines.append(line)
        else:
            found.append(TextParagraph([line]))
    return found


def cell_lines(table: RuledTable, page: int) -> list[TextLine]:
    """The printed lines of a ruled table, cell after cell; the first of each cell knows what divides it from the one before."""
    lines: list[TextLine] = []
    for row in table.rows:
        joint = "\n" if lines else ""
        for cell in row:
            for index, runs in enumerate(rows_of(cell)):
                line = line_of(runs, page)
                text = line.text.replace(CELL_GAP, " ")
                lines.append(replace(line, text=text, cells=(), joint=None if index else joint))
                joint = ""
            joint += " | "
    return lines


def printed_lines(column: Column) -> list[TextLine]:
    """The column's lines, those in the cells of ruled tables, too."""
    return [
        inner for line in column.lines for inner in (cell_lines(line.table, line.page) if line.table is not None else [line])
    ]


def _leading(lines: Sequence[TextLine]) -> float:
    """The usual distance from baseline to baseline, in line heights."""
    steps = [
        (after.box.y0 - before.box.y0) / max(1.0, before.box.y1 - before.box.y0)
        for before, after in pairwise(lines)
        if 0 < after.box.y0 - before.box.y0 < 4 * (before.box.y1 - before.box.y0)
    ]
    if not steps:
        return 1.2
    steps.sort()
    return steps[len(steps) // 3]


def _begins(paragraph: Sequence[TextLine], line: TextLine, column: Column, leading: float) -> bool:
    """Whether `line` is the first of a new paragraph rather than the next of this one."""
    before = paragraph[-1]
    height = max(1.0, before.box.y1 - before.box.y0)
    step = (line.box.y0 - before.box.y0) / height
    if step > max(1.3 * leading, leading + 0.35) or step < 0.2:
        return True
    if abs(line.size - before.size) > 0.12 * before.size or (line.bold != before.bold and _is_short(before, column, 0.1)):
        return True
    ended = _SENTENCE_END.search(before.text) is not None
    if number_of(line.text) is not None and (_MAY_PRECEDE_ITEM.search(before.text) or _is_short(before, column, 0.15)):
        return True
    if is_bullet(line.text):
        return True
    indent = line.box.x0 - before.box.x0
    if indent > 0.9 * line.size and (ended or len(paragraph) > 1) and not _is_numbered(paragraph[0].text):
        return True
    if indent < -0.9 * line.size and ended and len(paragraph) > 1:
        return True
    return ended and _is_short(before, column, 0.2)


def _is_numbered(text: str) -> bool:
    return number_of(text) is not None or is_bullet(text)


def _is_short(line: TextLine, column: Column, share: float) -> bool:
    return line.box.x1 < column.right - share * (column.right - column.left)
