"""Contracts as authorities publish them: web pages printed to PDF, with the page ends of the original inside their sheets."""

from pathlib import Path

import pymupdf
from unabridged.ingest.document import BlockKind
from unabridged.ingest.reading import ingest

from tests.unit.ingest.test_read_pdf import blocks, read

NOTICE = "CONFIDENTIAL TREATMENT HAS BEEN REQUESTED FOR PORTIONS OF THIS EXHIBIT."


def write(page: "pymupdf.Page", y: float, text: str, *, x: float = 72, bold: bool = False) -> None:
    page.insert_text((x, y), text, fontsize=10, fontname="hebo" if bold else "helv")


def prose(page: "pymupdf.Page", top: float, sheet: int, lines: int = 12) -> None:
    """Lines of running text that differ on every sheet, the last of them without an end."""
    for line in range(lines):
        write(page, top + 12 * line, f"sheet {sheet} line {line} of the duties that both of the parties to it have under the")


def test_the_pages_of_the_original_end_inside_sheets_without_breaking_sentences(
    pdf: "pymupdf.Document", tmp_path: Path
) -> None:
    for sheet in range(1, 5):
        page = pdf.new_page()
        prose(page, 150, sheet)
        write(page, 320, f"-{sheet}-", x=290)
        write(page, 340, NOTICE)
        write(page, 380, f"Agreement {sheet} and of nothing else.")
    document = read(pdf, tmp_path)
    assert document.text.count(NOTICE) == 1  # the first of them is text
    assert "-2-" not in document.text
    assert "under the Agreement 3 and of nothing else." in document.text
    assert [f.text for f in document.furniture if f.page == 3] == ["-3-", NOTICE]


def test_roman_numbers_of_the_contents_are_those_of_pages_too(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for sheet in range(-1, 5):
        page = pdf.new_page()
        prose(page, 150, sheet)
        write(page, 320, ("i", "ii")[sheet + 1] if sheet < 1 else str(sheet), x=290)
        prose(page, 340, sheet + 100)
        if sheet == 4:
            write(page, 600, "v", x=72)  # stands after the numbers began: a word of the text
    document = read(pdf, tmp_path)
    assert [f.text for f in document.furniture] == ["i", "ii", "1", "2", "3", "4"]
    assert document.text.endswith("v")


def test_letters_printed_page_after_page_keep_the_words_that_they_share(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for sheet in range(1, 6):
        page = pdf.new_page()
        write(page, 200, f"Dear tenant number {sheet}, the rent is {sheet},000 pounds.")
        write(page, 240, "We shall come to see the house on the first day of the month.")
    assert read(pdf, tmp_path).text.count("We shall come to see the house") == 5


def test_the_numbers_of_chapters_are_text(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for sheet in range(1, 13):
        page = pdf.new_page()
        if sheet % 4 == 1:
            write(page, 130, str(sheet // 4 + 1), x=290)
        prose(page, 200, sheet)
    assert [text for text in blocks(read(pdf, tmp_path)) if text.isdecimal()] == ["1", "2", "3"]


def test_what_a_clip_cuts_off_a_line_is_read_and_a_line_that_it_hides_is_not(tmp_path: Path) -> None:
    content = "q 100 0 400 842 re W n BT /F1 10 Tf 72 700 Td (ARTICLE 2 RIGHTS AND DUTIES) Tj ET Q "
    content += "q 0 500 600 300 re W n BT /F1 10 Tf 72 450 Td (A title of the next page) Tj ET Q"
    pdf = pymupdf.open()
    page = pdf.new_page(width=595, height=842)
    page.insert_text((72, 820), " ", fontname="helv")  # gives the page its resources
    xref = page.get_contents()[0]
    pdf.update_stream(xref, content.replace("/F1", "/helv").encode())
    pdf.save(tmp_path / "clipped.pdf")
    assert ingest(tmp_path / "clipped.pdf").text == "ARTICLE 2 RIGHTS AND DUTIES"


def test_a_table_of_contents_is_a_table_and_no_clauses(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    write(page, 100, "TABLE OF CONTENTS", x=250, bold=True)
    rows = [("ARTICLE 1 DEFINITIONS", "1"), ("1.1 Terms Defined.", "1"), ("ARTICLE 2 TERM", "5"), ("2.1 Renewal of the", ""),
            ("Term and Notices.", "6"), ("2.2 End.", "7")]  # fmt: skip
    for index, (title, number) in enumerate(rows):
        write(page, 140 + 16 * index, title)
        write(page, 140 + 16 * index, number, x=500)
    document = read(pdf, tmp_path)
    table = next(block for block in document.blocks if block.kind is BlockKind.TABLE)
    assert document.text[table.start : table.end].splitlines()[:2] == ["ARTICLE 1 DEFINITIONS | 1", "1.1 Terms Defined. | 1"]
    assert len(document.text[table.start : table.end].splitlines()) == 6
    assert table.anchor.path == "TABLE OF CONTENTS"


def test_parties_and_dates_of_a_title_page_are_no_headings(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    for index, line in enumerate(("PROMOTION AGREEMENT", "by and between", "Dova Pharmaceuticals, Inc.", "September 26, 2018")):
        write(page, 100 + 40 * index, line, bold=True)
    prose(page, 300, 1)
    document = read(pdf, tmp_path)
    assert [document.text[block.start : block.end] for block in document.outline] == ["PROMOTION AGREEMENT"]
