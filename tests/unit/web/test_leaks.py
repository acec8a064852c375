"""What may not leave: no query that quotes a document gets through, however it is written; other queries do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.errors import QueryRefused
from unabridged.ingest.document import Anchor, Block, BlockKind, Document
from unabridged.web.leaks import CHINESE_IN_A_ROW, GLUED_LETTERS, WORDS_IN_A_ROW, check_query, quoted_run

from tests.conftest import CONTRACT, LAW

WORD = st.text("abcdefghijklmnop", min_size=1, max_size=5)
CHARACTER = st.sampled_from("天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏")
GAP = st.sampled_from(
    [" ", "  ", ", ", "\n", " – ", "; ", " (", '" ', " 某 ", "_", "-", "\u00a0", "\u2028", "/", "\t", " * ", "”"]
)
CHINESE_GAP = st.sampled_from(["", "", "，", " ", "\n", "。", "·", "x", "\u3000", "\u200b", "a b", "（", "1"])
SIMPLIFIED, TRADITIONAL = "华东广乐书门见车马鱼鸟龙风云电说话语读", "華東廣樂書門見車馬魚鳥龍風雲電說話語讀"
OTHER_SCRIPT = str.maketrans(SIMPLIFIED + TRADITIONAL, TRADITIONAL + SIMPLIFIED)


def document(text: str) -> Document:
    return Document("id", "made.txt", "text/plain", text, [Block(BlockKind.PARAGRAPH, 0, len(text), Anchor())])


@settings(max_examples=100, deadline=None)
@given(st.lists(WORD, min_size=WORDS_IN_A_ROW, max_size=40), st.data())
def test_eight_words_in_a_row_never_leave(words: list[str], data: st.DataObject) -> None:
    """Whatever case, punctuation and Chinese words stand around and between them."""
    text = "".join(word + data.draw(GAP) for word in words)
    start = data.draw(st.integers(0, len(words) - WORDS_IN_A_ROW))
    run = words[start : start + WORDS_IN_A_ROW]
    query = "".join(data.draw(st.sampled_from([word, word.upper(), word.title()])) + data.draw(GAP) for word in run)
    with pytest.raises(QueryRefused, match=r"quotes made\.txt"):
        check_query(f"search this {query} please", [document(text)])


@settings(max_examples=100, deadline=None)
@given(st.lists(CHARACTER, min_size=CHINESE_IN_A_ROW, max_size=60), st.data())
def test_fourteen_chinese_characters_in_a_row_never_leave(characters: list[str], data: st.DataObject) -> None:
    text = "".join(character + data.draw(CHINESE_GAP) for character in characters)
    start = data.draw(st.integers(0, len(characters) - CHINESE_IN_A_ROW))
    query = "".join(c + data.draw(CHINESE_GAP) for c in characters[start : start + CHINESE_IN_A_ROW])
    with pytest.raises(QueryRefused):
        check_query(query, [document(text)])


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def unseen(text: str) -> str:
    return "\u200d".join(text) + "\ufeff"


def accented(text: str) -> str:
    return "".join(letter + "\u0301" for letter in text)


@settings(max_examples=100, deadline=None)
@given(st.lists(WORD, min_size=WORDS_IN_A_ROW, max_size=20), st.data())
def test_no_dress_of_the_letters_hides_a_quotation(words: list[str], data: st.DataObject) -> None:
    """Full width, small capitals of a font, invisible characters, accents; in the query or in the document."""
    dress = data.draw(st.sampled_from([full_width, unseen, accented, str.upper, lambda word: word]))
    text, query = " ".join(words), " ".join(map(dress, words[-WORDS_IN_A_ROW:]))
    for asked, held in ((query, text), (text, f"before {query} after")):
        with pytest.raises(QueryRefused):
            check_query(asked[:300], [document(held)])


@settings(max_examples=100, deadline=None)
@given(st.text(SIMPLIFIED, min_size=CHINESE_IN_A_ROW, max_size=40), st.data())
def test_a_quotation_in_the_other_script_is_one(text: str, data: st.DataObject) -> None:
    """Whole or mixed, with anything between the characters."""
    start = data.draw(st.integers(0, len(text) - CHINESE_IN_A_ROW))
    run = text[start : start + CHINESE_IN_A_ROW]
    mixed = "".join(
        (character.translate(OTHER_SCRIPT) if data.draw(st.booleans()) else character) + data.draw(CHINESE_GAP)
        for character in run
    )
    for held in (text, text.translate(OTHER_SCRIPT)):
        with pytest.raises(QueryRefused):
            check_query(mixed, [document(held)])
        check_query(run[:-1].translate(OTHER_SCRIPT), [document(held)])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abcdefghijklmnop", min_size=3, max_size=6), min_size=WORDS_IN_A_ROW, max_size=20), st.data())
def test_spaces_left_out_or_put_in_hide_nothing(words: list[str], data: st.DataObject) -> None:
    run = "".join(words[:WORDS_IN_A_ROW])
    parted = "".join(letter + data.draw(st.sampled_from(["", " ", "-"])) for letter in run)
    with pytest.raises(QueryRefused):
        check_query(parted, [document(" ".join(words))])


@settings(max_examples=100, deadline=None)
@given(st.lists(WORD, max_size=30), st.lists(WORD, max_size=30))
def test_a_query_is_blocked_exactly_when_it_shares_eight_words_in_a_row(asked: list[str], held: list[str]) -> None:
    """Against the plain definition: in words, or in enough letters."""
    runs = {tuple(held[i : i + WORDS_IN_A_ROW]) for i in range(len(held) - WORDS_IN_A_ROW + 1)}
    shared = any(tuple(asked[i : i + WORDS_IN_A_ROW]) in runs for i in range(len(asked) - WORDS_IN_A_ROW + 1))
    glued = {"".join(run) for run in runs}
    shared = shared or any(len(run) >= GLUED_LETTERS and run in "".join(asked) for run in glued)
    assert bool(quoted_run(" ".join(asked), " ".join(held))) == shared


def test_seven_words_and_thirteen_characters_may_leave() -> None:
    check_query("This agreement is governed by the laws", [document(CONTRACT)])
    with pytest.raises(QueryRefused) as refused:
        check_query("This agreement is governed by the laws of", [document(CONTRACT)])
    assert "this agreement is governed by the laws of" in refused.value.message
    check_query("人民法院人民检察院和公安机", [document(LAW)])
    with pytest.raises(QueryRefused):
        check_query("人民法院人民检察院和公安机关", [document(LAW)])


def test_full_width_letters_and_ligatures_hide_nothing() -> None:
    with pytest.raises(QueryRefused):
        check_query("Ｔｈｉｓ ａｇｒｅｅｍｅｎｔ is governed by the laws oﬀ".replace("ﬀ", "f"), [document(CONTRACT)])


def test_no_quotation_leaves_in_pieces() -> None:
    held = [document(CONTRACT)]
    check_query("This agreement is governed", held)
    with pytest.raises(QueryRefused):
        check_query("by the laws of Norway", held, earlier=["This agreement is governed"])


def test_every_document_of_the_reading_is_looked_at() -> None:
    with pytest.raises(QueryRefused, match=r"made\.txt"):
        check_query("Birch Works pays nine thousand crowns each month", [document(LAW), document(CONTRACT)])


@pytest.mark.parametrize("query", ["", "  ", "x" * 301])
def test_empty_and_endless_queries_are_refused(query: str) -> None:
    with pytest.raises(QueryRefused):
        check_query(query, [])
