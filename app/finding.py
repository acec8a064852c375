"""An answer from a model that finds and quotes but does not reason: the passages it points at, and a few words of each.

Three ways to answer, by the model's certainty: sure (from its own threshold on, which was fitted), nearest (said to be no more
than that), and nothing (where questions lie that share hardly a word with the documents).
"""

from collections.abc import Generator, Sequence

from unabridged.answers import Said
from unabridged.citations import Citation, place
from unabridged.context import Context
from unabridged.events import SourceCited, TextDelta
from unabridged.models.engine import Engine, Reading
from unabridged.models.pointing import CANDIDATES, Looked, Pointed, Span, language_of, looked_closer, pointed
from unabridged.prompts import FinderPrompt, Numbered
from unabridged.receipts import Tally
from unabridged.sentences import sentences_of

MOST_PASSAGES = 3
CLEARLY = 0.2  # of the best passage's lift: below it a passage is not shown beside the best one
NEAR = 0.05  # certainty of the nearest passages that are shown; fewer than one in a hundred right ones lay below (calibrate)
ENOUGH = {"en": 200, "zh": 60}  # of a nearest passage; a shorter one counts for less, since a heading alone answers nothing

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
    looked = look(engine, prompt, reading, passages, question, tally, pages=pages)
    text = ""
    citations: list[Citation] = []
    certainty = looked.points.certainty
    sure = certainty >= prompt.threshold
    found = nearest(passages, looked.points, sure=sure) if sure or certainty >= NEAR else []
    if found and not sure:
        text = f"{UNSURE[language]}\n\n"
        yield TextDelta(text)
    for index in found:
        citation = place(len(citations) + 1, passages[index], *looked.quotation(index, passages[index].text))
        citations.append(citation)
        delta = f"{_quoted(citation.shown, language)} [{citation.n}]\n\n"
        text += delta
        yield TextDelta(delta)
        yield SourceCited(citation)
    delta = NOTE[language] if citations else f"{NOTHING[language]}\n\n{NOTE[language]}"
    yield TextDelta(delta)
    return Said(text + delta, tuple(citations), unsure=not sure)


def look(
    engine: Engine,
    prompt: FinderPrompt,
    reading: Reading,
    passages: Sequence[Numbered],
    question: str,
    tally: Tally,
    *,
    pages: Sequence[Numbered] = (),
) -> Looked:
    """What the model makes of all passages after the whole reading, and of the sentences of the nearest side by side.

    `passages` are those of the reading and, last, of the `pages` that go before the question.
    """
    asked = prompt.question(engine, question, pages)
    tally.asked(len(asked))
    choice = engine.choose(reading, asked, [*(prompt.option(numbered.number) for numbered in passages), prompt.nothing])
    tally.add(choice)
    first = pointed(choice.probabilities, [numbered.passage.end - numbered.passage.start for numbered in passages])
    spans = {i: with_words(passages[i].text, sentences_of(passages[i])) for i in sorted(first.ranked[:CANDIDATES])}
    sentences = [passages[i].text[start:end] for i in spans for start, end in spans[i]]
    options = [*(prompt.option(number) for number in range(1, len(sentences) + 1)), prompt.nothing]
    choice = engine.choose(None, prompt.evidence(engine, sentences, question), options)
    tally.add(choice)
    return looked_closer(first, choice.probabilities, spans)


def nearest(passages: Sequence[Numbered], points: Pointed, *, sure: bool) -> list[int]:
    """Indices: the best passage, and after it those that stand out nearly as much; none that has no lift."""
    weights = [lift if sure else lift * _share_of_enough(n.text) for lift, n in zip(points.lifts, passages, strict=True)]
    best = sorted(range(len(weights)), key=lambda i: -weights[i])[:MOST_PASSAGES]
    return [i for i in best if 0 < weights[i] >= CLEARLY * weights[best[0]]]


def _share_of_enough(text: str) -> float:
    return min(1.0, len(text) / ENOUGH[language_of(text)])


def with_words(text: str, spans: list[Span]) -> list[Span]:
    """Without bare numbers, of which tables of contents are full and which say nothing; all, if there is nothing else."""
    return [(start, end) for start, end in spans if any(map(str.isalpha, text[start:end]))] or spans


def _quoted(quote: str, language: str) -> str:
    return f"「{quote}」" if language == "zh" else f"“{quote}”"
