"""Scanned pages are recognised with boxes; only the pages that need it; and a text layer that is garbage is seen."""

from pathlib import Path

import pymupdf
import pytest
from unabridged.errors import DocumentUnsupported
from unabridged.ingest.document import ProblemKind
from unabridged.ingest.ocr import is_available
from unabridged.ingest.pdf_ocr import ranges
from unabridged.ingest.pdf_quality import is_garbled
from unabridged.ingest.reading import ingest

ENGLISH = "The tenant shall pay the rent on the first day of each month without any deduction whatsoever. " * 3
CHINESE = "甲方应当于本合同签订后十日内支付全部货款，逾期的按日万分之五支付违约金。" * 4
SENTENCE = "Payment is due on the tenth day of each month."


def scan(folder: Path) -> Path:
    """A page of text, and a page that is a picture of text."""
    drawn = pymupdf.open()
    drawn.new_page(width=400, height=120).insert_text((30, 60), SENTENCE, fontsize=14)
    picture = drawn[0].get_pixmap(dpi=200)
    picture.save(folder / "picture.png")
    pdf = pymupdf.open()
    pdf.new_page(width=400, height=120).insert_text((30, 60), "This page has a text layer.")
    pdf.new_page(width=400, height=120).insert_image(pymupdf.Rect(0, 0, 400, 120), pixmap=picture)
    pdf.save(folder / "scan.pdf")
    return folder / "scan.pdf"


def test_without_recognition_a_scanned_page_is_reported_by_number(tmp_path: Path) -> None:
    document = ingest(scan(tmp_path), options={"ocr": "off"})
    assert document.text == "This page has a text layer."
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.EMPTY_PAGE, "page 2")]
    assert "ocr" in document.problems[0].hint


@pytest.mark.skipif(not is_available(), reason="the extra `ocr` is not installed")
def test_a_scanned_page_is_recognised_with_boxes_and_the_other_page_is_not_touched(tmp_path: Path) -> None:
    document = ingest(scan(tmp_path))
    assert document.text == f"This page has a text layer.\n\n{SENTENCE}"
    assert [page.ocr for page in document.pages] == [False, True]
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.OCR_USED, "page 2")]
    assert 0.8 < float(document.details["OCR confidence"]) <= 1
    line = document.lines[-1]
    assert document.text[line.start : line.end] == SENTENCE
    assert (line.page, 20 < line.box.x0 < 40, 40 < line.box.y0 < 60, line.box.y1 < 75) == (2, True, True, True)


@pytest.mark.skipif(not is_available(), reason="the extra `ocr` is not installed")
def test_a_picture_file_is_a_document_of_one_page(tmp_path: Path) -> None:
    scan(tmp_path)
    document = ingest(tmp_path / "picture.png")
    assert document.text == SENTENCE
    assert document.media_type == "image/png"


@pytest.mark.skipif(is_available(), reason="the extra `ocr` is installed")
def test_a_picture_without_recognition(tmp_path: Path) -> None:
    scan(tmp_path)
    with pytest.raises(DocumentUnsupported):
        ingest(tmp_path / "picture.png")


@pytest.mark.parametrize(
    "text", [ENGLISH, CHINESE, "12.5 14.0 13 % 1,250 " * 40, "", "§ 4(2)", "Größe naïve façade " * 30, "Ελληνικά κείμενα " * 30]
)
def test_what_people_write_is_no_garbage(text: str) -> None:
    assert not is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(0xE000 + ord(c) % 200) for c in ENGLISH),  # private-use signs
        "\ufffd" * 300,
        ENGLISH.translate(
            {ord(c): ord("bcdfghjklmnpqrstvwxz"[n % 20]) for n, c in enumerate("abcdefghijklmnopqrstuvwxyz")}
        ),  # no vowels
        "".join(
            chr(0x4E00 + ord(c) * 7919 % 20000) if "\u4e00" <= c <= "\u9fff" else c for c in CHINESE
        ),  # rare characters at random
        "".join(chr(33 + ord(c) % 14) for c in ENGLISH),  # signs instead of letters
    ],
)
def test_what_broken_fonts_give_is_garbage(text: str) -> None:
    assert is_garbled(text)


def test_page_ranges() -> None:
    assert ranges([3, 4, 5, 9, 11, 12]) == "3–5, 9, 11–12"
