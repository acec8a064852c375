"""Passages and sentences lose no text; self-made questions are made of one sentence's words; BM25 ranks what it should."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.models.starter.bm25 import BM25
from unabridged.models.starter.questions import DRESSES, WORD, passages, self_made, sentences, short

PROSE = st.text(st.sampled_from('ab cd.!?\n。，中国法条；”" '), max_size=400)
LANGUAGES = st.sampled_from(["en", "zh"])


@given(PROSE, LANGUAGES)
def test_sentences_and_passages_joined_are_the_text(text: str, language: str) -> None:
    assert "".join(sentences(text, language)) == text
    assert "".join(passages(text, language, characters=40)) == text


def test_a_decimal_point_ends_no_sentence() -> None:
    assert sentences("It bears 4.5 percent. Late sums bear more.", "en") == ["It bears 4.5 percent. ", "Late sums bear more."]


@pytest.mark.parametrize(
    ("language", "passage"),
    [
        ("en", "The quick brown fox jumps over the lazy dog near the mill. Then it sleeps for a while under the bridge."),
        ("zh", "人民法院审判案件，除本法另有规定的以外，一律公开进行。被告人有权获得辩护，人民法院有义务保证。"),
    ],
)
def test_a_self_made_question_holds_only_words_of_its_sentence(language: str, passage: str) -> None:
    for seed in range(50):
        made = self_made(Random(seed), passage, language)
        assert made is not None
        question, sentence = made
        assert sentence in passage
        left = iter("".join(WORD.findall(sentence)).lower())
        assert all(character in left for character in "".join(WORD.findall(question)).lower()), "the words kept their order"
        assert len(question) < len(sentence)


def test_a_passage_without_a_long_sentence_gives_no_question() -> None:
    assert self_made(Random(0), "Too short. Yes.", "en") is None


@pytest.mark.parametrize(("question", "best"), [("rare herring", 2), ("the governing law", 1), ("滞纳金", 3)])
def test_bm25_ranks_the_passage_with_the_rare_words_first(question: str, best: int) -> None:
    document = ["the cat and the dog", "the governing law of the land", "the rare herring", "每册缴纳滞纳金一角"]
    scores = BM25(document).scores(question)
    assert int(scores.argmax()) == best
    assert scores[best] > 0


@pytest.mark.parametrize(
    ("language", "passage"),
    [
        ("en", "The quick brown foxes jumped over the lazy hounds beside the ancient windmill. They slept."),
        ("zh", "人民法院审判案件，除本法另有规定的以外，一律公开进行。"),
    ],
)
def test_a_short_question_dresses_words_of_its_sentence(language: str, passage: str) -> None:
    seen = set()
    for seed in range(30):
        made = short(Random(seed), passage, language)
        assert made is not None
        question, sentence = made
        assert sentence in passage
        ends = [dress.split("{}") for dress in DRESSES[language]]
        kept = [question[len(a) : len(question) - len(b)] for a, b in ends if question.startswith(a) and question.endswith(b)]
        plain = "".join(WORD.findall(sentence)).lower()
        assert any(all(word in plain for word in words.split()) for words in kept)
        seen.add(question)
    assert len(seen) > 10
