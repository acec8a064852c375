"""PDF: what stands on a page beside its text: running heads, numbers, comments, links, form fields, files."""
# ruff: noqa: E501

from pathlib import Path

import pymupdf
import pytest
from unabridged.ingest.document import BlockKind

from tests.unit.ingest.test_read_pdf import PARAGRAPH, blocks, fill, read


def test_running_heads_and_page_numbers_are_kept_apart(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for number in range(1, 6):
        page = pdf.new_page()
        page.insert_text((72, 40), "Lease of Alder Mills")
        page.insert_text((290, 810), str(number))
        fill(page, (72, 100, 500, 300), f"Page {number} says something of its own. " + PARAGRAPH)
    document = read(pdf, tmp_path)
    assert "Alder Mills" not in document.text
    assert [f.text for f in document.furniture if f.page == 3] == ["Lease of Alder Mills", "3"]


def test_comments_are_blocks_and_embedded_files_are_reported(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    fill(page, (72, 72, 500, 200), PARAGRAPH)
    page.add_text_annot((400, 80), "Too low?").set_info(title="Ms Alder")
    pdf.embfile_add("prices.xlsx", b"data")
    document = read(pdf, tmp_path)
    assert document.text.endswith("[Comment by Ms Alder: Too low?]")
    assert document.blocks[-1].kind is BlockKind.COMMENT
    assert [p.where for p in document.problems] == ["embedded file prices.xlsx"]


@pytest.mark.parametrize("step", [1, 5])
def test_line_numbers_of_pleading_paper_are_kept_apart(pdf: "pymupdf.Document", tmp_path: Path, step: int) -> None:
    words = ["The plaintiff states that the", "agreement was signed by both", "parties on the first of May and", "that no rent was ever paid."] * 7
    for _ in range(2):
        page = pdf.new_page()
        for number, line in enumerate(words, 1):
            if number % step == 0:
                page.insert_text((50 - 5 * len(str(number)), 100 + 22 * number), str(number), fontsize=10)
            page.insert_text((72, 100 + 22 * number), line, fontsize=12)
    document = read(pdf, tmp_path)
    assert "The plaintiff states that the agreement was signed by both parties on the first of May" in document.text
    assert not any(character.isdecimal() for character in document.text)
    numbers = " ".join(str(number) for number in range(step, 29, step))
    assert [f.text for f in document.furniture] == [numbers, numbers]


def test_addresses_behind_links_are_kept(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    page.insert_text((72, 100), "The terms are found here and at https://example.org/terms", fontsize=10)
    for words, address in (("here", "https://example.org/hidden"), ("https://example.org/terms", "https://example.org/terms")):
        page.insert_link({"kind": pymupdf.LINK_URI, "from": page.search_for(words)[0], "uri": address})
    document = read(pdf, tmp_path)
    assert document.text == "The terms are found here and at https://example.org/terms"
    assert [(f.page, f.text) for f in document.furniture] == [(1, "Link on “here”: https://example.org/hidden")]


def test_form_fields_stand_in_their_place(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    for number, (label, name, kind, value) in enumerate(
        (("Tenant", "tenant", pymupdf.PDF_WIDGET_TYPE_TEXT, "Ms Birch"), ("insured", "a", pymupdf.PDF_WIDGET_TYPE_CHECKBOX, True),
         ("furnished", "b", pymupdf.PDF_WIDGET_TYPE_CHECKBOX, False), ("Signature", "sign", pymupdf.PDF_WIDGET_TYPE_SIGNATURE, None))
    ):  # fmt: skip
        page.insert_text((102, 214 + 40 * number), label, fontsize=10)
        widget = pymupdf.Widget()
        widget.field_name, widget.field_type, widget.field_value = name, kind, value
        ticked = kind == pymupdf.PDF_WIDGET_TYPE_CHECKBOX
        widget.rect = pymupdf.Rect(82 if ticked else 150, 202 + 40 * number, 96 if ticked else 300, 216 + 40 * number)
        page.add_widget(widget)
    document = read(pdf, tmp_path)
    assert " ".join(document.text.split()) == "Tenant Ms Birch ☑ insured ☐ furnished Signature"
    assert [f.text for f in document.furniture] == ["Signature field sign: not signed"]


def test_what_stands_alone_on_its_pages_is_their_text_and_no_running_head(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for number in range(1, 7):
        pdf.new_page().insert_text((72, 60), f"Slide {number}: the rent is {number}00 crowns")
    document = read(pdf, tmp_path)
    assert blocks(document) == [f"Slide {number}: the rent is {number}00 crowns" for number in range(1, 7)]
    assert document.furniture == ()
