"""The corpus report's own tools: what they count is what they say."""

from pathlib import Path

from tests.corpus.items import _items as listed
from tests.corpus.kept import Kept
from tests.corpus.native import nodes, parsed, words
from tests.corpus.report import character_error_rate, reading_order
from tests.corpus.truth import markdown_words, native_words, shares, unframed
from tests.corpus.truth import words as counted

TREE = r"""[Para [Str "It\8217s",Space,Emph [Str "due"],Note [Para [Str "Net."]]]
,OrderedList (3,LowerRoman,TwoParens)
 [[Plain [Str "one"],BulletList [[Plain [Str "below"]]]],[OrderedList (1,Decimal,Period) [[Para [Str "in"]]]]]
,Para [Span ("",["insertion"],[("author","Ms \"A\"")]) [Str "new"]]]"""


def test_a_native_tree_gives_its_words_notes_spans_and_numbered_items() -> None:
    tree = parsed(TREE)
    assert words(tree[0]) == "It’s due"
    assert [words(list(note.arguments)) for note in nodes(tree, "Note")] == ["Net."]
    assert list(listed(tree)) == ["(iii) one", "• below", "(iv)", "1. in"]
    (_, classes, attributes), inside = next(nodes(tree, "Span")).arguments
    assert (classes, attributes, words(inside)) == (["insertion"], [("author", 'Ms "A"')], "new")


def test_shares_of_words() -> None:
    assert shares(counted("the rent is due"), counted("the rent, rent")) == (0.5, 2 / 3)


def test_signs_are_no_words() -> None:
    read = counted("☑ yes[^2] H₂O")
    assert read == counted("[x] yes H<sub>2</sub>O".replace("<sub>", " ").replace("</sub>", " "))
    assert markdown_words("[[1]](#cite_(a)) ![duck](/d.png) $\\frac{a}{\\log b}$ &amp;").split() == [
        "[1]", "duck", "{a}{log", "b}", "&",
    ]  # fmt: skip
    assert unframed("[Comment by Ann, 2024-01-02 on “rent”: too high]") == " too high]"


def test_a_term_and_its_definition_are_two_words() -> None:
    tree = """[DefinitionList [([Str "Term"],[[Para [Str "Words"]]])]]"""
    assert native_words(tree).split() == ["Term", "Words"]


def test_what_was_measured_is_kept_and_what_depends_on_other_sources_is_measured_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def measure() -> str:
        asked.append("once more")
        return "0.99"

    for edition in ("a", "a", "b"):
        assert Kept(tmp_path / "kept.jsonl").value("words", edition, measure=measure) == "0.99"
    assert len(asked) == 2


def test_reading_order_and_character_error_rate() -> None:
    assert reading_order("one two three four", "three four one two") == 0.5
    assert reading_order("one two", "one two") == 1
    assert character_error_rate("rent due", "rent bue") == 1 / 7
