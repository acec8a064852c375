"""An answer from a model that finds and quotes but does not reason: the passages it points at, and a few words of each.

Three ways to answer, by the model's certainty: sure (from its own threshold on, which was fitted), nearest (said to be no more
than that), and nothing (where questions lie that share hardly a word with the documents).
"""

import re
from collections.abc import Generator, Sequence

from unabridged.answers import Said
from unabridged.citations import Citation, place
from unabridged.context import Context
from unabridged.events import SourceCited, TextDelta
from unabridged.fencing import disarmed
from unabridged.models.engine import Engine, Reading, Tokens
from unabridged.models.pointing import Pointed, pointed, quoted
from unabridged.prompts import FinderPrompt, Numbered
from unabridged.receipts import Tally
from unabridged.sentences import sentences_of

MOST_PASSAGES = 3
CLEARLY = 0.2  # of the best passage's lift: below it a passage is not shown beside the best one
NEAR = 0.05  # certainty of the nearest passages that are shown; fewer than one in a hundred right ones lay below (calibrate)
MOST_CHARACTERS = {"en": 400, "zh": 160}  # of a quotation of several sentences
ENOUGH = {"en": 200, "zh": 60}  # of a nearest passage; a shorter one counts for less, since a heading alone answers nothing
HAN = re.compile(r"[\u3400-\u9fff]")

UNSURE = {
    "en": "No passage clearly answers this. The nearest that I found:",
    "zh": "没有段落明确回答这个问题。最接近的是：",
}
NOTHING = {
    "en": "I found no passage in these documents that seems to answer this.",
    "zh": "在这些文件中没有找到看来能回答这个问题的段落。",
}
NOTE = {
    "en": "(The starter model finds and quotes passages; it does not reason about them.)",
    "zh": "（内置的入门模型只查找并引用原文，不作推理。）",
}


def find_answer(
    engine: Engine,
    prompt: FinderPrompt,
    reading: Reading,
    context: Context,
    question: str,
    tally: Tally,
    *,
    pages: Sequence[Numbered] = (),
) -> Generator[TextDelta | SourceCited, None, Said]:
    """Yields the quotations as they are found; below the model's own threshold they are the nearest, and said to be no more."""
    language = language_of(question)
    passages = (*context.passages, *pages)
    asked = prompt.question(engine, question, pages)
    points = point(engine, prompt, reading, passages, asked, tally)
    text = ""
    citations: list[Citation] = []
    sure = points.certainty >= prompt.threshold
    found = nearest(passages, points, sure=sure) if sure or points.certainty >= NEAR else []
    if found and not sure:
        text = f"{UNSURE[language]}\n\n"
        yield TextDelta(text)
    for numbered in found:
        start, end = quotation(engine, prompt, numbered, question, tally)
        citation = place(len(citations) + 1, numbered, start, end)
        citations.append(citation)
        shown = disarmed(citation.quote) if citation.url else citation.quote
        delta = f"{_quoted(shown, language)} [{citation.n}]\n\n"
        text += delta
        yield TextDelta(delta)
        yield SourceCited(citation)
    delta = NOTE[language] if citations else f"{NOTHING[language]}\n\n{NOTE[language]}"
    yield TextDelta(delta)
    return Said(text + delta, tuple(citations), unsure=not sure)


def point(
    engine: Engine, prompt: FinderPrompt, reading: Reading, passages: Sequence[Numbered], asked: Tokens, tally: Tally
) -> Pointed:
    """What the model makes of every passage, and of the possibility that none fits; `asked` is the question's prompt."""
    tally.asked(len(asked))
    choice = engine.choose(reading, asked, [*(prompt.option(numbered.number) for numbered in passages), prompt.nothing])
    tally.add(choice)
    return pointed(choice.probabilities, [numbered.passage.end - numbered.passage.start for numbered in passages])


def nearest(passages: Sequence[Numbered], points: Pointed, *, sure: bool) -> list[Numbered]:
    """The best passage, and after it those that stand out nearly as much."""
    weights = [lift if sure else lift * _share_of_enough(n.text) for lift, n in zip(points.lifts, passages, strict=True)]
    best = sorted(range(len(weights)), key=lambda i: -weights[i])[:MOST_PASSAGES]
    return [passages[i] for i in best if weights[i] >= CLEARLY * weights[best[0]]]


def _share_of_enough(text: str) -> float:
    return min(1.0, len(text) / ENOUGH[language_of(text)])


def quotation(engine: Engine, prompt: FinderPrompt, numbered: Numbered, question: str, tally: Tally) -> tuple[int, int]:
    """The span to quote of a passage: its sentences are numbered, the model points at them, the best run of them is taken."""
    spans = with_words(numbered.text, sentences_of(numbered))
    if len(spans) == 1:
        return spans[0]
    sentences = [numbered.text[start:end] for start, end in spans]
    choice = engine.choose(
        None, prompt.evidence(engine, sentences, question), [prompt.option(number) for number in range(1, len(spans) + 1)]
    )
    tally.add(choice)
    return quoted(choice.probabilities, spans, most_characters=MOST_CHARACTERS[language_of(numbered.text)])


def language_of(text: str) -> str:
    return "zh" if HAN.search(text) else "en"


def with_words(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without bare numbers, of which tables of contents are full and which say nothing; all, if there is nothing else."""
    return [(start, end) for start, end in spans if any(map(str.isalpha, text[start:end]))] or spans


def _quoted(quote: str, language: str) -> str:
    return f"「{quote}」" if language == "zh" else f"“{quote}”"
