"""Numbers that stand alone on their line ("ARTICLE 4", "第一回", "I") and the title on the next: together they are one heading.

Chapters that are nothing but I, II, III, … are found here, too.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from unabridged.ingest.clauses import RANK_CLAUSE, general_heading, number_of
from unabridged.ingest.document import BlockKind, Box
from unabridged.ingest.entry import Entry, body_of
from unabridged.ingest.numerals import roman_value

_TITLE_LIMIT = 80  # code points
_TITLE_BREAKS = re.compile(r"[.;,。；，！？!?：:]$|^[“\"'‘「(（]")
_CJK = re.compile(r"[\u3400-\u9fff]")


def join_titles(text: str, entries: Sequence[Entry]) -> list[Entry]:
    """The entries, those that belong together as one heading."""
    joined: list[Entry] = []
    chain = _lone_romans(text, entries)
    skip = False
    for index, entry in enumerate(entries):
        if skip:
            skip = False
            continue
        following = entries[index + 1] if index + 1 < len(entries) else None
        if (
            following is not None
            and _wants_title(text, entry, index in chain)
            and _is_title(text, entry, following, index + 1 in chain)
        ):
            box = _around(entry.box, following.box)
            joined.append(
                replace(entry, kind=BlockKind.HEADING, end=following.end, level=entry.level or following.level, box=box)
            )
            skip = True
        elif index in chain:
            joined.append(replace(entry, kind=BlockKind.HEADING))
        else:
            joined.append(entry)
    return joined


def _lone_romans(text: str, entries: Sequence[Entry]) -> set[int]:
    """Indexes of blocks that are nothing but I, II, III, … in order: the chapters of many novels."""
    found: list[int] = []
    for index, entry in enumerate(entries):
        if entry.end - entry.start > 10 or entry.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING):
            continue
        if roman_value(text[entry.start : entry.end].strip().rstrip(".")) == len(found) + 1:
            found.append(index)
    return set(found) if len(found) > 1 else set()


def _wants_title(text: str, entry: Entry, lone_roman: bool) -> bool:
    if entry.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING) or entry.end - entry.start > 30:
        return False
    if lone_roman:
        return True
    body = body_of(text, entry).strip()
    number = number_of(body)
    return (
        number is not None
        and number.rank <= RANK_CLAUSE
        and number.heading
        and body[number.length :].strip(" .:：\u3000") == ""
    )


def _is_title(text: str, entry: Entry, following: Entry, lone_roman: bool) -> bool:
    if following.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING) or following.page != entry.page or lone_roman:
        return False
    title = text[following.start : following.end].strip()
    if len(title) > _TITLE_LIMIT or "\n" in title or _TITLE_BREAKS.search(title) or number_of(title) or general_heading(title):
        return False
    if _CJK.search(title):
        return not re.search(r"[。，；！？]", title)
    if entry.level and following.kind is BlockKind.PARAGRAPH and not title.isupper():
        return False  # where markup says what is a heading, a paragraph in capitals only may be its title
    words = re.findall(r"[A-Za-z]+", title)
    return bool(words) and sum(word[0].isupper() or len(word) < 4 for word in words) / len(words) > 0.6


def _around(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return Box(min(one.x0, other.x0), min(one.y0, other.y0), max(one.x1, other.x1), max(one.y1, other.y1))
