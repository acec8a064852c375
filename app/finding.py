"""An answer from a model that finds and quotes but does not reason: the passages it points at, and in each one sentence."""

from collections.abc import Generator, Sequence

from unabridged.answers import Said
from unabridged.citations import Citation, place
from unabridged.context import Context
from unabridged.events import SourceCited, TextDelta
from unabridged.models.engine import Engine, Reading
from unabridged.prompts import FinderPrompt, Numbered
from unabridged.receipts import Tally
from unabridged.sentences import sentences_of
from unabridged.web.fencing import disarmed

MOST_PASSAGES = 3
CLEARLY = 0.2  # of the best passage's probability: below it a passage is not shown beside the best one
EVEN_SHARES = 5  # a nearest passage less probable than this many even shares stands out from nothing

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
    language = "zh" if any("\u3400" <= character <= "\u9fff" for character in question) else "en"
    passages = (*context.passages, *pages)
    asked = prompt.question(engine, question, pages)
    tally.asked(len(asked))
    choice = engine.choose(reading, asked, [prompt.option(numbered.number) for numbered in passages])
    tally.add(choice)
    text = ""
    citations: list[Citation] = []
    sure = max(choice.probabilities) >= prompt.threshold
    found = nearest(passages, choice.probabilities) if sure or stands_out(choice.probabilities) else []
    if found and not sure:
        text = f"{UNSURE[language]}\n\n"
        yield TextDelta(text)
    for numbered in found:
        start, end = best_sentence(engine, prompt, numbered, question, tally)
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


def stands_out(probabilities: tuple[float, ...]) -> bool:
    """Whether the best passage is nearer to the question than passages are by chance."""
    return max(probabilities) >= min(0.5, EVEN_SHARES / len(probabilities))


def nearest(passages: tuple[Numbered, ...], probabilities: tuple[float, ...]) -> list[Numbered]:
    """The best passages, most probable first: the best one, and those that are nearly as probable."""
    ranked = sorted(zip(probabilities, passages, strict=True), key=lambda pair: -pair[0])
    return [numbered for probability, numbered in ranked[:MOST_PASSAGES] if probability >= CLEARLY * ranked[0][0]]


def best_sentence(engine: Engine, prompt: FinderPrompt, numbered: Numbered, question: str, tally: Tally) -> tuple[int, int]:
    """The span of one sentence in the passage: the sentences are numbered and the model points at one of them."""
    spans = with_words(numbered.text, sentences_of(numbered))
    if len(spans) == 1:
        return spans[0]
    sentences = [numbered.text[start:end] for start, end in spans]
    choice = engine.choose(
        None, prompt.evidence(engine, sentences, question), [prompt.option(number) for number in range(1, len(spans) + 1)]
    )
    tally.add(choice)
    return spans[choice.best]


def with_words(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without bare numbers, of which tables of contents are full and which say nothing; all, if there is nothing else."""
    return [(start, end) for start, end in spans if any(map(str.isalpha, text[start:end]))] or spans


def _quoted(quote: str, language: str) -> str:
    return f"「{quote}」" if language == "zh" else f"“{quote}”"
