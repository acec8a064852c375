"""One PDF page as MuPDF gives it: runs of characters with their boxes, comments, and how much of it is picture.

It knows MuPDF's structures so that nothing else has to. Order and paragraphs are `pdf_layout`'s business.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymupdf
from numpy.typing import NDArray
from unabridged.ingest.document import Box
from unabridged.ingest.numerals import shifted

_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SUPERSCRIPT, _BOLD = 1, 1 << 4
# Annotations whose words are no part of the printed page (PDF 1.7, table 169): sticky notes and marked text.
_STICKY_NOTE = "Text"
_COMMENTS = (_STICKY_NOTE, "Highlight", "Underline", "Squiggly", "StrikeOut", "Caret")


@dataclass(frozen=True, slots=True)
class Run:
    """Characters on one baseline without a wide gap. `box` and font `size` in points of the page as it is shown."""

    text: str
    box: Box
    size: float
    bold: bool = False
    upright: bool = True  # False for text that runs up, down or upside down

    @property
    def height(self) -> float:
        return self.box.y1 - self.box.y0

    @property
    def middle(self) -> float:
        return (self.box.y0 + self.box.y1) / 2


@dataclass(frozen=True, slots=True)
class PageContent:
    number: int
    label: str
    width: float
    height: float
    runs: tuple[Run, ...]
    comments: tuple[str, ...] = ()
    picture_share: float = 0.0  # of the page's area, 0 … 1; looked at only where there is little text
    ocr: bool = False  # the runs were recognised in the page's picture

    @property
    def text(self) -> str:
        return " ".join(run.text for run in self.runs)


def read_page(page: "pymupdf.Page", number: int, label: str) -> PageContent:
    """Raises MuPDF's own errors on broken content; the caller wraps them."""
    width, height = page.rect.width, page.rect.height
    data = page.get_text("dict", flags=_FLAGS)
    lines = [line for block in data["blocks"] for line in block.get("lines", ())]
    runs = tuple(run for line in lines if (run := _run(line)) is not None)
    share = _picture_share(page, width * height) if sum(len(run.text) for run in runs) < 200 else 0.0
    return PageContent(number, label, width, height, runs, _comments(page), share)


def render(page: "pymupdf.Page", dots_per_inch: int) -> NDArray[np.uint8]:
    """The page as a picture: (height, width, 3) in blue, green, red."""
    pixels = page.get_pixmap(dpi=dots_per_inch, alpha=False, colorspace=pymupdf.csRGB)
    picture = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.stride)
    return picture[:, : pixels.width * 3].reshape(pixels.height, pixels.width, 3)[:, :, ::-1].copy()


def _run(line: dict[str, Any]) -> Run | None:
    spans = [span for span in line["spans"] if span["text"]]
    text = "".join(_raised(span, spans) for span in spans)
    if len(_CONTROLS.findall(text)) < 0.3 * len(text):
        text = _CONTROLS.sub(" ", text)  # a font's odd code for a blank; where they are many, the text layer is garbage
    if not text.strip():
        return None
    x0, y0, x1, y1 = line["bbox"]
    letters = [span for span in spans if span["text"].strip()]
    largest = max(letters, key=lambda span: len(span["text"].strip()))
    upright = line["dir"][0] > 0.9
    return Run(text, Box(x0, y0, max(x0, x1), max(y0, y1)), largest["size"], all(s["flags"] & _BOLD for s in letters), upright)


def _raised(span: dict[str, Any], spans: list[dict[str, Any]]) -> str:
    """A note's number is no part of the word before it, nor an exponent of the number."""
    text: str = span["text"]
    is_raised = span["flags"] & _SUPERSCRIPT and len(spans) > 1 and text.strip().isdecimal() and text.isascii()
    return shifted(text.strip(), up=True) + " " * (len(text) - len(text.rstrip())) if is_raised else text


def _picture_share(page: "pymupdf.Page", area: float) -> float:
    covered: float = sum(abs((p["bbox"][2] - p["bbox"][0]) * (p["bbox"][3] - p["bbox"][1])) for p in page.get_image_info())
    return min(1.0, covered / max(1.0, area))


def _comments(page: "pymupdf.Page") -> tuple[str, ...]:
    found = []
    for annotation in page.annots() or ():
        words = annotation.info.get("content", "").strip()
        if words and annotation.type[1] in _COMMENTS:
            who = annotation.info.get("title", "").strip()
            marked = "" if annotation.type[1] == _STICKY_NOTE else " ".join(page.get_textbox(annotation.rect).split())
            found.append(f"[Comment{f' by {who}' if who else ''}{f' on “{marked}”' if marked else ''}: {words}]")
    return tuple(found)
