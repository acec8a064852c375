"""PDF: what rules and gaps divide is a table with its cells, also on pages that lie on their side."""
# ruff: noqa: E501

import itertools
from pathlib import Path

import pymupdf
import pytest
from unabridged.ingest.document import BlockKind

from tests.unit.ingest.test_read_pdf import PARAGRAPH, blocks, fill, read


def test_rows_divided_by_gaps_are_a_table(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    fill(page, (72, 72, 500, 120), PARAGRAPH)
    for row, (item, fee, due) in enumerate(
        [("Item", "Fee", "Due"), ("Oak", "12", "May"), ("Ash", "9", "June"), ("Elm", "7", "July")]
    ):
        for x, word in ((72, item), (200, fee), (300, due)):
            page.insert_text((x, 200 + 14 * row), word, fontsize=10)
    table = next(b for b in read(pdf, tmp_path).blocks if b.kind is BlockKind.TABLE)
    document = read(pdf, tmp_path)
    assert document.text[table.start : table.end] == "Item | Fee | Due\nOak | 12 | May\nAsh | 9 | June\nElm | 7 | July"


def table(page: "pymupdf.Page", rows: list[list[str]], *, xs: tuple[int, ...], top: int = 100, height: int = 40) -> None:
    """A ruled table; its cells are narrow enough for two lines."""
    bottom = top + height * len(rows)
    for y in range(top, bottom + 1, height):
        page.draw_line((xs[0], y), (xs[-1], y))
    for x in xs:
        page.draw_line((x, top), (x, bottom))
    for number, row in enumerate(rows):
        for (x0, x1), words in zip(itertools.pairwise(xs), row, strict=True):
            fill(page, (x0 + 3, top + height * number + 3, x1 - 3, top + height * (number + 1)), words)


def test_cells_of_several_lines_in_a_ruled_table_stay_cells(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    fill(page, (72, 40, 500, 90), PARAGRAPH)
    cells = [["Item", "Obligation of the tenant", "Due"], ["Rent", "paid monthly in advance to the landlord", ""], ["Roof", "none at all", "never"]]
    table(page, cells, xs=(72, 150, 260, 330))
    fill(page, (72, 240, 500, 300), PARAGRAPH)
    document = read(pdf, tmp_path)
    assert [b.kind for b in document.blocks] == [BlockKind.PARAGRAPH, BlockKind.TABLE, BlockKind.PARAGRAPH]
    assert blocks(document)[1].split("\n") == [
        "Item | Obligation of the tenant | Due",
        "Rent | paid monthly in advance to the landlord",
        "Roof | none at all | never",
    ]
    printed = [document.text[line.start : line.end] for line in document.lines]
    assert printed[printed.index("Rent") + 1 :][:2] == ["paid monthly in", "advance to the landlord"]


def test_a_merged_cell_stands_in_its_first_row(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    for x0, y0, x1, y1, words in (
        (72, 100, 150, 180, "both"), (150, 100, 250, 140, "one"), (150, 140, 250, 180, "two"), (72, 180, 250, 220, "wide"),
    ):  # fmt: skip
        page.draw_rect((x0, y0, x1, y1))
        page.insert_text((x0 + 5, y0 + 20), words, fontsize=10)
    assert blocks(read(pdf, tmp_path)) == ["both | one\n | two\nwide"]


def test_a_frame_around_paragraphs_is_no_table(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    page.draw_rect((60, 60, 510, 400))
    page.draw_line((60, 100), (510, 100))
    fill(page, (72, 110, 500, 390), PARAGRAPH * 4)
    assert [b.kind for b in read(pdf, tmp_path).blocks] == [BlockKind.PARAGRAPH]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_printed_sideways_is_read_in_its_own_direction(pdf: "pymupdf.Document", tmp_path: Path, turn: int) -> None:
    flat = pymupdf.open()
    drawn = flat.new_page(width=600, height=400)
    fill(drawn, (50, 50, 550, 90), PARAGRAPH)
    table(drawn, [["Item", "Fee"], ["Oak", "twelve"]], xs=(50, 150, 250))
    page = pdf.new_page(width=400, height=600) if turn != 180 else pdf.new_page(width=600, height=400)
    page.show_pdf_page(page.rect, flat, 0, rotate=turn)
    document = read(pdf, tmp_path)
    assert document.text == f"{PARAGRAPH.strip()}\n\nItem | Fee\nOak | twelve"
    for line in document.lines:
        assert 0 <= line.box.x0 < line.box.x1 <= page.rect.width
        assert 0 <= line.box.y0 < line.box.y1 <= page.rect.height
    first = page.get_textbox(pymupdf.Rect(document.lines[0].box.x0 - 2, document.lines[0].box.y0 - 2, document.lines[0].box.x1 + 2, document.lines[0].box.y1 + 2))
    assert "tenant" in first


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_page_that_the_file_turns_is_read_as_it_is_shown(pdf: "pymupdf.Document", tmp_path: Path, rotation: int) -> None:
    page = pdf.new_page(width=400, height=600)
    fill(page, (40, 40, 380, 200), PARAGRAPH)
    page.set_rotation(rotation)
    document = read(pdf, tmp_path)
    assert document.text == PARAGRAPH.strip()
    shown = page.rect
    assert (document.pages[0].width, document.pages[0].height) == (shown.width, shown.height)
    pixels = page.get_pixmap(clip=pymupdf.Rect(*(getattr(document.lines[0].box, name) for name in ("x0", "y0", "x1", "y1"))))
    assert min(pixels.samples) < 100  # there is ink where the line is said to be


def test_numbers_in_the_first_column_of_a_table_are_no_line_numbers(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    for number in range(1, 29):
        for x, words in ((40, str(number)), (100, f"item {number}"), (250, "oak"), (400, "twelve")):
            page.insert_text((x, 100 + 22 * number), words, fontsize=10)
    assert "17 | item 17 | oak | twelve" in read(pdf, tmp_path).text
