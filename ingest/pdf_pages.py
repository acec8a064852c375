"""The pages of a PDF in order: first the text layers of all, then the pictures of those whose text is in doubt.

Several processes share each of the two where that pays (tests/benchmarks/ingest.py measures it). Texts: on two cores 600 and
2,000 pages took a fifth less time, and with 100 no difference was seen, for putting together what the pages hold is as much
work again and one process does it, and a worker has to be started. Pictures: from the second on; recognising sixteen took a
third less, and less of the processor, since the recogniser makes little use of a second core.

However they are read, the same comes out. A worker opens the file for itself; a page that it does not give, because the page
is damaged or asks for too much or the worker was killed, is read here once more, so that failures are those of one process.
Memory grows with the number of pages, by the text and the box of every line of them, since these are the result; what MuPDF
keeps of the file does not grow.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pymupdf
from unabridged.ingest.document import Problem, ProblemKind
from unabridged.ingest.pdf_ocr import PageOcr
from unabridged.ingest.pdf_page import PageContent, read_page
from unabridged.ingest.pdf_page_wire import decode, encode
from unabridged.ingest.reader import Source
from unabridged.ingest.workers import Workers

# MuPDF's own errors, and the other ways in which PyMuPDF's code over it trips over damaged files.
FAILURES = (
    pymupdf.mupdf.FzErrorBase,
    RuntimeError,
    OverflowError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
)
_MANY_TEXTS, _MANY_PICTURES = 200, 2  # from which workers are started
_STORE_KEPT_PERCENT = 20  # of MuPDF's cache between pages, so that memory stays flat

Opening = Callable[[], AbstractContextManager["pymupdf.Document"]]
Job = Callable[["pymupdf.Document", int, PageOcr], PageContent]


def read_pages(
    pdf: "pymupdf.Document",
    source: Source,
    *,
    workers: Workers | None = None,
    opened: Opening,
    many: int = _MANY_TEXTS,
) -> list[PageContent]:
    """Every page; one that MuPDF cannot read is empty and says so. `opened` opens the same file for a worker.

    `many` pages are enough for workers to read their text.
    """
    mode, program = source.options.get("ocr", "auto"), source.options.get("ocr_program", "auto")
    ocr = PageOcr(mode, program)
    total, done = pdf.page_count, 0
    shared = _Shared(workers, opened, PageOcr(mode, program, threads=workers.threads_each)) if workers is not None else None
    found: dict[int, PageContent] = {}

    def look_again(own: "pymupdf.Document", index: int, with_ocr: PageOcr) -> PageContent:
        return with_ocr.cleared(own[index], found[index])

    for index, page in _each(range(total), pdf, _text_of, ocr, shared if total >= many else None):
        found[index] = page
        if not page.in_doubt:
            done += 1
            source.progress(done, total)
    doubtful = [index for index in range(total) if found[index].in_doubt]
    pays = len(doubtful) >= _MANY_PICTURES and ocr.is_possible
    for index, page in _each(doubtful, pdf, look_again, ocr, shared if pays else None):
        found[index] = page
        done += 1
        source.progress(done, total)
    return [found[index] for index in range(total)]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What workers need to do a part of a job."""

    workers: Workers
    opened: Opening
    ocr: PageOcr

    def results(self, indexes: Sequence[int], job: Job) -> Iterator[tuple[int, PageContent]]:
        def work(tasks: range) -> Iterator[bytes]:
            with self.opened() as own:
                for task in tasks:
                    try:
                        yield encode(_done(own, indexes[task], job, self.ocr))
                    except (*FAILURES, MemoryError):
                        yield b""

        for task, result in self.workers.results(work, len(indexes)):
            yield indexes[task], decode(result)


def _each(
    indexes: Sequence[int], pdf: "pymupdf.Document", job: Job, ocr: PageOcr, shared: _Shared | None
) -> Iterator[tuple[int, PageContent]]:
    """What the job gives for each of these pages, as they come; what workers do not give is done here."""
    left = dict.fromkeys(indexes)
    for index, page in shared.results(indexes, job) if shared is not None else ():
        del left[index]
        yield index, page
    for index in left:
        try:
            page = _done(pdf, index, job, ocr)
        except FAILURES as error:
            page = _unread(index + 1, error)
        yield index, page


def _done(pdf: "pymupdf.Document", index: int, job: Job, ocr: PageOcr) -> PageContent:
    try:
        return job(pdf, index, ocr)
    finally:
        pymupdf.TOOLS.store_shrink(_STORE_KEPT_PERCENT)


def _text_of(pdf: "pymupdf.Document", index: int, ocr: PageOcr) -> PageContent:
    page = _loaded(pdf, index)
    label = page.get_label() if pdf.is_pdf else ""
    return ocr.looked_at(read_page(page, index + 1, label or str(index + 1)))


def _loaded(pdf: "pymupdf.Document", index: int) -> "pymupdf.Page":
    """One failure for a page that is not there: which one MuPDF has depends on the pages asked for before."""
    try:
        return pdf[index]
    except FAILURES as error:
        raise IndexError(f"there is no page {index + 1}") from error


def _unread(number: int, error: Exception) -> PageContent:
    problem = Problem(
        ProblemKind.DROPPED_OBJECT,
        f"page {number}",
        hint=f"It is damaged or asks for too much ({type(error).__name__}), and was not read.",
    )
    return PageContent(number, str(number), 595, 842, (), problem=problem)
