"""Measures a finder on held-out documents, BM25 beside it: the table and the plot of the model card.

What every reading gave is kept in a folder, so that a run that was stopped goes on where it was. The candidate is whatever
reads, points and quotes: `unabridged eval starter` gives the program itself.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from unabridged.models.starter.bm25 import BM25
from unabridged.models.starter.cells import Task, contract_tasks, flattened, held_out_texts, human_tasks, self_made_tasks

TOKENS = (2_000, 8_000, 32_000, 128_000)
QUESTIONS = {128_000: 100}  # of a cell; 200 elsewhere


class Candidate(Protocol):
    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        ...

    def read(self, passages: Sequence[str]) -> int:
        """A new document; how many tokens it has."""
        ...

    def answer(self, question: str) -> "Answered": ...


@dataclass(frozen=True, slots=True)
class Answered:
    """The best passage, whether it is an answer (else: no more than the nearest, or nothing), and what is shown of it."""

    passage: int
    sure: bool
    quotation: str


@dataclass(frozen=True, slots=True)
class Row:
    """One question. `quoted`, whether the quotation holds the answer, and its length are there for right passages only."""

    answerable: bool
    right: bool
    bm25: bool
    sure: bool
    quoted: bool | None
    quote_characters: int
    answer_s: float


@dataclass(frozen=True, slots=True)
class Read:
    """What one reading gave."""

    passages: int
    tokens: int
    read_s: float
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    kind: str
    language: str
    tokens: int
    reads: tuple[Read, ...]

    @property
    def rows(self) -> list[Row]:
        return [row for read in self.reads for row in read.rows]

    @property
    def answerable(self) -> list[Row]:
        return [row for row in self.rows if row.answerable]

    @property
    def right(self) -> float:
        return _mean([row.right for row in self.answerable])

    @property
    def bm25(self) -> float:
        return _mean([row.bm25 for row in self.answerable])


def evaluate(
    candidate: Candidate,
    documents: Path,
    training: Path,
    kept: Path,
    *,
    kinds: Sequence[str],
    lengths: Sequence[int] = TOKENS,
    done: Callable[[Cell], None] = lambda cell: None,
) -> list[Cell]:
    """Cells of all kinds ("self-made", "human", "contracts"), languages and lengths; `kept` has what earlier runs measured."""
    texts = held_out_texts(documents)
    cells: list[Cell] = []

    def measured(kind: str, language: str, tokens: int, tasks: Iterator[Task]) -> None:
        reads = tuple(
            _kept(kept / f"{kind}-{language}-{tokens}-{number}.json", candidate, task) for number, task in enumerate(tasks)
        )
        cells.append(Cell(kind, language, tokens, reads))
        done(cells[-1])

    for tokens in lengths:
        questions = QUESTIONS.get(tokens, 200)
        for kind in kinds:
            for language in ("en", "zh"):
                if kind == "self-made":
                    made = self_made_tasks(texts[language], language, candidate.count, tokens=tokens, questions=questions)
                    measured(kind, language, tokens, made)
                elif kind == "human":
                    made = human_tasks(training, language, candidate.count, tokens=tokens, questions=questions)
                    measured(kind, language, tokens, made)
    if "contracts" in kinds:
        measured("lawyers'", "en", min(TOKENS), contract_tasks(documents, candidate.count, tokens=min(TOKENS)))
        measured("lawyers'", "en", 0, contract_tasks(documents, candidate.count))
    return cells


def _kept(path: Path, candidate: Candidate, task: Task) -> Read:
    """From the file, or measured now and written to it."""
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        return Read(**{**found, "rows": tuple(Row(**row) for row in found["rows"])})
    read = measure(candidate, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(dataclasses.asdict(read)) + "\n", encoding="utf-8")
    temporary.replace(path)
    return read


def measure(candidate: Candidate, task: Task) -> Read:
    yardstick = BM25(task.document)
    began = time.perf_counter()
    tokens = candidate.read(task.document)
    read_s = time.perf_counter() - began
    rows = []
    for asked in task.asked:
        began = time.perf_counter()
        found = candidate.answer(asked.text)
        answer_s = time.perf_counter() - began
        right = found.passage in asked.right
        quote = flattened(found.quotation) if right else ""
        first = int(yardstick.scores(asked.text).argmax())
        quoted = any(answer in quote for answer in asked.answers) if right else None
        rows.append(Row(bool(asked.right), right, first in asked.right, found.sure, quoted, len(quote), answer_s))
    return Read(len(task.document), tokens, read_s, tuple(rows))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _shown(values: Sequence[bool]) -> str:
    """Their share, ± its standard error."""
    if not values:
        return "–"
    share = _mean(values)
    return f"{share:.2f} ± {np.sqrt(share * (1 - share) / len(values)):.2f}"


COLUMNS = (
    "questions", "language", "tokens", "readings × passages", "n", "starter", "BM25", "quotation holds the answer",
    "its characters", "recognised as not there", "false alarms", "tokens/s", "ms",
)  # fmt: skip


def table(cells: Sequence[Cell]) -> str:
    """The cells as a Markdown table."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS)]
    for c in cells:
        quoted = [row for row in c.rows if row.quoted is not None]
        tokens = sum(read.tokens for read in c.reads)
        values = (
            c.kind,
            c.language,
            f"{c.tokens or round(tokens / len(c.reads)):,}",
            f"{len(c.reads)} × {_mean([read.passages for read in c.reads]):.0f}",
            str(len(c.answerable)),
            _shown([row.right for row in c.answerable]),
            _shown([row.bm25 for row in c.answerable]),
            _shown([row.quoted is True for row in quoted]),
            f"{_mean([row.quote_characters for row in quoted]):.0f}",
            _shown([not row.sure for row in c.rows if not row.answerable]),
            _shown([not row.sure for row in c.answerable]),
            f"{tokens / sum(read.read_s for read in c.reads):,.0f}",
            f"{1000 * _mean([row.answer_s for row in c.rows]):.0f}",
        )
        lines.append(f"| {' | '.join(values)} |")
    return "\n".join(lines)


def plot(cells: Sequence[Cell], path: Path) -> None:
    """Right passage over length, the starter solid and BM25 dashed (needs matplotlib)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 2, sharey=True), ("self-made", "human"), strict=True):
        for language, colour in (("en", "tab:blue"), ("zh", "tab:red")):
            row = [c for c in cells if (c.kind, c.language) == (kind, language)]
            lengths = [c.tokens for c in row]
            axes.plot(lengths, [c.right for c in row], color=colour, marker="o", label=f"starter, {language}")
            axes.plot(lengths, [c.bm25 for c in row], color=colour, linestyle="--", marker="x", label=f"BM25, {language}")
        axes.set(title=f"{kind} questions", xscale="log", xlabel="tokens in the document", ylim=(0, 1.02))
        lengths = sorted({c.tokens for c in cells if c.kind == kind})
        axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("right passage")
    figure.axes[0].legend()
    figure.savefig(path)
