"""EPUB books: the spine in its order, chapters named by the table of contents where they have no headings, printed pages.

Source: EPUB 3.3 (W3C) and OPF 2.0. Nothing is extracted to disk; remote resources are not fetched.
"""

import re
from html.entities import html5
from posixpath import dirname, join, normpath
from urllib.parse import unquote

from lxml import etree
from unabridged.errors import DocumentDamaged, DocumentEmpty, DocumentEncrypted
from unabridged.ingest.archive import Archive, parse_xml
from unabridged.ingest.document import Document, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.html_blocks import HtmlBlocks
from unabridged.ingest.read_html import decode_html, parse_html, report_pictures
from unabridged.ingest.reader import Source

MEDIA_TYPE = "application/epub+zip"
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_FONT_SCRAMBLING = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def read_epub(source: Source) -> Document:
    with Archive.open(source) as archive:
        _refuse_protected(archive)
        package_name = _package_name(archive)
        package = archive.xml(package_name)
        draft = Draft()
        for key in ("title", "creator", "contributor", "publisher", "date", "language", "rights"):
            values = (" ".join((e.text or "").split()) for e in package.iterfind(f".//{{*}}metadata/{{*}}{key}"))
            if known := "; ".join(dict.fromkeys(filter(None, values))):
                draft.details[key] = known
        spine = _spine(package, package_name)
        titles = _titles(archive, package, package_name)
        printed = _printed_pages(archive, package, package_name)
        pictures: list[str] = []
        for done, name in enumerate(spine, 1):
            pictures += _chapter(archive, name, titles.get(name, ""), printed.get(name, {}), draft)
            source.progress(done, len(spine))
    if not draft.length:
        raise DocumentEmpty(f"{source.name} holds no text.", hint="If its pages are pictures, attach the book as PDF.")
    report_pictures(draft, pictures)
    return draft.finish(media_type=MEDIA_TYPE, name=source.name)


def _chapter(archive: Archive, name: str, title: str, printed: dict[str, str], draft: Draft) -> list[str]:
    """Read one file of the spine into the draft; returns the descriptions of its pictures. `printed`: see `_printed_pages`."""
    if name not in archive:
        draft.problem(
            ProblemKind.DROPPED_OBJECT, name, "The book names this part, but it is not in the file; fetch the book again."
        )
        return []
    root = _page(archive, name)
    has_heading = any(
        isinstance(e.tag, str) and e.tag[-2:].lower() in ("h1", "h2", "h3", "h4", "h5", "h6") for e in root.iter()
    )

    def page_break(label: str, position: int) -> int:
        if not draft.pages and position:
            draft.add_page(label="", width=0, height=0)  # what stands before the first printed page
        page = draft.add_page(label=label, width=0, height=0)
        draft.start_page(page, position)
        return page

    path = "" if has_heading else title
    blocks = HtmlBlocks(draft, path=path, page=draft.pages or None, page_break=page_break, page_ids=printed)
    blocks.walk(root)
    return blocks.pictures


def _page(archive: Archive, name: str) -> etree._Element:
    """A file of the book, as the XML that it should be, else as a browser would read it."""
    text, _ = decode_html(archive.read(name))
    named = re.sub(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,30});", lambda m: html5.get(m[1] + ";", m[0]), text)
    try:
        return parse_xml(_DECLARATION.sub("", named).encode(), archive.source, name)
    except DocumentDamaged:
        return parse_html(text, archive.source)


def _refuse_protected(archive: Archive) -> None:
    if "META-INF/encryption.xml" not in archive:
        return
    methods = {e.get("Algorithm") or "" for e in archive.xml("META-INF/encryption.xml").iter("{*}EncryptionMethod")}
    if methods - set(_FONT_SCRAMBLING):
        raise DocumentEncrypted(
            f"{archive.source.name} is protected by digital rights management.", hint="Attach a copy without protection."
        )


def _package_name(archive: Archive) -> str:
    for rootfile in archive.xml("META-INF/container.xml").iter("{*}rootfile"):
        name = rootfile.get("full-path") or ""
        if name in archive:
            return name
    raise DocumentDamaged(f"{archive.source.name} names no book inside.", hint="Fetch the book again.")


def _spine(package: etree._Element, package_name: str) -> list[str]:
    items = {e.get("id"): e for e in package.iter("{*}item")}
    names = []
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "nav" not in (item.get("properties") or "").split():
            names.append(_resolve(package_name, item.get("href") or ""))
    return names


def _titles(archive: Archive, package: etree._Element, package_name: str) -> dict[str, str]:
    """The first title that the table of contents (nav of EPUB 3, NCX of EPUB 2) gives to each file."""
    titles: dict[str, str] = {}
    for item in package.iter("{*}item"):
        name = _resolve(package_name, item.get("href") or "")
        if name not in archive:
            continue
        if "nav" in (item.get("properties") or "").split():
            for link in _page(archive, name).iter("{*}a"):
                _name_file(titles, name, link.get("href"), "".join(link.itertext()))
        elif item.get("media-type") == "application/x-dtbncx+xml":
            for point in archive.xml(name).iter("{*}navPoint"):
                content = point.find("{*}content")
                _name_file(
                    titles, name, None if content is None else content.get("src"), point.findtext("{*}navLabel/{*}text") or ""
                )
    return titles


def _printed_pages(archive: Archive, package: etree._Element, package_name: str) -> dict[str, dict[str, str]]:
    """By file: ids of the elements at which printed pages begin, and their labels (nav of type page-list, NCX pageList)."""
    found: dict[str, dict[str, str]] = {}
    for item in package.iter("{*}item"):
        name = _resolve(package_name, item.get("href") or "")
        if name not in archive:
            continue
        if "nav" in (item.get("properties") or "").split():
            lists = (nav for nav in _page(archive, name).iter("{*}nav") if "page-list" in nav.attrib.values())
            targets = [(link.get("href"), "".join(link.itertext())) for nav in lists for link in nav.iter("{*}a")]
        elif item.get("media-type") == "application/x-dtbncx+xml":
            points = archive.xml(name).iter("{*}pageTarget")
            targets = [(p.find("{*}content"), p.findtext("{*}navLabel/{*}text") or p.get("value") or "") for p in points]
            targets = [(None if content is None else content.get("src"), label) for content, label in targets]
        else:
            continue
        for address, label in targets:
            file, _, identity = (address or "").partition("#")
            if identity and label.strip():
                found.setdefault(_resolve(name, file), {}).setdefault(identity, " ".join(label.split()))
    return found


def _name_file(titles: dict[str, str], holder: str, address: str | None, title: str) -> None:
    if address and title.strip():
        titles.setdefault(_resolve(holder, address), " ".join(title.split()))


def _resolve(holder: str, address: str) -> str:
    return normpath(join(dirname(holder), unquote(address.partition("#")[0])))
