"""What Word, Excel and PowerPoint files share: parts in a zip archive, relationships between them, one set of XML namespaces.

Source: ECMA-376. "Strict" files use other namespace addresses for the same elements; they are read as the ordinary ones.
External relationships are returned as addresses and never followed.
"""

from dataclasses import dataclass
from posixpath import dirname, join, normpath

from lxml import etree
from unabridged.ingest.archive import Archive, parse_xml

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"

_STRICT = (
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main", b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (b"http://purl.oclc.org/ooxml/presentationml/main", b"http://schemas.openxmlformats.org/presentationml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/main", b"http://schemas.openxmlformats.org/drawingml/2006/main"),
)


@dataclass(frozen=True, slots=True)
class Relationship:
    kind: str  # the last word of its type: "styles", "hyperlink", "image", …
    target: str  # a part's name, or an address when external
    external: bool


def part(archive: Archive, name: str) -> etree._Element:
    """A part as XML in ordinary namespaces; raises DocumentDamaged when it is missing or broken."""
    data = archive.read(name)
    if b"purl.oclc.org" in data:
        for strict, ordinary in _STRICT:
            data = data.replace(strict, ordinary)
    return parse_xml(data, archive.source, name)


def relationships(archive: Archive, name: str) -> dict[str, Relationship]:
    """By id, for one part ("" for the package itself)."""
    folder, base = dirname(name), name.rpartition("/")[2]
    holder = join(folder, "_rels", base + ".rels") if name else "_rels/.rels"
    if holder not in archive:
        return {}
    found: dict[str, Relationship] = {}
    for element in part(archive, holder).iter(_PACKAGE + "Relationship"):
        external = element.get("TargetMode") == "External"
        target = element.get("Target") or ""
        if not external:
            target = normpath(join(folder, target)) if not target.startswith("/") else normpath(target).lstrip("/")
        found[element.get("Id") or ""] = Relationship((element.get("Type") or "").rpartition("/")[2], target, external)
    return found


def main_part(archive: Archive, usual: str) -> str:
    """The part that the package names as its document, else the usual one."""
    for relationship in relationships(archive, "").values():
        if relationship.kind == "officeDocument" and relationship.target in archive:
            return relationship.target
    return usual
