"""Measures the starter on held-out documents, BM25 beside it, and prints the table of the model card.

A cell is 200 questions about documents of one length in tokens. Questions: self-made from the held-out documents; human ones
from the fifth of qa.jsonl that training never sees, and from the lawyers' questions on the held-out contracts; and questions
whose answer is not there, made from text that is not in the document. A cell counts the right passage, the right sentence of
a right passage, and answers given to the unanswerable.

usage: python -m unabridged.models.starter.evaluate DOCUMENTS TRAINING [--model GGUF] [--tokens 2000 8000] [--questions 200]
                                                    [--out scores.json] [--plot scores.png]
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np
from unabridged.models.starter import starter_path
from unabridged.models.starter.bm25 import BM25
from unabridged.models.starter.corpus import HumanQuestion, human_questions, is_held_out
from unabridged.models.starter.finder_probe import Probe
from unabridged.models.starter.questions import passages, self_made, sentences
from unabridged.models.starter.shortcut import Shortcut

TOKENS = (2_000, 8_000, 32_000, 128_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """`passage` is an index, None where nothing fits; `answer` is what the quotation must contain."""

    text: str
    passage: int | None
    answer: str


@dataclass(frozen=True, slots=True)
class Task:
    document: list[str]
    asked: list[Asked]


@dataclass(frozen=True, slots=True)
class Cell:
    kind: str
    language: str
    tokens: int
    passages: float
    questions: int
    finder: float  # right passage, of the answerable
    bm25: float
    sentence: float  # the chosen sentence holds the answer, of the right passages
    false_alarms: float  # answerable, but said not to be there
    rejected: float  # unanswerable, and said not to be there
    prefill_tokens_per_s: float
    question_ms: float


def held_out_texts(documents: Path) -> dict[str, list[str]]:
    contracts = sorted((documents / "contracts").glob("*.txt"))
    novels = sorted((documents / "novels").glob("*.txt"))
    english = [*(n for n in novels if n.name.isascii()), *contracts]
    chinese = [*(n for n in novels if not n.name.isascii()), *sorted((documents / "laws").glob("*.md"))[:2]]
    return {"en": [p.read_text(encoding="utf-8") for p in english], "zh": [p.read_text(encoding="utf-8") for p in chinese]}


def self_made_tasks(
    probe: Probe | Shortcut, texts: Sequence[str], language: str, *, tokens: int, questions: int, seed: int
) -> Iterator[Task]:
    """Stretches of the texts, and questions on them and on another stretch."""
    random = Random(seed)  # noqa: S311
    cut = [passages(text, language) for text in texts]
    flat = [p for text in cut for p in text]
    count = {2_000: 20, 8_000: 10, 32_000: 4}.get(tokens, 1)
    for _ in range(count):
        document, rest = _stretch(probe, flat, tokens, random)
        asked = []
        for fits, source in ((True, list(enumerate(document))), (False, [(-1, p) for p in rest])):
            random.shuffle(source)
            wanted = questions // count if fits else max(1, questions // count // 2)
            for index, passage in source:
                if wanted and (made := self_made(random, passage, language)) is not None:
                    asked.append(Asked(made[0], index if fits else None, made[1]))
                    wanted -= 1
        yield Task(document, asked)


def human_tasks(
    probe: Probe | Shortcut, training: Path, language: str, *, tokens: int, questions: int, seed: int
) -> Iterator[Task]:
    """Contexts of many human questions in a row; questions of contexts that were left out are the unanswerable ones."""
    random = Random(seed)  # noqa: S311
    by_context: dict[str, list[HumanQuestion]] = {}
    for q in human_questions(training):
        if q.language == language and q.start >= 0 and is_held_out(q.context):
            by_context.setdefault(q.context, []).append(q)
    count = {2_000: 20, 8_000: 10, 32_000: 4}.get(tokens, 1)
    for _ in range(count):
        contexts = random.sample(list(by_context), len(by_context))
        document: list[str] = []
        asked: list[Asked] = []
        used = 0
        while contexts and (used < tokens * 0.9 or not document):
            context = contexts.pop()
            parts = passages(context, language)
            size = sum(len(probe.tokenize(p)) + 1 for p in parts)
            if used + size > tokens * 1.05:
                if used + size > tokens * 3 and used < tokens * 0.5:
                    continue
                if used:
                    break
            for q in by_context[context]:
                end = 0
                for index, part in enumerate(parts):
                    end += len(part)
                    if q.start < end:
                        asked.append(Asked(q.question, len(document) + index, q.answer))
                        break
            document += parts
            used += size
        asked = random.sample(asked, min(len(asked), questions // count))
        others = [q for c in contexts[: len(asked)] for q in by_context[c]]
        asked += [Asked(q.question, None, "") for q in random.sample(others, min(len(others), len(asked) // 2))]
        yield Task(document, asked)


def contract_tasks(documents: Path) -> Iterator[Task]:
    """The lawyers' questions, each contract by itself; right is the first passage that holds the marked stretch's head."""
    questions = json.loads((documents / "contracts" / "questions.json").read_text(encoding="utf-8"))
    for name in sorted({q["contract"] for q in questions}):
        document = passages((documents / "contracts" / name).read_text(encoding="utf-8"), "en")
        flat = [_plain(p) for p in document]
        asked = []
        for q in questions:
            if q["contract"] != name or not q["answers"]:
                continue
            topic, _, details = q["question"].partition("Details: ")
            topic = re.sub(r'.*related to "([^"]*)".*', r"\1", topic)
            for answer in q["answers"][:1]:
                head = _plain(answer)[:60]
                found = [i for i, p in enumerate(flat) if head in p]
                if found:
                    asked.append(Asked(f"{topic}: {details}", found[0], answer))
        yield Task(document, asked)


def measure(probe: Probe | Shortcut, kind: str, language: str, tokens: int, tasks: Iterator[Task]) -> Cell:
    right: list[bool] = []
    bm25: list[bool] = []
    quoted: list[bool] = []
    alarms: list[bool] = []
    rejected: list[bool] = []
    sizes, reading_s, asking_s, read = [], 0.0, 0.0, 0
    for task in tasks:
        began = time.perf_counter()
        read += probe.read([probe.tokenize(p) for p in task.document])
        reading_s += time.perf_counter() - began
        yardstick = BM25(task.document)
        sizes.append(len(task.document))
        chosen = []
        for asked in task.asked:
            began = time.perf_counter()
            probabilities = softmax(probe.ask(probe.tokenize(asked.text)))
            asking_s += time.perf_counter() - began
            best = int(probabilities.argmax())
            silent = bool(probabilities[best] < probe.threshold)
            if asked.passage is None:
                rejected.append(silent)
                continue
            alarms.append(silent)
            right.append(best == asked.passage)
            bm25.append(int(yardstick.scores(asked.text).argmax()) == asked.passage)
            if right[-1]:
                chosen.append((asked, task.document[best]))
        quoted += [_sentence_holds(probe, asked, passage, language) for asked, passage in chosen]
    return Cell(
        kind, language, tokens, float(np.mean(sizes)), len(right), _mean(right), _mean(bm25), _mean(quoted), _mean(alarms),
        _mean(rejected), read / reading_s, 1000 * asking_s / (len(right) + len(rejected)),
    )  # fmt: skip


def _sentence_holds(probe: Probe | Shortcut, asked: Asked, passage: str, language: str) -> bool:
    """The evidence step: the passage's sentences as a little document. Does the named one hold the answer?"""
    parts = [s for s in sentences(passage, language) if s.strip()]
    if len(parts) > 1:
        probe.read([probe.tokenize(s) for s in parts])
        part = parts[int(probe.ask(probe.tokenize(asked.text)).argmax())]
    else:
        part = passage
    return _plain(asked.answer)[:40] in _plain(part)


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max())
    result: np.ndarray = shifted / shifted.sum()
    return result


