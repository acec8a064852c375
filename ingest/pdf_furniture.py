"""Running heads, running feet, page numbers and line numbers: what repeats at the same height of many pages, its digits aside.

Kept apart from the text, so that a sentence over a page break is not interrupted; never thrown away. A line that stands on one
page only is never furniture, except a page number alone in the margin where pages before and after have theirs. A file printed
from a browser has the page ends of the original in the middle of its sheets: there the numbers that count on, and long lines
that come again on most sheets, are furniture, too, but the first of such lines stays in the text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from unabridged.ingest.numerals import roman_value
from unabridged.ingest.pdf_line_numbers import line_numbers
from unabridged.ingest.pdf_page import PageContent, Run

_MARGIN = 0.12  # share of the page's height, above and below, in which furniture stands
_HEIGHT_STEP = 6.0  # points within which two runs stand at the same height
_LONG = 30  # code points of a line that is no repetition by chance
_FEWEST_FEET, _FEWEST_NUMBERS = 4, 3
_MOST_FEET = 5  # different lines
_FEET_SHARE = 0.25  # of the file's text that running lines may be
_SIDE_STEP = 12.0  # points within which the numbers of pages stand one below the other
_NUMBER = re.compile(
    r"[-–—·\s]*(?:page|第)?\s*(\d{1,4}|[ivxlcIVXLC]{1,7})\s*(?:页)?(?:\s*(?:of|/|共)\s*\d{1,4}\s*页?)?[-–—·\s]*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Body:
    runs: tuple[Run, ...]
    furniture: tuple[str, ...]
    breaks: tuple[float, ...] = ()  # heights inside the body at which a page of the original ended


def separate(pages: Sequence[PageContent]) -> list[Body]:
    """For every page what belongs to the text and what does not."""
    keys: Counter[tuple[str, int]] = Counter()
    numbered = 0
    for page in pages:
        marginal = [run for run in page.runs if _in_margin(run, page)]
        keys.update({_key(run, page) for run in marginal})
        numbered += any(_is_number(run.text) for run in marginal)
    counted = [line_numbers(page) for page in pages]
    inner = set(map(id, [*_running_lines(pages), *_running_numbers(pages)]))
    needed = max(2, min(4, round(len(pages) * 0.5)))
    if _nothing_else(pages, keys, needed):
        keys.clear()  # what stands alone on most pages is what they say
    has_numbers = numbered >= max(2, 0.4 * len(pages))
    bodies = []
    for page, column in zip(pages, counted, strict=True):
        beside = set(map(id, column))
        apart = [
            run
            for run in page.runs
            if id(run) not in beside
            and (
                id(run) in inner
                or (_in_margin(run, page) and (keys[_key(run, page)] >= needed or (has_numbers and _is_number(run.text))))
            )
        ]
        words = [run.text.strip() for run in apart]
        if column:
            words.append(" ".join(run.text.strip() for run in column))
        chosen = set(map(id, apart)) | beside
        kept = tuple(run for run in page.runs if id(run) not in chosen)
        bodies.append(Body(kept, tuple(words), tuple(run.middle for run in apart if not _in_margin(run, page))))
    return bodies


def _running_lines(pages: Sequence[PageContent]) -> list[Run]:
    """Long lines that stand at the same distance from the left on most pages, at any height; the first of each left out.

    None where they are much of the text: letters and forms that are printed page after page have their words in common.
    """
    found: dict[tuple[str, int], list[Run]] = {}
    for page in pages:
        once = {(" ".join(run.text.split()), round(run.box.x0 / 3)): run for run in page.runs if len(run.text) >= _LONG}
        for key, run in once.items():
            found.setdefault(key, []).append(run)
    needed = max(_FEWEST_FEET, 0.5 * len(pages))
    often = [runs for runs in found.values() if len(runs) >= needed]
    again = [run for runs in often for run in runs[1:]]
    share = sum(len(run.text) for run in again) / max(1, sum(len(run.text) for page in pages for run in page.runs))
    return again if len(often) <= _MOST_FEET and share < _FEET_SHARE else []


def _running_numbers(pages: Sequence[PageContent]) -> list[Run]:
    """Numbers alone in their row that count on by one, about once a page: chapters and clauses are fewer, or have words.

    Small Roman numerals alone in their row before the first of them number the pages of the contents.
    """
    alone: list[tuple[int, Run]] = []
    roman: list[tuple[int, Run]] = []  # with how many numbers stand before it
    for page in pages:
        for run in sorted((r for r in page.runs if len(r.text) < 12 and not _in_margin(r, page)), key=lambda r: r.middle):
            match = _NUMBER.match(run.text.strip())
            if match is None or not _is_alone(run, page):
                continue
            if match[1].isdecimal():
                alone.append((int(match[1]), run))
            elif match[1].islower() and roman_value(match[1]) is not None:
                roman.append((len(alone), run))
    found: list[Run] = []
    left = alone
    while len(chain := _longest_chain(left)) >= max(_FEWEST_NUMBERS, 0.3 * len(pages)):
        found += chain
        taken = set(map(id, chain))
        left = [(value, run) for value, run in left if id(run) not in taken]
    chained = set(map(id, found))
    first = next((index for index, (_, run) in enumerate(alone) if id(run) in chained), -1)
    return found + [run for before, run in roman if before <= first]


def _longest_chain(numbers: Sequence[tuple[int, Run]]) -> list[Run]:
    """Numbers that count on by one, standing one below the other."""
    chains: dict[int, list[Run]] = {}  # by the number that a chain has come to
    for value, run in numbers:
        before = chains.get(value - 1, [])
        goes_on = bool(before) and abs(_centre(before[-1]) - _centre(run)) <= _SIDE_STEP
        if goes_on or value not in chains:
            chains[value] = [*before, run] if goes_on else [run]
    return max(chains.values(), key=len, default=[])


def _is_alone(run: Run, page: PageContent) -> bool:
    return sum(abs(other.middle - run.middle) < 0.5 * run.height for other in page.runs) == 1


def _centre(run: Run) -> float:
    return (run.box.x0 + run.box.x1) / 2


def _nothing_else(pages: Sequence[PageContent], keys: Counter[tuple[str, int]], needed: int) -> bool:
    """Whether most pages with text would be left without any."""
    emptied = [
        all(_in_margin(run, page) and (keys[_key(run, page)] >= needed or _is_number(run.text)) for run in page.runs)
        for page in pages
        if page.runs and not page.picture_share
    ]
    return sum(emptied) * 2 > len(emptied)


def _in_margin(run: Run, page: PageContent) -> bool:
    return run.box.y1 < page.height * _MARGIN or run.box.y0 > page.height * (1 - _MARGIN)


def _key(run: Run, page: PageContent) -> tuple[str, int]:
    return _masked(run.text), round(run.box.y0 / _HEIGHT_STEP)


def _masked(text: str) -> str:
    return re.sub(r"\d+", "#", " ".join(text.split())).lower()


def _is_number(text: str) -> bool:
    match = _NUMBER.match(text.strip())
    return match is not None and (match[1].isdecimal() or roman_value(match[1]) is not None)
