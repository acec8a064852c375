"""Columns of a page in reading order, and the printed lines in them, from runs of characters.

A gutter is an upright strip that few runs cross while full lines stand on both sides of it. Runs that cross it (titles, wide
tables) divide the page into bands; inside a band the left column comes before the right, each looked at again. Geometry only.
"""

import unicodedata
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from unabridged.ingest.document import Box
from unabridged.ingest.pdf_lines import CELL_GAP, Column, TextLine, is_cjk
from unabridged.ingest.pdf_page import Run
from unabridged.ingest.pdf_tables import RuledTable

_FIRST_LEFTWARD = "\u0590"  # Hebrew; nothing before it in Unicode is written from right to left
_MOST_STRIPS = 60  # of a page that are looked at for its gutter: a table of thousands of cells has as many edges
_COLUMN_CHARACTERS = 18  # of a line in a column of text; Chinese ones count twice
_CELL_GAP = 1.5  # times the font size


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
    lines = rows_of(runs)
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
    for row in rows_of(runs):
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


def rows_of(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs on one baseline, from top to bottom, each row from left to right."""
    rows: list[_Row] = []
    for run in sorted(runs, key=lambda r: r.middle):
        if rows and rows[-1].takes(run):
            rows[-1].add(run)
        else:
            rows.append(_Row([run], run.middle, run.height))
    return [row.runs for row in rows]


def _column(runs: Sequence[Run], page: int) -> Column:
    lines = tuple(line_of(row, page) for row in rows_of(runs))
    return Column(lines, min(line.box.x0 for line in lines), max(line.box.x1 for line in lines))


def line_of(row: Sequence[Run], page: int) -> TextLine:
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
