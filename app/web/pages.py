"""A fetched page becomes a Document like any other: understood by the readers, cut into passages, kept in the library.

A page too long for its share of the window is read from its beginning as far as whole passages go; the receipt says how far.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from unabridged.errors import WebFailed
from unabridged.ingest.document import Document, Passage
from unabridged.ingest.limits import Limits
from unabridged.ingest.passages import passages
from unabridged.ingest.reading import ingest, sha256
from unabridged.library import Library
from unabridged.models.engine import Engine
from unabridged.prompts import Numbered
from unabridged.web.main_text import main_text
from unabridged.web.outside import Fetched
from unabridged.web.retrieved import Retrieved
from unabridged.web.words import one_line

PAGE_LIMITS = Limits(size_bytes=64 << 20, memory_bytes=3 << 30, cpu_s=120, silence_s=60.0, characters=4_000_000, pages=2_000)
FRAME_TOKENS = 160  # around each page: title, address, fence


@dataclass(frozen=True, slots=True)
class WebPage:
    document: Document
    passages: Sequence[Passage]
    web: Retrieved


def understood(fetched: Fetched, *, library: Library | None) -> WebPage:
    """The page as a document; kept in the library, if one is given. Raises WebFailed, DocumentError."""
    title, file = _as_file(fetched)
    if library is None:
        document = dataclasses.replace(ingest(file, limits=PAGE_LIMITS), name=page_name(title, fetched.url))
    elif (known := sha256(file)) in {entry.id for entry in library.entries()}:
        document = library.document(known)  # under the name that it has there: it may be a file of the user's own
    else:
        library.rename(library.add(file, limits=PAGE_LIMITS).id, page_name(title, fetched.url))
        document = library.document(known)
    if not document.text.strip():
        raise WebFailed("The page holds no text.", hint="If it is a scan, save it and attach the file: it is then recognised.")
    return WebPage(document, passages(document), Retrieved(fetched.url, fetched.retrieved_at))


def _as_file(fetched: Fetched) -> tuple[str, Path]:
    """The title, and the file for the readers: a PDF as it came, of everything else the main text."""
    with fetched.file.open("rb") as opened:
        is_pdf = opened.read(1024).lstrip().startswith(b"%PDF-")
    if is_pdf != (fetched.media_type == "application/pdf"):
        raise WebFailed("The page is not of the kind that its server says.", hint="Choose another page.")
    if is_pdf:
        return Path(urlsplit(fetched.url).path).stem, fetched.file.rename(fetched.file.with_suffix(".pdf"))
    title, html = main_text(fetched.file, media_type=fetched.media_type, charset=fetched.charset)
    file = fetched.file.with_suffix(".html")
    file.write_text(html, encoding="utf-8")
    return title, file


def page_name(title: str, url: str) -> str:
    """What the page is called in the library and in citations."""
    host = urlsplit(url).hostname or "saved page"
    words = one_line(title)
    return f"{words[:120]} · {host}" if words else host


def within(engine: Engine, pages: Sequence[WebPage], *, first_number: int, tokens: int) -> tuple[Numbered, ...]:
    """Passages of the pages, numbered on, that have room in so many tokens; each page gets an even share of what is left."""
    room = tokens
    numbered: list[Numbered] = []
    for position, page in enumerate(pages):
        share = room // (len(pages) - position) - FRAME_TOKENS
        texts = [page.document.text[passage.start : passage.end] for passage in page.passages]
        used = 0
        for passage, ids in zip(page.passages, engine.tokenize(texts), strict=True):
            cost = len(ids) + 8  # its number
            if used + cost > share:
                break
            used += cost
            numbered.append(Numbered(first_number + len(numbered), page.document, passage, page.web))
        room -= used + FRAME_TOKENS if used else 0
    return tuple(numbered)
