"""Gives every block its place in the clause or chapter tree: kind, level, path ("第一编 第三十条", "ARTICLE 4 › Section 4.2").

Works on blocks of any format, from what the format's markup says (heading levels, list numbers) and from how the text itself
is numbered. It never changes the text. A number counts only where it fits: an item continues its list or begins one that
goes on, an article that could be the beginning of a sentence must be the next in order.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from unabridged.ingest.clauses import (
    RANK_BOOK,
    RANK_CHAPTER,
    RANK_CLAUSE,
    RANK_ITEM,
    RANK_TITLE,
    Number,
    general_heading,
    number_of,
)
from unabridged.ingest.document import Anchor, Block, BlockKind, Box
from unabridged.ingest.numerals import roman_value

_LABEL_LIMIT = 80  # code points of an unnumbered heading in a path; the heading itself is never shortened
_CONTENTS_LENGTH = 300  # code points of a block in a table of contents, on average at most
_HEADING_RANKS = {1: 5, 2: 15}  # where a heading without a number stands among numbered ones, by its level
_INNER_HEADING_RANK = 25
_LIST_LOOKAHEAD = 400  # blocks in which a list that begins must go on
_MARKDOWN_HEADING = re.compile(r"#{1,6}\s+")
_INSTRUMENT = re.compile(r"[^。；，！？\n]{2,60}(法|条例|解释|规定|办法|细则|决定|规则|准则|章程|合同|协议|协议书)(（试行）)?$")
_TITLE_BREAKS = re.compile(r"[.;,。；！？!?：:]$|^[“\"'‘「(（]")
_CJK = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A block before it has its place. `label`: its number in the file's markup; `path`: given by the reader, kept."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    label: str = ""
    path: str = ""
    page: int | None = None
    page_label: str | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a path. `level` of a heading, `depth` in a list: only where markup gave them."""

    label: str
    rank: int
    level: int = 0
    depth: int = 0
    values: tuple[tuple[str, int], ...] = ()


def place(text: str, entries: Sequence[Entry]) -> Sequence[Block]:
    """The blocks of `entries`, in the same order; a number that stands alone is joined with the title that follows it."""
    entries = _join_titles(text, entries)
    return _Placer(text, entries).blocks()


def _body(text: str, entry: Entry) -> str:
    body = text[entry.start : entry.end].lstrip()
    marker = _MARKDOWN_HEADING.match(body) if entry.kind is BlockKind.HEADING else None
    return body[marker.end() :] if marker else body


def _join_titles(text: str, entries: Sequence[Entry]) -> list[Entry]:
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
    body = _body(text, entry).strip()
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
    if len(title) > _LABEL_LIMIT or "\n" in title or _TITLE_BREAKS.search(title) or number_of(title) or general_heading(title):
        return False
    if _CJK.search(title):
        return not re.search(r"[。，；！？]", title)
    words = re.findall(r"[A-Za-z]+", title)
    return bool(words) and sum(word[0].isupper() or len(word) < 4 for word in words) / len(words) > 0.6


