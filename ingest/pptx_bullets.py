"""Bullets and numbers that a slide's paragraphs do not say themselves but inherit: from their shape, the layout, the master.

Source: ECMA-376 part 1, §19.3.1.50 (txStyles), §21.1.2.4 (list styles). Finds the element that decides; what it prints is
not its business.
"""

from collections.abc import Iterator

from lxml import etree
from unabridged.ingest.archive import Archive
from unabridged.ingest.ooxml import A, part, relationships

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_SIGNS = (A + "buNone", A + "buAutoNum", A + "buChar", A + "buBlip")
_BODY = ("", "body", "obj", "subTitle")  # placeholders whose paragraphs follow the master's body style


class Bullets:
    """For one slide: its layout and master are looked up by relationship."""

    def __init__(self, archive: Archive, slide: str) -> None:
        layout_name = _target(archive, slide, "slideLayout")
        master_name = _target(archive, layout_name, "slideMaster")
        self._layout = part(archive, layout_name) if layout_name else None
        self._master = part(archive, master_name) if master_name else None

    def sign(self, shape: etree._Element, paragraph: etree._Element, level: int) -> etree._Element | None:
        """The bullet, number or "none" that holds for a paragraph of this level (from 0); None where nothing is said."""
        for properties in self._properties(shape, paragraph, level):
            for name in _SIGNS:
                found = properties.find(name)
                if found is not None:
                    return found
        return None

    def _properties(self, shape: etree._Element, paragraph: etree._Element, level: int) -> Iterator[etree._Element]:
        """Nearest first."""
        name = f"{A}lvl{level + 1}pPr"
        own = paragraph.find(A + "pPr")
        styles = [shape.find(f"{_P}txBody/{A}lstStyle")]
        holder = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
        if holder is not None:
            kind = holder.get("type") or ""
            styles += [_list_style(self._layout, kind, holder.get("idx")), _list_style(self._master, kind, None)]
            if kind in _BODY and self._master is not None:
                styles.append(self._master.find(f"{_P}txStyles/{_P}bodyStyle"))
        yield from (found for found in (own, *(s.find(name) for s in styles if s is not None)) if found is not None)


def _list_style(root: etree._Element | None, kind: str, index: str | None) -> etree._Element | None:
    """That of the placeholder with the same index or, where that is None, of the same kind ("obj" takes "body")."""
    wanted = "body" if kind in ("", "obj") else kind
    for shape in [] if root is None else root.iter(_P + "sp"):
        holder = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
        if holder is not None and (
            (holder.get("type") or "body") == wanted if index is None else holder.get("idx") == index
        ):
            return shape.find(f"{_P}txBody/{A}lstStyle")
    return None


def _target(archive: Archive, name: str, kind: str) -> str:
    """The part of that kind that a part refers to; "" for none."""
    links = relationships(archive, name).values() if name else ()
    return next((link.target for link in links if link.kind == kind and link.target in archive), "")
