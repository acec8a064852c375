"""Markers become footnotes, spans become quotations, and nothing else passes."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.citations import MarkerFilter, place, without_marks
from unabridged.errors import Failure
from unabridged.finding import with_words
from unabridged.ingest.document import Anchor, Block, BlockKind, Document, Page, Passage
from unabridged.prompts import Numbered
from unabridged.sentences import sentence_spans, sentences_of

TEXT = "Title\n\nThe term is five years. It may be extended.\n\nThe law of Norway governs."


def test_the_quotation_is_the_text_at_its_span_without_white_space_at_its_ends() -> None:
    numbered = passage(0, len(TEXT))
    citation = place(1, numbered, 5, 31)
    assert citation.quote == "The term is five years."
    assert TEXT[citation.start : citation.end] == citation.quote


def test_a_citation_names_the_page_and_the_clause_where_its_words_begin() -> None:
    start = TEXT.index("The law")
    citation = place(1, passage(0, len(TEXT)), start, len(TEXT))
    assert (citation.page, citation.page_label, citation.path) == (2, "ii", "Article 2")


@pytest.mark.parametrize(("start", "end"), [(5, 7), (9, 9), (500, 600), (-3, 4)])
def test_a_span_without_words_is_our_fault_and_not_shown(start: int, end: int) -> None:
    with pytest.raises(Failure):
        place(1, passage(0, len(TEXT)), start, end)


def test_words_that_are_not_in_the_document_are_not_shown() -> None:
    numbered = passage(0, len(TEXT))
    elsewhere = Numbered(1, numbered.document, Passage(1, 40, 5, Anchor()))
    with pytest.raises(Failure):
        place(1, elsewhere, 0, 5)


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_every_citation_that_is_placed_is_in_the_source(first: int, last: int, start: int, end: int) -> None:
    numbered = passage(min(first, last), max(first, last))
    try:
        citation = place(1, numbered, start, end)
    except Failure:
        return
    assert TEXT[citation.start : citation.end] == citation.quote == citation.quote.strip() != ""
    assert numbered.passage.start <= citation.start <= citation.end <= numbered.passage.end


@pytest.mark.parametrize(
    ("model_says", "reader_sees", "cited"),
    [
        ("Five years [2].", "Five years [1].", {2: 1}),
        ("One [3], two [2], one again [3].", "One [1], two [2], one again [1].", {3: 1, 2: 2}),
        ("Both [2][3] and [2, 3].", "Both [1][2] and [1][2].", {2: 1, 3: 2}),
        ("Nothing of the kind [99].", "Nothing of the kind.", {}),
        ("Half [2, 99].", "Half [1].", {2: 1}),
        ("五年【2】。", "五年[1]。", {2: 1}),
        ("An array[i] and [sic] and [", "An array[i] and [sic] and [", {}),
        ("Zero [0] is no passage.", "Zero is no passage.", {}),
    ],
)
def test_markers_become_footnotes(model_says: str, reader_sees: str, cited: dict[int, int]) -> None:
    for step in (1, 2, 3, len(model_says)):
        markers = MarkerFilter({2: passage(0, 5), 3: passage(7, 30)})
        shown = "".join(markers.feed(model_says[start : start + step]) for start in range(0, len(model_says), step))
        assert shown + markers.finish() == reader_sees == markers.text
        assert markers.cited == cited


@given(st.text(alphabet="ab [2]3,【】\n.", max_size=60), st.lists(st.integers(1, 5), min_size=1, max_size=60))
def test_however_the_stream_is_cut_the_reader_sees_the_same(model_says: str, steps: list[int]) -> None:
    whole = MarkerFilter({2: passage(0, 5)})
    expected = whole.feed(model_says) + whole.finish()
    pieces = MarkerFilter({2: passage(0, 5)})
    shown, position = "", 0
    for step in steps:
        shown += pieces.feed(model_says[position : position + step])
        position += step
    shown += pieces.feed(model_says[position:]) + pieces.finish()
    assert shown == expected
    assert not re.search(r"\[\s*3\s*\]", shown)


def test_the_claim_of_a_marker_is_the_sentence_before_it() -> None:
    markers = MarkerFilter({2: passage(0, 5), 3: passage(7, 30)})
    markers.feed("It lasts long. The term is five years [2]. Norway governs [3].")
    markers.finish()
    assert markers.claims == {2: "The term is five years", 3: "Norway governs"}


def test_marks_that_could_not_be_placed_leave_the_text() -> None:
    assert without_marks("One [1], two [2] [3].", {2, 3}) == "One [1], two."


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("第一条 为了保护人民。第二条 分工负责；互相配合！", ["第一条 为了保护人民。", "第二条 分工负责；", "互相配合！"]),
        ("“他说：‘好。’”然后走了。", ["“他说：‘好。’”", "然后走了。"]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("Mr. Smith paid $1.50 to Birch Inc. on time. He left.", ["Mr. Smith paid $1.50 to Birch Inc. on time.", "He left."]),
        ("1. Term\n\n2. Law", ["1. Term", "2. Law"]),
        ("Section 4.2. applies (see J. Doe). End", ["Section 4.2. applies (see J. Doe).", "End"]),
        ("  \n ", []),
    ],
)
def test_sentences_of_english_and_chinese(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_a_printed_line_may_end_in_mid_sentence_but_a_row_of_a_table_may_not() -> None:
    text = "The term is\nfive years"
    assert sentence_spans(text) == [(0, len(text))]
    assert sentence_spans(text, lines=True) == [(0, 11), (12, len(text))]


def test_a_sentence_never_reaches_into_the_next_block() -> None:
    blocks = [Block(BlockKind.HEADING, 0, 5, Anchor()), Block(BlockKind.PARAGRAPH, 6, 11, Anchor())]
    document = Document(id="0", name="made.txt", media_type="text/plain", text="Title words", blocks=blocks)
    assert sentences_of(Numbered(1, document, Passage(1, 0, 11, Anchor()))) == [(0, 5), (6, 11)]
    assert sentences_of(Numbered(1, document, Passage(1, 3, 11, Anchor()))) == [(0, 2), (3, 8)]


@given(st.text(alphabet='ab1 .\n。！”"(A', max_size=80))
def test_sentences_hold_every_word_once_and_in_order(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(text.split())
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))


def passage(start: int, end: int) -> Numbered:
    second = TEXT.index("The law")
    document = Document(
        id="0",
        name="made.txt",
        media_type="text/plain",
        text=TEXT,
        blocks=[
            Block(BlockKind.PARAGRAPH, 0, second, Anchor(path="Article 1")),
            Block(BlockKind.PARAGRAPH, second, len(TEXT), Anchor(path="Article 2")),
        ],
        pages=[Page(1, "i", 0, second, 595, 842), Page(2, "ii", second, len(TEXT), 595, 842)],
    )
    return Numbered(1, document, Passage(1, start, end, Anchor()))


def test_a_bare_number_is_no_quotation_unless_there_is_nothing_else() -> None:
    assert with_words("Survival 47", [(0, 8), (9, 11)]) == [(0, 8)]
    assert with_words("第五条 47", [(0, 3), (4, 6)]) == [(0, 3)]
    assert with_words("47 48", [(0, 2), (3, 5)]) == [(0, 2), (3, 5)]


@pytest.mark.parametrize("code", ["```python\nrows[2] = x[3]\n```\n", "Use `rows[2]` here. ", "~~~\na[2]\n~~~\n"])
def test_numbers_in_code_are_no_markers(code: str) -> None:
    for size in (1, 3, len(code)):
        markers = MarkerFilter({2: passage(0, 5), 3: passage(7, 30)})
        said = code + "It is so [3]."
        shown = "".join(markers.feed(said[at : at + size]) for at in range(0, len(said), size)) + markers.finish()
        assert shown == code + "It is so [1]."
        assert markers.cited == {3: 1}
    assert without_marks(code + "It is so [2].", {2, 3}) == code + "It is so."
