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
from unabridged.ingest.document import Anchor, Block, BlockKind
from unabridged.ingest.entry import Entry, body_of
from unabridged.ingest.numerals import chinese_numeral
from unabridged.ingest.outline_contents import contents, instrument_titles
from unabridged.ingest.outline_contract import is_filing_label, is_operative, is_recitals
from unabridged.ingest.outline_runin import is_lone_title, title_lengths
from unabridged.ingest.outline_titles import join_titles

_LABEL_LIMIT = 80  # code points of an unnumbered heading in a path; the heading itself is never shortened
_HEADING_RANKS = {1: 5, 2: 15}  # where a heading without a number stands among numbered ones, by its level
_INNER_HEADING_RANK = 25
_LIST_LOOKAHEAD = 400  # blocks in which a list that begins must go on
_LONGEST_HEADING = 200  # code points; Word files set whole clauses in the style of a heading
_FIRST_BLOCKS = 3  # of a file, in which the number that it was filed under stands
_SENTENCE_END = re.compile(r"[。；：！？;:][”』」）)]*\s*\Z")
_CJK = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a path. `level` of a heading, `depth` in a list: only where markup gave them."""

    label: str
    rank: int
    level: int = 0
    depth: int = 0
    values: tuple[tuple[str, int], ...] = ()
    number: Number | None = None  # of a clause that the text itself numbers
    is_title: bool = False  # an item that is a heading: paragraphs after it stand under it

    @property
    def has_paragraphs(self) -> bool:
        """Whether it is an article (条), whose paragraphs are counted (款)."""
        return self.number is not None and self.number.style == "条"


def place(text: str, entries: Sequence[Entry]) -> Sequence[Block]:
    """The blocks of `entries`, in the same order; a number that stands alone is joined with the title that follows it."""
    entries = join_titles(text, entries)
    return _Placer(text, entries).blocks()


class _Placer:
    def __init__(self, text: str, entries: Sequence[Entry]) -> None:
        self.text = text
        self.entries = entries
        self.bodies = [body_of(text, entry)[:400] for entry in entries]
        self.numbers = [self._number(entry, body) for entry, body in zip(entries, self.bodies, strict=True)]
        self.contents = contents(entries, self.bodies, self.numbers)
        self.title_lengths = title_lengths(self.bodies, self.numbers)
        self.titles = instrument_titles(entries, self.bodies, self.numbers, self.contents)
        self.document_title = self._document_title()
        self.steps: list[_Step] = []  # clauses and chapters around the present block
        self.items: list[_Step] = []  # list items inside the last of them
        self.suspended = False  # a paragraph after the items: it belongs to the clause, but the list may go on
        self.article = 0
        self.paragraph = 0  # 款: which paragraph of the article this is, from 1
        self.list_paragraph = 0  # the one that the list items belong to
        self.is_ended = False  # whether the last block of the article ended a sentence
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
            end = self._title_end(index, entry) if kind is BlockKind.HEADING else entry.end
            placed.append(Block(kind, entry.start, end, anchor, level))
            if rest := self.text[end : entry.end].lstrip():
                placed.append(Block(BlockKind.PARAGRAPH, entry.end - len(rest), entry.end, anchor))
        return tuple(placed)

    def _title_end(self, index: int, entry: Entry) -> int:
        """Where a heading ends: before the clause that goes on in the same paragraph."""
        length = self.title_lengths[index]
        return entry.end - len(body_of(self.text, entry)) + length if length else entry.end

    def _enter(self, index: int, entry: Entry) -> tuple[BlockKind, int]:
        """Move to where this block stands; its kind and level."""
        number = self.numbers[index]
        if index in self.contents or entry.kind in (BlockKind.TABLE, BlockKind.FOOTNOTE, BlockKind.COMMENT, BlockKind.CAPTION):
            return entry.kind, entry.level
        if index in self.titles:
            self.steps, self.items, self.article, self.books = [_Step(self.titles[index], RANK_TITLE)], [], 0, False
            return BlockKind.HEADING, entry.level or 1
        if number is not None and number.rank < RANK_ITEM and self._belongs(entry, number):
            return self._enter_clause(index, entry, number)
        if (
            number is not None
            and number.rank == RANK_ITEM
            and entry.kind is not BlockKind.HEADING
            and self._enter_item(index, entry, number)
        ):
            under = self.steps[-1].number if self.steps else None
            if len(self.items) == 1 and (self.title_lengths[index] or is_lone_title(self.bodies[index], number, under=under)):
                self.items[0] = replace(self.items[0], is_title=True)
                return BlockKind.HEADING, len(self.steps) + 1
            return BlockKind.LIST_ITEM, len(self.items)
        if entry.kind is BlockKind.HEADING and entry.end - entry.start <= _LONGEST_HEADING:
            return self._enter_heading(index, entry)
        label = general_heading(self.bodies[index]) if entry.kind is BlockKind.PARAGRAPH else ""
        if label and label not in ("目录", "目錄"):
            self._climb(RANK_BOOK if self.books and _CJK.search(label) else RANK_CHAPTER)
            self.steps.append(_Step(label, RANK_BOOK if self.books and _CJK.search(label) else RANK_CHAPTER))
            return BlockKind.HEADING, len(self.steps)
        if entry.kind is BlockKind.PARAGRAPH and is_operative(self.bodies[index]):
            self._leave_recitals()
        if self.items and entry.kind is not BlockKind.LIST_ITEM and not self.bodies[index][:1].islower():
            self.suspended = True
        if entry.kind is BlockKind.PARAGRAPH:
            self._count_paragraph(entry)
        return (BlockKind.PARAGRAPH, 0) if entry.kind is BlockKind.HEADING else (entry.kind, entry.level)

    def _count_paragraph(self, entry: Entry) -> None:
        """A paragraph of an article that is whole and follows a whole one is the next 款; what else stands there is not."""
        ends = self._ends(entry)
        if ends and self.is_ended:
            self.paragraph += 1
        self.is_ended = ends or self.is_ended

    def _ends(self, entry: Entry) -> bool:
        return _SENTENCE_END.search(self.text[max(entry.start, entry.end - 8) : entry.end]) is not None

    def _belongs(self, entry: Entry, number: Number) -> bool:
        """Whether an article that could also begin a sentence is the next in order."""
        if number.sure or entry.label:
            return True
        if number.style == "roman":
            goes_on = number.value == self.roman + 1
            self.roman += goes_on
            return goes_on
        return number.style == "条" and number.value in (self.article, self.article + 1)

    def _enter_clause(self, index: int, entry: Entry, number: Number) -> tuple[BlockKind, int]:
        if not self.steps and index < _FIRST_BLOCKS and is_filing_label(number.label):
            return BlockKind.HEADING, entry.level or 1
        styled = entry.level if entry.kind is BlockKind.HEADING else 0
        self._climb(number.rank, styled)
        self.books = self.books or number.rank == RANK_BOOK
        if number.style == "条":
            self.article = number.value
        is_short = entry.end - entry.start <= _LONGEST_HEADING
        is_heading = (entry.kind is BlockKind.HEADING and is_short) or number.heading or self.title_lengths[index] > 0
        self.paragraph = 0 if is_heading else 1
        self.is_ended = is_heading or self._ends(entry)
        depth = self._leave_list(entry)
        self.steps.append(_Step(number.label, number.rank, styled, depth, number=number))
        if is_heading:
            return BlockKind.HEADING, entry.level or len(self.steps)
        return (BlockKind.PARAGRAPH, 0) if entry.kind is BlockKind.HEADING else (entry.kind, entry.level)

    def _leave_recitals(self) -> None:
        """The words of agreement end what came before them: the clauses that follow are not part of it."""
        self.items, self.suspended = [], False
        self.steps = [step for step in self.steps if not is_recitals(step.label)]

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
        label = " ".join(self.bodies[index].split())
        if is_recitals(label):
            rank = RANK_CLAUSE
        clause = self._clause_around(index)
        if clause:
            self.items, self.suspended = [], False
            del self.steps[clause:]
        else:
            self._climb(rank, entry.level or 1)
        if label and index != self.document_title:
            shortened = label if len(label) <= _LABEL_LIMIT else label[: _LABEL_LIMIT - 1] + "…"
            self.steps.append(_Step(shortened, rank, entry.level or 1))
        return BlockKind.HEADING, entry.level or 1

    def _clause_around(self, index: int) -> int:
        """How many steps lead to the clause inside which an unnumbered heading is printed; 0 where it stands outside.

        Inside is where the clause's own number goes on after the heading and the text under it. Markup has levels for that.
        """
        if self.entries[index].box is None:
            return 0
        for depth in range(len(self.steps), 0, -1):
            step = self.steps[depth - 1]
            if step.number is None or step.level:
                continue
            following = next((n for n in self.numbers[index + 1 :] if n is not None and n.rank <= step.number.rank), None)
            has_text = index + 1 < len(self.numbers) and self.numbers[index + 1] is None
            goes_on = following is not None and (following.rank, following.style) == (step.number.rank, step.number.style)
            return depth if has_text and goes_on and following and following.follows(step.number) else 0
        return 0

    def _document_title(self) -> int | None:
        """The only heading of the smallest level names the whole document: repeating it in every path says nothing."""
        levels = [(entry.level or 1, index) for index, entry in enumerate(self.entries) if entry.kind is BlockKind.HEADING]
        smallest = min(levels, default=(0, 0))[0]
        top = [index for level, index in levels if level == smallest]
        numbered = next((index for index, number in enumerate(self.numbers) if number is not None and number.heading), 0)
        return top[0] if len(top) == 1 and (len(levels) > 1 or top[0] < numbered) else None

    def _enter_item(self, index: int, entry: Entry, number: Number) -> bool:
        if entry.label and entry.level:
            depth = self._leave_list(entry)
            self._begin_list()
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
                self._begin_list()
                return self._push_item(number, (style, value))
        return False

    def _begin_list(self) -> None:
        if not self.items or self.suspended:
            self.list_paragraph = self.paragraph

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
        items = [item for item in self.items if item.is_title] if self.suspended else self.items
        paragraph = self.list_paragraph if items else self.paragraph
        if self.steps and self.steps[-1].has_paragraphs and paragraph > 1:
            path += f"第{chinese_numeral(paragraph)}款"
        if not items:
            return path
        in_clause = bool(self.steps) and self.steps[-1].rank >= RANK_CLAUSE and self.steps[-1].number is not None
        return path + ("" if in_clause or not path else " ") + "".join(item.label.rstrip(".") for item in items)

    def _unnamed(self) -> int:
        """How many first steps the path leaves out: the title, where the file holds but one law or contract."""
        return sum(step.rank == RANK_TITLE for step in self.steps) if len(self.titles) < 2 else 0
