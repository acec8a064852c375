"""Where pages begin in a Word file, and what is printed as their number.

A Word file has no pages until it is laid out; Word notes where they began when it was last saved (`w:lastRenderedPageBreak`),
and sections say how they are numbered (`w:pgNumType`). Where the author ended a page (`w:br`, `w:pageBreakBefore`, a section)
one begins, too: Word's note beside it says the same. Files without Word's notes have no pages here, since nobody knows which
page is which: only the number of the author's page ends is told.
Source: ECMA-376 part 1, §17.3.1.23, §17.3.3.1, §17.3.3.13, §17.6.12, §17.6.13, §17.6.22.
"""

import re

from lxml import etree
from unabridged.ingest.docx_numbering import written
from unabridged.ingest.docx_paragraph import PAGE_BREAK, PAGE_MARKS, PAGE_TURN
from unabridged.ingest.draft import Draft
from unabridged.ingest.ooxml import W

_TWIPS_PER_POINT = 20


class WordPages:
    """Tells the draft of each page that begins. `number` is that of the present one, None where the file notes none."""

    def __init__(self, root: etree._Element, draft: Draft) -> None:
        self._draft = draft
        self._sections = list(root.iter(W + "sectPr"))
        self._section = 0
        self._counted_section = -1  # the last one whose first number was used
        self._value = 0
        self._is_turned = False  # the author ended the page, and nothing stands on the next one yet
        self.turns = 0  # pages that the author ended
        self.number: int | None = None
        if next(root.iter(W + "lastRenderedPageBreak"), None) is not None:
            self.begin(0)

    @property
    def sections(self) -> int:
        return len(self._sections)

    def begin(self, position: int | None = None) -> None:
        """The next page, at a position of the text where that is known already."""
        properties = self._sections[self._section] if self._section < len(self._sections) else None
        numbering = None if properties is None else properties.find(W + "pgNumType")
        start = "" if numbering is None else numbering.get(W + "start") or ""
        if start.isdecimal() and self._counted_section != self._section:
            self._value = int(start)
        else:
            self._value += 1
        self._counted_section = self._section
        size = None if properties is None else properties.find(W + "pgSz")
        width, height = (_points(size, name) for name in ("w", "h"))
        label = written(self._value, (None if numbering is None else numbering.get(W + "fmt")) or "decimal")
        self.number = self._draft.add_page(label=label, width=width, height=height)
        if position is not None:
            self._draft.start_page(self.number, position)

    def turn(self) -> None:
        """The author ends the page here."""
        self.turns += 1
        self._is_turned = True

    def end_section(self) -> None:
        """The paragraph that carries the properties of a section is its last; the next section says how it begins."""
        self._section += 1
        if self._section < len(self._sections):
            kind = self._sections[self._section].find(W + "type")
            if kind is None or kind.get(W + "val") not in ("continuous", "nextColumn"):
                self.turn()

    def split(self, text: str) -> tuple[str, list[int]]:
        """The text without marks, and the offsets in it at which pages begin; none where the file notes no pages."""
        kept, offsets, length = [], [], 0
        for part in re.split(f"([{PAGE_MARKS}])", text):
            if part == PAGE_TURN:
                if self._is_turned:
                    offsets.append(length)  # a blank page
                self.turn()
                continue
            if part == PAGE_BREAK or (self._is_turned and part.strip()):
                offsets.append(length)
                self._is_turned = False
            if part != PAGE_BREAK:
                kept.append(part)
                length += len(part)
        return "".join(kept), offsets if self.number is not None else []


def _points(size: etree._Element | None, name: str) -> float:
    value = "" if size is None else size.get(W + name) or ""
    return int(value) / _TWIPS_PER_POINT if value.isdecimal() else 0.0