def _plain(text: str) -> str:
    return " ".join(text.split())


def _mean(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _stretch(probe: Probe | Shortcut, flat: Sequence[str], tokens: int, random: Random) -> tuple[list[str], list[str]]:
    """Neighbouring passages that make up `tokens` tokens from a random place on (round the end), and all the others."""
    start = random.randrange(len(flat))
    used, count = 1, 0
    while count < len(flat):
        size = len(probe.tokenize(flat[(start + count) % len(flat)])) + 1
        if used + size > tokens:
            break
        used += size
        count += 1
    ring = [flat[(start + i) % len(flat)] for i in range(len(flat))]
    return ring[:count], ring[count:]


def table(cells: Sequence[Cell]) -> str:
    """The cells as a Markdown table."""
    first = ("questions", "language", "tokens", "passages", "n", "starter", "BM25", "sentence")
    names = (*first, "false alarms", "rejected", "tokens/s", "ms")
    head = f"| {' | '.join(names)} |"
    lines = [head, "|" + " --- |" * 12]
    for c in cells:
        scores = " | ".join(
            "–" if np.isnan(x) else f"{x:.2f}" for x in (c.finder, c.bm25, c.sentence, c.false_alarms, c.rejected)
        )
        lines.append(
            f"| {c.kind} | {c.language} | {c.tokens:,} | {c.passages:.0f} | {c.questions} | {scores} "
            f"| {c.prefill_tokens_per_s:,.0f} | {c.question_ms:.0f} |"
        )
    return "\n".join(lines)


def plot(cells: Sequence[Cell], path: Path) -> None:
    """Right passage over length, the starter solid and BM25 dashed (needs matplotlib)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 2, sharey=True), ("self-made", "human"), strict=True):
        for language, colour in (("en", "tab:blue"), ("zh", "tab:red")):
            row = [c for c in cells if (c.kind, c.language) == (kind, language)]
            lengths = [c.tokens for c in row]
            axes.plot(lengths, [c.finder for c in row], color=colour, marker="o", label=f"starter, {language}")
            axes.plot(lengths, [c.bm25 for c in row], color=colour, linestyle="--", marker="x", label=f"BM25, {language}")
        axes.set(title=f"{kind} questions", xscale="log", xlabel="tokens in the document", ylim=(0, 1))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("right passage")
    figure.axes[0].legend()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="measure the starter, BM25 beside it")
    parser.add_argument("documents", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--tokens", type=int, nargs="+", default=list(TOKENS))
    parser.add_argument("--kinds", nargs="+", default=["self-made", "human", "contracts"])
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shortcut", action="store_true", help="estimate without llama.cpp (see shortcut.py)")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    texts = held_out_texts(arguments.documents)
    cells: list[Cell] = []
    window = max(*arguments.tokens, 30_000) + 4_096
    model = arguments.model or starter_path()
    opened = nullcontext(Shortcut(model)) if arguments.shortcut else Probe(model, window=window, threads=arguments.threads)
    with opened as probe:
        for tokens in arguments.tokens:
            for language in ("en", "zh"):
                options = {"tokens": tokens, "questions": arguments.questions, "seed": arguments.seed}
                if "self-made" in arguments.kinds:
                    tasks = self_made_tasks(probe, texts[language], language, **options)
                    cells.append(measure(probe, "self-made", language, tokens, tasks))
                if "human" in arguments.kinds:
                    tasks = human_tasks(probe, arguments.training, language, **options)
                    cells.append(measure(probe, "human", language, tokens, tasks))
                sys.stderr.write(table(cells[-2:]) + "\n")
        if "contracts" in arguments.kinds:
            cells.append(measure(probe, "contracts", "en", 15_000, contract_tasks(arguments.documents)))
    sys.stdout.write(table(cells) + "\n")
    if arguments.out:
        arguments.out.write_text(json.dumps([asdict(c) for c in cells], indent=1) + "\n", encoding="utf-8")
    if arguments.plot:
        plot(cells, arguments.plot)


if __name__ == "__main__":
    main()
