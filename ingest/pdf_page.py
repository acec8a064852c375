"""One PDF page as MuPDF gives it: runs of characters with their boxes, ruled lines, and how much of it is picture.

It knows MuPDF's structures so that nothing else has to. Order and paragraphs are `pdf_layout`'s business.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pymupdf
from numpy.typing import NDArray
from unabridged.ingest.document import Box, Problem
from unabridged.ingest.numerals import shifted
from unabridged.ingest.page_turn import OBLIQUE, turn_of, turned
from unabridged.ingest.pdf_annotations import Field, asides, comments, fields

_UNCLIPPED = pymupdf.TEXT_PRESERVE_WHITESPACE
_FLAGS = _UNCLIPPED | pymupdf.TEXT_CLIP | pymupdf.TEXT_COLLECT_VECTORS
_VECTOR = 3  # type of block
_UNSIGNED = "SIGN"  # what MuPDF draws into a signature field that nobody signed
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SUPERSCRIPT, _BOLD = 1, 1 << 4
_RAISED_SIZE = 0.95  # of the line's largest letters
_THIN, _SHORTEST_RULE = 3.0, 6.0  # points
_GROUND = 0.9  # of the page


@dataclass(frozen=True, slots=True)
class Run:
    """Characters on one baseline without a wide gap. `box` and font `size` in points of the page as it is shown."""

    text: str
    box: Box
    size: float
    bold: bool = False
    turn: int = 0  # degrees clockwise that set it upright (page_turn)

    @property
    def height(self) -> float:
        return self.box.y1 - self.box.y0

    @property
    def middle(self) -> float:
        return (self.box.y0 + self.box.y1) / 2


@dataclass(frozen=True, slots=True)
class Recognition:
    """Which program made out the runs in the page's picture, and how sure it is, 0 … 1."""

    program: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PageContent:
    number: int
    label: str
    width: float
    height: float
    runs: tuple[Run, ...]
    comments: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()  # addresses of links, signature fields: kept apart
    rules: tuple[Box, ...] = ()  # thin boxes: what may divide the cells of tables
    picture_share: float = 0.0  # of the page's area, 0 … 1; looked at only where there is little text; drawings where none
    in_doubt: bool = False  # whether its text is what it shows: the picture of the page has to be looked at
    recognition: Recognition | None = None  # where the runs are no text layer
    problem: Problem | None = None  # what could not be read, or that there is nothing

    @property
    def text(self) -> str:
        return " ".join(run.text for run in self.runs)


def read_page(page: "pymupdf.Page", number: int, label: str) -> PageContent:
    """Raises MuPDF's own errors on broken content; the caller wraps them."""
    width, height = page.rect.width, page.rect.height
    data = page.get_text("dict", flags=_FLAGS)
    drawn = [(Box(*block["bbox"]), block["stroked"]) for block in data["blocks"] if block["type"] == _VECTOR]
    rules = _rules(drawn)
    clipped = _is_clipped(page, data)
    lines = _whole_lines(page, "dict", _lines_of(data)) if clipped else _lines_of(data)
    if any(_crossed(line, rules) for line in lines):
        lines = _lines_of(page.get_text("rawdict", flags=_FLAGS))
        lines = _whole_lines(page, "rawdict", lines) if clipped else lines
        lines = [part for line in lines for part in _divided(line, _crossed(line, rules))]
    runs = [run for line in lines if (run := _run(line)) is not None]
    if page.rotation:
        runs = [_rotated(run, page.rotation, width, height) for run in runs]
        rules = tuple(_rotated_box(rule, page.rotation, width, height) for rule in rules)
    runs = _with_fields(runs, fields(page))
    share = _picture_share(page, width * height) if sum(len(run.text) for run in runs) < 200 else 0.0
    if not runs:
        share = max(share, _drawn_share([box for box, _ in drawn], width * height))
    return PageContent(number, label, width, height, tuple(runs), comments(page), asides(page), rules, share)


def _lines_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for block in data["blocks"] for line in block.get("lines", ())]


def _is_clipped(page: "pymupdf.Page", data: dict[str, Any]) -> bool:
    """Whether the page holds more letters than it shows."""
    everything = page.get_textpage(flags=_UNCLIPPED).extractText()
    return len("".join(everything.split())) > _letters(_lines_of(data))


