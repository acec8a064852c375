"""The parts of a Word file beside its body: styles, numbering, notes, comments, heads and feet, charts, addresses of links.

Looks parts up by relationship and hands out their XML; what it means is not its business. Nothing external is followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from unabridged.ingest.archive import Archive
from unabridged.ingest.ooxml import W, main_part, part, relationships


@dataclass(frozen=True, slots=True)
class Comment:
    author: str
    date: str
    element: etree._Element

    @property
    def frame(self) -> str:
        """Who made it and on what day, as far as the file says."""
        return ", ".join(filter(None, (self.author, self.date[:10])))


class WordParts:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        name = main_part(archive, "word/document.xml")
        self._related = relationships(archive, name)
        self.root = part(archive, name)

    def one(self, kind: str) -> etree._Element | None:
        """The part of that kind ("styles", "numbering", …); None where the file has none."""
        return next(self.all(kind), None)

    def all(self, kind: str) -> Iterator[etree._Element]:
        for link in self._related.values():
            if link.kind == kind and not link.external and link.target in self._archive:
                yield part(self._archive, link.target)

    def linked(self, identity: str) -> etree._Element | None:
        """The part behind a relationship of the body."""
        link = self._related.get(identity)
        return None if link is None or link.external or link.target not in self._archive else part(self._archive, link.target)

    def address(self, identity: str) -> str:
        """Where a link leads out of the file, "" for one that does not."""
        link = self._related.get(identity)
        return link.target if link is not None and link.external else ""

    def notes(self, kind: str) -> dict[str, etree._Element]:
        """Footnotes or endnotes by id, those that only draw a line left out."""
        return self._by_id(kind + "s", kind)

    def comments(self) -> dict[str, Comment]:
        return {
            identity: Comment(element.get(W + "author") or "", element.get(W + "date") or "", element)
            for identity, element in self._by_id("comments", "comment").items()
        }

    def _by_id(self, kind: str, tag: str) -> dict[str, etree._Element]:
        root = self.one(kind)
        elements = [] if root is None else root.findall(W + tag)
        return {e.get(W + "id") or "": e for e in elements if e.get(W + "type", "normal") == "normal"}
