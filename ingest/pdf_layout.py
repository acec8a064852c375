"""Reading order on a page: columns, then printed lines, then paragraphs. Geometry and punctuation only; knows no PDF.

Columns: a gutter is an upright strip that few runs cross while full lines stand on both sides of it. Runs that cross it
(titles, wide tables) divide the page into bands; inside a band the left column comes before the right, each looked at again.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from unabridged.ingest.clauses import number_of
from unabridged.ingest.document import Box
from unabridged.ingest.pdf_page import Run
from unabridged.ingest.pdf_tables import RuledTable

CELL_GAP = "\t"  # stands in a line's text for a gap as wide as between the cells of a table
_FIRST_LEFTWARD = "\u0590"  # Hebrew; nothing before it in Unicode is written from right to left
_TABLE_ROWS = 3
_MOST_STRIPS = 60  # of a page that are looked at for its gutter: a table of thousands of cells has as many edges
_COLUMN_CHARACTERS = 18  # of a line in a column of text; Chinese ones count twice
_CONTENTS_ROW = re.compile(r"(?:(?:\.\s?){4,}|…{2,}|·{4,}|\t)\s*(?:\d{1,4}|[ivxlc]{1,6})$")
_CELL_GAP = 1.5  # times the font size
_CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_SENTENCE_END = re.compile(r"[.!?。！？:：;；][\"”’)）』」]*$")
_MAY_PRECEDE_ITEM = re.compile(r"(?:[.;:,。；：，!?！？)）]|\band|\bor|及|或|和|—|–)[\"”’]*$")


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


def columns(runs: Sequence[Run], page: int, *, depth: int = 0) -> list[Column]:
    """The page's columns in reading order."""
    if not runs:
        return []
    gutter = _gutter(runs) if depth < 3 and len(runs) >= 12 else None
    if gutter is None:
        return [_column(runs, page)]
    found: list[Column] = []
    for band, is_split in _bands(runs, gutter):
        if is_split:
            for side in ([r for r in band if r.box.x1 <= gutter], [r for r in band if r.box.x1 > gutter]):
                found += columns(side, page, depth=depth + 1)
        else:
            found.append(_column(band, page))
    return found


def _gutter(runs: Sequence[Run]) -> float | None:
    """The x of the strip that separates two columns, or None. Looks at the likeliest strips first, and at no more than some."""
    left, right = min(r.box.x0 for r in runs), max(r.box.x1 for r in runs)
    width, size = right - left, median(r.size for r in runs)
    begins, ends = sorted(r.box.x0 for r in runs), sorted(r.box.x1 for r in runs)
    likely: list[tuple[float, float]] = []
    for x in sorted({round(b - 1, 1) for b in begins if left + 0.2 * width < b < left + 0.8 * width}):
        ours, theirs = bisect_right(ends, x), len(begins) - bisect_left(begins, x)
        crossing = len(runs) - ours - theirs
        if min(ours, theirs) >= 4 and crossing <= 0.35 * len(runs):
            likely.append((crossing * 10 - min(x - ends[ours - 1], 3 * size), x))
    for _, x in sorted(likely)[:_MOST_STRIPS]:
        beside = [r for r in runs if r.box.x1 <= x], [r for r in runs if r.box.x0 >= x]
        if _is_text_column(beside[0], left, x) and _is_text_column(beside[1], x, right):
            return x
    return None


def _is_text_column(runs: Sequence[Run], left: float, right: float) -> bool:
    """Whether most lines fill the strip, as running text does and the cells of a table do not."""
    lines = _rows(runs)
    reach = max(r.box.x1 for r in runs) - min(r.box.x0 for r in runs)
    widths = [max(r.box.x1 for r in row) - min(r.box.x0 for r in row) for row in lines]
    lengths = [sum(2 if is_cjk(c) else 1 for r in row for c in r.text) for row in lines]
    return (
        len(lines) >= 4
        and median(lengths) >= _COLUMN_CHARACTERS
        and reach > 0.6 * (right - left)
        and median(widths) > 0.6 * reach
        and reach > 60
    )


def _bands(runs: Sequence[Run], gutter: float) -> Iterator[tuple[list[Run], bool]]:
    """The page from top to bottom: stretches that the gutter divides, and rows that cross it."""
    band: list[Run] = []
    was_split = True
    for row in _rows(runs):
        is_split = not any(r.box.x0 < gutter - 1 and r.box.x1 > gutter + 1 for r in row)
        if band and is_split != was_split:
            yield band, was_split
            band = []
        band += row
        was_split = is_split
    if band:
        yield band, was_split


