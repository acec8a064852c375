"""Text recognition of page pictures: what a recogniser gives, and which one is used. Offline, whichever it is.

RapidOCR where the extra `ocr` is installed, else the program Tesseract. Both give runs of text with boxes in points, as a text
layer would, and how sure they are. It knows neither PDF files nor reading order.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from unabridged.errors import UsageError
from unabridged.ingest.pdf_page import Run

DOTS_PER_INCH = 200
POINTS_PER_PIXEL = 72 / DOTS_PER_INCH
FONT_SHARE = 0.75  # of a line's height that is the font's size
THREADS = 2  # of a recogniser, where it is the only one; more bring it little
PROGRAMS = ("auto", "rapidocr", "tesseract")

Picture = NDArray[np.uint8]  # (height, width, 3), blue, green, red; at DOTS_PER_INCH


class RecognitionFailed(Exception):
    """The recogniser broke over this picture; the page is reported as not read."""


@dataclass(frozen=True, slots=True)
class Recognised:
    runs: tuple[Run, ...]
    confidence: float  # mean over the text, weighted by its length; 0 … 1

    @property
    def weight(self) -> float:
        """Code points times confidence: how much was made out."""
        return self.confidence * sum(len(run.text) for run in self.runs)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """`name` is for the receipt; `read` raises RecognitionFailed."""

    name: str
    read: Callable[[Picture], Recognised]


def is_available() -> bool:
    """Whether there is any recogniser, found out without loading one."""
    from unabridged.ingest import ocr_rapid, ocr_tesseract

    return ocr_rapid.is_available() or bool(ocr_tesseract.languages())


def recogniser(program: str = "auto", *, threads: int = THREADS) -> Recogniser | None:
    """The recogniser to use, None where none is installed. Loading RapidOCR takes seconds."""
    from unabridged.ingest import ocr_rapid, ocr_tesseract
    from unabridged.ingest.ocr_orientation import upright

    if program not in PROGRAMS:
        raise UsageError(f"There is no text recognition named {program}.", hint="Use auto, rapidocr or tesseract.")
    if program != "tesseract" and ocr_rapid.is_available():
        return upright(ocr_rapid.load(threads))
    if program != "rapidocr" and ocr_tesseract.languages():
        return upright(ocr_tesseract.load(threads))
    return None
