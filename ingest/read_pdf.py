"""PDF files through MuPDF: pages with labels, paragraphs in reading order with the box of every printed line.

Normalisation: lines of a paragraph are joined with a space (nothing between Chinese characters), a word divided at a line's end
is put together, raised digits become Unicode's; running heads and page numbers are kept apart as furniture. Pages without
text, or with a text layer that is garbage, go to OCR where that is installed, and are reported by number in any case.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pymupdf
from unabridged.errors import DocumentDamaged, DocumentEmpty, DocumentEncrypted, DocumentTooCostly, DocumentUnsupported
from unabridged.ingest.document import Document, Furniture, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.hyphenation import Vocabulary
from unabridged.ingest.ocr import is_available
from unabridged.ingest.page_turn import OBLIQUE, turned
from unabridged.ingest.pdf_assembly import Assembly, Bookmark, body_size, heading_sizes
from unabridged.ingest.pdf_columns import columns
from unabridged.ingest.pdf_furniture import separate
from unabridged.ingest.pdf_layout import paragraphs, printed_lines
from unabridged.ingest.pdf_lines import Column
from unabridged.ingest.pdf_ocr import report
from unabridged.ingest.pdf_page import PageContent, Run
from unabridged.ingest.pdf_pages import FAILURES, read_pages
from unabridged.ingest.pdf_tables import outside, ruled_tables
from unabridged.ingest.reader import Source
from unabridged.ingest.workers import Workers

MEDIA_TYPE = "application/pdf"
_STAMP_SHARE = 0.1  # of a page's text; turned text beyond that is content


def read_pdf(source: Source) -> Document:
    """Raises DocumentEncrypted, DocumentDamaged (also for a file without pages) or DocumentTooCostly."""
    return _read(source, "pdf", MEDIA_TYPE)


def read_image(source: Source) -> Document:
    """A picture, or the pictures of a TIFF, as pages to recognise. Raises DocumentUnsupported where OCR is not installed."""
    if not is_available():
        raise DocumentUnsupported(
            f"{source.name} is a picture, and text recognition is not installed.",
            hint='Install it with pip install "unabridged[ocr]", or attach the text.',
        )
    kind = source.path.suffix.lower().lstrip(".")
    document = _read(source, None, f"image/{kind}")
    if not document.text:
        raise DocumentEmpty(
            f"No text could be recognised in {source.name}.", hint="Attach a sharper picture, or the text itself."
        )
    return document


def _read(source: Source, kind: str | None, media_type: str) -> Document:
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    draft = Draft()
    try:
        with _opened(source, kind) as pdf:
            _check_pages(pdf.page_count, source)
            bookmarks = [
                Bookmark(level, title, page) for level, title, page in (pdf.get_toc() if pdf.is_pdf else ()) if page > 0
            ]
            workers = Workers.of_this_machine(source.limits)
            contents = read_pages(pdf, source, workers=workers, opened=lambda: _opened(source, kind))
            report(contents, draft)
            for name in pdf.embfile_names() if pdf.is_pdf else ():
                draft.problem(ProblemKind.DROPPED_OBJECT, f"embedded file {name}", "Save it as a file and attach that.")
    except FAILURES as error:
        raise _damaged(source, "its structure is broken") from error
    _assemble(contents, bookmarks, draft)
    return draft.finish(media_type=media_type, name=source.name)


@contextmanager
def _opened(source: Source, kind: str | None) -> Iterator["pymupdf.Document"]:
    with pymupdf.open(source.path, filetype=kind) as pdf:
        _unlock(pdf, source)
        yield pdf


def _unlock(pdf: "pymupdf.Document", source: Source) -> None:
    if not pdf.needs_pass:
        return
    if source.password is None:
        raise DocumentEncrypted(
            f"{source.name} is protected with a password.", hint="Give the password, or save a copy without one."
        )
    if not pdf.authenticate(source.password):
        raise DocumentEncrypted(f"The password does not open {source.name}.", hint="Check it; capital letters count.")


def _check_pages(count: int, source: Source) -> None:
    if count == 0:
        raise _damaged(source, "it has no pages")
    if count > source.limits.pages:
        raise DocumentTooCostly(
            f"{source.name} has {count:,} pages; up to {source.limits.pages:,} are read.", hint="Split it into parts."
        )


def _damaged(source: Source, why: str) -> DocumentDamaged:
    return DocumentDamaged(
        f"{source.name} cannot be read as a PDF file: {why}.",
        hint="Fetch it again, or print it to a new PDF file from a program that opens it.",
    )


def _assemble(contents: Sequence[PageContent], bookmarks: Sequence[Bookmark], draft: Draft) -> None:
    laid_out, bodies = [], separate(contents)
    for content, body in zip(contents, bodies, strict=True):
        draft.furniture += [Furniture(content.number, text) for text in (*body.furniture, *content.asides)]
        laid_out.append(_columns(content, body.runs, draft))
    lines = [line for page in laid_out for column in page for line in printed_lines(column)]
    size = body_size(lines)
    assembly = Assembly(draft, size, Vocabulary(line.text for line in lines), heading_sizes(lines, size), bookmarks)
    for content, page_columns, body in zip(contents, laid_out, bodies, strict=True):
        draft.add_page(label=content.label, width=content.width, height=content.height, ocr=content.recognition is not None)
        found = ((column, paragraphs(column)) for column in page_columns)
        assembly.add_page(content.number, content.width, content.height, found, breaks=body.breaks)
        assembly.add_comments(content.number, content.comments)
    assembly.finish()


def _columns(content: PageContent, runs: Sequence[Run], draft: Draft) -> list[Column]:
    """The page's columns, those of its main direction first; a stamp in the margin goes to the furniture."""
    by_turn: dict[int, list[Run]] = {0: []}
    for run in runs:
        by_turn.setdefault(run.turn, []).append(run)
    found: list[Column] = []
    for turn, group in sorted(by_turn.items(), key=lambda item: -sum(len(run.text) for run in item[1])):
        if turn and sum(len(run.text) for run in group) < _STAMP_SHARE * len(content.text):
            draft.furniture += [Furniture(content.number, run.text.strip()) for run in group]
        elif turn == OBLIQUE:
            found += [column for run in group for column in columns([run], content.number)]
        else:
            size = content.width, content.height
            upright = [replace(run, box=turned(run.box, turn, *size)) for run in group]
            tables = ruled_tables(upright, [turned(rule, turn, *size) for rule in content.rules])
            found += columns(outside(upright, tables), content.number)
    return found
