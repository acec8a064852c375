"""An HTML tree as blocks: headings, paragraphs, numbered and bulleted items, tables, captions. For web pages, EPUB, mail.

Knows elements, not where they came from. Scripts, styles and what is marked hidden are no text; navigation is furniture, and so
is what a page puts around its main text. White space is collapsed as a browser does, except in `pre`. Lists are numbered as a
browser prints them.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree
from unabridged.ingest.document import BlockKind, Furniture
from unabridged.ingest.draft import Draft
from unabridged.ingest.numerals import letter_numeral, roman_numeral, shifted

PAGE_BREAK = "\0"  # stands in collected text where a printed page begins; no HTML text can hold it
_SKIPPED = {
    "script", "style", "template", "head", "noscript", "iframe", "object", "svg", "canvas", "audio", "video", "select",
    "datalist",
}  # fmt: skip
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html",
    "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "ul", "caption",
}  # fmt: skip
_LANDMARKS = ("banner", "contentinfo", "complementary", "search")
_LEAST_MAIN_TEXT = 200  # code points: a `main` that a script was to fill is none
_PAGE_LABEL_LIMIT = 12  # code points; more than that is text that a page break was wrapped around
_WHITE = re.compile(r"[ \t\r\n\f]+")


@dataclass(slots=True)
class HtmlBlocks:
    """Feed it elements with `walk`; blocks go to the draft. `page_break(position)` is told where printed pages begin."""

    draft: Draft
    path: str = ""  # for files whose blocks have no headings of their own
    page: int | None = None
    page_break: Callable[[str, int], int] | None = None
    pictures: list[str] = field(default_factory=list)
    page_ids: Mapping[str, str] = field(default_factory=dict)  # ids of elements at which a printed page begins → its label
    aside: Collection[etree._Element] = ()  # elements that are no part of the main text (see `around_main`)
    _text: list[str] = field(default_factory=list)
    _labels: list[str] = field(default_factory=list)  # of the page breaks in _text
    _kind: BlockKind = BlockKind.PARAGRAPH
    _level: int = 0
    _prefix: str = ""
    _pre: int = 0

    def walk(self, element: etree._Element) -> None:
        self._element(element)
        self._flush()

    def _element(self, element: etree._Element) -> None:
        tag = _name(element)
        if not tag or tag in _SKIPPED or _is_hidden(element):
            return
        if element.get("id") in self.page_ids and "pagebreak" not in _types(element):
            self._page(self.page_ids[element.get("id") or ""], before=tag in _BLOCKS)
        if tag == "nav" or element.get("role") == "navigation" or element in self.aside:
            words = " ".join("".join(_aside_text(element)).split())
            if words:
                self.draft.furniture.append(Furniture(None, words))
        elif tag == "table":
            self._flush()
            self._table(element)
        elif tag in _BLOCKS:
            self._block(element, tag)
        else:
            self._inline(element, tag)

    def _block(self, element: etree._Element, tag: str) -> None:
        self._flush()
        before = self._kind, self._level
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdecimal():
            self._kind, self._level = BlockKind.HEADING, int(tag[1])
        elif tag == "li":
            self._kind, self._level = BlockKind.LIST_ITEM, _list_depth(element)
            self._prefix = _list_sign(element)
        elif tag in ("figcaption", "caption"):
            self._kind, self._level = BlockKind.CAPTION, 0
        elif tag == "aside" and "footnote" in _types(element):
            self._kind, self._level = BlockKind.FOOTNOTE, 0
        self._pre += tag == "pre"
        self._children(element)
        self._flush()
        self._pre -= tag == "pre"
        self._kind, self._level = before
        self._prefix = ""

    def _inline(self, element: etree._Element, tag: str) -> None:
        if tag == "br":
            self._text.append("\n")
        elif tag == "img":
            self.pictures.append(element.get("alt") or "")
        elif tag in ("input", "textarea"):
            if element.get("type", "text") not in ("hidden", "password", "submit", "button", "image", "reset"):
                self._text.append(f" {_form_value(element)} ")
        elif "pagebreak" in _types(element) or element.get("role") == "doc-pagebreak":
            self._page(element.get("title") or element.get("aria-label") or "".join(element.itertext()).strip())
            if len("".join(element.itertext()).strip()) <= _PAGE_LABEL_LIMIT:
                return
        elif tag in ("sup", "sub") and not len(element):
            self._collect(shifted(element.text or "", up=tag == "sup"))
            return
        self._children(element)

    def _page(self, label: str, *, before: bool = False) -> None:
        """A printed page begins here, or `before` the block that begins."""
        if before:
            self._flush()
        self._labels.append(label)
        self._text.append(PAGE_BREAK)

    def _children(self, element: etree._Element) -> None:
        self._collect(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self._element(child)
            self._collect(child.tail)

    def _collect(self, text: str | None) -> None:
        if text:
            self._text.append(text if self._pre else _WHITE.sub(" ", text))

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if not self._pre:
            text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text)).strip()
        text, breaks = _without_breaks(text)
        if not text.strip():
            self._announce(breaks, self.draft.length)
            return
        body = self._prefix + text
        shift = len(self._prefix)
        separator = "\n" if self._kind is BlockKind.LIST_ITEM else "\n\n"
        self._prefix = ""
        leading = len(body) - len(body.lstrip("\n"))
        start = self.draft.add(self._kind, body, separator=separator, level=self._level, path=self.path, page=self.page)
        self._announce([start + shift + offset - leading for offset in breaks], None)

    def _announce(self, positions: list[int], at: int | None) -> None:
        labels, self._labels = self._labels, []
        if self.page_break is not None:
            for label, position in zip(labels, positions, strict=False):
                self.page = self.page_break(label, position if at is None else at)

    def _table(self, table: etree._Element) -> None:
        """Rows as lines; a table that lays out the page (one column, or other tables inside) is read cell by cell."""
        rows = [row for row in table.iter() if _name(row) == "tr" and _closest_table(row) is table]
        cells = [[cell for cell in row if _name(cell) in ("td", "th")] for row in rows]
        nested = any(_name(e) == "table" for row in rows for e in row.iter())
        for caption in (child for child in table if _name(child) == "caption"):
            self._block(caption, "caption")
        if nested or max((len(row) for row in cells), default=0) <= 1:
            for row in cells:
                for cell in row:
                    self._block(cell, "td")
            return
        lines = [" | ".join(self._cell(cell) for cell in row).rstrip() for row in cells]
        self.draft.add(BlockKind.TABLE, "\n".join(line for line in lines if line.strip(" |")), path=self.path, page=self.page)

    def _cell(self, cell: etree._Element) -> str:
        inside = HtmlBlocks(Draft())
        inside.walk(cell)
        self.pictures += inside.pictures
        self.draft.furniture += inside.draft.furniture
        return _WHITE.sub(" ", inside.draft.so_far).strip()


def around_main(root: etree._Element) -> set[etree._Element]:
    """Where a page marks its main text (`main`), the banners, footers and side columns around it; nothing on other pages.

    Source: the landmarks of WAI-ARIA 1.2. An element that holds the page's title (`h1`) is never among them.
    """
    mains = [element for element in root.iter() if _name(element) == "main" or element.get("role") == "main"]
    if len(mains) != 1 or len("".join(mains[0].itertext()).strip()) < _LEAST_MAIN_TEXT:
        return set()
    kept = {*mains[0].iter(), *mains[0].iterancestors()}
    return {
        element
        for element in root.iter()
        if (_name(element) in ("header", "footer", "aside") or element.get("role") in _LANDMARKS)
        and element not in kept
        and not any(_name(inner) == "h1" for inner in element.iter())
    }


def _aside_text(element: etree._Element) -> Iterator[str]:
    """The words of an element that is kept apart; blocks inside it do not run together."""
    if _name(element) in _SKIPPED or not isinstance(element.tag, str):
        return
    edge = " " if _name(element) in _BLOCKS else ""
    yield edge + (element.text or "")
    for child in element:
        yield from _aside_text(child)
        yield child.tail or ""
    yield edge


def _name(element: etree._Element) -> str:
    """The element's name without its namespace; "" for comments and the like."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _types(element: etree._Element) -> str:
    return " ".join(value for key, value in element.attrib.items() if re.split("[:}]", key)[-1] == "type" or key == "role")


