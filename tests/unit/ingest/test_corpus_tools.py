"""The corpus report's own tools: what they count is what they say."""

from tests.corpus.items import _items as listed
from tests.corpus.native import nodes, parsed, words
from tests.corpus.report import character_error_rate, reading_order, shares
from tests.corpus.report import words as counted

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


def test_reading_order_and_character_error_rate() -> None:
    assert reading_order("one two three four", "three four one two") == 0.5
    assert reading_order("one two", "one two") == 1
    assert character_error_rate("rent due", "rent bue") == 1 / 7
