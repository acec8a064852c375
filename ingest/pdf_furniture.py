"""Running heads, running feet, page numbers and line numbers: what repeats at the same height of many pages, its digits aside.

Kept apart from the text, so that a sentence over a page break is not interrupted; never thrown away. A line that stands on one
page only is never furniture, except a page number alone in the margin where pages before and after have theirs.
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
_NUMBER = re.compile(
    r"[-–—·\s]*(?:page|第)?\s*(\d{1,4}|[ivxlcIVXLC]{1,7})\s*(?:页)?(?:\s*(?:of|/|共)\s*\d{1,4}\s*页?)?[-–—·\s]*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Body:
    runs: tuple[Run, ...]
    furniture: tuple[str, ...]


def separate(pages: Sequence[PageContent]) -> list[Body]:
    """For every page what belongs to the text and what does not."""
    keys: Counter[tuple[str, int]] = Counter()
    numbered = 0
    for page in pages:
        marginal = [run for run in page.runs if _in_margin(run, page)]
        keys.update({_key(run, page) for run in marginal})
        numbered += any(_is_number(run.text) for run in marginal)
    counted = [line_numbers(page) for page in pages]
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
            and _in_margin(run, page)
            and (keys[_key(run, page)] >= needed or (has_numbers and _is_number(run.text)))
        ]
        words = [run.text.strip() for run in apart]
        if column:
            words.append(" ".join(run.text.strip() for run in column))
        chosen = set(map(id, apart)) | beside
        bodies.append(Body(tuple(run for run in page.runs if id(run) not in chosen), tuple(words)))
    return bodies


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
    return re.sub(r"\d+", "#", " ".join(run.text.split())).lower(), round(run.box.y0 / _HEIGHT_STEP)


def _is_number(text: str) -> bool:
    match = _NUMBER.match(text.strip())
    return match is not None and (match[1].isdecimal() or roman_value(match[1]) is not None)