def _is_hidden(element: etree._Element) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return element.get("hidden") is not None or "display:none" in style or "visibility:hidden" in style


def _closest_table(row: etree._Element) -> etree._Element | None:
    return next((ancestor for ancestor in row.iterancestors() if _name(ancestor) == "table"), None)


def _list_depth(item: etree._Element) -> int:
    return max(1, sum(_name(ancestor) in ("ol", "ul", "menu") for ancestor in item.iterancestors()))


def _list_sign(item: etree._Element) -> str:
    parent = item.getparent()
    if parent is None or _name(parent) != "ol":
        return "• "
    step = -1 if parent.get("reversed") is not None else 1
    items = [child for child in parent if _name(child) == "li"]
    number = _whole(parent.get("start"), len(items) if step < 0 else 1)
    for child in items:
        number = _whole(child.get("value"), number)
        if child is item:
            break
        number += step
    kind = parent.get("type") or "1"
    written = {
        "a": letter_numeral(number).lower(),
        "A": letter_numeral(number),
        "i": roman_numeral(number).lower(),
        "I": roman_numeral(number),
    }
    return f"{written.get(kind, str(number))}. "


def _form_value(element: etree._Element) -> str:
    if element.get("type") in ("checkbox", "radio"):
        return "☑" if element.get("checked") is not None else "☐"
    return element.get("value") or ""


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.strip().lstrip("-").isdecimal() else default


def _without_breaks(text: str) -> tuple[str, list[int]]:
    positions, kept = [], []
    length = 0
    for part in text.split(PAGE_BREAK):
        kept.append(part)
        length += len(part)
        positions.append(length)
    return "".join(kept), positions[:-1]
