"""Line numbers in the margin, as on pleading paper: kept apart, so that they do not stand in the middle of sentences.

A column of bare numbers, alone at the left or right of all text, that counts on at even distances down the page. The first
column of a table is none: there other cells follow in the same rows.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from unabridged.ingest.pdf_page import PageContent, Run

_FEWEST = {1: 10, 5: 4, 10: 4}  # numbers on a page, by what they count in
_COLUMN_WIDTH = 14.0  # points within which their left or right edges lie
_REACH = 0.4  # of the page's height that they go down at least
_EVEN = 0.3  # of the usual distance that a distance may differ


def line_numbers(page: PageContent) -> list[Run]:
    """The runs of the page that are line numbers, from top to bottom; [] where there are none."""
    numbers = [run for run in page.runs if run.turn == 0 and run.text.strip().isdecimal() and len(run.text.strip()) <= 3]
    others = [run for run in page.runs if not run.text.strip().isdecimal()]
    if len(numbers) < min(_FEWEST.values()) or not others:
        return []
    for edges in ([run.box.x1 for run in numbers], [run.box.x0 for run in numbers]):
        place = median(edges)
        near = [run for run, edge in zip(numbers, edges, strict=True) if abs(edge - place) <= _COLUMN_WIDTH / 2]
        column = sorted(near, key=lambda run: run.middle)
        if _counts_on(column, page.height) and _is_alone(column, others):
            return column
    return []


def _counts_on(column: Sequence[Run], height: float) -> bool:
    if len(column) < min(_FEWEST.values()) or column[-1].middle - column[0].middle < _REACH * height:
        return False
    values = [int(run.text) for run in column]
    step = values[1] - values[0]
    if step not in _FEWEST or len(column) < _FEWEST[step] or any(b - a != step for a, b in pairwise(values)):
        return False
    distances = [b.middle - a.middle for a, b in pairwise(column)]
    usual = median(distances)
    return all(abs(distance - usual) <= _EVEN * usual for distance in distances)


def _is_alone(column: Sequence[Run], others: Sequence[Run]) -> bool:
    """Whether all text stands to one side, and rows have but one stretch of it."""
    left, right = min(run.box.x0 for run in column), max(run.box.x1 for run in column)
    beside = [run for run in others if column[0].box.y0 <= run.middle <= column[-1].box.y1]
    to_the_right = sum(run.box.x0 >= right - 1 for run in beside)
    to_the_left = sum(run.box.x1 <= left + 1 for run in beside)
    if not beside or max(to_the_right, to_the_left) < 0.98 * len(beside):
        return False
    divided = sum(
        any(abs(one.middle - other.middle) < 2 and other.box.x0 - one.box.x1 > 2 * one.size for other in beside)
        for one in beside
    )
    return divided < 0.3 * len(beside)
