"""Decides page by page whether the text layer can be read, and has the picture recognised where it cannot.

What was recognised, what could not be and why is reported by page number.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from unabridged.errors import UsageError
from unabridged.ingest.document import ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.ocr import DOTS_PER_INCH, Recogniser, RecognitionFailed, recogniser
from unabridged.ingest.pdf_page import PageContent, render
from unabridged.ingest.pdf_quality import is_garbled

if TYPE_CHECKING:
    import pymupdf

MODES = ("auto", "off", "all")
_SCANNED_SHARE = 0.5  # of a page that is picture, from which a little text beside it is no sign of a text layer
_LITTLE_TEXT = 200  # characters
_SIDE_LIMIT_POINTS = 5000.0  # of a page that is rendered: larger ones would not fit into memory


class PageOcr:
    """One for a document; the recogniser is loaded with the first page that needs it."""

    def __init__(self, mode: str, program: str = "auto") -> None:
        if mode not in MODES:
            raise UsageError(f"There is no OCR mode named {mode}.", hint="Use auto, off or all.")
        self._mode = mode
        self._program = program
        self._recogniser: Recogniser | None = None
        self._is_loaded = mode == "off"
        self._done: list[tuple[int, float]] = []  # page, confidence

    def checked(self, page: "pymupdf.Page", content: PageContent, draft: Draft) -> PageContent:
        """The page with a text that can be read, if there is any; what is wrong with it is reported."""
        garbled = is_garbled(content.text)
        scanned = content.picture_share > _SCANNED_SHARE and len(content.text) < _LITTLE_TEXT
        empty = not content.runs
        if not (self._mode == "all" or garbled or scanned or (empty and content.picture_share > 0)):
            if empty:
                draft.problem(ProblemKind.EMPTY_PAGE, f"page {content.number}", "It is blank.")
            return content
        recognised = self._recognised(page, content)
        if recognised is not None and recognised.runs and (garbled or empty or len(recognised.text) > len(content.text)):
            return recognised
        if garbled:
            draft.problem(ProblemKind.GARBLED_TEXT, f"page {content.number}", f"Its text layer is garbage; {self._advice()}")
        elif empty:
            draft.problem(ProblemKind.EMPTY_PAGE, f"page {content.number}", f"It is a picture; {self._advice()}")
        return content

    def _recognised(self, page: "pymupdf.Page", content: PageContent) -> PageContent | None:
        if not self._is_loaded:
            self._recogniser, self._is_loaded = recogniser(self._program), True
        if self._recogniser is None or max(content.width, content.height) > _SIDE_LIMIT_POINTS:
            return None
        try:
            found = self._recogniser.read(render(page, DOTS_PER_INCH))
        except RecognitionFailed:
            return None
        if found.runs:
            self._done.append((content.number, found.confidence))
        return replace(content, runs=found.runs, ocr=True)

    def _advice(self) -> str:
        if self._recogniser is None:
            return 'install text recognition (pip install "unabridged[ocr]", or Tesseract) or attach a version with text.'
        return "no text could be recognised in it; attach a sharper version or the text."

    def report(self, draft: Draft) -> None:
        if not self._done or self._recogniser is None:
            return
        draft.details["OCR"] = self._recogniser.name
        mean = sum(confidence for _, confidence in self._done) / len(self._done)
        draft.details["OCR pages"] = ranges([page for page, _ in self._done])
        draft.details["OCR confidence"] = f"{mean:.2f}"
        unsure = [page for page, confidence in self._done if confidence < 0.85]
        doubt = f" Least sure: {'pages' if len(unsure) > 1 else 'page'} {ranges(unsure)}." if unsure else ""
        draft.problem(
            ProblemKind.OCR_USED,
            f"{'pages' if len(self._done) > 1 else 'page'} {draft.details['OCR pages']}",
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
