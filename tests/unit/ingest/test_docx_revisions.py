"""Word files: tracked changes in three views, and how many there are."""

from pathlib import Path

import pytest
from unabridged.ingest.document import ProblemKind

from tests.unit.ingest.test_read_docx import W, p, r, read, texts

REVISED = p(
    r("The fee is ")
    + '<w:del w:id="1"><w:r><w:delText>nine</w:delText></w:r></w:del><w:ins w:id="2">'
    + r("ten")
    + "</w:ins>"
    + r(" crowns.")
)


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("final", "The fee is ten crowns."),
        ("original", "The fee is nine crowns."),
        ("marked", "The fee is {-nine-}{+ten+} crowns."),
    ],
)
def test_tracked_changes_in_three_views(tmp_path: Path, view: str, text: str) -> None:
    document = read(tmp_path, REVISED, options={"revisions": view})
    assert document.text == text
    assert document.details["revisions"] == "2"
    assert document.problems[0].kind is ProblemKind.REVISIONS


def test_moved_text_stands_in_one_place(tmp_path: Path) -> None:
    body = (
        p('<w:moveFrom w:id="1">' + r("Moved.") + "</w:moveFrom>"),
        p("Middle."),
        p('<w:moveTo w:id="2">' + r("Moved.") + "</w:moveTo>"),
    )
    assert texts(read(tmp_path, *body)) == ["Middle.", "Moved."]
    assert texts(read(tmp_path, *body, options={"revisions": "original"})) == ["Moved.", "Middle."]


def test_a_deleted_paragraph_end_joins_two_paragraphs(tmp_path: Path) -> None:
    body = p(r("One "), properties='<w:rPr><w:del w:id="1"/></w:rPr>'), p("sentence.")
    assert texts(read(tmp_path, *body)) == ["One sentence."]
    assert texts(read(tmp_path, *body, options={"revisions": "original"})) == ["One", "sentence."]


def test_a_move_is_one_revision_and_read_where_it_went_in_the_marked_view(tmp_path: Path) -> None:
    body = (
        p('<w:moveFrom w:id="1">' + r("Moved.") + "</w:moveFrom>"),
        p("Middle."),
        p('<w:moveTo w:id="2">' + r("Moved.") + "</w:moveTo>"),
    )
    document = read(tmp_path, *body, options={"revisions": "marked"})
    assert texts(document) == ["{-Moved.-}", "Middle.", "{+Moved.+}"]
    assert document.details["revisions"] == "1"
    assert "1 moves" in document.problems[0].hint


def test_changes_of_formatting_are_counted_apart(tmp_path: Path) -> None:
    bold = '<w:r><w:rPr><w:b/><w:rPrChange w:id="1"><w:rPr/></w:rPrChange></w:rPr><w:t>Now bold.</w:t></w:r>'
    centred = p(bold, properties='<w:jc w:val="center"/><w:pPrChange w:id="2"><w:pPr/></w:pPrChange>')
    document = read(tmp_path, centred)
    assert document.text == "Now bold."
    assert document.details == {"formatting revisions": "2"}


def test_changes_inside_notes_are_counted(tmp_path: Path) -> None:
    inserted = p('<w:ins w:id="9">' + r("Net of tax.") + "</w:ins>")
    notes = f'<w:footnotes {W}><w:footnote w:id="2">{inserted}</w:footnote></w:footnotes>'
    document = read(tmp_path, p(r("The fee") + '<w:r><w:footnoteReference w:id="2"/></w:r>'), footnotes=notes)
    assert document.details["revisions"] == "1"
    assert texts(document)[1] == "[^1] Net of tax."


def test_rows_and_cells_that_were_put_in_or_taken_out(tmp_path: Path) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"

    rows = (
        f"<w:tr>{cell('a')}{cell('b')}{cell('gone', '<w:cellDel/>')}</w:tr>"
        + f'<w:tr><w:trPr><w:ins w:id="2"/></w:trPr>{cell("new")}{cell("row")}</w:tr>'
        + f'<w:tr><w:trPr><w:del w:id="3"/></w:trPr>{cell("old")}{cell("row")}</w:tr>'
    )
    table = f"<w:tbl>{rows}</w:tbl>"
    assert read(tmp_path, table).text == "a | b\nnew | row"
    assert read(tmp_path, table, options={"revisions": "original"}).text == "a | b | gone\nold | row"
