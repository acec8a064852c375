"""Presentations: slide after slide, title first, then the other shapes as they lie in the file, tables as rows, then notes.

Source: ECMA-376 part 1, §19 and §21. A slide is a page. Pictures are reported; the words of diagrams and the figures of charts
are read.
"""

from collections.abc import Iterable

from lxml import etree
from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.archive import Archive
from unabridged.ingest.document import BlockKind, Document, Furniture, ProblemKind
from unabridged.ingest.docx_math import linear
from unabridged.ingest.draft import Draft
from unabridged.ingest.numerals import letter_numeral, roman_numeral
from unabridged.ingest.ooxml import A, M, R, Relationship, main_part, part, relationships
from unabridged.ingest.ooxml_chart import C, chart_text
from unabridged.ingest.pptx_bullets import Bullets
from unabridged.ingest.reader import Source

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_EMU_PER_POINT = 12700
_TITLES = ("title", "ctrTitle")
_FURNITURE = ("dt", "ftr", "sldNum", "hdr")


def read_pptx(source: Source) -> Document:
    with Archive.open(source) as archive:
        name = main_part(archive, "ppt/presentation.xml")
        presentation = part(archive, name)
        related = relationships(archive, name)
        size = presentation.find(_P + "sldSz")
        width, height = (_points(size, "cx"), _points(size, "cy")) if size is not None else (720.0, 540.0)
        slides = [related.get(e.get(R + "id") or "") for e in presentation.iter(_P + "sldId")]
        authors = _authors(archive, related.values())
        draft = Draft()
        for number, slide in enumerate(slides, 1):
            page = draft.add_page(label=str(number), width=width, height=height)
            if slide is None or slide.target not in archive:
                draft.problem(
                    ProblemKind.DROPPED_OBJECT,
                    f"slide {number}",
                    "The file names this slide but does not hold it; save it anew.",
                )
                continue
            _Slide(archive, slide.target, draft, page, authors).read()
            source.progress(number, len(slides))
    if not slides:
        raise DocumentDamaged(f"{source.name} has no slides.", hint="Open it in PowerPoint and save it anew.")
    if not draft.length:
        raise DocumentEmpty(
            f"{source.name} holds no text.", hint="If its slides are pictures, export it as PDF and attach that."
        )
    return draft.finish(media_type=MEDIA_TYPE, name=source.name)


