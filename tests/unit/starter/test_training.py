"""Lessons come back as they were packed, and training learns what the circuit does not know, resumes, and is the same again."""

from pathlib import Path

import numpy as np
import pytest
from unabridged.models.starter import circuit, lessons
from unabridged.models.starter.lessons import Example, Lessons
from unabridged.models.starter.meaning import meanings

torch = pytest.importorskip("torch")


def vocabulary() -> circuit.Vocabulary:
    group = np.arange(60)
    return circuit.Vocabulary(group=group, rarity=np.linspace(0.2, 1, 60, dtype=np.float32), doc=57, user=58, assistant=59)


class Synonyms:
    """Word w of a question means word w + 25 of the text: nothing that the circuit knows."""

    def example(self, number: int, kind: str, tokens: int, *, without: float = 0.0, known: bool = False) -> Example:
        words = np.random.default_rng([number, known]).permutation(25)[:12].astype(np.uint16)
        parts = [words[i : i + 3] for i in range(0, 12, 3)]
        return Example([part + 25 for part in parts], [60] * 4, parts, [(0,), (1,), (2,), (3,)])


def learn(checkpoint: Path, *, steps: int, stop: int | None = None) -> list[dict[str, object]]:
    from unabridged.models.starter.network import Network
    from unabridged.models.starter.train import Judged, train

    lines: list[dict[str, object]] = []
    random = np.random.default_rng(0)
    size = circuit.M.stop - circuit.M.start
    meaning = random.standard_normal((60, size)).astype(np.float32)
    train(
        Network(vocabulary(), circuit.unlearnt(vocabulary(), meaning=meaning)),
        Synonyms(),
        checkpoint,
        steps=steps,
        stop=stop,
        rate=0.05,
        judged_every=steps // 2,
        cells=[Judged("synonyms", 12, 12)],
        draw=lambda source, number: source.example(number, "synonyms", 12),
        report=lines.append,
    )
    return lines


def test_training_starts_from_the_circuit_and_learns_what_it_did_not_know(tmp_path: Path) -> None:
    lines = learn(tmp_path / "c", steps=60)
    assert lines[0]["mean"] < 0.4
    assert lines[-1]["mean"] > 0.8
    assert torch.load(tmp_path / "c.best", weights_only=True)["step"] == 60


def test_a_run_that_was_interrupted_ends_with_the_same_weights(tmp_path: Path) -> None:
    learn(tmp_path / "whole", steps=10)
    learn(tmp_path / "parts", steps=10, stop=7)
    learn(tmp_path / "parts", steps=10)
    whole, parts = (torch.load(tmp_path / name, weights_only=True) for name in ("whole", "parts"))
    for name, value in whole["averaged"].items():
        assert torch.equal(value, parts["averaged"][name])
    assert whole["step"] == parts["step"] == 10


class Records:
    """Two contexts of the training folder, one with a question, and one stretch of text, as `lessons.pack` reads them."""

    CONTEXT = "The brewer keeps a heron in the cellar. It eats eels every day. The duke pays for the eels with silver.\n"
    TEXT = "A long sentence about the keeper who counts the ships at night. Another about the bell that rings in fog.\n"


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Lessons, dict[bytes, int]]:
    import json

    zstandard = pytest.importorskip("zstandard")
    ranks = {bytes([i]): i for i in range(256)}

    def write(name: str, records: list[dict[str, object]]) -> None:
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / name).write_bytes(zstandard.compress(lines.encode()))

    asked = {"lang": "en", "source": "made", "question": "who pays?", "answer": "The duke"}
    contexts = [f"({i}) {Records.CONTEXT}" for i in range(40)]
    write("qa.jsonl.zst", [{**asked, "context": c, "answer_start": c.index("The duke")} for c in contexts])
    for language in ("en", "zh"):
        write(f"text_{language}.jsonl.zst", [{"text": Records.TEXT * 60}])
    lessons.pack(tmp_path, ranks, tmp_path / "lessons.npz", characters=10_000)
    return Lessons(tmp_path / "lessons.npz"), ranks


def read(tokens: np.ndarray) -> str:
    return bytes(tokens.astype(np.uint8)).decode()


def test_a_question_comes_back_with_its_passage_and_its_sentence(packed: tuple[Lessons, dict[bytes, int]]) -> None:
    known, _ = packed
    example = known.example(0, "human-en", 300, known=True)
    answerable = [(q, t) for q, t in zip(example.questions, example.targets, strict=True) if t]
    assert answerable
    for question, targets in answerable:
        assert read(question) == "who pays?"
        assert all("The duke pays" in read(example.passages[i]) for i in targets)
    lines = known.sentences(0, "human-en")
    assert "The duke pays" in read(lines.passages[lines.targets[0][0]])
    assert all(len(read(p)) == size for p, size in zip(example.passages, example.characters, strict=True))


def test_a_question_without_its_sentence_is_about_what_is_left(packed: tuple[Lessons, dict[bytes, int]]) -> None:
    known, _ = packed
    whole, without = (known.example(3, "text-en", 500, without=share) for share in (0.0, 1.0))
    assert sum(map(len, without.passages)) < sum(map(len, whole.passages))
    assert [read(q) for q in without.questions] == [read(q) for q in whole.questions]


def test_where_there_is_less_text_than_asked_for_an_example_has_all_of_it(packed: tuple[Lessons, dict[bytes, int]]) -> None:
    known, _ = packed
    whole = known.example(0, "text-en", 1_000_000)
    assert sum(map(len, whole.passages)) == sum(map(len, known.tokens(["text-en"])))


def test_the_held_out_fifth_is_not_packed(packed: tuple[Lessons, dict[bytes, int]]) -> None:
    from unabridged.models.starter.corpus import is_held_out

    known, _ = packed
    seen = "".join(read(tokens) for kind in ("human-en", "development-en") for tokens in known.tokens([kind]))
    held = [c for i in range(40) if is_held_out(c := f"({i}) {Records.CONTEXT}")]
    assert held
    assert sum(f"({i}) The brewer" in seen for i in range(40)) == 40 - len(held)
    assert not any(c in seen for c in held)


def test_words_of_the_same_company_point_the_same_way() -> None:
    pytest.importorskip("scipy")
    random = np.random.default_rng(0)
    runs = []
    for _ in range(300):
        theme = int(random.integers(2))
        runs.append(random.choice(np.arange(10) + 10 * theme, 12))
    made = meanings(runs, 20, 4)
    unit = made / np.linalg.norm(made, axis=1, keepdims=True)
    alike = unit @ unit.T
    assert alike[:10, :10].mean() > alike[:10, 10:].mean() + 0.3
