"""OpenDocument text: paragraphs, headings, numbered lists, tables, charts, notes and comments in reading order.

Source: OASIS OpenDocument 1.3, part 3. Tracked deletions lie outside the running text there and are not read;
their number is reported.
"""

from collections.abc import Iterator
from posixpath import normpath

from lxml import etree
from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.archive import Archive
from unabridged.ingest.document import BlockKind, Document, Furniture, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.numerals import letter_numeral, roman_numeral
from unabridged.ingest.reader import Source

MEDIA_TYPE = "application/vnd.oasis.opendocument.text"
_T = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_CHART = "{urn:oasis:names:tc:opendocument:xmlns:chart:1.0}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_DC = "{http://purl.org/dc/elements/1.1/}"
_SPACES_LIMIT = 1000


def read_odt(source: Source) -> Document:
    with Archive.open(source) as archive:
        content = archive.xml("content.xml")
        styles = archive.xml("styles.xml") if "styles.xml" in archive else None
        body = content.find(f"{_OFFICE}body/{_OFFICE}text")
        if body is None:
            raise DocumentDamaged(f"{source.name} has no text part.", hint="Open it in LibreOffice and save it anew.")
        reading = _Reading(archive, content, styles)
        children = list(body)
        for done, child in enumerate(children, 1):
            reading.block(child)
            source.progress(done, len(children))
        reading.finish(content, styles)
    if not reading.draft.length:
        raise DocumentEmpty(
            f"{source.name} holds no text.", hint="If it holds pictures of text, save it as PDF and attach that."
        )
    return reading.draft.finish(media_type=MEDIA_TYPE, name=source.name)


class _Reading:
    def __init__(self, archive: Archive, content: etree._Element, styles: etree._Element | None) -> None:
        self.archive = archive
        self.draft = Draft()
        self.list_styles = {
            e.get(_STYLE + "name"): e for root in (styles, content) if root is not None for e in root.iter(_T + "list-style")
        }
        self.attached: list[tuple[BlockKind, str]] = []
        self.pictures = self.objects = 0
        self.counters: dict[tuple[str | None, int], int] = {}

    def block(self, element: etree._Element) -> None:
        tag = element.tag
        if tag == _T + "h":
            level = element.get(_T + "outline-level") or "1"
            self._add(BlockKind.HEADING, self._words(element), level=int(level) if level.isdecimal() else 1)
        elif tag == _T + "p":
            self._add(BlockKind.PARAGRAPH, self._words(element))
        elif tag == _T + "list":
            self._list(element, element.get(_T + "style-name"), 1)
        elif tag == _TABLE + "table":
            self._table(element)
        elif tag in (_T + "tracked-changes", _T + "sequence-decls", _OFFICE + "forms"):
            return
        elif isinstance(tag, str):
            for child in element:
                self.block(child)

    def _list(self, element: etree._Element, style: str | None, depth: int) -> None:
        for item, inner_depth in self._items(element, style, depth):
            if isinstance(item, str):
                self._add(BlockKind.LIST_ITEM, item, level=inner_depth, separator="\n")
            else:
                self.block(item)

    def _items(self, element: etree._Element, style: str | None, depth: int) -> Iterator[tuple[str | etree._Element, int]]:
        """The paragraphs of a list with their signs and depths; what else stands in its items as it is."""
        if element.get(_T + "continue-numbering") != "true":
            self.counters[style, depth] = self._start(style, depth) - 1
        for item in element:
            if item.tag not in (_T + "list-item", _T + "list-header"):
                continue
            start = item.get(_T + "start-value") or ""
            self.counters[style, depth] = int(start) if start.isdecimal() else self.counters.get((style, depth), 0) + 1
            sign = self._sign(style, depth) if item.tag == _T + "list-item" else ""
            for child in item:
                if child.tag == _T + "list":
                    yield from self._items(child, child.get(_T + "style-name") or style, depth + 1)
                elif child.tag in (_T + "p", _T + "h"):
                    yield f"{sign} {self._words(child)}".lstrip(), depth
                    sign = ""
                else:
                    yield child, depth

    def _level(self, style: str | None, depth: int) -> etree._Element | None:
        found = self.list_styles.get(style)
        return None if found is None else next((e for e in found if e.get(_T + "level") == str(depth)), None)

    def _start(self, style: str | None, depth: int) -> int:
        level = self._level(style, depth)
        start = "" if level is None else level.get(_T + "start-value") or ""
        return int(start) if start.isdecimal() else 1

    def _sign(self, style: str | None, depth: int) -> str:
        level = self._level(style, depth)
        if level is None or level.tag != _T + "list-level-style-number":
            return "•"
        shown = level.get(_T + "display-levels") or "1"
        first = max(1, depth - (int(shown) if shown.isdecimal() else 1) + 1)
        numbers = [self._written(style, d) for d in range(first, depth + 1)]
        return (
            f"{level.get(_STYLE + 'num-prefix') or ''}{'.'.join(filter(None, numbers))}{level.get(_STYLE + 'num-suffix') or ''}"
        )

    def _written(self, style: str | None, depth: int) -> str:
        level = self._level(style, depth)
        kind = "1" if level is None else level.get(_STYLE + "num-format") or ""
        value = self.counters.get((style, depth), 1)
        forms = {"1": str(value), "a": letter_numeral(value).lower(), "A": letter_numeral(value)}
        forms |= {"i": roman_numeral(value).lower(), "I": roman_numeral(value), "": ""}
        return forms.get(kind, str(value))

    def _table(self, table: etree._Element) -> None:
        lines = []
        for row in table.iter(_TABLE + "table-row"):
            if next((a for a in row.iterancestors(_TABLE + "table")), None) is not table:
                continue
            cells = [cell for cell in row if cell.tag == _TABLE + "table-cell"]
            lines.append(" | ".join(" ".join(" ".join(self._inside(cell)).split()) for cell in cells))
        self._add(BlockKind.TABLE, "\n".join(line for line in lines if line.strip(" |")))

    def _inside(self, element: etree._Element) -> Iterator[str]:
        """The words of a cell, with the signs of lists in it."""
        for child in element:
            if child.tag in (_T + "p", _T + "h"):
                yield self._words(child)
            elif child.tag == _T + "list":
                for item, _ in self._items(child, child.get(_T + "style-name"), 1):
                    yield from [item] if isinstance(item, str) else self._inside(item)
            elif isinstance(child.tag, str):
                yield from self._inside(child)

    def _words(self, element: etree._Element) -> str:
        parts = [element.text or ""]
        for child in element:
            tag = child.tag
            if tag == _T + "s":
                count = child.get(_T + "c") or "1"
                parts.append(" " * min(int(count) if count.isdecimal() else 1, _SPACES_LIMIT))
            elif tag == _T + "tab":
                parts.append("\t")
            elif tag == _T + "line-break":
                parts.append("\n")
            elif tag == _T + "note":
                parts.append(self._note(child))
            elif tag == _OFFICE + "annotation":
                self._annotation(child)
            elif tag == _DRAW + "object":
                parts.append(self._object(child))
            elif tag == _DRAW + "image":
                self.pictures += child.getparent().find(_DRAW + "object") is None  # else the object's own picture
            elif tag == _DRAW + "text-box":
                parts.append("\n" + "\n".join(map(self._words, child)))
            elif isinstance(tag, str) and tag not in (_T + "bookmark", _T + "change"):
                parts.append(self._words(child))
            parts.append(child.tail or "")
        return "".join(parts)

    def _object(self, element: etree._Element) -> str:
        """A formula's words; the figures of a chart come after the paragraph; other objects are counted."""
        name = normpath(element.get(_HREF) or "") + "/content.xml"
        root = self.archive.xml(name) if name in self.archive else None
        if root is not None and root.tag.endswith("}math"):
            return " ".join((root.findtext(".//{*}annotation") or " ".join(root.itertext())).split())
        chart = None if root is None else next(root.iter(_CHART + "chart"), None)
        if chart is None:
            self.objects += 1
            return ""
        title = " ".join(" ".join(text for e in chart.iterfind(_CHART + "title") for text in e.itertext()).split())
        rows = [
            " | ".join(" ".join(" ".join(cell.itertext()).split()) for cell in row.iter(_TABLE + "table-cell"))
            for row in chart.iter(_TABLE + "table-row")
        ]
        self.attached.append((BlockKind.TABLE, "\n".join([f"Chart: {title}" if title else "Chart", *rows])))
        return ""

    def _note(self, note: etree._Element) -> str:
        sign = f"[^{(note.findtext(_T + 'note-citation') or '').strip()}]"
        body = note.find(_T + "note-body")
        words = "" if body is None else "\n".join(self._words(p) for p in body.iter(_T + "p", _T + "h"))
        self.attached.append((BlockKind.FOOTNOTE, f"{sign} {words}"))
        return sign

    def _annotation(self, annotation: etree._Element) -> None:
        who = ", ".join(filter(None, (annotation.findtext(_DC + "creator"), (annotation.findtext(_DC + "date") or "")[:10])))
        words = "\n".join(self._words(p) for p in annotation.iter(_T + "p"))
        self.attached.append((BlockKind.COMMENT, f"[Comment{f' by {who}' if who else ''}: {words}]"))

    def _add(self, kind: BlockKind, text: str, *, level: int = 0, separator: str = "\n\n") -> None:
        self.draft.add(kind, text, level=level, separator=separator)
        attached, self.attached = self.attached, []
        for other, words in attached:
            self.draft.add(other, words)

    def finish(self, content: etree._Element, styles: etree._Element | None) -> None:
        changes = sum(1 for _ in content.iter(_T + "changed-region"))
        if changes:
            self.draft.details["revisions"] = str(changes)
            self.draft.problem(
                ProblemKind.REVISIONS, "the whole file", f"{changes:,} tracked changes; the final text was read."
            )
        if self.pictures:
            self.draft.problem(ProblemKind.DROPPED_OBJECT, f"{self.pictures:,} pictures", "Text inside pictures was not read.")
        if self.objects:
            self.draft.problem(
                ProblemKind.DROPPED_OBJECT,
                f"{self.objects:,} embedded objects",
                "Open the file, save the objects as files and attach them.",
            )
        for part in () if styles is None else styles.iter(_STYLE + "header", _STYLE + "footer"):
            words = "\n".join(self._words(p) for p in part.iter(_T + "p")).strip()
            if words:
                self.draft.furniture.append(Furniture(None, words))
