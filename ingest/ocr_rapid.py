"""RapidOCR (PP-OCR on onnxruntime, Apache-2.0): its models are in its wheel, nothing is downloaded.

Lines upside down are left as they are: `ocr_orientation` turns the whole page, so that lines come in their order.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from unabridged.ingest.document import Box
from unabridged.ingest.ocr import FONT_SHARE, POINTS_PER_PIXEL, THREADS, Recognised, Recogniser
from unabridged.ingest.pdf_page import Run


def is_available() -> bool:
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def load(threads: int = THREADS) -> Recogniser:
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    return Recogniser("RapidOCR", lambda picture: _recognised(engine(picture)))


def _recognised(output: Any) -> Recognised:  # noqa: ANN401  (RapidOCR's own result)
    if output.boxes is None or not output.txts:
        return Recognised((), 0.0)
    runs = tuple(_run(text, corners) for text, corners in zip(output.txts, output.boxes, strict=True) if text.strip())
    lengths = [len(text) for text in output.txts]
    weighted = sum(score * length for score, length in zip(output.scores, lengths, strict=True))
    return Recognised(runs, float(weighted) / max(1, sum(lengths)))


def _run(text: str, corners: NDArray[np.float32]) -> Run:
    """`corners`: four points (x, y) in pixels."""
    x0, y0 = (float(v) * POINTS_PER_PIXEL for v in corners.min(axis=0))
    x1, y1 = (float(v) * POINTS_PER_PIXEL for v in corners.max(axis=0))
    return Run(text, Box(x0, y0, x1, y1), FONT_SHARE * (y1 - y0))
