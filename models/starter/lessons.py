"""Everything that is practised on, tokenised once into one file; examples are drawn from it by number.

A context is a run of passages, a passage a run of sentences; a question knows its context, passage and sentence, and which
others mean the same. Human contexts come from qa.jsonl (never the held-out fifth), the others are stretches of training text
with self-made questions. An example is a document of whole contexts with questions on it, some of them of contexts that are not
in it. Same seed and number, same example. Knows no weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import tokenizer
from unabridged.models.starter.corpus import HumanQuestion, human_questions, is_for_development, is_held_out, texts
from unabridged.models.starter.phrasings import PHRASINGS
from unabridged.models.starter.questions import passages, self_made, sentences, short

UNKNOWN = -1  # the passage or sentence of a question whose answer does not stand in the context word for word
STRETCH = 3000  # characters of training text that make a context
QUESTIONS = 24  # of an example, at most
SHORT = 0.4  # of the questions on training text: a word or three in the dress of a question
ONE_SOURCE = 0.5  # of the documents: nothing but contracts, or policies, or tales


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens of passages and questions, and the passages' characters; `targets[i]` are the passages that answer question i."""

    passages: list[NDArray[np.uint16]]
    characters: list[int]
    questions: list[NDArray[np.uint16]]
    targets: list[tuple[int, ...]]


def pack(folder: Path, ranks: dict[bytes, int], path: Path, *, characters: int, seed: int = 0) -> None:
    """Writes the lessons: all human questions outside the held-out fifth, and `characters` of text in each language."""
    random, choice = Random(seed), Random(seed + 1)  # noqa: S311
    encode = tokenizer.encoding(ranks).encode_ordinary
    pieces: list[list[int]] = []  # sentences, then questions
    sizes: list[int] = []  # characters of each sentence
    passage_ends: list[int] = []  # in sentences
    context_ends: list[int] = []  # in passages
    kinds: list[str] = []  # of each context
    sources: list[str] = []
    asked: list[tuple[int, int, int, int]] = []  # context, passage within it, sentence within that, what is meant
    words: list[list[int]] = []  # of each question
    meant: dict[str, int] = {}  # questions that mean the same have the same number

    def add(
        kind: str, source: str, parts: Sequence[str], language: str, questions: Sequence[tuple[str, str, int, int]]
    ) -> None:
        for part in parts:
            for sentence in sentences(part, language):
                pieces.append(encode(sentence))
                sizes.append(len(sentence))
            passage_ends.append(len(pieces))
        for text, same, passage, sentence_ in questions:
            asked.append((len(context_ends), passage, sentence_, meant.setdefault(same, len(meant))))
            words.append(encode(text))
        context_ends.append(len(passage_ends))
        kinds.append(kind)
        sources.append(source)

    by_context: dict[str, list[HumanQuestion]] = {}
    for question in human_questions(folder):
        if not is_held_out(question.context):
            by_context.setdefault(question.context, []).append(question)
    for context, questions in by_context.items():
        language = questions[0].language
        parts = passages(context, language)
        apart = is_for_development(context)
        placed = []
        for q in questions:
            ways = PHRASINGS.get(q.question, ()) if q.source == "cuad" and not apart else ()
            for text in (q.question, *random.sample(ways, min(2, len(ways)))):
                placed.append((text, q.question, *_place(parts, q.start, language)))
        add(f"{'development' if apart else 'human'}-{language}", questions[0].source, parts, language, placed)
    for language in ("en", "zh"):
        for number, stretch in enumerate(_stretches(folder, language, random, characters)):
            parts = passages(stretch, language)
            made = []
            for index, part in enumerate(parts):
                question_ = self_made(random, part, language)
                if choice.random() < SHORT:
                    question_ = short(choice, part, language)
                if question_ is not None:
                    lines = sentences(part, language)
                    made.append((question_[0], question_[0], index, lines.index(question_[1])))
            add(f"{'apart' if number % 20 == 0 else 'text'}-{language}", "text", parts, language, made)
    names, from_ = sorted(set(kinds)), sorted(set(sources))
    np.savez(
        path,
        tokens=np.array([t for piece in pieces for t in piece], np.uint16),
        sentence_ends=np.cumsum([len(piece) for piece in pieces]),
        characters=np.array(sizes, np.int32),
        passage_ends=np.array(passage_ends),
        context_ends=np.array(context_ends),
        kinds=np.array([names.index(kind) for kind in kinds], np.uint8),
        names=np.array(names),
        sources=np.array([from_.index(source) for source in sources], np.uint8),
        asked=np.array(asked, np.int32),
        words=np.array([t for piece in words for t in piece], np.uint16),
        word_ends=np.cumsum([len(piece) for piece in words]),
    )


def _stretches(folder: Path, language: str, random: Random, characters: int) -> Iterator[str]:
    """Stretches from all over the training text, about `characters` in all."""
    known = list(texts(folder, language))
    every = sum(map(len, known)) / characters
    for text in known:
        for start in range(0, len(text), STRETCH):
            if random.random() * every < 1:
                yield text[start : start + STRETCH]


def _place(parts: Sequence[str], position: int, language: str) -> tuple[int, int]:
    """(passage, sentence in it) of a position in a context."""
    if position < 0:
        return UNKNOWN, UNKNOWN
    for index, part in enumerate(parts):
        if position < len(part):
            ends = np.cumsum([len(s) for s in sentences(part, language)])
            return index, int(np.searchsorted(ends, position, side="right"))
        position -= len(part)
    raise ValueError("an answer that begins behind its context")


