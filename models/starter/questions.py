"""Makes questions out of text: a passage, some of the words of one of its sentences, and the passage's place.

The same makers serve training (on the training text) and evaluation (on held-out documents). Knows no tokens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from unabridged.models.pointing import Span, language_of

END = {
    "en": re.compile(r"[.!?]+[\"'”’)]*\s+|\n\s*"),
    "zh": re.compile(r"[。！？；]+[”’」』）]*\s*|\n\s*"),
}
DRESSES = {
    "en": (
        "What is the {}?",
        "Is there {}?",
        "What does it say about {}?",
        "How is {} dealt with?",
        "Who has {}?",
        "When is {}?",
        "Can there be {}?",
        "Why {}?",
        "Tell me about the {}.",
        "What happens with {}?",
    ),
    "zh": ("什么是{}？", "关于{}是怎么说的？", "{}是什么意思？", "有没有{}？", "{}怎么办？", "谁{}？"),
}
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """`text` asks for passage `passage` (an index), with words of `sentence`. None: nothing in the document fits."""

    text: str
    passage: int | None
    sentence: str


def sentences(text: str, language: str) -> list[str]:
    """The sentences of a text, each with the white space behind it; joined they are the text."""
    ends = [match.end() for match in END[language].finditer(text)]
    cuts = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]


def sentence_spans(text: str) -> list[Span]:
    """Where the sentences of a passage are, without white space at their ends; one span at least."""
    spans: list[Span] = []
    end = 0
    for sentence in sentences(text, language_of(text)):
        start, end = end, end + len(sentence)
        if words := sentence.strip():
            start += len(sentence) - len(sentence.lstrip())
            spans.append((start, start + len(words)))
    return spans or [(0, len(text))]


def passages(text: str, language: str, *, characters: int = 400) -> list[str]:
    """Runs of whole sentences of about that many characters; a paragraph's end closes one that is at least half full."""
    made: list[str] = []
    current = ""
    for sentence in sentences(text, language):
        if current and len(current) + len(sentence) > characters * 1.25:
            made.append(current)
            current = ""
        current += sentence
        if len(current) >= characters or (len(current) >= characters / 2 and current.endswith("\n")):
            made.append(current)
            current = ""
    return [*made, current] if current else made


def self_made(random: Random, passage: str, language: str, *, low: float = 0.25, high: float = 0.70) -> tuple[str, str] | None:
    """(question, its sentence): between `low` and `high` of a sentence's words, in their order, half the time lower-cased.

    Chinese: spans of two to six characters. None where the passage has no sentence of at least eight words (characters: 12).
    """
    if language == "zh":
        return _spans(random, passage, low=low, high=high)
    long = [(s, words) for s in sentences(passage, language) if len(words := WORD.findall(s)) >= 8]
    if not long:
        return None
    sentence, words = random.choice(long)
    count = max(3, round(len(words) * random.uniform(low, high)))
    kept = [words[i] for i in sorted(random.sample(range(len(words)), count))]
    text = " ".join(kept)
    return (text.lower() if random.random() < 0.5 else text), sentence


def short(random: Random, passage: str, language: str) -> tuple[str, str] | None:
    """(question, its sentence): one to three longer words of it in the dress of a question, as people ask in passing."""
    made = self_made(random, passage, language, low=0.9, high=1.0)
    if made is None:
        return None
    if language == "zh":
        plain = "".join(WORD.findall(made[1]))
        at = random.randrange(len(plain) - 4)
        return random.choice(DRESSES["zh"]).format(plain[at : at + random.randint(2, 4)]), made[1]
    words = [word for word in WORD.findall(made[1]) if len(word) > 4]
    if not words:
        return None
    kept = sorted(random.sample(range(len(words)), min(len(words), random.randint(1, 3))))
    return random.choice(DRESSES["en"]).format(" ".join(words[i] for i in kept).lower()), made[1]


def _spans(random: Random, passage: str, *, low: float, high: float) -> tuple[str, str] | None:
    runs = [(s, plain) for s in sentences(passage, "zh") if len(plain := "".join(WORD.findall(s))) >= 12]
    if not runs:
        return None
    sentence, plain = random.choice(runs)
    wanted = max(4, round(len(plain) * random.uniform(low, high)))
    spans: list[str] = []
    at = random.randrange(0, max(1, len(plain) // 3))
    while wanted >= 2 and at < len(plain) - 1:
        length = min(random.randint(2, 6), wanted)
        spans.append(plain[at : at + length])
        wanted -= length
        at += length + random.randint(1, 4)
    return random.choice(("", " ", "，")).join(spans), sentence


def choose(random: Random, document: Sequence[str], language: str, count: int) -> list[Question]:
    """`count` self-made questions about different passages of a document (fewer where it has fewer usable passages)."""
    made: list[Question] = []
    for index in random.sample(range(len(document)), len(document)):
        if (question := self_made(random, document[index], language)) is not None:
            made.append(Question(question[0], index, question[1]))
        if len(made) == count:
            break
    return made