class _Slide:
    def __init__(self, archive: Archive, name: str, draft: Draft, page: int, authors: dict[str | None, str]) -> None:
        self.archive, self.draft, self.page, self.authors = archive, draft, page, authors
        self.root = part(archive, name)
        self.related = relationships(archive, name)
        self.bullets = Bullets(archive, name)
        self.counters: dict[int, int] = {}

    def read(self) -> None:
        tree = self.root.find(f"{_P}cSld/{_P}spTree")
        shapes = [] if tree is None else list(tree)
        if self.root.get("show") == "0":
            self.draft.problem(
                ProblemKind.DROPPED_OBJECT,
                f"slide {self.page}",
                "It is hidden in the presentation; its text was read all the same.",
            )
        for shape in sorted(shapes, key=lambda s: _placeholder(s) not in _TITLES):
            self._shape(shape)
        for relationship in self.related.values():
            if relationship.kind == "notesSlide" and relationship.target in self.archive:
                self._notes(relationship)
            elif relationship.kind == "comments" and relationship.target in self.archive:
                for comment in part(self.archive, relationship.target).iter(_P + "cm"):
                    who = ", ".join(filter(None, (self.authors.get(comment.get("authorId")), (comment.get("dt") or "")[:10])))
                    self._add(
                        BlockKind.COMMENT, f"[Comment{f' by {who}' if who else ''}: {comment.findtext(_P + 'text') or ''}]"
                    )

    def _shape(self, shape: etree._Element) -> None:
        if shape.tag == _P + "grpSp":
            for child in shape:
                self._shape(child)
        elif shape.tag.endswith("}AlternateContent"):
            chosen = shape.find("{*}Choice")
            for child in shape if chosen is None else chosen:
                self._shape(child)
        elif shape.tag == _P + "graphicFrame":
            self._frame(shape)
        elif shape.tag == _P + "pic":
            description = next((e.get("descr") or "" for e in shape.iter(_P + "cNvPr")), "")
            self.draft.problem(
                ProblemKind.DROPPED_OBJECT,
                f"slide {self.page}: a picture{f' ({description})' if description else ''}",
                "Text inside pictures was not read; if it matters, export the slides as PDF and attach that.",
            )
        elif shape.find(_P + "txBody") is not None:
            kind = _placeholder(shape)
            if kind in _FURNITURE:
                text = "\n".join(_paragraph(p) for p in shape.iter(A + "p")).strip()
                if text:
                    self.draft.furniture.append(Furniture(self.page, text))
                return
            self.counters.clear()
            for paragraph in shape.iter(A + "p"):
                self._paragraph(shape, paragraph, BlockKind.HEADING if kind in _TITLES else BlockKind.PARAGRAPH)

    def _paragraph(self, shape: etree._Element, paragraph: etree._Element, kind: BlockKind) -> None:
        text = _paragraph(paragraph)
        if not text.strip():
            return
        if kind is BlockKind.HEADING:
            self._add(kind, text, level=1)
            return
        sign, depth = self._sign(shape, paragraph)
        if sign:
            self._add(BlockKind.LIST_ITEM, f"{sign} {text}", level=depth + 1, separator="\n")
        else:
            self._add(kind, text)

    def _sign(self, shape: etree._Element, paragraph: etree._Element) -> tuple[str, int]:
        """The bullet or number that stands before a paragraph, "" for none, and its depth from 0."""
        properties = paragraph.find(A + "pPr")
        level = "0" if properties is None else properties.get("lvl") or "0"
        depth = int(level) if level.isdecimal() and len(level) == 1 else 0
        found = self.bullets.sign(shape, paragraph, depth)
        if found is None:
            return "•" if depth else "", depth
        if found.tag == A + "buAutoNum":
            start = found.get("startAt") or "1"
            self.counters[depth] = self.counters.get(depth, int(start) - 1 if start.isdecimal() else 0) + 1
            for below in [d for d in self.counters if d > depth]:
                del self.counters[below]
            return _auto_number(self.counters[depth], found.get("type") or ""), depth
        return "" if found.tag == A + "buNone" else "•", depth

    def _frame(self, frame: etree._Element) -> None:
        for table in frame.iter(A + "tbl"):
            rows = []
            for row in table.iter(A + "tr"):
                cells = [cell for cell in row.findall(A + "tc") if cell.get("hMerge") != "1" and cell.get("vMerge") != "1"]
                rows.append(" | ".join(" ".join("\n".join(map(_paragraph, cell.iter(A + "p"))).split()) for cell in cells))
            self._add(BlockKind.TABLE, "\n".join(row for row in rows if row.strip(" |")))
        data = next((e for e in frame.iter("{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds")), None)
        link = self.related.get(data.get(R + "dm") or "") if data is not None else None
        if link is not None and link.target in self.archive:
            for point in part(self.archive, link.target).iter("{http://schemas.openxmlformats.org/drawingml/2006/diagram}t"):
                self._add(
                    BlockKind.LIST_ITEM, "• " + " ".join(_paragraph(p) for p in point.iter(A + "p")), separator="\n", level=1
                )
        chart = next(frame.iter(C + "chart"), None)
        if chart is None:
            return
        link = self.related.get(chart.get(R + "id") or "")
        text = chart_text(part(self.archive, link.target)) if link is not None and link.target in self.archive else ""
        if text:
            self._add(BlockKind.TABLE, text)
        else:
            self.draft.problem(
                ProblemKind.DROPPED_OBJECT,
                f"slide {self.page}: a chart",
                "Its numbers were not read; attach the data it shows.",
            )

    def _notes(self, notes: Relationship) -> None:
        for shape in part(self.archive, notes.target).iter(_P + "sp"):
            if _placeholder(shape) == "body":
                text = "\n".join(_paragraph(p) for p in shape.iter(A + "p")).strip()
                if text:
                    self._add(BlockKind.FOOTNOTE, f"[Speaker notes: {text}]")

    def _add(self, kind: BlockKind, text: str, *, level: int = 0, separator: str = "\n\n") -> None:
        self.draft.add(kind, text, level=level, separator=separator, page=self.page)


def _authors(archive: Archive, related: Iterable[Relationship]) -> dict[str | None, str]:
    """Names of those who commented, by id."""
    parts = [part(archive, link.target) for link in related if link.kind == "commentAuthors" and link.target in archive]
    return {e.get("id"): e.get("name") or "" for root in parts for e in root.iter(_P + "cmAuthor")}


def _placeholder(shape: etree._Element) -> str:
    """The kind of a placeholder; "body" when it has none of its own, "" for other shapes."""
    mark = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return "" if mark is None else mark.get("type") or "body"


def _paragraph(paragraph: etree._Element) -> str:
    parts = []
    for element in paragraph.iter():
        if element.tag == A + "t":
            parts.append(element.text or "")
        elif element.tag == A + "br":
            parts.append("\n")
        elif element.tag == A + "tab":
            parts.append("\t")
        elif element.tag == M + "oMath":
            parts.append(linear(element))
    return "".join(parts)


def _auto_number(value: int, kind: str) -> str:
    number = str(value)
    if kind.startswith("alpha"):
        number = letter_numeral(value) if "Uc" in kind else letter_numeral(value).lower()
    elif kind.startswith("roman"):
        number = roman_numeral(value) if "Uc" in kind else roman_numeral(value).lower()
    return f"({number})" if kind.endswith("ParenBoth") else f"{number})" if kind.endswith("ParenR") else f"{number}."


def _points(element: etree._Element, name: str) -> float:
    value = element.get(name) or "0"
    return int(value) / _EMU_PER_POINT if value.isdecimal() else 0.0
