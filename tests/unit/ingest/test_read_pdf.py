"""PDF: pages with labels, paragraphs in reading order, every printed line with its box."""

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


def test_a_hyphen_that_belongs_to_the_word_stays() -> None:
    vocabulary = Vocabulary(["a long-term lease of land", "the well and the known", "co-operation"])
    assert vocabulary.joint("the long-", "term lease") == "-"
    assert vocabulary.joint("the well-", "known lease") == "-"
    assert vocabulary.joint("the agree-", "ment") == ""
    assert vocabulary.joint("the agree\u00ad", "Ment") == ""
    assert vocabulary.joint("pages 3-", "5") is None
    assert vocabulary.joint("the Anglo-", "Saxon") is None
