"""Word's paragraph styles, as far as they say what a paragraph is: heading level, list, caption; through `basedOn` chains.

Source: ECMA-376 part 1, §17.7. Looks and fonts are not its business.
"""

import re
from dataclasses import dataclass

from lxml import etree
from unabridged.ingest.ooxml import W

_HEADING = re.compile(r"(?:heading|标题|überschrift|titre|título|rubrik|見出し)\s*([1-9])", re.IGNORECASE)
_CHAIN_LIMIT = 30


@dataclass(frozen=True, slots=True)
class Style:
    name: str = ""
    based_on: str = ""
    outline_level: int | None = None  # from 1; 10 is body text
    list_id: str | None = None
    list_level: int | None = None
    begins_page: bool | None = None


class Styles:
    def __init__(self, root: etree._Element | None) -> None:
        self._styles: dict[str, Style] = {}
        self.default = ""
        for element in [] if root is None else root.findall(W + "style"):
            if element.get(W + "type", "paragraph") != "paragraph":
                continue
            identity = element.get(W + "styleId") or ""
            self._styles[identity] = _read(element)
            if element.get(W + "default") in ("1", "true"):
                self.default = identity

    def name(self, identity: str) -> str:
        return self._styles.get(identity, Style()).name

    def heading_level(self, identity: str) -> int:
        """1 … 9, 0 for what is no heading. "Title" is level 1."""
        for style in self._chain(identity):
            match = _HEADING.match(style.name)
            if match:
                return int(match[1])
            if style.name.lower() in ("title", "标题", "titel", "titre"):
                return 1
            if style.outline_level is not None:
                return style.outline_level if style.outline_level < 10 else 0
        return 0

    def is_caption(self, identity: str) -> bool:
        return any(style.name.lower() in ("caption", "题注") for style in self._chain(identity))

    def list_of(self, identity: str) -> tuple[str, int | None] | None:
        """The list that the style puts its paragraphs into, and the level if the style says it; "0" takes them out of any."""
        for style in self._chain(identity):
            if style.list_id is not None:
                return style.list_id, style.list_level
        return None

    def begins_page(self, identity: str) -> bool:
        """Whether its paragraphs begin a page (`w:pageBreakBefore`)."""
        return next((style.begins_page for style in self._chain(identity) if style.begins_page is not None), False)

    def _chain(self, identity: str) -> list[Style]:
        chain: list[Style] = []
        while identity in self._styles and len(chain) < _CHAIN_LIMIT:
            chain.append(self._styles[identity])
            identity = self._styles[identity].based_on
        return chain


def _read(element: etree._Element) -> Style:
    def value(path: str) -> str | None:
        child = element.find(path)
        return None if child is None else child.get(W + "val")

    outline, level = value(f"{W}pPr/{W}outlineLvl"), value(f"{W}pPr/{W}numPr/{W}ilvl")
    return Style(
        name=value(W + "name") or "",
        based_on=value(W + "basedOn") or "",
        outline_level=int(outline) + 1 if outline and outline.isdigit() else None,
        list_id=value(f"{W}pPr/{W}numPr/{W}numId"),
        list_level=int(level) if level and level.isdigit() else None,
        begins_page=is_on(element.find(f"{W}pPr/{W}pageBreakBefore")),
    )


def is_on(toggle: etree._Element | None) -> bool | None:
    """What a property that is on or off says; None where it is not there."""
    return None if toggle is None else toggle.get(W + "val") not in ("0", "false", "off")
