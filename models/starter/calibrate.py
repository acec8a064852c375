"""Fits what a certainty is (models/pointing.py) and how much of a passage to quote, on questions that no score is made of.

Human questions are those of the development fifth; self-made ones are asked of whole stretches of the training text, books and
contracts, as long as the evaluation's documents. Prints the constants, which are copied into models/pointing.py by hand, and
what they do in every cell. Uses the estimate (shortcut.py) in place of readings. Knows no held-out question and none of the
evaluation's documents.

usage: python -m unabridged.models.starter.calibrate TRAINING_FOLDER starter.gguf [--kept FILE]
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from unabridged.models.pointing import MOST_CHARACTERS, Span, language_of, quoted
from unabridged.models.starter.cells import Task, flattened, human_tasks, self_made_tasks
from unabridged.models.starter.corpus import is_for_development, texts
from unabridged.models.starter.export import THRESHOLD
from unabridged.models.starter.shortcut import Estimate

HUMAN = (2_000, 8_000)
SELF_MADE = (2_000, 8_000, 32_000, 128_000)
BOOK = 60_000  # characters from which on a training text is a book; contracts, in which passages are alike, are asked apart


@dataclass(frozen=True, slots=True)
class Seen:
    """A question: in which cell, what the certainty is made of, whether anything answers it, whether the best passage does."""

    cell: str
    evidence: tuple[float, ...]
    fits: bool
    right: bool


def human(folder: Path, model: Estimate) -> Iterator[tuple[str, Task]]:
    for language, tokens in product(("en", "zh"), HUMAN):
        for task in human_tasks(folder, language, model.count, tokens=tokens, questions=300, chosen=is_for_development):
            yield f"human {language} {tokens}", task


def tasks(folder: Path, model: Estimate) -> Iterator[tuple[str, Task]]:
    yield from human(folder, model)
    for language in ("en", "zh"):
        kinds = {"self-made": [text for text in texts(folder, language) if len(text) >= BOOK]}
        if language == "en":
            kinds["contracts"] = list(texts(folder, language, source="cuad"))
        for (kind, known), tokens in product(kinds.items(), SELF_MADE):
            some = known[:: max(1, sum(map(len, known)) // 3_000_000)]
            questions = 200 if tokens < 100_000 else 60
            for task in self_made_tasks(some, language, model.count, tokens=tokens, questions=questions):
                yield f"{kind} {language} {tokens}", task


def look(model: Estimate, cell: str, task: Task) -> Iterator[Seen]:
    model.read(task.document)
    for asked in task.asked:
        looked = model.look(asked.text)
        yield Seen(cell, looked.points.evidence, bool(asked.right), looked.best in asked.right)


def fitted(rows: Sequence[Sequence[float]], wanted: Sequence[bool], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic regression by Newton's method with a little decay; the last value is the constant."""
    x = np.column_stack([np.asarray(rows), np.ones(len(rows))])
    y = np.asarray(wanted, float)
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (weight * (y - p)) - 1e-3 * w
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w += np.linalg.solve(curve, slope)
    return w


@dataclass(frozen=True, slots=True)
class Quotable:
    """A passage that answers a question: its text, its sentences with their probabilities, heads of the answers."""

    language: str
    text: str
    spans: Sequence[Span]
    probabilities: Sequence[float]
    answers: tuple[str, ...]


def quotable(folder: Path, model: Estimate) -> Iterator[Quotable]:
    for _, task in human(folder, model):
        model.read(task.document)
        for asked in task.asked:
            looked = model.look(asked.text)
            if looked.best in asked.right:
                text = task.document[looked.best]
                yield Quotable(language_of(text), text, *looked.sentences[looked.best], asked.answers)


def quoting(seen: Sequence[Quotable]) -> str:
    """How often a quotation holds the answer, and how long it is, for other ways to cut it."""
    lines = []
    for held, cooling, most in product((0.8, 0.9, 0.95), (1.0, 2.0, 2.5, 4.0), (1.0, 1.25, 1.5)):
        shown = []
        for language, characters in MOST_CHARACTERS.items():
            here = [s for s in seen if s.language == language]
            cuts = [
                quoted(s.probabilities, s.spans, most_characters=round(characters * most), held=held, cooling=cooling)
                for s in here
            ]
            held_in = [flattened(s.text[a:b]) for s, (a, b) in zip(here, cuts, strict=True)]
            good = np.mean([any(answer in quote for answer in s.answers) for s, quote in zip(here, held_in, strict=True)])
            shown.append(f"{language} {good:.3f} at {np.mean([b - a for a, b in cuts]):.0f}")
        lines.append(f"held {held} cooling {cooling} most {most}: {', '.join(shown)}")
    return "\n".join(lines)


def report(seen: Sequence[Seen], w: NDArray[np.float64], threshold: float) -> str:
    lines = []
    for cell in dict.fromkeys(s.cell for s in seen):
        here = [s for s in seen if s.cell == cell]
        sure = [1 / (1 + np.exp(-(np.dot(w[:-1], s.evidence) + w[-1]))) >= threshold for s in here]
        fits = [s.fits for s in here]
        false = np.mean([not a for a, b in zip(sure, fits, strict=True) if b])
        known = np.mean([not a for a, b in zip(sure, fits, strict=True) if not b])
        trusted = np.mean([s.right for a, s in zip(sure, here, strict=True) if a])
        right = np.mean([s.right for s in here if s.fits])
        lines.append(
            f"{cell:24} right {right:.2f} recognised {known:.2f} false alarms {false:.2f} right where sure {trusted:.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="fit the certainty of a finder")
    parser.add_argument("training", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--kept", type=Path, help="what was seen, written or (where it exists) read")
    parser.add_argument("--quotes", action="store_true", help="also compare ways to cut a quotation")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    arguments = parser.parse_args()
    if arguments.kept and arguments.kept.exists():
        seen = [Seen(**{**row, "evidence": tuple(row["evidence"])}) for row in json.loads(arguments.kept.read_text())]
    else:
        model = Estimate(arguments.model)
        seen = [s for cell, task in tasks(arguments.training, model) for s in look(model, cell, task)]
    if arguments.kept:
        arguments.kept.write_text(json.dumps([asdict(s) for s in seen]))
    cells = [s.cell for s in seen]
    weight = np.array([100 / cells.count(cell) for cell in cells])
    w = fitted([s.evidence for s in seen], [s.right for s in seen], weight)
    sys.stdout.write(f"{[round(float(v), 3) for v in w]}\n{report(seen, w, arguments.threshold)}\n")
    if arguments.quotes:
        sys.stdout.write(quoting(list(quotable(arguments.training, Estimate(arguments.model)))) + "\n")


if __name__ == "__main__":
    main()
