"""Word files: pages begin where Word last laid them out, and where the author ended one; sections number them."""
# ruff: noqa: E501

from pathlib import Path

from unabridged.ingest.document import Document

from tests.unit.ingest.test_read_docx import W, levels, numbered, numbering, p, r, read, texts


def section(properties: str) -> str:
    return f"<w:sectPr>{properties}</w:sectPr>"


BREAK = "<w:r><w:lastRenderedPageBreak/></w:r>"


def test_pages_begin_where_word_last_laid_them_out_and_are_numbered_as_sections_say(tmp_path: Path) -> None:
    roman = section('<w:pgNumType w:fmt="lowerRoman"/>')
    body = [
        p("Preface."),
        p(BREAK + r("More preface."), properties=roman),
        p(BREAK + r("The lease begins here and goes ") + BREAK + r("on.")),
        p("Last words."),
    ]
    document = read(tmp_path, *body, section('<w:pgSz w:w="11900" w:h="16840"/><w:pgNumType w:start="1"/>'))
    assert texts(document) == ["Preface.", "More preface.", "The lease begins here and goes on.", "Last words."]
    assert [page.label for page in document.pages] == ["i", "ii", "1", "2"]
    assert [(b.anchor.page, b.anchor.page_label) for b in document.blocks] == [(1, "i"), (2, "ii"), (3, "1"), (4, "2")]
    assert document.text[document.pages[3].start :] == "on.\n\nLast words."
    assert (document.pages[2].width, document.pages[2].height) == (595, 842)
    assert document.details == {"page numbers": "as the file was last laid out", "sections": "2"}


def test_a_page_that_begins_in_a_numbered_paragraph_or_a_table(tmp_path: Path) -> None:
    lists = numbering((levels(("decimal", "%1.")), ""))
    cells = "".join(f"<w:tr><w:tc>{p(words)}</w:tc><w:tc>{p('x')}</w:tc></w:tr>" for words in ("one", BREAK + r("two")))
    second = numbered("Law", 1).replace("<w:r>", f"{BREAK}<w:r>", 1)
    document = read(tmp_path, numbered("Term", 1), second, f"<w:tbl>{cells}</w:tbl>", numbering=lists)
    assert texts(document) == ["1. Term", "2. Law", "one | x\ntwo | x"]
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "1. Term",
        "2. Law\n\none | x",
        "two | x",
    ]


def test_a_file_that_notes_no_pages_has_none(tmp_path: Path) -> None:
    document = read(tmp_path, p('<w:r><w:br w:type="page"/></w:r>' + r("Words.")))
    assert document.text == "Words."
    assert document.pages == ()
    assert document.details["page breaks"] == "1"


TURN = '<w:r><w:br w:type="page"/></w:r>'


def pages(document: Document) -> list[str]:
    return [document.text[page.start : page.end].strip() for page in document.pages]


def test_a_page_that_the_author_ended_begins_once_whether_word_noted_it_or_not(tmp_path: Path) -> None:
    noted = p(TURN) + p(BREAK + r("Two."))
    later = p(r("Three") + TURN + r("and four.")) + p("Five.", properties="<w:pageBreakBefore/>")
    document = read(tmp_path, p("One."), noted, p(BREAK + r("Still")), later)
    assert pages(document) == ["One.", "Two.", "Still\n\nThree", "and four.", "Five."]
    assert texts(document)[3:] == ["Three\nand four.", "Five."]


def test_pages_begin_with_sections_and_with_headings_whose_style_says_so(tmp_path: Path) -> None:
    styles = f'<w:styles {W}><w:style w:styleId="H"><w:name w:val="heading 1"/><w:pPr><w:pageBreakBefore/></w:pPr></w:style></w:styles>'
    body = [
        p(BREAK + r("One.")),
        p("Two.", style="H"),
        p("Still.", properties=section("")),
        p("On the same page.", properties=section('<w:type w:val="continuous"/>')),
        p("Three."),
        p("No break.", style="H", properties='<w:pageBreakBefore w:val="0"/>'),
    ]
    document = read(tmp_path, *body, section('<w:type w:val="nextPage"/>'), styles=styles)
    assert pages(document)[1:] == ["One.", "Two.\n\nStill.\n\nOn the same page.", "Three.\n\nNo break."]
