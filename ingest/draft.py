"""What a reader fills in: pieces of text in reading order, each with its place. `finish` turns it into a Document's parts.

A draft only puts together: it adds the white space between blocks, keeps the spans, and asks `outline` for paths.
It does not know formats. Two ways to use it: `Draft()` and `add`, where the reader builds the text piece by piece; or
`Draft(text=…)` and `mark`, where the text is there already and must stay as it is (plain text).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from unabridged.ingest.document import BlockKind, Box, Document, Furniture, Line, Page, Problem, ProblemKind
from unabridged.ingest.entry import Entry
from unabridged.ingest.outline import place

# Characters that no text needs and that would break JSON, SQLite or a terminal; replaced one for one, so spans hold.
_UNUSABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def usable(text: str) -> str:
    """`text` with "\\n" line ends and U+FFFD, which is visible, in place of control characters and lone surrogates."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNUSABLE.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class _Sheet:
    label: str
    width: float
    height: float
    ocr: bool


@dataclass(slots=True)
class Draft:
    text: str = ""
    problems: list[Problem] = field(default_factory=list)
    furniture: list[Furniture] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _pages: list[_Sheet] = field(default_factory=list)
    _page_starts: dict[int, int] = field(default_factory=dict)

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        separator: str = "\n\n",
        level: int = 0,
        label: str = "",
        path: str = "",
        page: int | None = None,
        box: Box | None = None,
    ) -> int:
        """Append a block and return its start. Text that is only white space is no block; its start is then the end so far.

        `label` is a number that the file's own markup gives the block ("4.2", "第三条"); `path` replaces the computed path.
        """
        body = usable(text).rstrip()
        if not body.strip():
            return self._length
        leading = len(body) - len(body.lstrip("\n"))
        body = body[leading:]
        if self._length:
            self._parts.append(separator)
            self._length += len(separator)
        start = self._length
        self._parts.append(body)
        self._length += len(body)
        self.mark(kind, start, self._length, level=level, label=label, path=path, page=page, box=box)
        return start

    def mark(
        self,
        kind: BlockKind,
        start: int,
        end: int,
        *,
        level: int = 0,
        label: str = "",
        path: str = "",
        page: int | None = None,
        box: Box | None = None,
    ) -> None:
        """A block of the text that is there; blocks come in order."""
        page_label = self._pages[page - 1].label if page else None
        if page:
            self._page_starts.setdefault(page, start)
        self.entries.append(Entry(kind, start, end, level, label, path, page, page_label, box))

    def add_page(self, *, label: str, width: float, height: float, ocr: bool = False) -> int:
        """The next page. Returns its number, counted from 1; it may stay without text."""
        self._pages.append(_Sheet(label, width, height, ocr))
        return len(self._pages)

    def add_line(self, start: int, end: int, *, page: int, box: Box) -> None:
        """A printed line of the text that is there; lines come in order. A block may go on on the next page."""
        self._page_starts.setdefault(page, start)
        self.lines.append(Line(start, end, page, box))

    def problem(self, kind: ProblemKind, where: str, hint: str) -> None:
        self.problems.append(Problem(kind, where, hint))

    @property
    def length(self) -> int:
        return self._length

    @property
    def pages(self) -> int:
        """How many there are so far."""
        return len(self._pages)

    @property
    def so_far(self) -> str:
        return "".join(self._parts) if self._parts else self.text

    def start_page(self, page: int, position: int) -> None:
        """The page begins in the middle of a block, or before any."""
        self._page_starts.setdefault(page, position)

    def finish(self, *, media_type: str, name: str, id: str = "") -> Document:
        text = self.so_far
        return Document(
            id=id,
            name=name,
            media_type=media_type,
            text=text,
            blocks=place(text, self.entries),
            problems=tuple(self.problems),
            pages=self._finished_pages(len(text)),
            lines=tuple(self.lines),
            furniture=tuple(self.furniture),
            details=dict(self.details),
        )

    def _finished_pages(self, length: int) -> Sequence[Page]:
        """Page spans tile the text: white space between two pages belongs to the first; an empty page has no width."""
        starts = [length] * len(self._pages)
        position = length
        for index in range(len(self._pages) - 1, 0, -1):
            position = starts[index] = min(position, self._page_starts.get(index + 1, position))
        starts[:1] = [0][: len(starts)]
        ends = [*starts[1:], length]
        return tuple(
            Page(number, sheet.label, start, end, sheet.width, sheet.height, sheet.ocr)
            for number, (sheet, start, end) in enumerate(zip(self._pages, starts, ends, strict=False), 1)
        )
