"""A page of a Chinese novel as a scanner would give it: set small, a little crooked, grey, with specks. Its text is known."""

import random
from pathlib import Path

import pymupdf

from tests.corpus.truth import DOCUMENTS, Case

_CHARACTERS = 700
_DOTS_PER_INCH = 200
_CROOKED_DEGREES = 0.6
_SPECKS = 1500


def chinese_page(folder: Path) -> Case:
    """The page as a PDF without a text layer in `folder`, and the words that it shows."""
    novel = (DOCUMENTS / "novels" / "三国演义.txt").read_text("utf-8")
    start = novel.index("话说天下大势")
    text = "".join(novel[start : start + _CHARACTERS].split())
    path = folder / "三国演义, one page as a scan.pdf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with pymupdf.open() as scan:
            picture = _picture(text)
            page = scan.new_page(width=595, height=842)
            page.insert_image(page.rect, pixmap=picture)
            scan.save(path)
    return Case("page in Chinese", path, text)


def _picture(text: str) -> "pymupdf.Pixmap":
    with pymupdf.open() as printed:
        page = printed.new_page(width=595, height=842)
        page.insert_htmlbox(pymupdf.Rect(70, 70, 525, 780), f'<p style="font-size:11pt;line-height:1.5">{text}</p>')
        scale = _DOTS_PER_INCH / 72
        picture = page.get_pixmap(
            matrix=pymupdf.Matrix(scale, scale).prerotate(_CROOKED_DEGREES), colorspace=pymupdf.csGRAY, alpha=False
        )
    chance = random.Random(1)
    for _ in range(_SPECKS):
        picture.set_pixel(chance.randrange(picture.width), chance.randrange(picture.height), (chance.randrange(120, 240),))
    return picture
