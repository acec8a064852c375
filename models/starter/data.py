"""What the weights are made from: how common each token is, and training examples without end.

An example is a document cut into passages (or one passage cut into sentences, as the evidence step has it), with questions
on it whose passage is known, and some that it does not answer. Same seed and step, same example. Never sees the held-out fifth.

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
from unabridged.models.starter.corpus import HumanQuestion, human_questions, is_held_out, texts
from unabridged.models.starter.questions import passages, self_made, sentences

NOTHING = -1


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
    """Keeps the text in memory (some 200 MB) and makes examples from it."""

    def __init__(self, folder: Path, ranks: dict[bytes, int], *, seed: int = 0) -> None:
        self._encode: Callable[[str], list[int]] = tokenizer.encoding(ranks).encode_ordinary
        self._seed = seed
        self._texts = {language: list(texts(folder, language, characters=30_000_000)) for language in ("en", "zh")}
        self._asked: dict[str, dict[str, list[HumanQuestion]]] = {"en": {}, "zh": {}}
        for question in human_questions(folder):
            if question.start >= 0 and not is_held_out(question.context):
                self._asked[question.language].setdefault(question.context, []).append(question)
        self._contexts = {language: sorted(contexts) for language, contexts in self._asked.items()}

    def at(self, step: int) -> Example:
        random = Random(f"{self._seed}:{step}")  # noqa: S311
        language = random.choice(("en", "zh"))
        tokens = random.choice((500, 1000, 2000, 2500))
        kind = random.choices(("human", "sentences", "self-made"), (5, 3, 2))[0]
        if kind == "self-made":
            return self._self_made(random, language, tokens)
        return self._human(random, language, tokens) if kind == "human" else self._sentences(random, language)

    def _human(self, random: Random, language: str, tokens: int) -> Example:
        document: list[list[int]] = []
        asked: list[tuple[str, int]] = []
        for context in random.sample(self._contexts[language], 40):
            parts = passages(context, language)
            for question in random.sample(self._asked[language][context], min(6, len(self._asked[language][context]))):
                asked.append((question.question, len(document) + _holder(parts, question.start)))
            document += [self._encode(part) for part in parts]
            if sum(map(len, document)) > tokens:
                break
        return self._example(random, "human", language, document, random.sample(asked, min(24, len(asked))))

    def _sentences(self, random: Random, language: str) -> Example:
        for context in random.sample(self._contexts[language], 40):
            for question in random.sample(self._asked[language][context], 1):
                parts = passages(context, language)
                passage = parts[_holder(parts, question.start)]
                before = context.index(passage)
                lines = sentences(passage, language)
                if len(lines) < 2:
                    continue
                asked = [
                    (q.question, _holder(lines, q.start - before))
                    for q in self._asked[language][context]
                    if before <= q.start < before + len(passage)
                ]
                return self._example(random, "sentences", language, [self._encode(line) for line in lines], asked)
        raise ValueError("forty contexts of one sentence each: is this the training folder?")

    def _self_made(self, random: Random, language: str, tokens: int) -> Example:
        document: list[str] = []
        used = 0
        while used < tokens:
            parts = passages(random.choice(self._texts[language]), language)
            start = random.randrange(len(parts)) if parts else 0
            for part in parts[start : start + 12]:
                document.append(part)
                used += len(self._encode(part))
        asked = []
        for index in random.sample(range(len(document)), min(24, len(document))):
            if (made := self_made(random, document[index], language)) is not None:
                asked.append((made[0], index))
        return self._example(random, "self-made", language, [self._encode(part) for part in document], asked)

    def _example(
        self, random: Random, kind: str, language: str, document: list[list[int]], asked: list[tuple[str, int]]
    ) -> Example:
        """Adds a question from elsewhere for every fourth one that belongs here."""
        for _ in range(len(asked) // 4 if kind != "sentences" else 0):
            context = random.choice(self._contexts[language])
            asked.append((random.choice(self._asked[language][context]).question, NOTHING))
        return Example(kind, document, [self._encode(text) for text, _ in asked], [target for _, target in asked])


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
