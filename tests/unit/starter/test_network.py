"""What trains is what the whole transformer computes, and every value that is learnt has its place in the weights."""

import dataclasses

import numpy as np
import pytest
from unabridged.models.starter import circuit, reference
from unabridged.models.starter.circuit import Learnt, M

torch = pytest.importorskip("torch")

PASSAGES = [[1, 2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12, 13, 14], [1, 7, 13, 20]]
QUESTIONS = [[8, 6], [12, 3, 14], [20], [44, 45, 50]]
ORTHOGONAL = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])


@pytest.fixture
def vocabulary() -> circuit.Vocabulary:
    group = np.concatenate([np.arange(57) // 2, [29, 30, 31]])
    rarity = np.linspace(0.2, 1, 32, dtype=np.float32)[group]
    return circuit.Vocabulary(group=group, rarity=rarity, doc=57, user=58, assistant=59)


def some_meaning(vocabulary: circuit.Vocabulary, *, seed: int = 0) -> Learnt:
    """As if something had been learnt, everywhere."""
    random = np.random.default_rng(seed)
    size = M.stop - M.start
    meaning = random.standard_normal((vocabulary.groups, size)).astype(np.float32)
    start = circuit.unlearnt(vocabulary, meaning=meaning - meaning.mean(1, keepdims=True))
    values = {
        name: (getattr(start, name) + random.standard_normal(getattr(start, name).shape) * 0.1).astype(np.float32)
        for name in ("wanted", "unmet", "importance", "vote")
    }
    mix = start.mix + (random.standard_normal(start.mix.shape) * 0.02).astype(np.float32)
    return dataclasses.replace(start, mix=mix, **values)


def test_torch_computes_what_the_transformer_computes(vocabulary: circuit.Vocabulary) -> None:
    """With orthogonal codes of three passages, and without the context, which the NUMBERs between passages set apart.

    The NUMBERs' logits are high enough for three of them to show.
    """
    from unabridged.models.starter.network import Network

    learnt = dataclasses.replace(some_meaning(vocabulary), near=np.zeros(2, np.float32), crowd=np.array([22.5, 8], np.float32))
    passages = [np.random.default_rng(i).integers(0, 50, 30).tolist() for i in range(3)]
    weights = circuit.weights(vocabulary, learnt)
    codes = weights["token_embd.weight"][vocabulary.words :, circuit.C]
    codes[:3] = np.tile(ORTHOGONAL, codes.shape[1] // 4)
    prompt = [vocabulary.doc]
    for index, passage in enumerate(passages):
        prompt += [vocabulary.words + index, *passage]
    with torch.no_grad():
        found = Network(vocabulary, learnt).eval()(passages, QUESTIONS).numpy()
    for row, question in zip(found, QUESTIONS, strict=True):
        _, _, logits = reference.run(weights, [*prompt, vocabulary.user, *question, vocabulary.assistant])
        expected = np.array([*logits[vocabulary.words :][: len(passages)], logits[vocabulary.doc]])
        np.testing.assert_allclose(row - row[:-1].mean(), expected - expected[:-1].mean(), atol=0.25, rtol=0.05)
        assert np.ptp(row) > 2, "the comparison would not notice a dead layer"


def test_the_transformer_as_it_starts_finds_the_passage(vocabulary: circuit.Vocabulary) -> None:
    weights = circuit.weights(vocabulary, circuit.unlearnt(vocabulary))
    prompt = [vocabulary.doc]
    for index, passage in enumerate(PASSAGES):
        prompt += [vocabulary.words + index, *passage]
    for question, expected in zip(QUESTIONS, (1, 2, 3), strict=False):
        _, _, logits = reference.run(weights, [*prompt, vocabulary.user, *question, vocabulary.assistant])
        assert int(logits.argmax()) == vocabulary.words + expected
    _, _, logits = reference.run(weights, [*prompt, vocabulary.user, *QUESTIONS[3], vocabulary.assistant])
    assert logits[vocabulary.doc] > logits[vocabulary.words :].max(), (
        "words that are nowhere are answered by the token for nothing"
    )


def test_a_chance_match_is_worth_less_in_a_document_of_many_passages(vocabulary: circuit.Vocabulary) -> None:
    """The same word, once in either document, and none of the question's elsewhere: what it loses is by the NUMBERs' logit."""

    def lost(learnt: Learnt) -> float:
        weights = circuit.weights(vocabulary, learnt)
        leads = []
        for others in (2, 60):
            prompt = [vocabulary.doc, vocabulary.words, 20, 2, 3]
            for index in range(others):
                prompt += [vocabulary.words + 1 + index, 6, 7]
            _, _, logits = reference.run(weights, [*prompt, vocabulary.user, 20, 44, vocabulary.assistant])
            leads.append(float(logits[vocabulary.words] - logits[vocabulary.doc]))
        return leads[0] - leads[1]

    start = circuit.unlearnt(vocabulary)
    assert lost(start) > lost(dataclasses.replace(start, crowd=np.full(2, -60, np.float32))) + 1


def test_a_network_gives_back_what_it_was_given(vocabulary: circuit.Vocabulary) -> None:
    from unabridged.models.starter.network import Network

    given = some_meaning(vocabulary)
    back = Network(vocabulary, given).learnt()
    for field in dataclasses.fields(Learnt):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(given, field.name))


def test_a_meaning_that_is_too_long_is_refused_and_tidied(vocabulary: circuit.Vocabulary) -> None:
    from unabridged.models.starter.network import Network

    start = some_meaning(vocabulary)
    long = dataclasses.replace(start, meaning=start.meaning * 3)
    with pytest.raises(ValueError, match="longer than there is room for"):
        circuit.weights(vocabulary, long)
    network = Network(vocabulary, long)
    network.tidy()
    circuit.weights(vocabulary, network.learnt())
