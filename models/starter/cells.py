"""What the starter is asked when it is measured: documents of one length and questions on them, all of it held out.

A document is a row of passages. Self-made questions are made of the held-out books, laws and contracts; human ones are the
fifth of qa.jsonl that no training sees, their contexts put in a row; lawyers' questions belong to the contracts. Unanswerable
ones are of the same making, about text that is not in the document. Knows lengths in tokens, no model.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from unabridged.models.starter.corpus import HumanQuestion, human_questions, is_held_out
from unabridged.models.starter.questions import passages, self_made

READINGS = {2_000: 20, 8_000: 10, 32_000: 2, 128_000: 1}  # documents of a cell, its questions shared out among them
CLOSING = "\"'”’」』）) "  # what a sentence that is cut off before may begin with
COMPARED = 40  # characters of an answer that a quotation must hold

Count = Callable[[Sequence[str]], list[int]]  # tokens of each text


@dataclass(frozen=True, slots=True)
class Asked:
    """`right` are the indices of the passages that answer, none where nothing does; a quotation must hold one of `answers`."""

    text: str
    right: frozenset[int]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    document: list[str]
    asked: list[Asked]


def held_out_texts(documents: Path) -> dict[str, list[str]]:
    contracts = sorted((documents / "contracts").glob("*.txt"))
    novels = sorted((documents / "novels").glob("*.txt"))
    english = [*(n for n in novels if n.name.isascii()), *contracts]
    chinese = [*(n for n in novels if not n.name.isascii()), *sorted((documents / "laws").glob("*.md"))[:2]]
    return {"en": [p.read_text(encoding="utf-8") for p in english], "zh": [p.read_text(encoding="utf-8") for p in chinese]}


def self_made_tasks(
    texts: Sequence[str], language: str, count: Count, *, tokens: int, questions: int, seed: int = 0
) -> Iterator[Task]:
    """Stretches of the texts, and questions on them and on all the rest. Right is every passage that holds the sentence."""
    random = Random(seed)  # noqa: S311
    flat = [p for text in texts for p in passages(text, language)]
    sizes = count(flat)
    readings = READINGS.get(tokens, 1)
    for _ in range(readings):
        document, rest = _stretch(flat, sizes, tokens, random)
        plain = [flattened(p) for p in document]
        asked = []
        for fits, source in ((True, document), (False, rest)):
            wanted = questions // readings if fits else questions // readings // 2
            for passage in random.sample(source, len(source)):
                if wanted and (made := self_made(random, passage, language)) is not None:
                    sentence = flattened(made[1]).lstrip(CLOSING)
                    right = frozenset(i for i, p in enumerate(plain) if sentence in p)
                    if fits or not right:
                        asked.append(Asked(made[0], right, (sentence[:COMPARED],)))
                        wanted -= 1
        yield Task(document, asked)


def human_tasks(
    training: Path,
    language: str,
    count: Count,
    *,
    tokens: int,
    questions: int,
    seed: int = 0,
    chosen: Callable[[str], bool] = is_held_out,
) -> Iterator[Task]:
    """Contexts of many human questions in a row; questions on contexts that were left out are the unanswerable ones.

    Where several contexts are asked the same in the same words ("Governing Law"), the passage of any of them is right, and such
    a question, taken from elsewhere, is no unanswerable one.
    """
    random = Random(seed)  # noqa: S311
    by_context: dict[str, list[HumanQuestion]] = {}
    for q in human_questions(training):
        if q.language == language and q.start >= 0 and chosen(q.context):
            by_context.setdefault(q.context, []).append(q)
    size = dict(zip(by_context, count(list(by_context)), strict=True))
    readings = READINGS.get(tokens, 1)
    for _ in range(readings):
        waiting = random.sample(list(by_context), len(by_context))
        document: list[str] = []
        asked: list[Asked] = []
        used = 0
        while waiting and used < tokens * 0.9:
            context = waiting.pop()
            if used + size[context] > tokens * 1.05 and (used or size[context] > tokens * 3):
                continue
            parts = passages(context, language)
            asked += [_placed(q, parts, len(document)) for q in by_context[context]]
            document += parts
            used += size[context]
        same: dict[str, Asked] = {}
        for a in asked:
            known = same.get(a.text, Asked(a.text, frozenset()))
            same[a.text] = Asked(a.text, known.right | a.right, known.answers + a.answers)
        asked = [same[a.text] for a in asked]
        asked = random.sample(asked, min(len(asked), questions // readings))
        others = [q for context in waiting if context not in document for q in by_context[context] if q.question not in same]
        asked += [Asked(q.question, frozenset()) for q in random.sample(others, min(len(others), len(asked) // 2))]
        yield Task(document, asked)


def contract_tasks(documents: Path, count: Count, *, tokens: int | None = None) -> Iterator[Task]:
    """The lawyers' questions, each contract by itself; right is every passage that holds the head of a marked stretch.

    With `tokens`, contracts are cut into stretches of so many, and a question is asked of the first that answers it.
    """
    questions = json.loads((documents / "contracts" / "questions.json").read_text(encoding="utf-8"))
    for name in sorted({q["contract"] for q in questions}):
        document = passages((documents / "contracts" / name).read_text(encoding="utf-8"), "en")
        plain = [flattened(p) for p in document]
        asked = []
        for q in questions:
            heads = [flattened(answer)[:COMPARED] for answer in q["answers"]] if q["contract"] == name else []
            if heads:
                topic, _, details = q["question"].partition("Details: ")
                topic = re.sub(r'.*related to "([^"]*)".*', r"\1", topic)
                if right := frozenset(i for i, p in enumerate(plain) if any(h in p for h in heads)):
                    asked.append(Asked(f"{topic}: {details}", right, tuple(heads)))
        if tokens is None:
            yield Task(document, asked)
        else:
            yield from _cut(Task(document, asked), count(document), tokens)


def _cut(task: Task, sizes: Sequence[int], tokens: int) -> Iterator[Task]:
    """The stretches of a document that answer a question, each with those that no stretch before it answers."""
    start, waiting = 0, task.asked
    while start < len(sizes):
        end = start + 1
        while end < len(sizes) and sum(sizes[start : end + 1]) <= tokens:
            end += 1
        here = [(a, frozenset(i - start for i in a.right if start <= i < end)) for a in waiting]
        waiting = [a for a, right in here if not right]
        if asked := [Asked(a.text, right, a.answers) for a, right in here if right]:
            yield Task(task.document[start:end], asked)
        start = end


def flattened(text: str) -> str:
    return " ".join(text.split())


def _placed(question: HumanQuestion, parts: Sequence[str], before: int) -> Asked:
    """The passage in which the answer begins, and as much of the answer as stands in it."""
    start = question.start
    for index, part in enumerate(parts):
        if start < len(part):
            answer = part[start : start + len(question.answer)]
            return Asked(question.question, frozenset([before + index]), (flattened(answer)[:COMPARED],))
        start -= len(part)
    raise ValueError("an answer that begins behind its context")


def _stretch(flat: Sequence[str], sizes: Sequence[int], tokens: int, random: Random) -> tuple[list[str], list[str]]:
    """Neighbouring passages that make up `tokens` tokens from a random place on (round the end), and all the others."""
    start = random.randrange(len(flat))
    used, count = 1, 0
    while count < len(flat):
        size = sizes[(start + count) % len(flat)] + 1
        if used + size > tokens:
            break
        used += size
        count += 1
    ring = [flat[(start + i) % len(flat)] for i in range(len(flat))]
    return ring[:count], ring[count:]
