"""What the weights are made from: how common each token is, and training examples without end.

An example is a document cut into passages (or one passage cut into sentences, as the evidence step has it), with questions
on it whose passage is known, and some that it does not answer. A stage of the curriculum says of what kind, how long, and how
many passages with a question's own words stand beside the right one. Same seed and number, same example. Never sees the
held-out fifth.

usage: python -m unabridged.models.starter.data TRAINING_FOLDER vocabulary.tiktoken counts.npz
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import tokenizer
from unabridged.models.starter.bm25 import BM25
from unabridged.models.starter.corpus import HumanQuestion, human_questions, is_for_development, is_held_out, texts
from unabridged.models.starter.questions import passages, self_made, sentences
from unabridged.models.starter.stages import Stage

NOTHING = -1
RIVALS = 2_000  # passages, at most, among which hard ones are looked for, in each language


def shares(folder: Path, ranks: dict[bytes, int], *, characters: int = 10_000_000) -> NDArray[np.float64]:
    """Each token's share of the text of the language in which it is more common; float64 [tokens]."""
    encoding = tokenizer.encoding(ranks)
    made = np.zeros((2, len(ranks)))
    for row, language in enumerate(("en", "zh")):
        for text in texts(folder, language, characters=characters):
            made[row] += np.bincount(encoding.encode_ordinary(text), minlength=len(ranks))
    highest: NDArray[np.float64] = (made / made.sum(1, keepdims=True)).max(0)
    return highest


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids; `targets[i]` is the index of the passage that question i is about, NOTHING where none is."""

    kind: str
    passages: list[list[int]]
    questions: list[list[int]]
    targets: list[int]


class Examples:
    """Keeps the text in memory (some 200 MB) and makes examples from it; `development`: from the contexts kept for that."""

    def __init__(self, folder: Path, ranks: dict[bytes, int], *, seed: int = 0, development: bool = False) -> None:
        self._encode: Callable[[str], list[int]] = tokenizer.encoding(ranks).encode_ordinary
        self._seed = f"{seed}:{development}"
        self._asked: dict[str, dict[str, list[HumanQuestion]]] = {"en": {}, "zh": {}}
        for question in human_questions(folder):
            context = question.context
            if question.start >= 0 and not is_held_out(context) and is_for_development(context) == development:
                self._asked[question.language].setdefault(context, []).append(question)
        self._contexts = {language: sorted(contexts) for language, contexts in self._asked.items()}
        random = Random(self._seed)  # noqa: S311
        self._texts = {language: list(texts(folder, language, characters=30_000_000)) for language in ("en", "zh")}
        self._pools = {}
        for language, known in self._texts.items():
            sources = random.choices(known, k=RIVALS // 8) + random.choices(self._contexts[language], k=RIVALS // 8)
            self._pools[language] = [part for text in sources for part in passages(text[:4000], language)[:4]]
        self._rivals = {language: BM25(pool) for language, pool in self._pools.items()}

    def at(self, number: int, stage: Stage) -> Example:
        random = Random(f"{self._seed}:{stage.name}:{number}")  # noqa: S311
        language = random.choice(("en", "zh"))
        tokens = random.choice(stage.tokens)
        kind = random.choices([name for name, _ in stage.kinds], [weight for _, weight in stage.kinds])[0]
        if kind == "sentences":
            return self._sentences(random, language)
        document, asked = (
            self._self_made(random, language, tokens, stage) if kind == "self-made" else self._human(random, language, tokens)
        )
        if random.random() < stage.rivals:
            document, asked = self._among_rivals(random, language, document, asked)
        return self._example(random, kind, language, document, asked)

    def _human(self, random: Random, language: str, tokens: int) -> tuple[list[str], list[tuple[str, int]]]:
        document: list[str] = []
        asked: list[tuple[str, int]] = []
        used = 0
        for context in random.sample(self._contexts[language], 40):
            parts = passages(context, language)
            for question in random.sample(self._asked[language][context], min(6, len(self._asked[language][context]))):
                asked.append((question.question, len(document) + _holder(parts, question.start)))
            document += parts
            used += sum(len(self._encode(part)) for part in parts)
            if used > tokens:
                break
        return document, random.sample(asked, min(24, len(asked)))

    def _sentences(self, random: Random, language: str) -> Example:
        for context in random.sample(self._contexts[language], 40):
            question = random.choice(self._asked[language][context])
            parts = passages(context, language)
            at = _holder(parts, question.start)
            before = sum(map(len, parts[:at]))
            lines = sentences(parts[at], language)
            if len(lines) < 2:
                continue
            asked = [
                (q.question, _holder(lines, q.start - before))
                for q in self._asked[language][context]
                if before <= q.start < before + len(parts[at])
            ]
            return Example(
                "sentences", [self._encode(s) for s in lines], [self._encode(q) for q, _ in asked], [i for _, i in asked]
            )
        raise ValueError("forty contexts of one sentence each: is this the training folder?")

    def _self_made(
        self, random: Random, language: str, tokens: int, stage: Stage
    ) -> tuple[list[str], list[tuple[str, int]]]:
        document: list[str] = []
        used = 0
        while used < tokens:
            parts = passages(random.choice(self._texts[language]), language)
            start = random.randrange(len(parts)) if parts else 0
            for part in parts[start : start + 12]:
                document.append(part)
                used += len(self._encode(part))
        low, high = stage.words_kept
        asked = []
        for index in random.sample(range(len(document)), min(24, len(document))):
            if (made := self_made(random, document[index], language, low=low, high=high)) is not None:
                asked.append((made[0], index))
        return document, asked

    def _among_rivals(
        self, random: Random, language: str, document: list[str], asked: list[tuple[str, int]]
    ) -> tuple[list[str], list[tuple[str, int]]]:
        """The document with, for some of its questions, the passages of a pool that BM25 takes for the answer; shuffled."""
        added: list[str] = []
        for text, target in random.sample(asked, min(8, len(asked))):
            best = self._rivals[language].scores(text).argsort()[-3:]
            added += [p for p in (self._pools[language][int(i)] for i in best) if p not in document[target]]
        whole = [*document, *dict.fromkeys(p for p in added if p not in document)]
        order = random.sample(range(len(whole)), len(whole))
        place = {old: new for new, old in enumerate(order)}
        return [whole[i] for i in order], [(text, place[target]) for text, target in asked]

    def _example(self, random: Random, kind: str, language: str, document: list[str], asked: list[tuple[str, int]]) -> Example:
        """Adds a question from elsewhere for every fourth one that belongs here."""
        for _ in range(len(asked) // 4):
            context = random.choice(self._contexts[language])
            if not any(part in context for part in document):
                asked = [*asked, (random.choice(self._asked[language][context]).question, NOTHING)]
        return Example(
            kind, [self._encode(part) for part in document], [self._encode(text) for text, _ in asked], [i for _, i in asked]
        )


def _holder(parts: list[str], position: int) -> int:
    """Which part of a text cut into parts holds that position."""
    end = 0
    for index, part in enumerate(parts):
        end += len(part)
        if position < end:
            return index
    return len(parts) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description="count tokens of the training text")
    parser.add_argument("training", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, shares=shares(arguments.training, tokenizer.load(arguments.vocabulary)))


if __name__ == "__main__":
    main()