def _whole_lines(page: "pymupdf.Page", kind: str, clipped: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of which something is shown, whole: what a narrow clip cuts off at their ends is text, too.

    Lines of which nothing is shown are none: programs draw those that begin the next page.
    """
    shown: dict[int, list[str]] = {}
    for line in clipped:
        shown.setdefault(round(line["bbox"][3]), []).append(_words(line).strip())
    found = []
    for line in _lines_of(page.get_text(kind, flags=_UNCLIPPED)):
        words, foot = _words(line), round(line["bbox"][3])
        near = [part for y in (foot - 1, foot, foot + 1) for part in shown.get(y, ())]
        if any(part and part in words for part in near):
            found.append(line)
    return found if _letters(found) >= _letters(clipped) else clipped


def _words(line: dict[str, Any]) -> str:
    return "".join(span["text"] if "text" in span else "".join(c["c"] for c in span["chars"]) for span in line["spans"])


def _letters(lines: Iterable[dict[str, Any]]) -> int:
    return sum(len("".join(_words(line).split())) for line in lines)


def _crossed(line: dict[str, Any], rules: Sequence[Box]) -> list[float]:
    """The x of upright rules that divide a level line: MuPDF puts neighbouring cells into one line where they are near."""
    x0, y0, x1, y1 = line["bbox"]
    if line["dir"][0] < 0.9:
        return []
    middle, reach = (y0 + y1) / 2, y1 - y0
    return sorted(
        {
            round((rule.x0 + rule.x1) / 2, 1)
            for rule in rules
            if x0 + 1 < rule.x0 and rule.x1 < x1 - 1 and rule.y0 <= middle <= rule.y1 and rule.y1 - rule.y0 >= reach
        }
    )


def _divided(line: dict[str, Any], edges: Sequence[float]) -> list[dict[str, Any]]:
    """A line of MuPDF's "rawdict" as lines of its "dict", cut at the edges."""
    bounds = [float("-inf"), *edges, float("inf")]
    parts = []
    for left, right in pairwise(bounds):
        spans = []
        for span in line["spans"]:
            characters = [c for c in span["chars"] if left <= (c["bbox"][0] + c["bbox"][2]) / 2 < right]
            spans.append({**span, "text": "".join(c["c"] for c in characters), "chars": characters})
        boxes = [c["bbox"] for span in spans for c in span["chars"] if c["c"].strip()]
        if boxes:
            x0, x1 = min(box[0] for box in boxes), max(box[2] for box in boxes)
            parts.append({**line, "spans": spans, "bbox": (x0, line["bbox"][1], x1, line["bbox"][3])})
    return parts


def _rotated(run: Run, rotation: int, width: float, height: float) -> Run:
    """MuPDF's text has the coordinates of the page before the file turns it; `width` and `height` are those after."""
    turn = run.turn if run.turn == OBLIQUE else (run.turn - rotation) % 360
    return replace(run, box=_rotated_box(run.box, rotation, width, height), turn=turn)


def _rotated_box(box: Box, rotation: int, width: float, height: float) -> Box:
    if rotation in (90, 270):
        width, height = height, width
    return turned(box, rotation, width, height)


def _with_fields(runs: list[Run], found: Sequence[Field]) -> list[Run]:
    """A tick's sign in place of the picture that the file draws there; a value that the file does not draw; no call to sign."""
    for field in found:
        there = [run for run in runs if _is_inside(run, field.box)]
        if field.is_tick:
            runs = [run for run in runs if not _is_inside(run, field.box)]
        elif not field.text:
            runs = [run for run in runs if run.text.strip() != _UNSIGNED or not _is_inside(run, field.box)]
            continue
        if field.is_tick or not there:
            size = min(12.0, 0.75 * (field.box.y1 - field.box.y0))
            runs = [*runs, Run(field.text, field.box, size)]
    return runs


def _is_inside(run: Run, box: Box) -> bool:
    return box.x0 <= (run.box.x0 + run.box.x1) / 2 <= box.x1 and box.y0 <= run.middle <= box.y1


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
    box = Box(x0, y0, max(x0, x1), max(y0, y1))
    return Run(text, box, largest["size"], all(s["flags"] & _BOLD for s in letters), turn_of(*line["dir"]))


def _raised(span: dict[str, Any], spans: list[dict[str, Any]]) -> str:
    """A note's number is no part of the word before it, nor an exponent of the number."""
    text: str = span["text"]
    is_small = span["size"] < _RAISED_SIZE * max(other["size"] for other in spans)
    is_raised = span["flags"] & _SUPERSCRIPT and is_small and text.strip().isdecimal() and text.isascii()
    return shifted(text.strip(), up=True) + " " * (len(text) - len(text.rstrip())) if is_raised else text


def _picture_share(page: "pymupdf.Page", area: float) -> float:
    covered: float = sum(abs((p["bbox"][2] - p["bbox"][0]) * (p["bbox"][3] - p["bbox"][1])) for p in page.get_image_info())
    return min(1.0, covered / max(1.0, area))


def _drawn_share(boxes: Sequence[Box], area: float) -> float:
    """Shapes on a page without text may be its letters, which some programs save as outlines; a ground behind all is none."""
    sides = [(box.x1 - box.x0, box.y1 - box.y0) for box in boxes]
    covered = sum(width * height for width, height in sides if min(width, height) > _THIN and width * height < _GROUND * area)
    return min(1.0, covered / max(1.0, area))


def _rules(boxes: list[tuple[Box, bool]]) -> tuple[Box, ...]:
    """The rules among vector boxes (`True`: stroked): thin ones, and the four sides of stroked rectangles."""
    rules: list[Box] = []
    for box, is_stroked in boxes:
        width, height = box.x1 - box.x0, box.y1 - box.y0
        if min(width, height) <= _THIN:
            if max(width, height) >= _SHORTEST_RULE:
                rules.append(box)
        elif is_stroked and min(width, height) >= _SHORTEST_RULE:
            x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
            rules += Box(x0, y0, x1, y0), Box(x0, y1, x1, y1), Box(x0, y0, x0, y1), Box(x1, y0, x1, y1)
    return tuple(rules)
