"""Tesseract, where RapidOCR is missing: a child process that takes the picture on stdin and writes a table of words to stdout.

Source of the table's columns: `tesseract(1)`, config `tsv`. Chinese and English, as far as their data is installed.
"""

import os
import shutil
import subprocess
from functools import cache
from itertools import groupby, pairwise

import numpy as np
from unabridged.ingest.document import Box
from unabridged.ingest.ocr import (
    DOTS_PER_INCH,
    FONT_SHARE,
    POINTS_PER_PIXEL,
    THREADS,
    Picture,
    Recognised,
    Recogniser,
    RecognitionFailed,
)
from unabridged.ingest.pdf_lines import is_cjk
from unabridged.ingest.pdf_page import Run

_LANGUAGES = (("chi_sim", "chi_tra"), ("eng",))  # of each the first that is there
_PAGE_S = 180
_QUESTION_S = 20
_CHINESE_SHARE = 0.3  # of what is made out, from which a page is Chinese
_WORD = "5"  # level of a row that is a word

_Word = tuple[tuple[str, ...], Box, float, str]  # block, paragraph and line; box in points; confidence 0 … 1; text


@cache
def languages() -> str:
    """The languages to recognise, as Tesseract wants them ("chi_sim+eng"); "" where it or its data is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ""
    try:
        listed = subprocess.run(  # noqa: S603  (no shell)
            [program, "--list-langs"], capture_output=True, text=True, timeout=_QUESTION_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    there = set(listed.stdout.split())
    return "+".join(filter(None, (next((name for name in names if name in there), "") for names in _LANGUAGES)))


def load(threads: int = THREADS) -> Recogniser:
    return Recogniser(f"Tesseract ({languages()})", lambda picture: _read(picture, threads))


def _read(picture: Picture, threads: int) -> Recognised:
    """Beside English, Tesseract takes parts of Chinese lines for Latin: a Chinese page is read in Chinese alone, too."""
    found = _run_over(picture, languages(), threads)
    chinese, _, other = languages().partition("+")
    text = "".join(run.text for run in found.runs)
    if not other or sum(map(is_cjk, text)) < _CHINESE_SHARE * len(text):
        return found
    return max(found, _run_over(picture, chinese, threads), key=lambda read: read.confidence)


def _run_over(picture: Picture, wanted: str, threads: int) -> Recognised:
    height, width, _ = picture.shape
    image = b"P6 %d %d 255\n" % (width, height) + np.ascontiguousarray(picture[:, :, ::-1]).tobytes()
    try:
        program = shutil.which("tesseract") or "tesseract"
        done = subprocess.run(  # noqa: S603  (no shell)
            [program, "stdin", "stdout", "-l", wanted, "--dpi", str(DOTS_PER_INCH), "tsv"],
            input=image,
            capture_output=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            timeout=_PAGE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RecognitionFailed(f"Tesseract failed ({type(error).__name__})") from error
    return _recognised(done.stdout.decode("utf-8", "replace"))


def _recognised(table: str) -> Recognised:
    words = [word for row in table.splitlines() if (word := _word(row.split("\t"))) is not None]
    runs = tuple(_run([*line]) for _, line in groupby(words, key=lambda word: word[0]))
    length = sum(len(text) for *_, text in words)
    return Recognised(runs, sum(sure * len(text) for _, _, sure, text in words) / max(1, length))


def _word(fields: list[str]) -> _Word | None:
    """level page block paragraph line word left top width height confidence text"""
    if len(fields) != 12 or fields[0] != _WORD or not fields[11].strip():
        return None
    try:
        left, top, width, height = (int(value) * POINTS_PER_PIXEL for value in fields[6:10])
        sure = float(fields[10])
    except ValueError as error:
        raise RecognitionFailed("Tesseract's table makes no sense") from error
    return tuple(fields[2:5]), Box(left, top, left + width, top + height), max(0.0, sure) / 100, fields[11].strip()


def _run(words: list[_Word]) -> Run:
    """The words of a printed line as one run; Chinese is written without spaces."""
    text = words[0][3]
    for (*_, before), (*_, word) in pairwise(words):
        text += word if is_cjk(before[-1]) and is_cjk(word[0]) else f" {word}"
    boxes = [box for _, box, _, _ in words]
    box = Box(min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes))
    return Run(text, box, FONT_SHARE * (box.y1 - box.y0))
