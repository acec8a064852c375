"""What is made of a finder's probabilities: lifts, certainty, and quotations that stay readable."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.models.pointing import FIRST, HELD, SHORTEST, Pointed, looked_closer, pointed, quoted

SPANS = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 3)), min_size=1, max_size=12).map(
    lambda sizes: [(at := sum(map(sum, sizes[:i])), at + size) for i, (size, _) in enumerate(sizes)]
)


def test_of_two_passages_as_probable_the_shorter_stands_out() -> None:
    points = pointed([0.4, 0.4, 0.2], [1000, 200])
    assert points.ranked == [1, 0]


def test_equal_shares_of_equal_passages_lift_nothing() -> None:
    points = pointed([0.2] * 5, [100] * 4)
    assert points.lifts == pytest.approx([0.8] * 4)
    assert points.evidence == pytest.approx((math.log(0.8 / 0.2), 0, math.log(4)))


def test_the_surer_nothing_is_the_less_certain_is_the_best() -> None:
    certain = [pointed([0.9 - nothing, 0.1, nothing], [100, 100]).certainty for nothing in (0.0, 0.1, 0.5, 0.8)]
    assert certain == sorted(certain, reverse=True)
    assert 0 < certain[-1] < certain[0] < 1


def test_the_further_the_best_is_ahead_the_more_certain_it_is() -> None:
    certain = [pointed([0.4, second, 0.1], [100] * 2).certainty for second in (0.0, 0.05, 0.2, 0.4)]
    assert certain == sorted(certain, reverse=True)
    assert certain[0] > certain[-1]


def test_one_passage_and_no_probability_at_all_are_certainties_too() -> None:
    assert pointed([1.0, 0.0], [100]).certainty > 0.5
    assert pointed([0.0, 1.0], [100]).certainty < 0.5


def test_a_clear_sentence_is_quoted_alone_and_a_close_one_with_its_neighbour() -> None:
    spans = [(0, 50), (51, 100), (101, 150)]
    assert quoted([0.001, 0.998, 0.001], spans, most_characters=400) == (51, 100)
    assert quoted([0.0, 0.55, 0.45], spans, most_characters=400) == (51, 150)
    assert quoted([0.0, 0.55, 0.45], spans, most_characters=60) == (51, 100), "no room for the neighbour"


@given(SPANS, st.data(), st.integers(20, 500))
def test_a_quotation_is_whole_sentences_and_holds_enough_or_has_no_room(
    spans: list[tuple[int, int]], data: st.DataObject, most: int
) -> None:
    weights = data.draw(st.lists(st.floats(0.001, 1), min_size=len(spans), max_size=len(spans)))
    start, end = quoted(weights, spans, most_characters=most)
    first, last = [s for s, _ in spans].index(start), [e for _, e in spans].index(end)
    assert first <= max(range(len(spans)), key=weights.__getitem__) <= last
    assert first == last or end - start <= most
    roots = [w**0.5 for w in weights]
    if sum(roots[first : last + 1]) < HELD * sum(roots) * (1 - 1e-9):
        wider = [(spans[max(first - 1, 0)][0], end), (start, spans[min(last + 1, len(spans) - 1)][1])]
        assert all(b - a > most for a, b in wider if (a, b) != (start, end))


def test_the_likeliest_sentence_is_in_the_quotation_by_however_little_it_leads() -> None:
    """The square roots of these two are the same number."""
    assert quoted([0.9999999999999999, 1.0], [(0, 30), (31, 60)], most_characters=40) == (31, 60)


def test_a_heading_of_two_words_is_not_dense_by_its_shortness_alone() -> None:
    heading, body = pointed([0.5, 0.5, 0.0], [2, 400]).lifts
    assert heading < body * (400 + SHORTEST) / SHORTEST < body * 400 / 2


def test_of_two_passages_alike_the_one_with_the_words_in_one_sentence_comes_first() -> None:
    first = Pointed((2.0, 2.0, 2.0), nothing=0.1)
    looked = looked_closer(first, [0.3, 0.3, 0.0, 0.35, 0.05], {0: [(0, 50), (51, 101)], 2: [(0, 50), (51, 101)]})
    assert looked.points.ranked[:2] == [2, 0]
    assert looked.points.lifts[1] == 0, "never looked at again"
    assert looked.points.nothing == pytest.approx(0.1**FIRST * 0.05 ** (1 - FIRST))
    assert looked.quotation(2, "a" * 101) == (51, 101)


def test_both_looks_have_a_say() -> None:
    spans = {0: [(0, 50)], 1: [(0, 50)]}
    first = Pointed((4.0, 1.0), nothing=0.1)
    assert looked_closer(first, [0.3, 0.6, 0.1], spans).points.ranked == [0, 1]
    assert looked_closer(first, [0.01, 0.98, 0.01], spans).points.ranked == [1, 0]


@given(st.lists(SPANS, min_size=1, max_size=4), st.integers(0, 3), st.data())
def test_what_the_looks_say_is_finite_and_every_passage_of_both_can_be_quoted(
    spans: list[list[tuple[int, int]]], others: int, data: st.DataObject
) -> None:
    chances = st.floats(0, 1) | st.just(0.0)
    first = Pointed(tuple(data.draw(chances) * 9 for _ in range(len(spans) + others)), data.draw(chances))
    sentences = [data.draw(chances) for of_passage in spans for _ in of_passage]
    looked = looked_closer(first, [*sentences, data.draw(chances)], dict(enumerate(spans)))
    assert 0 <= looked.points.certainty <= 1
    assert set(looked.points.ranked[: len(spans)]) == set(range(len(spans)))
    for passage, of_passage in enumerate(spans):
        start, end = looked.quotation(passage, "a")
        assert start in {a for a, _ in of_passage}
        assert end in {b for _, b in of_passage}
