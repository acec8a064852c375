"""Word files: everything that prints, in the order in which it prints, and what does not print but counts (comments, notes).

Normalisation: numbers that Word computes are written before their text; a tab stays a tab; table rows become lines with " | "
between cells; a table of one column is read as ordinary paragraphs. A footnote or comment follows the paragraph that calls it.
Tracked changes: the final text by default (option revisions: final, original, marked), their number always in `details`.
"""

from collections.abc import Sequence

from lxml import etree
from unabridged.errors import DocumentDamaged, DocumentEmpty, UsageError
from unabridged.ingest.archive import Archive
from unabridged.ingest.document import BlockKind, Document, Furniture
from unabridged.ingest.docx_numbering import Numbering
from unabridged.ingest.docx_pages import WordPages
from unabridged.ingest.docx_paragraph import PAGE_MARKS, VIEWS, Flow, Paragraph, without_marks
from unabridged.ingest.docx_parts import WordParts
from unabridged.ingest.docx_receipt import report_dropped, report_revisions
from unabridged.ingest.docx_styles import Styles, is_on
from unabridged.ingest.draft import Draft
from unabridged.ingest.ooxml import MC, W
from unabridged.ingest.ooxml_chart import chart_text
from unabridged.ingest.reader import Source

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_WRAPPERS = {
    W + "sdt",
    W + "sdtContent",
    W + "smartTag",
    W + "customXml",
    W + "ins",
    W + "moveTo",
    MC + "AlternateContent",
    MC + "Choice",
}
_BLANK = PAGE_MARKS + " \t\n\u3000"
_PARTS_OF_PROGRESS = 200  # body elements between two reports


def read_docx(source: Source) -> Document:
    with Archive.open(source) as archive:
        return _Reading(archive, source).document()


