"""Web pages: their text in the order of the source, with headings, lists and tables; no scripts, nothing fetched.

The encoding is the page's own word (byte order mark, `<meta charset>`), else it is detected as for plain text.
"""

import codecs
import re

from lxml import etree, html
from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.document import Document, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.encodings import detect
from unabridged.ingest.html_blocks import HtmlBlocks, around_main
from unabridged.ingest.reader import Source

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "x-sjis": "shift_jis",
}


def read_html(source: Source) -> Document:
    draft = Draft()
    text, encoding = decode_html(source.path.read_bytes(), source.options.get("encoding", ""))
    draft.details["encoding"] = encoding
    root = parse_html(text, source)
    blocks = HtmlBlocks(draft, aside=around_main(root))
    blocks.walk(root)
    title = " ".join("".join(root.findtext(".//title") or "").split())
    if title:
        draft.details["title"] = title
    if not draft.length:
        raise DocumentEmpty(
            f"{source.name} holds no text.", hint="If a script fills the page, print it to PDF in a browser and attach that."
        )
    report_pictures(draft, blocks.pictures)
    return draft.finish(media_type="text/html", name=source.name)


def decode_html(data: bytes, chosen: str = "") -> tuple[str, str]:
    """The page as text and the encoding it was read in. Undecodable bytes become U+FFFD."""
    guess = detect(data)
    declared = _CHARSET.search(data[:4096])
    name = chosen or (guess.name if guess.certain and guess.name != "utf-8" else "")
    if not name and declared:
        label = declared[1].decode("ascii").lower()
        name = _ALIASES.get(label, label)
    try:
        codecs.lookup(name or guess.name)
        return data.decode(name or guess.name, "replace"), name or guess.name
    except (LookupError, UnicodeError):
        return data.decode(guess.name, "replace"), guess.name


def parse_html(text: str, source: Source) -> etree._Element:
    try:
        return html.document_fromstring(
            _DECLARATION.sub("", text).replace("\0", ""), parser=html.HTMLParser(no_network=True, huge_tree=True)
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise DocumentDamaged(f"{source.name} cannot be parsed as a web page.", hint="Save it again from a browser.") from error


def report_pictures(draft: Draft, pictures: list[str]) -> None:
    if pictures:
        draft.details["pictures"] = str(len(pictures))
        named = "; ".join(filter(None, pictures))[:200]
        draft.problem(
            ProblemKind.DROPPED_OBJECT,
            f"{len(pictures):,} pictures{f' ({named})' if named else ''}",
            "Text inside pictures was not read; if it matters, attach it as PDF.",
        )