@dataclass(slots=True)
class _Row:
    """Runs on one baseline, from left to right."""

    runs: list[Run]
    middle: float
    tallest: float

    def takes(self, run: Run) -> bool:
        """Whether the run stands on this baseline, at a place that is free."""
        if isinstance(run, RuledTable) or isinstance(self.runs[0], RuledTable):
            return False
        if abs(run.middle - self.middle) > 0.5 * min(run.height, self.tallest):
            return False
        slack, at = 0.3 * run.size, bisect_left(self.runs, run.box.x0, key=lambda r: r.box.x0)
        near = self.runs[max(0, at - 2) : at + 2]
        return not any(run.box.x0 < r.box.x1 - slack and r.box.x0 < run.box.x1 - slack for r in near)

    def add(self, run: Run) -> None:
        insort(self.runs, run, key=lambda r: r.box.x0)
        self.tallest = max(self.tallest, run.height)


def _rows(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs on one baseline, from top to bottom, each row from left to right."""
    rows: list[_Row] = []
    for run in sorted(runs, key=lambda r: r.middle):
        if rows and rows[-1].takes(run):
            rows[-1].add(run)
        else:
            rows.append(_Row([run], run.middle, run.height))
    return [row.runs for row in rows]


def _column(runs: Sequence[Run], page: int) -> Column:
    lines = tuple(_line(row, page) for row in _rows(runs))
    return Column(lines, min(line.box.x0 for line in lines), max(line.box.x1 for line in lines))


def _line(row: Sequence[Run], page: int) -> TextLine:
    """The runs of a row in the direction in which they are read."""
    if isinstance(row[0], RuledTable):
        return TextLine(page, "", row[0].box, row[0].size, False, turn=row[0].turn, table=row[0])
    leftward = _reads_leftward(row)
    ordered = sorted(row, key=lambda r: -r.box.x1) if leftward else row
    text = ordered[0].text.strip()
    edges = [(ordered[0].box.x0, ordered[0].box.x1)]
    for before, run in pairwise(ordered):
        gap = before.box.x0 - run.box.x1 if leftward else run.box.x0 - before.box.x1
        if gap > _CELL_GAP * run.size:
            text += CELL_GAP
            edges.append((run.box.x0, run.box.x1))
        else:
            is_spaced = before.text[-1:].isspace() or run.text[:1].isspace()
            text += " " if is_spaced or gap >= _word_gap(before, run) else ""
            edges[-1] = (min(edges[-1][0], run.box.x0), max(edges[-1][1], run.box.x1))
        text += run.text.strip()
    box = Box(row[0].box.x0, min(r.box.y0 for r in row), max(r.box.x1 for r in row), max(r.box.y1 for r in row))
    longest = max(row, key=lambda r: len(r.text))
    cells = tuple(edges) if len(edges) > 1 else ()
    return TextLine(page, text, box, longest.size, all(r.bold for r in row), cells, longest.turn)


def _word_gap(before: Run, run: Run) -> float:
    """The gap, in points, from which a space stands between two runs; Chinese is set wide without spaces."""
    chinese = is_cjk(before.text[-1:]) and is_cjk(run.text[:1])
    return (0.6 if chinese else 0.12) * run.size


def _reads_leftward(row: Sequence[Run]) -> bool:
    """Whether most letters are of a script that is written from right to left."""
    if all(max(run.text, default="") < _FIRST_LEFTWARD for run in row):
        return False
    directions = [unicodedata.bidirectional(c) for run in row for c in run.text if c.isalpha()]
    return 2 * sum(direction in ("R", "AL") for direction in directions) > len(directions)


def is_cjk(character: str) -> bool:
    return _CJK.match(character) is not None


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
            for index, runs in enumerate(_rows(cell)):
                line = _line(runs, page)
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
    first_is_numbered = number_of(paragraph[0].text) is not None or is_bullet(paragraph[0].text)
    if indent > 0.9 * line.size and len(paragraph) >= 1 and not first_is_numbered and (ended or len(paragraph) > 1):
        return True
    if indent < -0.9 * line.size and ended and len(paragraph) > 1:
        return True
    return ended and _is_short(before, column, 0.2)


def is_bullet(text: str) -> bool:
    return re.match(r"[•●○■□◆▪➢❖◦‣☐☑☒\uf0b7\uf0a7]\s*\S|[-–*]\s+\S", text) is not None


def _is_short(line: TextLine, column: Column, share: float) -> bool:
    return line.box.x1 < column.right - share * (column.right - column.left)
