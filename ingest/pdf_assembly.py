"""Paragraphs of all pages become blocks: headings, footnotes and tables are told from running text, and a paragraph that a
column or page break divides is put together again.

Knows typography (sizes, positions, punctuation) and the file's bookmarks; knows nothing of MuPDF.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from unabridged.ingest.clauses import number_of
from unabridged.ingest.document import BlockKind, Box
from unabridged.ingest.draft import Draft, usable
from unabridged.ingest.hyphenation import Vocabulary
from unabridged.ingest.page_turn import turned_back
from unabridged.ingest.pdf_lines import Column, TextLine, TextParagraph, is_bullet, is_cjk

_SENTENCE_END = re.compile(r"[.!?:;。！？：；…][\"”’»)）』」\]⁰¹²³⁴⁵⁶⁷⁸⁹]*$")
_OPEN_END = re.compile(  # words that end no sentence
    r"\b(?:the|an?|of|in|to|and|or|for|by|with|on|at|from|as|that|which|such|its|their|any|this|these|under|between|shall|be|is)$"
)
_CAPTION = re.compile(r"(?:Table|Figure|Fig\.|TABLE|FIGURE|图|表)\s*\d{1,3}(?:[.-]\d{1,3})?\s*[.:：\s]")
_NOTE_SIGN = re.compile(r"(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]+|\d{1,3}|[*∗†‡§①-⑳])[.)\s]?\s*\S")
_PARTY = re.compile(
    r"(?:\b(?:inc|l\.?l\.?c|ltd|limited|corp|corporation|company|l\.?p|l\.?l\.?p|plc|n\.a|b\.v|s\.a|gmbh|ag)\b\.?|有限公司|股份公司)\W*$",
    re.IGNORECASE,
)
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DATE = re.compile(
    rf"(?:dated\b.*|(?:as of\W*)?(?:\d{{1,2}}\s+)?(?:{_MONTHS})\s+(?:\d{{1,2}},?\s+)?\d{{4}})\W*$", re.IGNORECASE
)
_JOINING = re.compile(r"(?:by and )?(?:between|among|and|to|by|with|or)\W*$", re.IGNORECASE)
_HEADING_LIMIT = 160  # code points
_SMALL, _LARGE = 0.93, 1.08  # times the size of the body: notes are set below, headings above
_LEVELS = 5
_BOLD_LEVEL = 3  # of bold lines no larger than the body: inside numbered chapters, never around them


@dataclass(frozen=True, slots=True)
class Bookmark:
    level: int
    title: str
    page: int


@dataclass(slots=True)
class Piece:
    """A paragraph on its way to a block."""

    kind: BlockKind
    page: int
    lines: list[TextLine]
    level: int = 0
    full: bool = False  # its last line reaches the column's edge
    words: str = ""  # of a comment, which has no lines

    @property
    def last_page(self) -> int:
        return self.lines[-1].page if self.lines else self.page


@dataclass(slots=True)
class Assembly:
    """Feed it pages in order with `add_page`, then `finish`. Pieces wait until the next page shows whether they go on."""

    draft: Draft
    body_size: float
    vocabulary: Vocabulary
    heading_sizes: Sequence[float] = ()  # of what is set larger than the body, largest first
    bookmarks: Sequence[Bookmark] = ()
    _pending: list[Piece] = field(default_factory=list)
    _sizes: dict[int, tuple[float, float]] = field(default_factory=dict)  # of pages, as they are shown

    def add_page(
        self,
        page: int,
        width: float,
        height: float,
        columns: Iterable[tuple[Column, Sequence[TextParagraph]]],
        *,
        breaks: Sequence[float] = (),
    ) -> None:
        """`breaks`: heights at which a page of the original ended, where the file shows them inside its own pages."""
        self._sizes[page] = width, height
        pieces: list[Piece] = []
        for column, paragraphs in columns:
            found = [self._piece(paragraph, column, page, height) for paragraph in paragraphs]
            self._keep_notes_at_the_foot(found)
            pieces += found
        self._head_by_bookmarks(pieces, page)
        for piece in pieces:
            before = self._last_running()
            if before is not None and piece.kind is BlockKind.PARAGRAPH and _goes_on(before, piece, breaks):
                before.lines += piece.lines
                before.full = piece.full
            else:
                self._pending.append(piece)
        while len(self._pending) > 1 and self._pending[0].last_page < page - 1:
            self._write(self._pending.pop(0))

    def add_comments(self, page: int, comments: Iterable[str]) -> None:
        self._pending += (Piece(BlockKind.COMMENT, page, [], words=usable(comment)) for comment in comments)

    def finish(self) -> None:
        for piece in self._pending:
            self._write(piece)
        self._pending.clear()

    def _last_running(self) -> Piece | None:
        """The paragraph that may go on: footnotes at the foot of its page and comments stand in between."""
        aside = (BlockKind.FOOTNOTE, BlockKind.COMMENT)
        return next((piece for piece in reversed(self._pending) if piece.kind not in aside), None)

    def _piece(self, paragraph: TextParagraph, column: Column, page: int, height: float) -> Piece:
        lines = paragraph.lines
        size = median(line.size for line in lines)
        text = lines[0].text
        kind, level = BlockKind.PARAGRAPH, 0
        if paragraph.is_table:
            kind = BlockKind.TABLE
        elif is_bullet(text):
            kind, level = BlockKind.LIST_ITEM, 1
        elif size < _SMALL * self.body_size and lines[0].box.y0 > 0.5 * height and _NOTE_SIGN.match(text):
            kind = BlockKind.FOOTNOTE
        elif _CAPTION.match(text) and len(lines) < 6:
            kind = BlockKind.CAPTION
        elif number_of(text) is None and sum(len(line.text) for line in lines) <= _HEADING_LIMIT:
            kind, level = self._heading(lines, size)
        width = column.right - column.left
        return Piece(kind, page, list(lines), level, full=lines[-1].box.x1 > column.right - 0.12 * width)

    def _heading(self, lines: Sequence[TextLine], size: float) -> tuple[BlockKind, int]:
        """Large print, and a bold line by itself that is no sentence; not what title pages set so beside the title."""
        if any(line.cells for line in lines) or _is_title_page_line(" ".join(line.text for line in lines)):
            return BlockKind.PARAGRAPH, 0
        if size > _LARGE * self.body_size:
            return BlockKind.HEADING, min(_LEVELS, sum(other > size + 0.3 for other in self.heading_sizes) + 1)
        text = lines[0].text
        begins_like_one = text[:1].isupper() or is_cjk(text[:1]) or text[:1].isdecimal()
        if lines[0].bold and len(lines) == 1 and 4 < len(text) < 80 and begins_like_one and not _SENTENCE_END.search(text):
            return BlockKind.HEADING, min(_LEVELS, max(_BOLD_LEVEL, len(self.heading_sizes) + 1))
        return BlockKind.PARAGRAPH, 0

    def _keep_notes_at_the_foot(self, pieces: Sequence[Piece]) -> None:
        """Small print above running text is no footnote."""
        at_foot = True
        for piece in reversed(pieces):
            if piece.kind is BlockKind.FOOTNOTE and not at_foot:
                piece.kind = BlockKind.PARAGRAPH
            at_foot = at_foot and median(line.size for line in piece.lines) < _SMALL * self.body_size

    def _head_by_bookmarks(self, pieces: Sequence[Piece], page: int) -> None:
        for bookmark in self.bookmarks:
            if bookmark.page != page:
                continue
            wanted = _key(bookmark.title)
            for piece in pieces:
                if wanted and len(wanted) > 1 and piece.kind in (BlockKind.PARAGRAPH, BlockKind.HEADING):
                    found = _key("".join(line.text for line in piece.lines))
                    if (
                        found == wanted
                        or (found.endswith(wanted) and len(found) < len(wanted) + 12)
                        or (wanted.endswith(found) and len(found) > 8)
                    ):
                        piece.kind, piece.level = BlockKind.HEADING, bookmark.level
                        break

    def _write(self, piece: Piece) -> None:
        """Join the lines into one block; every line keeps its span and box."""
        if piece.words:
            self.draft.add(piece.kind, piece.words, page=piece.page)
            return
        text, spans = _joined(piece, self.vocabulary)
        if not text:
            return
        boxes = [self._place(line) for line in piece.lines if line.page == piece.page]
        start = self.draft.add(piece.kind, text, level=piece.level, page=piece.page, box=_around(boxes))
        for line_start, line_end, line in spans:
            self.draft.add_line(start + line_start, start + line_end, page=line.page, box=self._place(line))

    def _place(self, line: TextLine) -> Box:
        """Its box on the page as it is shown."""
        return turned_back(line.box, line.turn, *self._sizes[line.page]) if line.turn else line.box


def _is_title_page_line(text: str) -> bool:
    """A party, a date, a word between parties: set large or bold on title pages and above signatures, but no heading."""
    return any(pattern.match(text) for pattern in (_DATE, _JOINING)) or _PARTY.search(text) is not None


def body_size(lines: Iterable[TextLine]) -> float:
    """The font size in which most of the document is set, in points."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def heading_sizes(lines: Iterable[TextLine], body: float) -> list[float]:
    """The font sizes, in points, in which short lines are set larger than the body; the largest first."""
    sizes = {round(line.size * 2) / 2 for line in lines if line.size > _LARGE * body and 2 < len(line.text) <= _HEADING_LIMIT}
    return sorted(sizes, reverse=True)


