"""PDF files through MuPDF: pages with labels, paragraphs in reading order with the box of every printed line.

Normalisation: lines of a paragraph are joined with a space (nothing between Chinese characters), a word divided at a line's
end is put together; running heads and page numbers are kept apart as furniture. Pages without text are reported by number.
"""

from collections.abc import Sequence

import pymupdf
from unabridged.errors import DocumentDamaged, DocumentEncrypted, DocumentTooCostly
from unabridged.ingest.document import BlockKind, Box, Document, Furniture, ProblemKind
from unabridged.ingest.draft import Draft, usable
from unabridged.ingest.pdf_furniture import separate
from unabridged.ingest.pdf_layout import TextLine, TextParagraph, columns, is_bullet, is_cjk, paragraphs
from unabridged.ingest.pdf_page import PageContent, read_page
from unabridged.ingest.reader import Source

MEDIA_TYPE = "application/pdf"
_STORE_KEPT_PERCENT = 20


def read_pdf(source: Source) -> Document:
    """Raises DocumentEncrypted, DocumentDamaged (also for a file without pages) or DocumentTooCostly."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(source.path, filetype="pdf") as pdf:
            _unlock(pdf, source)
            _check_pages(pdf.page_count, source)
            contents = _contents(pdf, source)
    except (RuntimeError, ValueError, IndexError) as error:  # MuPDF's errors are RuntimeErrors
        raise _damaged(source, "its structure is broken") from error
    return _document(contents, source)


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


def _contents(pdf: "pymupdf.Document", source: Source) -> list[PageContent]:
    contents = []
    for index in range(pdf.page_count):
        contents.append(read_page(pdf[index], index + 1))
        pymupdf.TOOLS.store_shrink(_STORE_KEPT_PERCENT)
        source.progress(index + 1, pdf.page_count)
    return contents


def _document(contents: Sequence[PageContent], source: Source) -> Document:
    draft = Draft()
    bodies = separate(contents)
    for content, body in zip(contents, bodies, strict=True):
        page = draft.add_page(label=content.label, width=content.width, height=content.height)
        draft.furniture += [Furniture(page, text) for text in body.furniture]
        for column in columns(body.runs, page):
            for paragraph in paragraphs(column):
                _add(draft, paragraph)
        if not content.runs:
            hint = (
                "It is a picture; recognise its text (OCR) or attach a version with text."
                if content.pictures
                else "It seems to be blank."
            )
            draft.problem(ProblemKind.EMPTY_PAGE, f"page {page}", hint)
    return draft.finish(media_type=MEDIA_TYPE, name=source.name)


def _add(draft: Draft, paragraph: TextParagraph) -> None:
    """Join the lines into one block; every line keeps its span and box."""
    text = ""
    spans: list[tuple[int, int, TextLine]] = []
    for line in paragraph.lines:
        words = usable(line.text).strip()
        if not words:
            continue
        if text:
            if _is_divided(text, words):
                text = text.rstrip("-\u00ad\u2010")
                start, end, _ = spans[-1]
                spans[-1] = (start, min(end, len(text)), spans[-1][2])
            elif not (is_cjk(text[-1]) and is_cjk(words[0])):
                text += " "
        spans.append((len(text), len(text) + len(words), line))
        text += words
    if not text:
        return
    first = paragraph.lines[0]
    same_page = [line.box for line in paragraph.lines if line.page == first.page]
    kind = BlockKind.LIST_ITEM if is_bullet(text) else BlockKind.PARAGRAPH
    start = draft.add(kind, text, page=first.page, box=_around(same_page))
    for line_start, line_end, line in spans:
        if line_end > line_start:
            draft.add_line(start + line_start, start + line_end, page=line.page, box=line.box)


def _is_divided(before: str, after: str) -> bool:
    """Whether a word was cut at the line's end: "agree-" + "ment", and soft hyphens always."""
    if before[-1] == "\u00ad":
        return True
    return before[-1] in "-\u2010" and before[-2:-1].islower() and after[0].islower()


def _around(boxes: Sequence[Box]) -> Box:
    return Box(min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes))
