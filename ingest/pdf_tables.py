"""Tables with ruled lines: which runs of a page stand in which cell, so that a cell of several lines stays one cell.

Works on boxes only: rules are thin boxes, cells are what they divide; where a rule is missing, cells are merged. Tables
without rules are `pdf_layout`'s business (gaps at the same places), and frames around text or pictures are no tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from unabridged.ingest.document import Box
from unabridged.ingest.pdf_page import Run

_SLACK = 3.0  # points within which rules meet, or lie on one line
_MOST_RULES = 1000  # of a page; more is a drawing
_FILLED_SHARE = 0.3  # of the cells; the grid of a diagram is nearly empty
_LONGEST_CELL = 0.5  # of the page's text, from which a cell is a frame around it


@dataclass(frozen=True, slots=True)
class RuledTable(Run):
    """A table takes part in the reading order as one run. `rows` → cells → runs, in no order; () for an empty cell."""

    rows: tuple[tuple[tuple[Run, ...], ...], ...] = ()


def ruled_tables(runs: Sequence[Run], rules: Sequence[Box]) -> list[RuledTable]:
    """The tables that the rules draw around runs; tables inside cells are part of their cell."""
    if not 4 <= len(rules) <= _MOST_RULES:
        return []
    found: list[RuledTable] = []
    for group in sorted(_connected(rules), key=len, reverse=True):
        table = _table(group, [run for run in runs if not any(_holds(other.box, run) for other in found)], runs)
        if table is not None:
            found.append(table)
    return found


def outside(runs: Sequence[Run], tables: Sequence[RuledTable]) -> list[Run]:
    """The runs that stand in no table, and the tables."""
    return [run for run in runs if not any(_holds(table.box, run) for table in tables)] + list(tables)


def _table(rules: Sequence[Box], runs: Sequence[Run], page: Sequence[Run]) -> RuledTable | None:
    level = [r for r in rules if r.x1 - r.x0 >= r.y1 - r.y0]
    upright = [r for r in rules if r.x1 - r.x0 < r.y1 - r.y0]
    if len(level) < 2 or not upright:
        return None
    box = Box(min(r.x0 for r in rules), min(r.y0 for r in rules), max(r.x1 for r in rules), max(r.y1 for r in rules))
    inside = [run for run in runs if _holds(box, run)]
    edges_x = _lines([(r.x0 + r.x1) / 2 for r in upright] + [box.x0, box.x1])
    edges_y = _lines([(r.y0 + r.y1) / 2 for r in level] + [box.y0, box.y1])
    columns, rows = len(edges_x) - 1, len(edges_y) - 1
    if rows < 2 or columns < 2 or not inside:
        return None
    roots = _merged(edges_x, edges_y, level, upright)
    cells: dict[tuple[int, int], list[Run]] = {root: [] for root in roots.values()}
    for run in inside:
        x, y = (run.box.x0 + run.box.x1) / 2, run.middle
        row = max(0, min(rows - 1, sum(y > edge for edge in edges_y) - 1))
        column = max(0, min(columns - 1, sum(x > edge for edge in edges_x) - 1))
        cells[roots[row, column]].append(run)
    lengths = [sum(len(run.text) for run in held) for held in cells.values()]
    filled = sum(length > 0 for length in lengths)
    is_frame = max(lengths) > _LONGEST_CELL * sum(len(run.text) for run in page) and max(lengths) > 600
    if filled < 3 or filled < _FILLED_SHARE * len(cells) or is_frame:
        return None
    written = tuple(
        tuple(
            tuple(cells[roots[row, column]]) if roots[row, column] == (row, column) else ()
            for column in range(columns)
            if roots[row, column] == (row, column) or roots[row, column][0] < row  # a merged cell stands in its first row
        )
        for row in range(rows)
    )
    largest = max((run.size for run in inside), default=10.0)
    return RuledTable("", box, largest, rows=tuple(row for row in written if any(row)))


def _connected(rules: Sequence[Box]) -> list[list[Box]]:
    """Groups of rules that touch each other."""
    groups: list[tuple[Box, list[Box]]] = []
    for rule in sorted(rules, key=lambda r: (r.y0, r.x0)):
        reach, members = rule, [rule]
        apart = []
        for box, held in groups:
            if _touch(reach, box) and any(_touch(rule, other) for other in held):
                members += held
                reach = Box(min(reach.x0, box.x0), min(reach.y0, box.y0), max(reach.x1, box.x1), max(reach.y1, box.y1))
            else:
                apart.append((box, held))
        groups = [*apart, (reach, members)]
    return [members for _, members in groups]


def _touch(one: Box, other: Box) -> bool:
    return (
        one.x0 <= other.x1 + _SLACK
        and other.x0 <= one.x1 + _SLACK
        and one.y0 <= other.y1 + _SLACK
        and other.y0 <= one.y1 + _SLACK
    )


def _lines(positions: Sequence[float]) -> list[float]:
    """Positions in order, those within the slack as one."""
    found: list[float] = []
    for position in sorted(positions):
        if not found or position - found[-1] > _SLACK:
            found.append(position)
    return found


def _merged(
    edges_x: Sequence[float], edges_y: Sequence[float], level: Sequence[Box], upright: Sequence[Box]
) -> dict[tuple[int, int], tuple[int, int]]:
    """For every place of the grid the first place (row, column) of the cell that it belongs to."""
    roots: dict[tuple[int, int], tuple[int, int]] = {}
    for row in range(len(edges_y) - 1):
        middle_y = (edges_y[row] + edges_y[row + 1]) / 2
        for column in range(len(edges_x) - 1):
            middle_x = (edges_x[column] + edges_x[column + 1]) / 2
            roots[row, column] = (row, column)
            ruled_left = any(
                abs((r.x0 + r.x1) / 2 - edges_x[column]) <= _SLACK and r.y0 - _SLACK <= middle_y <= r.y1 + _SLACK
                for r in upright
            )
            ruled_above = any(
                abs((r.y0 + r.y1) / 2 - edges_y[row]) <= _SLACK and r.x0 - _SLACK <= middle_x <= r.x1 + _SLACK for r in level
            )
            if column and not ruled_left:
                roots[row, column] = roots[row, column - 1]
            elif row and not ruled_above:
                roots[row, column] = roots[row - 1, column]
    return roots


def _holds(box: Box, run: Run) -> bool:
    return box.x0 <= (run.box.x0 + run.box.x1) / 2 <= box.x1 and box.y0 <= run.middle <= box.y1
