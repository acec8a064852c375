"""The source pane shows a document whole, and shows a span where it stands."""

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.ingest.document import Anchor, Block, BlockKind, Box, Document, Line, Page
from unabridged.ui import source_view
from unabridged.ui.source_view import SECTION_CHARACTERS


def document_of(paragraphs: list[str], *, kind: BlockKind = BlockKind.PARAGRAPH) -> Document:
    blocks, text = [], ""
    for paragraph in paragraphs:
        text += "\n\n" if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(paragraph), Anchor()))
        text += paragraph
    return Document("id", "a.txt", "text/plain", text, blocks)


def two_pages() -> Document:
    """Two sheets, labelled i and 1, with two lines each, 100 points wide and 10 high."""
    text = "first line\nsecond line\n\nthird line\nfourth line"
    spans = [(0, 10, 1), (11, 22, 1), (24, 34, 2), (35, 46, 2)]
    lines = [Line(start, end, page, Box(0, 20 * row, 100, 20 * row + 10)) for row, (start, end, page) in enumerate(spans)]
    blocks = [Block(BlockKind.PARAGRAPH, 0, 22, Anchor(page=1)), Block(BlockKind.PARAGRAPH, 24, 46, Anchor(page=2))]
    pages = [Page(1, "i", 0, 22, 600, 800), Page(2, "1", 24, 46, 600, 800)]
    return Document("id", "a.pdf", "application/pdf", text, blocks, pages=pages, lines=lines)


PARAGRAPHS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=9000)


@given(st.lists(PARAGRAPHS, min_size=1, max_size=12))
def test_the_sections_joined_are_the_whole_text(paragraphs: list[str]) -> None:
    document = document_of(paragraphs)
    spans = source_view.sections(document)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(document.text)
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    shown = [block["text"] for start, end in spans for block in source_view.section(document, start=start, end=end)]
    assert shown == paragraphs


def test_long_texts_are_asked_for_in_parts() -> None:
    document = document_of(["x" * 1000] * 60)
    assert all(end - start < SECTION_CHARACTERS + 1100 for start, end in source_view.sections(document))


def test_the_boxes_of_a_span_are_the_boxes_of_its_lines() -> None:
    document = two_pages()
    assert source_view.boxes(document, start=11, end=34) == [
        {"page": 1, "box": [0, 20, 100, 30]},
        {"page": 2, "box": [0, 40, 100, 50]},
    ]


def test_first_and_last_line_are_cut_in_proportion() -> None:
    [first, last] = source_view.boxes(two_pages(), start=5, end=13)
    assert first["box"] == [50, 0, 100, 10]
    assert last["box"][0] == 0
    assert last["box"][2] == pytest.approx(100 * 2 / 11, abs=0.1)


def test_without_lines_the_boxes_are_those_of_the_blocks() -> None:
    document = two_pages()
    anchors = [Anchor(page=block.anchor.page, box=Box(1, 2, 3, 4)) for block in document.blocks]
    blocks = [dataclasses.replace(block, anchor=anchor) for block, anchor in zip(document.blocks, anchors, strict=True)]
    document = dataclasses.replace(document, lines=(), blocks=blocks)
    assert source_view.boxes(document, start=25, end=26) == [{"page": 2, "box": [1, 2, 3, 4]}]


def test_the_lines_of_a_page_are_its_text() -> None:
    document = two_pages()
    assert [line["text"] for line in source_view.page_lines(document, 2)] == ["third line", "fourth line"]
    assert source_view.page_lines(document, 3) == []


def test_words_are_found_across_case_and_white_space() -> None:
    found = source_view.find(two_pages(), "LINE third")
    assert found == {"total": 1, "spans": [[18, 29, 1]]}
    assert source_view.find(two_pages(), "  ") == {"total": 0, "spans": []}


@given(st.text(min_size=1, max_size=40))
def test_what_is_found_is_what_was_asked_for(words: str) -> None:
    document = document_of([f"before {' '.join(words.split())} after"])
    if not words.split():
        return
    found = source_view.find(document, words)
    assert any(document.text[start:end] == " ".join(words.split()) for start, end, _ in found["spans"])


def test_a_sheet_begins_where_its_first_block_does() -> None:
    document = two_pages()
    [(start, end)] = source_view.sections(document)
    assert [block.get("page") for block in source_view.section(document, start=start, end=end)] == ["i", "1"]


def test_headings_are_named_without_markdown_signs() -> None:
    document = document_of(["## Article  6.\nRepairs"], kind=BlockKind.HEADING)
    assert [entry["title"] for entry in source_view.manifest(document, language="en")["outline"]] == ["Article 6. Repairs"]


def test_the_script_of_a_text_is_told() -> None:
    assert source_view.manifest(document_of(["第一条 本合同自签字之日起生效。"]), language="en")["cjk"]
    assert not source_view.manifest(document_of(["An agreement, with one 条."]), language="en")["cjk"]


def test_only_a_pdf_is_shown_as_sheets() -> None:
    assert source_view.manifest(two_pages(), language="en")["paged"]
    assert not source_view.manifest(document_of(["x"]), language="en")["paged"]


def test_sheets_are_shown_as_wide_as_they_are_printed_on_where_all_are_alike() -> None:
    document = two_pages()
    assert source_view.printed(document) == (0.0, 112.0)  # its lines reach from 0 to 100 points
    other = [dataclasses.replace(document.pages[0], width=500), *document.pages[1:]]
    assert source_view.printed(dataclasses.replace(document, pages=other)) == (0.0, 600.0)
    assert source_view.printed(dataclasses.replace(document, lines=[])) == (0.0, 600.0)
    assert source_view.printed(document_of(["No sheets."])) == (0.0, 0.0)