def _goes_on(before: Piece, piece: Piece, breaks: Sequence[float]) -> bool:
    """Whether `piece`, at the top of a column or page or below a break, is the rest of what `before` leaves open."""
    if before.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM):
        return False
    last, first = before.lines[-1], piece.lines[0]
    below = first.page == last.page and first.box.y0 > last.box.y0 and first.box.x0 < last.box.x1
    is_divided = any(last.box.y0 < height < first.box.y1 for height in breaks)
    if (below and not is_divided) or abs(last.size - first.size) > 0.1 * last.size or last.bold != first.bold:
        return False
    if _SENTENCE_END.search(last.text) or number_of(first.text) is not None or is_bullet(first.text):
        return False
    if is_cjk(first.text[0]) and is_cjk(last.text[-1]):
        return before.full
    if first.text[0].islower() or (_OPEN_END.search(last.text) and not first.text.strip().isdecimal()):
        return True
    return before.full and len(before.lines) > 1 and not first.bold and len(piece.lines) > 1


def _joined(piece: Piece, vocabulary: Vocabulary) -> tuple[str, list[tuple[int, int, TextLine]]]:
    """The text and, for every line, its span in it."""
    text = ""
    spans: list[tuple[int, int, TextLine]] = []
    is_ruled = any(line.joint is not None for line in piece.lines)
    for line in piece.lines:
        words = usable(line.text).strip()
        if not words:
            continue
        if line.joint is not None:
            text += line.joint
        elif text and piece.kind is BlockKind.TABLE and not is_ruled:
            text += "\n"
        elif text and (joint := vocabulary.joint(text, words)) is not None:
            text = text[:-1] + joint
            start, _, previous = spans[-1]
            spans[-1] = (start, len(text), previous)
        elif text and not (is_cjk(text[-1]) and is_cjk(words[0])):
            text += " "
        spans.append((len(text), len(text) + len(words), line))
        text += words
    return text, [span for span in spans if span[0] < span[1]]


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _around(boxes: Sequence[Box]) -> Box:
    return Box(min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes))
