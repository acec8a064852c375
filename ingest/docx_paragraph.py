"""One Word paragraph as text: runs, tabs, breaks, symbols, fields with their shown result, links, formulas, tracked changes.

Source: ECMA-376 part 1, §17.3 and §17.13. It does not know numbering, styles or where the paragraph stands. Text boxes
and notes are found here, since they hang on runs, and handed back for the caller to place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree
from unabridged.ingest.docx_math import linear
from unabridged.ingest.numerals import roman_numeral, shifted
from unabridged.ingest.ooxml import MC, A, M, R, W

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
VIEWS = ("final", "original", "marked")
PAGE_BREAK = "\0"  # stands in a paragraph's text where a page began when Word last laid it out; no Word text can hold it
PAGE_TURN = "\f"  # where the author ended a page; no Word text can hold it either
PAGE_MARKS = PAGE_BREAK + PAGE_TURN

_GONE_IN = {"final": {W + "del", W + "moveFrom"}, "original": {W + "ins", W + "moveTo"}, "marked": set()}
_MARKS = {W + "ins": "{+%s+}", W + "moveTo": "{+%s+}", W + "del": "{-%s-}", W + "moveFrom": "{-%s-}"}
_SKIPPED = {
    W + "pPr",
    W + "rPr",
    W + "instrText",
    W + "delInstrText",
    W + "fldData",
    W + "sdtPr",
    W + "sdtEndPr",
    W + "rt",
    W + "tblPr",
}
_PLAIN = {
    W + "tab": "\t", W + "ptab": "\t", W + "cr": "\n", W + "noBreakHyphen": "\u2011", W + "softHyphen": "",
    W + "footnoteRef": "", W + "endnoteRef": "", W + "annotationRef": "",
}  # fmt: skip
# Symbol and Wingdings characters that legal documents use; the rest of these fonts is reported as an object.
_SYMBOLS = {
    "f0a7": "▪", "f0a8": "□", "f0b7": "•", "f0d8": "➢", "f0fc": "✓", "f0fe": "☑", "f06f": "□", "f071": "❑",
    "f0e0": "→", "f0b4": "×", "f0b1": "±", "f0b0": "°", "f0a3": "≤", "f0b3": "≥", "f0b9": "≠", "f0a5": "∞",
    "f0d2": "®", "f0d3": "©", "f0d4": "™", "f061": "α", "f062": "β", "f067": "γ", "f064": "δ", "f06d": "μ",
    "f070": "π", "f073": "σ", "f053": "Σ", "f057": "Ω", "f044": "Δ", "f0a0": " ", "f02d": "−", "f02b": "+",
    "f0de": "⇒", "f0ae": "→", "f0ac": "←", "f06c": "●", "f06e": "■", "f0a1": "○", "f052": "☑",
}  # fmt: skip


@dataclass(slots=True)
class Paragraph:
    text: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)  # ("footnote" or "endnote", id), in the order of their calls
    comments: list[str] = field(default_factory=list)  # ids whose range ends here
    boxes: list[etree._Element] = field(default_factory=list)  # w:txbxContent
    pictures: list[str] = field(default_factory=list)  # what stands in their description, "" for none
    charts: list[str] = field(default_factory=list)  # relationship ids
    links: list[tuple[str, str]] = field(default_factory=list)  # relationship id, the words of the link
    objects: int = 0  # embedded files
    hidden: int = 0  # code points of hidden text, which is not read
    unknown_symbols: int = 0


@dataclass(slots=True)
class Flow:
    """What goes on across paragraphs: open fields, open comment ranges, note numbers, the count of revisions."""

    view: str = "final"
    note_labels: dict[tuple[str, str], str] = field(default_factory=dict)
    open_comments: dict[str, list[str]] = field(default_factory=dict)
    comment_ranges: dict[str, str] = field(default_factory=dict)
    fields: list[bool] = field(default_factory=list)  # for each open field: has its result begun

    def read(self, element: etree._Element) -> Paragraph:
        paragraph = Paragraph()
        paragraph.text = "".join(self._walk(element, paragraph))
        self.fields = [True] * len(self.fields)  # code ends with its paragraph, so a broken field hides nothing after it
        return paragraph

    def note_label(self, kind: str, identity: str) -> str:
        """ "1", "2", … for footnotes, "i", "ii", … for endnotes, in the order in which they are first called."""
        key = (kind, identity)
        if key not in self.note_labels:
            count = sum(1 for other, _ in self.note_labels if other == kind) + 1
            self.note_labels[key] = str(count) if kind == "footnote" else roman_numeral(count).lower()
        return self.note_labels[key]

    def _walk(self, element: etree._Element, paragraph: Paragraph) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if tag in _SKIPPED or tag in _GONE_IN[self.view]:
                continue
            if tag == W + "r" and _is_hidden(child):
                paragraph.hidden += sum(len(e.text or "") for e in child.iter(W + "t"))
                continue
            if tag == W + "t" or tag == W + "delText":
                yield from self._shown(_raised(element, child.text or ""))
            elif tag in _PLAIN:
                yield from self._shown(_PLAIN[tag])
            elif tag in _MARKS and self.view == "marked":
                inside = "".join(self._walk(child, paragraph))
                if inside:
                    yield _MARKS[tag] % inside
            elif tag == W + "lastRenderedPageBreak":
                yield PAGE_BREAK
            elif tag == W + "hyperlink":
                inside = "".join(self._walk(child, paragraph))
                paragraph.links.append((child.get(R + "id") or "", without_marks(inside)))
                yield inside
            elif tag == W + "br":
                yield from self._shown("\n")
                if child.get(W + "type") == "page" and all(self.fields):
                    yield PAGE_TURN
            elif tag == W + "sym":
                yield from self._shown(self._symbol(child, paragraph))
            elif tag == W + "fldChar":
                self._field(child.get(W + "fldCharType"))
            elif tag in (W + "footnoteReference", W + "endnoteReference"):
                yield self._note(child, paragraph)
            elif tag in (W + "commentRangeStart", W + "commentRangeEnd", W + "commentReference"):
                self._comment(child, paragraph)
            elif tag == MC + "AlternateContent":
                chosen = child.find(MC + "Choice")
                yield from self._walk(child if chosen is None else chosen, paragraph)
            elif tag == W + "txbxContent":
                paragraph.boxes.append(child)
            elif tag in (M + "oMath", M + "oMathPara"):
                yield from self._shown(linear(child))
            elif tag == W + "object":
                paragraph.objects += 1
                yield from self._walk(child, paragraph)
            elif tag == CHART:
                paragraph.charts.append(child.get(R + "id") or "")
            elif tag in (W + "drawing", W + "pict"):
                self._picture(child, paragraph)
                yield from self._walk(child, paragraph)
            elif tag == W + "p":  # a paragraph inside something unforeseen: its words count all the same
                yield "\n"
                yield from self._walk(child, paragraph)
            elif isinstance(tag, str):
                yield from self._walk(child, paragraph)

    def _shown(self, text: str) -> Iterator[str]:
        """Text, unless it stands in the code part of a field."""
        if text and all(self.fields):
            for words in self.open_comments.values():
                words.append(text)
            yield text

    def _field(self, kind: str | None) -> None:
        if kind == "begin":
            self.fields.append(False)
        elif kind == "separate" and self.fields:
            self.fields[-1] = True
        elif kind == "end" and self.fields:
            self.fields.pop()

    def _symbol(self, element: etree._Element, paragraph: Paragraph) -> str:
        code = (element.get(W + "char") or "").lower()
        if code in _SYMBOLS:
            return _SYMBOLS[code]
        try:
            value = int(code, 16)
        except ValueError:
            return ""
        if 0xF020 <= value <= 0xF0FF or 0xE000 <= value <= 0xF8FF:
            paragraph.unknown_symbols += 1
            return "\ufffd"
        return chr(value) if 0x20 <= value < 0xD800 else ""

    def _note(self, element: etree._Element, paragraph: Paragraph) -> str:
        kind = "footnote" if element.tag == W + "footnoteReference" else "endnote"
        identity = element.get(W + "id") or ""
        paragraph.notes.append((kind, identity))
        return f"[^{self.note_label(kind, identity)}]"

    def _comment(self, element: etree._Element, paragraph: Paragraph) -> None:
        identity = element.get(W + "id") or ""
        if element.tag == W + "commentRangeStart":
            self.open_comments[identity] = []
        elif element.tag == W + "commentRangeEnd":
            self.comment_ranges[identity] = "".join(self.open_comments.pop(identity, []))
        else:
            paragraph.comments.append(identity)

    def _picture(self, element: etree._Element, paragraph: Paragraph) -> None:
        for description in element.iter("{*}docPr"):
            if element.find(f".//{A}blip") is not None or element.find(".//{*}pic") is not None:
                paragraph.pictures.append(description.get("descr") or description.get("title") or "")
        if element.tag == W + "pict" and element.find(".//{*}imagedata") is not None:
            paragraph.pictures.append("")


def without_marks(text: str) -> str:
    return text.replace(PAGE_BREAK, "").replace(PAGE_TURN, "")


def _raised(run: etree._Element, text: str) -> str:
    mark = run.find(f"{W}rPr/{W}vertAlign")
    place = None if mark is None else mark.get(W + "val")
    return shifted(text, up=place == "superscript") if place in ("superscript", "subscript") else text


def _is_hidden(run: etree._Element) -> bool:
    """Whether Word neither shows nor prints the run."""
    mark = run.find(f"{W}rPr/{W}vanish")
    return mark is not None and mark.get(W + "val") not in ("0", "false", "off")
