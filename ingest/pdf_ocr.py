"""Decides page by page whether the text layer can be read, and has the picture recognised where it cannot.

What was recognised, what could not be and why is reported by page number.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from unabridged.errors import UsageError
from unabridged.ingest.document import Problem, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.ocr import DOTS_PER_INCH, THREADS, Recogniser, RecognitionFailed, is_available, recogniser
from unabridged.ingest.pdf_page import PageContent, Recognition, render
from unabridged.ingest.pdf_quality import is_garbled

if TYPE_CHECKING:
    import pymupdf

MODES = ("auto", "off", "all")
_SCANNED_SHARE = 0.5  # of a page that is picture, from which a little text beside it is no sign of a text layer
_LITTLE_TEXT = 200  # characters
_UNSURE = 0.85  # confidence below which a page is named
_SIDE_LIMIT_POINTS = 5000.0  # of a page that is rendered: larger ones would not fit into memory


class PageOcr:
    """One for a process; the recogniser is loaded with the first page that needs it, and uses so many threads."""

    def __init__(self, mode: str, program: str = "auto", *, threads: int = THREADS) -> None:
        if mode not in MODES:
            raise UsageError(f"There is no OCR mode named {mode}.", hint="Use auto, off or all.")
        self._mode = mode
        self._program = program
        self._threads = threads
        self._recogniser: Recogniser | None = None
        self._is_loaded = mode == "off"

    @property
    def is_possible(self) -> bool:
        return self._mode != "off" and is_available()

    def looked_at(self, content: PageContent) -> PageContent:
        """The page as its text layer has it; whether that is in doubt, or that it is blank."""
        scanned = content.picture_share > _SCANNED_SHARE and len(content.text) < _LITTLE_TEXT
        empty = not content.runs
        if self._mode == "all" or scanned or (empty and content.picture_share > 0) or is_garbled(content.text):
            return replace(content, in_doubt=True)
        return _with_problem(content, ProblemKind.EMPTY_PAGE, hint="It is blank.") if empty else content

    def cleared(self, page: "pymupdf.Page", content: PageContent) -> PageContent:
        """A page in doubt with a text that can be read, if there is any; else with what is wrong with it."""
        content = replace(content, in_doubt=False)
        garbled, empty = is_garbled(content.text), not content.runs
        recognised = self._recognised(page, content)
        if recognised is not None and recognised.runs and (garbled or empty or len(recognised.text) > len(content.text)):
            return recognised
        if garbled:
            return _with_problem(content, ProblemKind.GARBLED_TEXT, hint=f"Its text layer is garbage; {self._advice()}")
        if empty:
            return _with_problem(content, ProblemKind.EMPTY_PAGE, hint=f"It is a picture; {self._advice()}")
        return content

    def _recognised(self, page: "pymupdf.Page", content: PageContent) -> PageContent | None:
        if not self._is_loaded:
            self._recogniser, self._is_loaded = recogniser(self._program, threads=self._threads), True
        if self._recogniser is None or max(content.width, content.height) > _SIDE_LIMIT_POINTS:
            return None
        try:
            found = self._recogniser.read(render(page, DOTS_PER_INCH))
        except RecognitionFailed:
            return None
        return replace(content, runs=found.runs, recognition=Recognition(self._recogniser.name, found.confidence))

    def _advice(self) -> str:
        if self._recogniser is None:
            return 'install text recognition (pip install "unabridged[ocr]", or Tesseract) or attach a version with text.'
        return "no text could be recognised in it; attach a sharper version or the text."


def _with_problem(content: PageContent, kind: ProblemKind, *, hint: str) -> PageContent:
    return replace(content, problem=Problem(kind, f"page {content.number}", hint))


def report(pages: Sequence[PageContent], draft: Draft) -> None:
    """Say what could not be read, in the order of the pages, and what was recognised."""
    draft.problems += [page.problem for page in pages if page.problem is not None]
    done = [(page.number, page.recognition) for page in pages if page.recognition is not None]
    if not done:
        return
    draft.details["OCR"] = done[0][1].program
    mean = sum(recognition.confidence for _, recognition in done) / len(done)
    draft.details["OCR pages"] = ranges([page for page, _ in done])
    draft.details["OCR confidence"] = f"{mean:.2f}"
    unsure = [page for page, recognition in done if recognition.confidence < _UNSURE]
    doubt = f" Least sure: {'pages' if len(unsure) > 1 else 'page'} {ranges(unsure)}." if unsure else ""
    draft.problem(
        ProblemKind.OCR_USED,
        f"{'pages' if len(done) > 1 else 'page'} {draft.details['OCR pages']}",
        f"The text was recognised in pictures, mean confidence {mean:.2f}; compare quotations with the page.{doubt}",
    )


def ranges(pages: Sequence[int]) -> str:
    """3–5, 9 for [3, 4, 5, 9]."""
    found: list[list[int]] = []
    for page in pages:
        if found and page == found[-1][-1] + 1:
            found[-1][1:] = [page]
        else:
            found.append([page])
    return ", ".join("–".join(map(str, run)) for run in found)
