"""Text that a program saved as outlines of letters is no text layer: the page is a picture, and is not called blank."""

from pathlib import Path

import pymupdf
import pytest
from unabridged.ingest import ocr_tesseract
from unabridged.ingest.document import ProblemKind
from unabridged.ingest.reading import ingest

SENTENCE = "Payment is due on the tenth day of each month."


def outlines(path: Path) -> Path:
    """A page of drawn letters, then one that is coloured all over and one with a rule."""
    with pymupdf.open() as written, pymupdf.open() as pdf:
        page = written.new_page(width=400, height=120)
        page.insert_text((30, 60), SENTENCE, fontsize=14)
        drawn = pymupdf.open("pdf", pymupdf.open("svg", page.get_svg_image(text_as_path=True).encode()).convert_to_pdf())
        pdf.insert_pdf(drawn)
        coloured = pdf.new_page()
        coloured.draw_rect(coloured.rect, fill=(0.9, 0.9, 1), color=None)
        pdf.new_page().draw_line((72, 72), (500, 72))
        pdf.save(path)
    return path


def test_drawn_letters_are_a_picture_and_a_ground_and_a_rule_are_none(tmp_path: Path) -> None:
    document = ingest(outlines(tmp_path / "file.pdf"), options={"ocr": "off"})
    assert [(p.kind, p.where, p.hint.partition(";")[0]) for p in document.problems] == [
        (ProblemKind.EMPTY_PAGE, "page 1", "It is a picture"),
        (ProblemKind.EMPTY_PAGE, "page 2", "It is blank."),
        (ProblemKind.EMPTY_PAGE, "page 3", "It is blank."),
    ]


@pytest.mark.skipif("eng" not in ocr_tesseract.languages(), reason="Tesseract with English is not installed")
def test_drawn_letters_are_recognised(tmp_path: Path) -> None:
    document = ingest(outlines(tmp_path / "file.pdf"), options={"ocr_program": "tesseract"})
    assert document.text == SENTENCE
    assert document.details["OCR pages"] == "1"
