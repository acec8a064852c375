"""Where pages begin in a Word file, and what is printed as their number.

A Word file has no pages until it is laid out; Word notes where they began when it was last saved (`w:lastRenderedPageBreak`),
and sections say how they are numbered (`w:pgNumType`). Files without such notes, from other programs, have no pages here.
Source: ECMA-376 part 1, §17.3.3.13, §17.6.12, §17.6.13.
"""

from lxml import etree
from unabridged.ingest.docx_numbering import written
from unabridged.ingest.docx_paragraph import PAGE_BREAK
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

    def end_section(self) -> None:
        """The paragraph that carries the properties of a section is its last."""
        self._section += 1

    def split(self, text: str) -> tuple[str, list[int]]:
        """The text without marks, and the offsets in it at which pages begin; none where the file has no pages."""
        parts = text.split(PAGE_BREAK)
        offsets, length = [], 0
        for part in parts[:-1]:
            length += len(part)
            offsets.append(length)
        return "".join(parts), offsets if self.number is not None else []


def _points(size: etree._Element | None, name: str) -> float:
    value = "" if size is None else size.get(W + name) or ""
    return int(value) / _TWIPS_PER_POINT if value.isdecimal() else 0.0
