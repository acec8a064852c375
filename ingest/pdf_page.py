"""One PDF page as MuPDF gives it: runs of characters with their boxes, turned upright, and what else stands on it.

It knows MuPDF's structures so that nothing else has to. Order and paragraphs are `pdf_layout`'s business.
"""

from dataclasses import dataclass
from statistics import median

import pymupdf
from unabridged.ingest.document import Box

_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
_BOLD = 1 << 4


@dataclass(frozen=True, slots=True)
class Run:
    """Characters on one baseline without a wide gap. `box` and font `size` in points of the page as it is shown."""

    text: str
    box: Box
    size: float
    bold: bool

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
    pictures: int
    picture_share: float  # of the page's area


def read_page(page: "pymupdf.Page", number: int) -> PageContent:
    """Raises MuPDF's own errors on broken content; the caller wraps them."""
    width, height = page.rect.width, page.rect.height
    data = page.get_text("dict", flags=_FLAGS)
    runs = [run for block in data["blocks"] for line in block.get("lines", ()) if (run := _run(line, page)) is not None]
    pictures = page.get_image_info()
    area = sum(abs((p["bbox"][2] - p["bbox"][0]) * (p["bbox"][3] - p["bbox"][1])) for p in pictures)
    return PageContent(
        number,
        page.get_label() or str(number),
        width,
        height,
        tuple(runs),
        len(pictures),
        min(1.0, area / max(1.0, width * height)),
    )


def _run(line: dict, page: "pymupdf.Page") -> Run | None:  # type: ignore[type-arg]
    spans = line["spans"]
    text = "".join(span["text"] for span in spans)
    if not text.strip():
        return None
    x0, y0, x1, y1 = line["bbox"]
    letters = [span for span in spans if span["text"].strip()]
    bold = all(span["flags"] & _BOLD for span in letters)
    return Run(text, Box(x0, y0, max(x0, x1), max(y0, y1)), median(span["size"] for span in letters), bold)
