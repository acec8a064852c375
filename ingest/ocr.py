"""Text recognition of page pictures by RapidOCR (PP-OCR on onnxruntime, Apache-2.0): offline, its models are in its wheel.

An extra (`pip install "unabridged[ocr]"`); without it `recogniser` gives None and pages are reported instead. Gives runs of
text with boxes in points, as a text layer would, and how sure it is; it knows neither PDF files nor reading order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from unabridged.ingest.document import Box
from unabridged.ingest.pdf_page import Run

DOTS_PER_INCH = 200
_POINTS_PER_INCH = 72
_FONT_SHARE = 0.75  # of a line's height that is the font's size
_THREADS = 2

Picture = NDArray[np.uint8]  # (height, width, 3), blue, green, red; at DOTS_PER_INCH


@dataclass(frozen=True, slots=True)
class Recognised:
    runs: tuple[Run, ...]
    confidence: float  # mean over the lines, weighted by their length; 0 … 1


def is_available() -> bool:
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def recogniser() -> Callable[[Picture], Recognised] | None:
    """A function from a page's picture to its text; None where RapidOCR is not installed. It takes seconds to load."""
    if not is_available():
        return None
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    return lambda picture: _recognised(engine(picture))


def _recognised(output: Any) -> Recognised:  # noqa: ANN401  (RapidOCR's own result)
    if output.boxes is None or not output.txts:
        return Recognised((), 0.0)
    runs = tuple(_run(text, corners) for text, corners in zip(output.txts, output.boxes, strict=True) if text.strip())
    lengths = [len(text) for text in output.txts]
    weighted = sum(score * length for score, length in zip(output.scores, lengths, strict=True))
    return Recognised(runs, float(weighted) / max(1, sum(lengths)))


def _run(text: str, corners: NDArray[np.float32]) -> Run:
    """`corners`: four points (x, y) in pixels."""
    scale = _POINTS_PER_INCH / DOTS_PER_INCH
    x0, y0 = (float(v) * scale for v in corners.min(axis=0))
    x1, y1 = (float(v) * scale for v in corners.max(axis=0))
    return Run(text, Box(x0, y0, x1, y1), _FONT_SHARE * (y1 - y0))
