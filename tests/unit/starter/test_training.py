"""The curriculum packs, trains, resumes and starts from the circuit."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.models.starter import circuit
from unabridged.models.starter.data import NOTHING, Example
from unabridged.models.starter.packing import Shard, pack
from unabridged.models.starter.stages import STAGES, stage_at

torch = pytest.importorskip("torch")

WORDS = st.lists(st.integers(0, 65_535), min_size=1, max_size=5)
EXAMPLES = st.builds(
    lambda kind, passages, questions: Example(kind, passages, questions, [NOTHING] * len(questions)),
    st.sampled_from(["human", "self-made", "sentences"]),
    st.lists(WORDS, min_size=1, max_size=4),
    st.lists(WORDS, max_size=4),
)


def vocabulary() -> circuit.Vocabulary:
    group = np.arange(60)
    return circuit.Vocabulary(group=group, rarity=np.linspace(0.2, 1, 60, dtype=np.float32), doc=57, user=58, assistant=59)


def lessons(*, seed: int) -> list[Example]:
    """Word w of a question means word w + 25 of the text: nothing that the circuit knows."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(12):
        words = random.permutation(25)[:12]
        passages = [(words[i : i + 3] + 25).tolist() for i in range(0, 12, 3)]
        made.append(Example("human", passages, [words[i : i + 3].tolist() for i in range(0, 12, 3)], [0, 1, 2, 3]))
    return made


@pytest.fixture
def shards(tmp_path: Path) -> dict[str, Shard]:
    names = [*(stage.name for stage in STAGES), "development"]
    for seed, name in enumerate(names):
        pack(lessons(seed=seed), tmp_path / f"{name}.npz")
    return {name: Shard(tmp_path / f"{name}.npz") for name in names}


def test_what_is_packed_comes_back(tmp_path: Path) -> None:
    @given(st.lists(EXAMPLES, max_size=5))
    def holds(examples: list[Example]) -> None:
        pack(examples, tmp_path / "shard.npz")
        shard = Shard(tmp_path / "shard.npz")
        assert [shard[index] for index in range(len(shard))] == examples

    holds()


def test_the_stages_follow_each_other_and_end_as_the_circuit_is() -> None:
    names = [stage_at(step, 1000)[0].name for step in range(1000)]
    assert list(dict.fromkeys(names)) == [stage.name for stage in STAGES]
    _, sharpness, supervision = stage_at(999, 1000)
    assert (sharpness, supervision) == (1.0, 0.0)
    assert sum(stage.share for stage in STAGES) == pytest.approx(1)


def test_training_starts_from_the_circuit_and_learns_what_it_did_not_know(tmp_path: Path, shards: dict[str, Shard]) -> None:
    from unabridged.models.starter.network import Network
    from unabridged.models.starter.train import score, train

    untrained = score(Network(vocabulary()), shards["development"])
    lines: list[dict[str, object]] = []
    train(Network(vocabulary()), shards, tmp_path / "c", steps=40, rate=0.2, judged_every=20, report=lines.append)
    assert lines[0]["development"] == untrained < 0.4
    assert lines[-1]["development"] > 0.6
    assert torch.load(tmp_path / "c.best", weights_only=True)["right"] == max(line["development"] for line in lines)


def test_a_run_that_was_interrupted_ends_with_the_same_weights(tmp_path: Path, shards: dict[str, Shard]) -> None:
    from unabridged.models.starter.network import Network
    from unabridged.models.starter.train import train

    train(Network(vocabulary()), shards, tmp_path / "whole", steps=12, judged_every=5)
    train(Network(vocabulary()), shards, tmp_path / "parts", steps=12, judged_every=5, stop=7)
    train(Network(vocabulary()), shards, tmp_path / "parts", steps=12, judged_every=5)
    whole, parts = (torch.load(tmp_path / name, weights_only=True)["network"] for name in ("whole", "parts"))
    for name, value in whole.items():
        assert torch.equal(value, parts[name])
    circuit_made = dict(Network(vocabulary()).named_parameters())
    assert any(not torch.equal(value, circuit_made[name]) for name, value in whole.items()), "nothing was trained"
