"""Training starts from the circuit: the torch network computes exactly what the circuit computes, and can move."""

import numpy as np
import pytest
from unabridged.models.starter import circuit, reference

torch = pytest.importorskip("torch")


@pytest.fixture
def vocabulary() -> circuit.Vocabulary:
    group = np.concatenate([np.arange(57) // 2, [29, 30, 31]])
    rarity = np.linspace(0.2, 1, 32, dtype=np.float32)[group]
    return circuit.Vocabulary(group=group, rarity=rarity, doc=57, user=58, assistant=59)


def test_torch_and_numpy_agree_and_find_the_passage(vocabulary: circuit.Vocabulary) -> None:
    from unabridged.models.starter.network import Network

    passages = [[1, 2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12, 13, 14], [1, 7, 13, 20]]
    questions = [[8, 6], [12, 3, 14], [20]]
    with torch.no_grad():
        found = Network(vocabulary)(passages, questions)[0].numpy()
    prompt = [vocabulary.doc]
    for index, passage in enumerate(passages):
        prompt += [vocabulary.words + index, *passage]
    for row, question in zip(found, questions, strict=True):
        _, _, logits = reference.run(circuit.weights(vocabulary), [*prompt, vocabulary.user, *question, vocabulary.assistant])
        expected = [*logits[vocabulary.words :][: len(passages)], logits[vocabulary.doc]]
        np.testing.assert_allclose(row, expected, atol=1e-2)
    assert found.argmax(1).tolist() == [1, 2, 3]


def test_an_untrained_network_exports_the_circuit(vocabulary: circuit.Vocabulary) -> None:
    from unabridged.models.starter.network import Network

    exported, made = Network(vocabulary).exported(), circuit.weights(vocabulary)
    assert exported.keys() == made.keys()
    for name, value in made.items():
        np.testing.assert_array_equal(exported[name], value)


def test_training_lowers_the_loss_and_keeps_spellings_tied(vocabulary: circuit.Vocabulary) -> None:
    from unabridged.models.starter.data import NOTHING, Example
    from unabridged.models.starter.network import Network
    from unabridged.models.starter.train import loss_of

    torch.manual_seed(0)
    network = Network(vocabulary)
    example = Example("human", [[1, 2, 3], [10, 11, 12], [20, 21, 22]], [[30, 31], [40], [50]], [1, 2, NOTHING])
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    first, _ = loss_of(network, example, sharpness=0.5, supervision=1.0)
    for _ in range(60):
        optimiser.zero_grad()
        loss, right = loss_of(network, example, sharpness=0.5, supervision=1.0)
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.5 * float(first.detach())
    assert right == 1
    table = network.embeddings().detach()
    np.testing.assert_array_equal(table[30], table[31])