class Lessons:
    def __init__(self, path: Path, *, seed: int = 0) -> None:
        with np.load(path) as file:
            self._tokens, self._characters, self._asked, self._words = (
                file[name] for name in ("tokens", "characters", "asked", "words")
            )
            self._sentence, self._passage, self._context, self._word = (
                np.concatenate([[0], file[name]]) for name in ("sentence_ends", "passage_ends", "context_ends", "word_ends")
            )
            names = [str(name) for name in file["names"]]
            self._sources = file["sources"]
            self._of_kind = {name: np.flatnonzero(file["kinds"] == i) for i, name in enumerate(names)}
        self._question = np.searchsorted(self._asked[:, 0], np.arange(len(self._context)))
        self._seed = seed

    def tokens(self, kinds: Sequence[str]) -> Iterator[NDArray[np.uint16]]:
        """The text of every context of these kinds."""
        for kind in kinds:
            for context in self._of_kind[kind]:
                first, last = self._passage[self._context[context]], self._passage[self._context[context + 1]]
                yield self._tokens[self._sentence[first] : self._sentence[last]]

    def example(self, number: int, kind: str, tokens: int, *, without: float = 0.0, known: bool = False) -> Example:
        """A document of about that many tokens, or all there are, from contexts of one kind ("human-en", "text-zh", …).

        `without`: that share of the questions lose their sentence, so that only what stands around it can lead to the passage.
        `known`: only questions whose passage is known, as the evaluation has them.
        """
        random = Random(f"{self._seed}:{kind}:{number}")  # noqa: S311
        contexts = self._of_kind[kind]
        if not known and random.random() < ONE_SOURCE:
            source = self._sources[contexts[random.randrange(len(contexts))]]
            contexts = contexts[self._sources[contexts] == source]
        chosen: list[int] = []
        used = 0
        while used < tokens and len(chosen) < len(contexts):
            context = int(contexts[random.randrange(len(contexts))])
            if context not in chosen:
                chosen.append(context)
                first, last = self._passage[self._context[context]], self._passage[self._context[context + 1]]
                used += int(self._sentence[last] - self._sentence[first])
        asked = [(place, q) for place, c in enumerate(chosen) for q in self._questions(c, known)]
        asked = random.sample(asked, min(QUESTIONS, len(asked)))
        dropped: dict[tuple[int, int], int] = {}
        for place, q in asked:
            _, passage, sentence, _ = (int(v) for v in self._asked[q])
            if random.random() < without and sentence != UNKNOWN:
                dropped.setdefault((place, passage), sentence)
        example = Example([], [], [], [])
        firsts = []
        for place, context in enumerate(chosen):
            firsts.append(len(example.passages))
            for index, passage in enumerate(range(self._context[context], self._context[context + 1])):
                lines = list(range(self._passage[passage], self._passage[passage + 1]))
                if (place, index) in dropped and len(lines) > 1:
                    del lines[dropped[place, index]]
                example.passages.append(np.concatenate([self._line(line) for line in lines]))
                example.characters.append(int(sum(self._characters[line] for line in lines)))
        firsts.append(len(example.passages))
        meaning = self._asked[:, 3]
        placed = [(place, q) for place, c in enumerate(chosen) for q in self._questions(c, known)]
        for place, q in asked:
            same = [(p, other) for p, other in placed if meaning[other] == meaning[q]] if not known else [(place, q)]
            example.questions.append(self._text(q))
            example.targets.append(tuple(sorted({i for p, other in same for i in self._right(other, firsts[p : p + 2])})))
        here = {int(meaning[q]) for _, q in placed}
        for _ in range(len(asked) // 4):
            context = int(contexts[random.randrange(len(contexts))])
            others = [q for q in self._questions(context, known) if int(meaning[q]) not in here]
            if others and context not in chosen:
                example.questions.append(self._text(random.choice(others)))
                example.targets.append(())
        return example

    def sentences(self, number: int, kind: str) -> Example:
        """The sentences of one passage as the passages of a document, as the evidence step has them."""
        random = Random(f"{self._seed}:sentences:{kind}:{number}")  # noqa: S311
        contexts = self._of_kind[kind]
        while True:
            context = int(contexts[random.randrange(len(contexts))])
            known = self._questions(context, True)
            if not known:
                continue
            at = int(self._asked[random.choice(known), 1])
            passage = self._context[context] + at
            lines = range(self._passage[passage], self._passage[passage + 1])
            if len(lines) > 1:
                break
        asked = [q for q in known if self._asked[q, 1] == at]
        return Example(
            [self._line(line) for line in lines],
            [int(self._characters[line]) for line in lines],
            [self._text(q) for q in asked],
            [(int(self._asked[q, 2]),) for q in asked],
        )

    def _right(self, question: int, whole: Sequence[int]) -> Sequence[int]:
        """The passage that answers it, or all of its context, which begins and ends at these passages."""
        passage = int(self._asked[question, 1])
        return range(*whole) if passage == UNKNOWN else (whole[0] + passage,)

    def _questions(self, context: int, known: bool) -> list[int]:
        found = range(self._question[context], self._question[context + 1])
        return [q for q in found if not known or self._asked[q, 1] != UNKNOWN]

    def _line(self, line: int) -> NDArray[np.uint16]:
        found: NDArray[np.uint16] = self._tokens[self._sentence[line] : self._sentence[line + 1]]
        return found

    def _text(self, question: int) -> NDArray[np.uint16]:
        found: NDArray[np.uint16] = self._words[self._word[question] : self._word[question + 1]]
        return found
