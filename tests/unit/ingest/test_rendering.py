"""Words are shown where they stand: in boxes on sheets, and in blocks whose ids do not change."""

from pathlib import Path

import pymupdf
from unabridged.ingest.rendering import block_id, lines_on, page_of, render

from tests.unit.ingest.test_passages import document
from tests.unit.ingest.test_read_pdf import read


def test_a_span_of_a_pdf_lies_in_boxes_that_hold_its_words(tmp_path: Path) -> None:
    pdf = pymupdf.open()
    for number in (1, 2):
        pdf.new_page().insert_text((72, 100), f"Clause {number} is short.", fontsize=10)
    found = read(pdf, tmp_path)
    start = found.text.index("Clause 2")
    shown = render(found, start=start, end=start + len("Clause 2"))
    assert [placed.page for placed in shown.boxes] == [2]
    box = shown.boxes[0].box
    inside = pdf[1].get_textbox(pymupdf.Rect(box.x0 - 2, box.y0 - 2, box.x1 + 6, box.y1 + 2))
    assert inside.strip().startswith("Clause 2")
    assert shown.blocks == (block_id(start),)
    assert page_of(found, start) == 2
    assert [found.text[line.start : line.end] for line in lines_on(found, 2)] == ["Clause 2 is short."]


def test_a_span_of_a_text_lies_in_its_blocks() -> None:
    found = document("One paragraph.\n\nAnother one.\n\nThe last.")
    start = found.text.index("Another")
    shown = render(found, start=start, end=len(found.text))
    assert shown.boxes == ()
    assert shown.blocks == (block_id(start), block_id(found.text.index("The last")))
    assert page_of(found, start) is None


def test_ids_are_the_same_in_every_reading_and_differ_from_block_to_block() -> None:
    one, other = document("Alder.\n\nBirch."), document("Alder.\n\nBirch.")
    ids = [block_id(block.start) for block in one.blocks]
    assert ids == [block_id(block.start) for block in other.blocks]
    assert len(set(ids)) == 2