def _around(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return Box(min(one.x0, other.x0), min(one.y0, other.y0), max(one.x1, other.x1), max(one.y1, other.y1))


class _Placer:
    def __init__(self, text: str, entries: Sequence[Entry]) -> None:
        self.text = text
        self.entries = entries
        self.bodies = [_body(text, entry)[:400] for entry in entries]
        self.numbers = [self._number(entry, body) for entry, body in zip(entries, self.bodies, strict=True)]
        self.contents = self._contents()
        self.titles = self._titles()
        self.document_title = self._document_title()
        self.steps: list[_Step] = []  # clauses and chapters around the present block
        self.items: list[_Step] = []  # list items inside the last of them
        self.suspended = False  # a paragraph after the items: it belongs to the clause, but the list may go on
        self.article = 0
        self.roman = 0  # the last of headings like "II. METHOD"
        self.books = False

    @staticmethod
    def _number(entry: Entry, body: str) -> Number | None:
        if entry.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM):
            return None
        return number_of(body)

    def blocks(self) -> Sequence[Block]:
        placed: list[Block] = []
        for index, entry in enumerate(self.entries):
            kind, level = self._enter(index, entry)
            path = entry.path or self._path()
            if index in self.contents:
                kind, level, path = BlockKind.LIST_ITEM, 1, self.contents[index]
            anchor = Anchor(entry.page, entry.page_label, entry.box, path)
            placed.append(Block(kind, entry.start, entry.end, anchor, level))
        return tuple(placed)

    def _enter(self, index: int, entry: Entry) -> tuple[BlockKind, int]:
        """Move to where this block stands; its kind and level."""
        number = self.numbers[index]
        if index in self.contents or entry.kind in (BlockKind.TABLE, BlockKind.FOOTNOTE, BlockKind.COMMENT, BlockKind.CAPTION):
            return entry.kind, entry.level
        if index in self.titles:
            self.steps, self.items, self.article, self.books = [_Step(self.titles[index], RANK_TITLE)], [], 0, False
            return BlockKind.HEADING, entry.level or 1
        if number is not None and number.rank < RANK_ITEM and self._belongs(entry, number):
            return self._enter_clause(entry, number)
        if (
            number is not None
            and number.rank == RANK_ITEM
            and entry.kind is not BlockKind.HEADING
            and self._enter_item(index, entry, number)
        ):
            return BlockKind.LIST_ITEM, len(self.items)
        if entry.kind is BlockKind.HEADING:
            return self._enter_heading(index, entry)
        label = general_heading(self.bodies[index]) if entry.kind is BlockKind.PARAGRAPH else ""
        if label and label not in ("目录", "目錄"):
            self._climb(RANK_BOOK if self.books and _CJK.search(label) else RANK_CHAPTER)
            self.steps.append(_Step(label, RANK_BOOK if self.books and _CJK.search(label) else RANK_CHAPTER))
            return BlockKind.HEADING, len(self.steps)
        if self.items and not self.bodies[index][:1].islower():
            self.suspended = True
        return entry.kind, entry.level

    def _belongs(self, entry: Entry, number: Number) -> bool:
        """Whether an article that could also begin a sentence is the next in order."""
        if number.sure or entry.label:
            return True
        if number.style == "roman":
            goes_on = number.value == self.roman + 1
            self.roman += goes_on
            return goes_on
        return number.style == "条" and number.value in (self.article, self.article + 1)

    def _enter_clause(self, entry: Entry, number: Number) -> tuple[BlockKind, int]:
        styled = entry.level if entry.kind is BlockKind.HEADING else 0
        self._climb(number.rank, styled)
        self.books = self.books or number.rank == RANK_BOOK
        if number.style == "条":
            self.article = number.value
        depth = self._leave_list(entry)
        self.steps.append(_Step(number.label, number.rank, styled, depth))
        is_heading = entry.kind is BlockKind.HEADING or number.heading
        if is_heading:
            return BlockKind.HEADING, entry.level or len(self.steps)
        return entry.kind, entry.level

    def _climb(self, rank: int, level: int = 0) -> None:
        """Leave every step that cannot contain what comes. Markup levels are compared with levels, numbers with ranks."""
        self.items, self.suspended = [], False
        for index, step in enumerate(self.steps):
            both_styled = level > 0 and step.level > 0
            stays = step.level < level if both_styled else step.rank == RANK_TITLE or step.rank < rank
            if not stays:
                del self.steps[index:]
                return

    def _enter_heading(self, index: int, entry: Entry) -> tuple[BlockKind, int]:
        rank = _HEADING_RANKS.get(entry.level or 1, _INNER_HEADING_RANK)
        self._climb(rank, entry.level or 1)
        label = " ".join(self.bodies[index].split())
        if label and index != self.document_title:
            shortened = label if len(label) <= _LABEL_LIMIT else label[: _LABEL_LIMIT - 1] + "…"
            self.steps.append(_Step(shortened, rank, entry.level or 1))
        return BlockKind.HEADING, entry.level or 1

    def _document_title(self) -> int | None:
        """The only heading of the smallest level names the whole document: repeating it in every path says nothing."""
        levels = [(entry.level or 1, index) for index, entry in enumerate(self.entries) if entry.kind is BlockKind.HEADING]
        smallest = min(levels, default=(0, 0))[0]
        top = [index for level, index in levels if level == smallest]
        return top[0] if len(top) == 1 and len(levels) > 1 else None

    def _enter_item(self, index: int, entry: Entry, number: Number) -> bool:
        if entry.label and entry.level:
            depth = self._leave_list(entry)
            self.items.append(_Step(number.label, RANK_ITEM, 0, depth, number.values[:1]))
            self.suspended = False
            return True
        for depth in range(len(self.items) - 1, -1, -1):
            style, last = self.items[depth].values[0]
            reading = dict(number.values).get(style)
            if reading is not None and (reading == last + 1 or (reading == 1 and last > 1)):
                del self.items[depth:]
                return self._push_item(number, (style, reading))
        for style, value in number.values:
            if value == 1 and self._goes_on(index, style):
                return self._push_item(number, (style, value))
        return False

    def _leave_list(self, entry: Entry) -> int:
        """Close what stands as deep in the markup's list as `entry`, or deeper; the entry's own depth, 0 outside lists."""
        if not entry.label or entry.kind is not BlockKind.LIST_ITEM:
            return 0
        for steps in (self.steps, self.items):
            first = next((index for index, step in enumerate(steps) if step.depth >= entry.level), None)
            if first is not None:
                del steps[first:]
        return entry.level

    def _push_item(self, number: Number, value: tuple[str, int]) -> bool:
        self.items.append(_Step(number.label, RANK_ITEM, 0, 0, (value,)))
        self.suspended = False
        return True

    def _goes_on(self, index: int, style: str) -> bool:
        following = self.numbers[index + 1 : index + _LIST_LOOKAHEAD]
        return any(number is not None and (style, 2) in number.values for number in following)

    def _path(self) -> str:
        path, steps = "", self.steps[self._unnamed() :]
        for step, inner in zip(steps, [*steps[1:], None], strict=False):
            if inner is not None and inner.label.startswith(step.label + "."):
                continue  # 3.1.1 says 3.1
            joint = "" if not path else " " if _CJK.match(step.label) and _CJK.search(path[-1:]) else " › "
            path += joint + step.label
        if self.suspended or not self.items:
            return path
        in_clause = bool(self.steps) and self.steps[-1].rank >= RANK_CLAUSE
        return path + ("" if in_clause or not path else " ") + "".join(item.label.rstrip(".") for item in self.items)

    def _unnamed(self) -> int:
        """How many first steps the path leaves out: the title, where the file holds but one law or contract."""
        return sum(step.rank == RANK_TITLE for step in self.steps) if len(self.titles) < 2 else 0

    def _contents(self) -> dict[int, str]:
        """Blocks of a table of contents: from its heading to where its first line comes again. Their path is the heading."""
        contents: dict[int, str] = {}
        keys = [_contents_key(body) for body in self.bodies]
        for index, body in enumerate(self.bodies):
            label = general_heading(body)
            if (
                index in contents
                or label.lower() not in ("目录", "目錄", "contents", "table of contents")
                or index + 1 >= len(keys)
            ):
                continue
            again = next((j for j in range(index + 2, len(keys)) if self._repeats(keys, index + 1, j)), 0)
            lengths = [self.entries[j].end - self.entries[j].start for j in range(index + 1, again)]
            if again and sum(lengths) / len(lengths) <= _CONTENTS_LENGTH:
                contents.update(dict.fromkeys(range(index, again), label))
        return contents

    def _repeats(self, keys: Sequence[str], first: int, later: int) -> bool:
        """Whether a block is a line of the table of contents over again: its words, or its number (ARTICLE 1, ARTICLE I)."""
        if keys[first] and keys[first] == keys[later]:
            return True
        one, other = self.numbers[first], self.numbers[later]
        return one is not None and other is not None and one.rank < RANK_CLAUSE and one.values == other.values

    def _titles(self) -> dict[int, str]:
        """Names of laws and contracts that stand as plain paragraphs before a table of contents or a first article."""
        titles: dict[int, str] = {}
        for index, (entry, body) in enumerate(zip(self.entries, self.bodies, strict=True)):
            if (
                entry.kind is not BlockKind.PARAGRAPH
                or index in self.contents
                or not _INSTRUMENT.match(body)
                or self.numbers[index]
            ):
                continue
            nearby = range(index + 1, min(index + 9, len(self.entries)))
            if any(j in self.contents or self._begins(j) for j in nearby):
                titles[index] = body.strip()
        return titles

    def _begins(self, index: int) -> bool:
        number = self.numbers[index]
        return number is not None and number.style in ("编", "章", "条") and number.value == 1


def _contents_key(body: str) -> str:
    """A line of a table of contents without white space, leaders and its page number."""
    return re.sub(r"[.·…\s]*\d*$", "", re.sub(r"[\s\u3000]+", "", body)).lower()