class _Reading:
    def __init__(self, archive: Archive, source: Source) -> None:
        view = source.options.get("revisions", "final")
        if view not in VIEWS:
            raise UsageError(f"There is no view of revisions named {view}.", hint="Use final, original or marked.")
        self.source = source
        self.parts = WordParts(archive)
        self.root = self.parts.root
        self.draft = Draft()
        self.flow = Flow(view)
        self.pages = WordPages(self.root, self.draft)
        self.styles = Styles(self.parts.one("styles"))
        self.numbering = Numbering(self.parts.one("numbering"))
        self.notes = {kind: self.parts.notes(kind) for kind in ("footnote", "endnote")}
        self.comments = self.parts.comments()
        self.carried = ""
        self.pictures: list[str] = []
        self.objects = 0
        self.symbols = 0
        self.hidden = 0

    def document(self) -> Document:
        body = self.root.find(W + "body")
        if body is None:
            raise DocumentDamaged(
                f"{self.source.name} has no body: it is no Word document.", hint="Open it in Word and save it anew as .docx."
            )
        children = list(body)
        for done, child in enumerate(children, 1):
            self._block(child)
            if done % _PARTS_OF_PROGRESS == 0:
                self.source.progress(done, len(children))
        if self.carried.strip():
            self._add(BlockKind.PARAGRAPH, self.carried)
        self._uncalled()
        self._furniture()
        self._report()
        if not self.draft.length:
            raise DocumentEmpty(
                f"{self.source.name} holds no text.", hint="If it holds pictures of text, save it as PDF and attach that."
            )
        self.source.progress(len(children), len(children))
        return self.draft.finish(media_type=MEDIA_TYPE, name=self.source.name)

    def _block(self, element: etree._Element) -> None:
        if element.tag == W + "p":
            self._paragraph(element)
        elif element.tag == W + "tbl":
            self._table(element)
        elif element.tag in _WRAPPERS and not (element.tag in (W + "ins", W + "moveTo") and self.flow.view == "original"):
            for child in element:
                self._block(child)

    def _paragraph(self, element: etree._Element) -> None:
        paragraph = self.flow.read(element)
        properties = element.find(W + "pPr")
        style = _value(properties, "pStyle") or self.styles.default
        own = None if properties is None else is_on(properties.find(W + "pageBreakBefore"))
        if own or (own is None and self.styles.begins_page(style)):
            self.pages.turn()
        level = self._heading_level(properties, style)
        text, label, depth, counts = self.carried + paragraph.text, "", 0, False
        self.carried = ""
        if self._mark_is_gone(properties):  # the paragraph's end was deleted: it goes on in the next
            self.carried = text
            self._attached(paragraph)
            return
        number = self._number(properties, style)
        if number is not None and not number[2] and not text.strip(_BLANK):
            number = None  # a bullet by itself; numbers are printed, and count, without any text
        if number is not None:
            label, suffix, counts, depth = number
            body = text.lstrip(_BLANK)
            marks = "".join(c for c in text[: len(text) - len(body)] if c in PAGE_MARKS)
            text = f"{marks}{label}{' ' if suffix and body else ''}{body}"
        kind = BlockKind.HEADING if level else BlockKind.LIST_ITEM if number else BlockKind.PARAGRAPH
        if self.styles.is_caption(style):
            kind = BlockKind.CAPTION
        separator = "\n" if kind is BlockKind.LIST_ITEM and self._after_list_item() else "\n\n"
        self._add(kind, text, separator=separator, level=level or depth, label=label if counts else "")
        self._attached(paragraph)
        if properties is not None and properties.find(W + "sectPr") is not None:
            self.pages.end_section()

    def _add(self, kind: BlockKind, text: str, *, separator: str = "\n\n", level: int = 0, label: str = "") -> None:
        """A block on the present page, or on the one that begins with it; pages that begin inside it are told, too."""
        body, breaks = self.pages.split(text)
        leading = len(body) - len(body.lstrip())
        first = [offset for offset in breaks if offset <= leading]
        for _ in first:
            self.pages.begin(None if body.strip() else self.draft.length)
        start = self.draft.add(kind, body, separator=separator, level=level, label=label, page=self.pages.number)
        cut = len(body) - len(body.lstrip("\n"))
        for offset in breaks[len(first) :]:
            self.pages.begin(start + offset - cut)

    def _mark_is_gone(self, properties: etree._Element | None) -> bool:
        change = {"final": ("del", "moveFrom"), "original": ("ins", "moveTo")}.get(self.flow.view, ())
        return properties is not None and any(properties.find(f"{W}rPr/{W}{kind}") is not None for kind in change)

    def _after_list_item(self) -> bool:
        return bool(self.draft.entries) and self.draft.entries[-1].kind is BlockKind.LIST_ITEM

    def _heading_level(self, properties: etree._Element | None, style: str) -> int:
        own = _value(properties, "outlineLvl")
        if own is not None and own.isdigit():
            return int(own) + 1 if int(own) < 9 else 0
        return self.styles.heading_level(style)

    def _number(self, properties: etree._Element | None, style: str) -> tuple[str, str, bool, int] | None:
        """The printed number of a paragraph, what follows it, whether it counts, and its depth from 1."""
        list_id = level = None
        if properties is not None and properties.find(W + "numPr") is not None:
            list_id = _value(properties.find(W + "numPr"), "numId")
            level = _value(properties.find(W + "numPr"), "ilvl")
        from_style = self.styles.list_of(style)
        if list_id is None and from_style is not None:
            list_id = from_style[0]
            if level is None and from_style[1] is not None:
                level = str(from_style[1])
            if level is None:
                found = self.numbering.level_of_style(list_id, style)
                level = None if found is None else str(found)
        if list_id in (None, "0"):
            return None
        depth = int(level) if level is not None and level.isdigit() else 0
        label = self.numbering.label(list_id or "", depth)
        return None if label is None else (*label, depth + 1)

    def _attached(self, paragraph: Paragraph) -> None:
        """What hangs on a paragraph comes after it: text boxes, then notes, then comments."""
        self.pictures += paragraph.pictures
        self.objects += paragraph.objects
        self.symbols += paragraph.unknown_symbols
        self.hidden += paragraph.hidden
        self._links(paragraph.links)
        for identity in paragraph.charts:
            chart = self.parts.linked(identity)
            if chart is not None:
                self._add(BlockKind.TABLE, chart_text(chart))
        for box in paragraph.boxes:
            for child in box:
                self._block(child)
        for kind, identity in paragraph.notes:
            self._note(kind, identity)
        for identity in paragraph.comments:
            self._comment(identity)

    def _links(self, links: Sequence[tuple[str, str]]) -> None:
        """Addresses that the printed words do not show are kept apart; nothing is followed."""
        for identity, words in links:
            address = self.parts.address(identity)
            if address.removeprefix("mailto:").rstrip("/") not in words:
                self.draft.furniture.append(Furniture(self.pages.number, f"Link on “{' '.join(words.split())}”: {address}"))

    def _note(self, kind: str, identity: str) -> None:
        element = self.notes[kind].pop(identity, None)
        if element is not None:
            text, inside = self._plain(element)
            self._add(BlockKind.FOOTNOTE, f"[^{self.flow.note_label(kind, identity)}] {text}")
            self._attached(inside)

    def _comment(self, identity: str) -> None:
        comment = self.comments.pop(identity, None)
        if comment is not None:
            text, inside = self._plain(comment.element)
            about = " ".join(self.flow.comment_ranges.get(identity, "").split())
            who = comment.frame
            self._add(BlockKind.COMMENT, f"[Comment{f' by {who}' if who else ''}{f' on “{about}”' if about else ''}: {text}]")
            self._attached(inside)

    def _plain(self, element: etree._Element, *, pages: bool = False) -> tuple[str, Paragraph]:
        """All paragraphs under an element, in one text, and what hangs on them; with `pages` the marks where pages begin."""
        together, texts = Paragraph(), []
        for child in element.iter(W + "p"):
            if any(ancestor.tag == W + "txbxContent" for ancestor in child.iterancestors()):
                continue
            paragraph = self.flow.read(child)
            number = self._number(child.find(W + "pPr"), _value(child.find(W + "pPr"), "pStyle") or self.styles.default)
            words = paragraph.text if pages else without_marks(paragraph.text)
            prefix = f"{number[0]} " if number and words.strip(_BLANK) else ""
            texts.append((prefix + words).strip())
            for name in ("notes", "comments", "boxes", "pictures", "charts", "links"):
                getattr(together, name).extend(getattr(paragraph, name))
            together.objects += paragraph.objects
            together.unknown_symbols += paragraph.unknown_symbols
            together.hidden += paragraph.hidden
        return "\n".join(filter(None, texts)), together

    def _table(self, table: etree._Element) -> None:
        rows = [row for row in _children(table, W + "tr") if not self._deleted(row)]
        cells = [[cell for cell in _children(row, W + "tc") if not self._deleted_cell(cell)] for row in rows]
        if all(len(row) <= 1 for row in cells):
            for row in cells:
                for cell in row:
                    for child in cell:
                        self._block(child)
            return
        lines, hanging = [], []
        for row in cells:
            written = []
            for cell in row:
                properties = cell.find(W + "tcPr")
                merge = None if properties is None else properties.find(W + "vMerge")
                continues = merge is not None and merge.get(W + "val") != "restart"
                text, inside = self._plain(cell, pages=True)
                hanging.append(inside)
                written.append("" if continues and not text else " ".join(text.split()))
            lines.append(" | ".join(written).rstrip())
        self._add(BlockKind.TABLE, "\n".join(line for line in lines if line.strip(_BLANK + "|")))
        for inside in hanging:
            self._attached(inside)

    def _deleted(self, row: etree._Element) -> bool:
        gone = "ins" if self.flow.view == "original" else "del" if self.flow.view == "final" else None
        return gone is not None and row.find(f"{W}trPr/{W}{gone}") is not None

    def _deleted_cell(self, cell: etree._Element) -> bool:
        gone = {"original": "cellIns", "final": "cellDel"}.get(self.flow.view)
        return gone is not None and cell.find(f"{W}tcPr/{W}{gone}") is not None

    def _uncalled(self) -> None:
        """Notes and comments that no paragraph calls are read at the end, not lost."""
        if self.flow.view != "final":
            return
        for identity in list(self.comments):
            self._comment(identity)

    def _furniture(self) -> None:
        roots = (root for kind in ("header", "footer") for root in self.parts.all(kind))
        texts = dict.fromkeys(self._plain(root)[0] for root in roots)
        self.draft.furniture += [Furniture(None, text) for text in texts if text]

    def _report(self) -> None:
        others = (self.parts.one(kind) for kind in ("footnotes", "endnotes", "comments"))
        report_revisions(self.draft, [self.root, *(root for root in others if root is not None)], self.flow.view)
        report_dropped(self.draft, pictures=self.pictures, objects=self.objects, hidden=self.hidden, symbols=self.symbols)
        if self.pages.number is not None:
            self.draft.details["page numbers"] = "as the file was last laid out"
        elif self.pages.turns:
            self.draft.details["page breaks"] = f"{self.pages.turns:,}"  # the file does not say on which pages
        if self.pages.sections > 1:
            self.draft.details["sections"] = str(self.pages.sections)


def _children(element: etree._Element, tag: str) -> list[etree._Element]:
    """Children of that kind, also inside content controls and tracked insertions."""
    found: list[etree._Element] = []
    for child in element:
        if child.tag == tag:
            found.append(child)
        elif child.tag in _WRAPPERS:
            found += _children(child, tag)
    return found


def _value(properties: etree._Element | None, name: str) -> str | None:
    child = None if properties is None else properties.find(W + name)
    return None if child is None else child.get(W + "val")
