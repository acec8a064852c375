"""PDF: pages with labels, paragraphs in reading order, every printed line with its box."""
# ruff: noqa: E501

import itertools
from pathlib import Path

import pymupdf
import pytest
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.hyphenation import Vocabulary
from unabridged.ingest.reading import ingest

PARAGRAPH = (
    "The tenant shall pay the rent on the first day of each month without any deduction whatsoever. "
    "If the rent is late the landlord may charge interest. "
)


@pytest.fixture
def pdf() -> "pymupdf.Document":
    return pymupdf.open()


def read(pdf: "pymupdf.Document", tmp_path: Path) -> Document:
    pdf.save(tmp_path / "file.pdf")
    return ingest(tmp_path / "file.pdf")


def blocks(document: Document) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks]


def fill(page: "pymupdf.Page", box: tuple[float, float, float, float], text: str) -> None:
    assert page.insert_textbox(pymupdf.Rect(box), text, fontsize=10) >= 0


def test_lines_of_a_paragraph_are_joined_and_each_keeps_its_span_and_box(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    fill(page, (72, 72, 300, 400), PARAGRAPH)
    document = read(pdf, tmp_path)
    assert blocks(document) == [PARAGRAPH.strip()]
    assert len(document.lines) == 3
    for line in document.lines:
        shown = page.get_textbox(pymupdf.Rect(line.box.x0 - 1, line.box.y0 + 2, line.box.x1 + 1, line.box.y1 - 2))
        assert document.text[line.start : line.end] == shown.strip()


def test_pages_tile_the_text_and_carry_their_printed_labels(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for word in ("Preface", "Body", "Appendix"):
        fill(pdf.new_page(), (72, 300, 500, 400), f"{word} is what this page says.")
    pdf.set_page_labels(
        [{"startpage": 0, "style": "r", "firstpagenum": 1}, {"startpage": 1, "style": "D", "firstpagenum": 217}]
    )
    document = read(pdf, tmp_path)
    assert [page.label for page in document.pages] == ["i", "217", "218"]
    assert [(b.anchor.page, b.anchor.page_label) for b in document.blocks] == [(1, "i"), (2, "217"), (3, "218")]
    assert [document.text[p.start : p.end].strip() for p in document.pages] == blocks(document)


def test_a_page_without_text_is_reported_by_its_number(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    fill(pdf.new_page(), (72, 300, 500, 400), "Words on the first page.")
    pdf.new_page()
    fill(pdf.new_page(), (72, 300, 500, 400), "Words on the third page.")
    document = read(pdf, tmp_path)
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.EMPTY_PAGE, "page 2")]
    assert [page.is_empty for page in document.pages] == [False, True, False]


def test_two_columns_are_read_one_after_the_other(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    fill(page, (72, 60, 540, 90), "A Title That Crosses Both Columns And Is Read Before Either Of Them Is Begun")
    fill(page, (72, 100, 290, 700), "Left. " + PARAGRAPH * 3)
    fill(page, (310, 100, 530, 700), "Right. " + PARAGRAPH * 3)
    text = read(pdf, tmp_path).text
    assert text.index("Title") < text.index("Left.") < text.index("Right.")
    assert text[text.index("Left.") : text.index("Right.")].count("landlord") == 3


def test_a_word_divided_at_the_end_of_a_line_is_put_together(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    page.insert_text((72, 100), ["This is the agree-", "ment of both parties and", "a twenty-", "One is a number"], fontsize=12)
    document = read(pdf, tmp_path)
    assert "the agreement of both parties" in document.text
    assert "twenty- One" in document.text  # a capital letter does not go on with a word
    assert [document.text[line.start : line.end] for line in document.lines][:2] == [
        "This is the agree",
        "ment of both parties and",
    ]


def test_running_heads_and_page_numbers_are_kept_apart(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for number in range(1, 6):
        page = pdf.new_page()
        page.insert_text((72, 40), "Lease of Alder Mills")
        page.insert_text((290, 810), str(number))
        fill(page, (72, 100, 500, 300), f"Page {number} says something of its own. " + PARAGRAPH)
    document = read(pdf, tmp_path)
    assert "Alder Mills" not in document.text
    assert [f.text for f in document.furniture if f.page == 3] == ["Lease of Alder Mills", "3"]


def test_progress_counts_the_pages(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    for _ in range(3):
        fill(pdf.new_page(), (72, 300, 500, 400), "Words.")
    pdf.save(tmp_path / "file.pdf")
    seen: list[tuple[int, int]] = []
    ingest(tmp_path / "file.pdf", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)


def test_an_exception_from_progress_cancels_and_passes_through(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    fill(pdf.new_page(), (72, 300, 500, 400), "Words.")
    pdf.save(tmp_path / "file.pdf")

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        ingest(tmp_path / "file.pdf", progress=cancel)


def test_a_sentence_over_a_page_break_is_one_block_and_its_lines_know_their_pages(
    pdf: "pymupdf.Document", tmp_path: Path
) -> None:
    fill(
        pdf.new_page(),
        (72, 600, 500, 750),
        PARAGRAPH * 2 + "The tenant who leaves without any notice at all loses the deposit and",
    )
    fill(pdf.new_page(), (72, 72, 500, 200), "pays for the repairs that the house needs after him. Next sentence.")
    document = read(pdf, tmp_path)
    assert len(document.blocks) == 1
    assert "loses the deposit and pays for the repairs" in document.text
    assert {line.page for line in document.lines} == {1, 2}
    assert document.text[document.pages[1].start :].startswith("pays for the repairs")
    assert [page.end for page in document.pages] == [document.pages[1].start, len(document.text)]


def test_a_clause_that_begins_a_page_is_not_joined_to_the_page_before(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    fill(pdf.new_page(), (72, 600, 500, 750), PARAGRAPH + "Left open without an end")
    fill(pdf.new_page(), (72, 72, 500, 200), "Section 4.2 Interest accrues monthly.")
    document = read(pdf, tmp_path)
    assert [b.anchor.path for b in document.blocks] == ["", "Section 4.2"]


def test_bookmarks_and_large_type_are_headings(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    page.insert_text((72, 100), "Lease of the Mill", fontsize=22)
    fill(page, (72, 130, 500, 200), PARAGRAPH * 2)
    page.insert_text((72, 230), "Repairs", fontsize=10)
    fill(page, (72, 260, 500, 330), PARAGRAPH * 2)
    pdf.set_toc([[1, "Lease of the Mill", 1], [2, "Repairs", 1]])
    document = read(pdf, tmp_path)
    assert [(document.text[b.start : b.end], b.level) for b in document.outline] == [("Lease of the Mill", 1), ("Repairs", 2)]
    assert document.blocks[-1].anchor.path == "Repairs"


def test_footnotes_and_raised_digits(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    page.insert_htmlbox(pymupdf.Rect(72, 72, 500, 200), f"<p>{PARAGRAPH * 2} The area is 10<sup>2</sup> m.</p>")
    page.insert_text((72, 780), "1 See the register of land, volume 4.", fontsize=7)
    document = read(pdf, tmp_path)
    assert "10² m" in document.text
    assert [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.FOOTNOTE] == [
        "1 See the register of land, volume 4."
    ]


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


def test_comments_are_blocks_and_embedded_files_are_reported(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    fill(page, (72, 72, 500, 200), PARAGRAPH)
    page.add_text_annot((400, 80), "Too low?").set_info(title="Ms Alder")
    pdf.embfile_add("prices.xlsx", b"data")
    document = read(pdf, tmp_path)
    assert document.text.endswith("[Comment by Ms Alder: Too low?]")
    assert document.blocks[-1].kind is BlockKind.COMMENT
    assert [p.where for p in document.problems] == ["embedded file prices.xlsx"]


def test_a_hyphen_that_belongs_to_the_word_stays() -> None:
    vocabulary = Vocabulary(["a long-term lease of land", "the well and the known", "co-operation"])
    assert vocabulary.joint("the long-", "term lease") == "-"
    assert vocabulary.joint("the well-", "known lease") == "-"
    assert vocabulary.joint("the agree-", "ment") == ""
    assert vocabulary.joint("the agree\u00ad", "Ment") == ""
    assert vocabulary.joint("pages 3-", "5") is None
    assert vocabulary.joint("the Anglo-", "Saxon") is None


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


def test_numbers_in_the_first_column_of_a_table_are_no_line_numbers(pdf: "pymupdf.Document", tmp_path: Path) -> None:
    page = pdf.new_page()
    for number in range(1, 29):
        for x, words in ((40, str(number)), (100, f"item {number}"), (250, "oak"), (400, "twelve")):
            page.insert_text((x, 100 + 22 * number), words, fontsize=10)
    assert "17 | item 17 | oak | twelve" in read(pdf, tmp_path).text


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
