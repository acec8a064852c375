"""Parts of a document that are no clauses: its table of contents, and the names of the laws or contracts in it."""

import re
from collections.abc import Collection, Sequence

from unabridged.ingest.clauses import RANK_CLAUSE, Number, general_heading, number_of
from unabridged.ingest.document import BlockKind
from unabridged.ingest.entry import Entry

_CONTENTS_LENGTH = 300  # code points of a block in a table of contents, on average at most
_PROSE_LENGTH = 40  # code points of a sentence at least
_STRAY_LINES = 4  # of a table of contents in a row, at most, that do not come again; numbers of pages aside
_PAGE = re.compile(r"\b(\d{1,4}|[ivxlc]{1,7})$")
_RUNNING = re.compile(r"[.;。；]\s*\Z")
_NAMES = ("目录", "目錄", "contents", "table of contents")
_INSTRUMENT = re.compile(r"[^。；，！？\n]{2,60}(法|条例|解释|规定|办法|细则|决定|规则|准则|章程|合同|协议|协议书)(（试行）)?$")


def contents(entries: Sequence[Entry], bodies: Sequence[str], numbers: Sequence[Number | None]) -> dict[int, str]:
    """Blocks of a table of contents, from its heading to its last line. Their path is the heading."""
    found: dict[int, str] = {}
    keys = [_key(body) for body in bodies]
    for index, body in enumerate(bodies):
        label = general_heading(body)
        if index in found or label.lower() not in _NAMES or index + 1 >= len(keys):
            continue
        end = _until_its_first_line(index, entries, keys, numbers) or _until_running_text(index, entries, bodies, keys, numbers)
        found.update(dict.fromkeys(range(index, end), label))
    return found


def _until_its_first_line(index: int, entries: Sequence[Entry], keys: Sequence[str], numbers: Sequence[Number | None]) -> int:
    """Where the first line of the table comes again; 0 where it does not, or where too much text stands before."""
    again = next((j for j in range(index + 2, len(keys)) if _repeats(keys, numbers, index + 1, j)), 0)
    lengths = [entry.end - entry.start for entry in entries[index + 1 : again] if entry.kind is not BlockKind.TABLE]
    return again if sum(lengths) <= _CONTENTS_LENGTH * len(lengths) else 0


def _until_running_text(
    index: int, entries: Sequence[Entry], bodies: Sequence[str], keys: Sequence[str], numbers: Sequence[Number | None]
) -> int:
    """Behind the last of the lines, before any running text, that come again later; 0 where none does."""
    limit = next((j for j in range(index + 1, len(bodies)) if _RUNNING.search(bodies[j]) and _is_prose(entries[j])), index)
    places = {key: j for j, key in enumerate(keys)}
    labels = {(n.rank, n.label.lower()): j for j, n in enumerate(numbers) if n is not None and n.rank < RANK_CLAUSE}

    def comes_again(j: int) -> bool:
        number = numbers[j]
        return places[keys[j]] > j or (number is not None and labels.get((number.rank, number.label.lower()), 0) > j)

    end, strays = index, 0
    for j in range(index + 1, limit):
        if _lists_pages(entries[j], bodies[j]) or (len(keys[j]) > 2 and comes_again(j)):
            end, strays = j, 0
        elif len(keys[j]) > 2:
            strays += 1
            if strays > _STRAY_LINES:
                break
    return _with_last_lines(end, limit, index, bodies, numbers) if end > index else 0


def _lists_pages(entry: Entry, body: str) -> bool:
    """Whether a block is a table of lines that end with the number of a page."""
    rows = body.split("\n")[:-1]  # the last one may be cut
    return entry.kind is BlockKind.TABLE and sum(_PAGE.search(row) is not None for row in rows) * 2 > len(rows)


def _with_last_lines(end: int, limit: int, first: int, bodies: Sequence[str], numbers: Sequence[Number | None]) -> int:
    """Behind the numbered lines that follow the last known one, each with a number that the table did not have yet."""
    seen = {n.label.lower() for body in bodies[first : end + 1] for row in body.split("\n") if (n := number_of(row))}
    after = end + 1
    while after < limit and (number := numbers[after]) is not None and number.label.lower() not in seen:
        seen.add(number.label.lower())
        after += 1
    return after


def _is_prose(entry: Entry) -> bool:
    return entry.kind is not BlockKind.TABLE and entry.end - entry.start >= _PROSE_LENGTH


def _repeats(keys: Sequence[str], numbers: Sequence[Number | None], first: int, later: int) -> bool:
    """Whether a block is a line of the table of contents over again: its words, or its number (ARTICLE 1, ARTICLE I)."""
    if keys[first] and keys[first] == keys[later]:
        return True
    one, other = numbers[first], numbers[later]
    return one is not None and other is not None and one.rank < RANK_CLAUSE and one.values == other.values


def _key(body: str) -> str:
    """A line of a table of contents without white space, leaders and its page number."""
    return re.sub(r"[.·…\s]*\d*$", "", re.sub(r"[\s\u3000]+", "", body)).lower()


def instrument_titles(
    entries: Sequence[Entry], bodies: Sequence[str], numbers: Sequence[Number | None], contents: Collection[int]
) -> dict[int, str]:
    """Names of laws and contracts that stand as plain paragraphs before a table of contents or a first article."""
    titles: dict[int, str] = {}
    for index, (entry, body) in enumerate(zip(entries, bodies, strict=True)):
        if entry.kind is not BlockKind.PARAGRAPH or index in contents or not _INSTRUMENT.match(body) or numbers[index]:
            continue
        nearby = range(index + 1, min(index + 9, len(entries)))
        if any(j in contents or _begins(numbers[j]) for j in nearby):
            titles[index] = body.strip()
    return titles


def _begins(number: Number | None) -> bool:
    return number is not None and number.style in ("编", "章", "条") and number.value == 1
