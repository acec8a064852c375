"""The contract of a reader, and which reader takes a file: decided by what is in the file, never by its suffix.

The suffix only tells apart what content cannot: Markdown from plain text, CSV from plain text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from unabridged.errors import DocumentDamaged, DocumentEncrypted, DocumentUnsupported
from unabridged.ingest.document import Document
from unabridged.ingest.limits import Limits
from unabridged.ingest.old_office import SIGNATURE, kind_of

Progress = Callable[[int, int], None]  # done, total: pages where a format has them, else parts

_HEAD_BYTES = 4096
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|div|p|h[1-6]|ul|ol)[\s>]", re.IGNORECASE)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*")


def _no_progress(done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, and how. `options` are the reader's own (`encoding` for text, `revisions` for Word)."""

    path: Path
    name: str
    limits: Limits = field(default_factory=Limits)
    password: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    progress: Progress = _no_progress


class Reader(Protocol):
    """One format. `read` raises DocumentError subclasses and nothing else for what a file can hold."""

    def __call__(self, source: Source) -> Document: ...


def reader_for(source: Source) -> Reader:
    """The reader that takes this file; raises DocumentUnsupported, DocumentEncrypted or DocumentDamaged where there is none.

    A reader's module is imported only when it is chosen: the libraries behind it are slow to load.
    """
    with source.path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if b"%PDF-" in head[:1024]:
        from unabridged.ingest.read_pdf import read_pdf

        return read_pdf
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_reader(source)
    if head.startswith(SIGNATURE):
        raise _old_office(source)
    if head.startswith(b"{\\rtf"):
        from unabridged.ingest.read_rtf import read_rtf

        return read_rtf
    if head.startswith(_PICTURES):
        from unabridged.ingest.read_pdf import read_image

        return read_image
    signature = _binary_signature(head)
    if signature:
        raise DocumentUnsupported(
            f"{source.name} is {signature}, which holds no text that can be read.",
            hint="Attach a PDF, Word or text file; for pictures and recordings, attach a transcript.",
        )
    if source.path.suffix.lower() in _PROMISES:
        raise DocumentDamaged(
            f"{source.name} is not {_PROMISES[source.path.suffix.lower()]}: its content is something else.",
            hint="Open it with the program that wrote it and save it anew, or correct its suffix.",
        )
    return _text_reader(source, head)


def _text_reader(source: Source, head: bytes) -> Reader:
    """Readers of what is text all through: mail, web pages, tables, and everything else as it stands."""
    from unabridged.ingest.read_eml import is_mail, read_eml

    suffix = source.path.suffix.lower()
    if is_mail(head) or suffix == ".eml":
        return read_eml
    if _HTML.search(head.replace(b"\0", b"")) and suffix not in (".md", ".markdown", ".txt"):
        from unabridged.ingest.read_html import read_html

        return read_html
    if suffix in (".csv", ".tsv"):
        from unabridged.ingest.read_xlsx import read_csv

        return read_csv
    from unabridged.ingest.read_text import read_text

    return read_text


_PROMISES = {
    ".pdf": "a PDF file",
    ".docx": "a Word file (those are zip archives)",
    ".xlsx": "an Excel file (those are zip archives)",
    ".pptx": "a PowerPoint file (those are zip archives)",
    ".epub": "an EPUB book (those are zip archives)",
    ".odt": "an OpenDocument file (those are zip archives)",
}


def _zip_reader(source: Source) -> Reader:
    from unabridged.ingest.archive import Archive

    with Archive.open(source) as archive:
        kind = archive.content_kind()
    if kind == "docx":
        from unabridged.ingest.read_docx import read_docx

        return read_docx
    if kind == "xlsx":
        from unabridged.ingest.read_xlsx import read_xlsx

        return read_xlsx
    if kind == "pptx":
        from unabridged.ingest.read_pptx import read_pptx

        return read_pptx
    if kind == "odt":
        from unabridged.ingest.read_odt import read_odt

        return read_odt
    if kind == "epub":
        from unabridged.ingest.read_epub import read_epub

        return read_epub
    raise DocumentUnsupported(
        f"{source.name} is a zip archive with no document inside that can be read.",
        hint="Unpack it and attach the files themselves.",
    )


def _old_office(source: Source) -> DocumentUnsupported | DocumentEncrypted:
    """An OLE container that could not be converted before: no LibreOffice, a password, or a mail."""
    kind = kind_of(source.path)
    if kind == "encrypted":
        return DocumentEncrypted(
            f"{source.name} is protected with a password.",
            hint="Open it in Word, remove the password (File › Info › Protect Document) and attach it again.",
        )
    if kind == "msg":
        return DocumentUnsupported(
            f"{source.name} is a mail in Outlook's own format.", hint="Save it as .eml, or as PDF, and attach that."
        )
    return DocumentUnsupported(
        f"{source.name} is in the Office format used before 2007.",
        hint="Install LibreOffice (Debian, Ubuntu: apt install libreoffice) and attach it again, "
        "or open it in Word and save it as .docx, .xlsx or .pptx.",
    )


def _binary_signature(head: bytes) -> str:
    for magic, words in _SIGNATURES:
        if head.startswith(magic):
            return words
    return ""


_SIGNATURES = (
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"GIF8", "a picture"),
    (b"ID3", "a recording"),
    (b"OggS", "a recording"),
    (b"RIFF", "a recording"),
    (b"SQLite format 3\0", "a database"),
    (b"GGUF", "a language model"),
)
