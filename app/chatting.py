"""An answer from a general chat model: its words while they come, then for each passage it cites the exact quotation."""

from collections.abc import Generator, Mapping, Sequence

import numpy as np
from unabridged.answers import Said
from unabridged.citations import Citation, MarkerFilter, place, without_marks
from unabridged.context import Context
from unabridged.events import SourceCited, TextDelta, translate
from unabridged.models.engine import Engine, Reading, Sampling, Tokens
from unabridged.notes import Note
from unabridged.prompts import ChatPrompt, Exchange, Numbered
from unabridged.receipts import Tally
from unabridged.sentences import sentences_of


def chat_answer(
    engine: Engine,
    prompt: ChatPrompt,
    reading: Reading,
    context: Context,
    question: str,
    tally: Tally,
    *,
    history: Sequence[Exchange],
    notes: Sequence[Note] = (),
    pages: Sequence[Numbered] = (),
    limit: int,
    sampling: Sampling,
) -> Generator[TextDelta | SourceCited, None, Said]:
    """Yields the answer as it streams, then its sources."""
    asked = prompt.question(engine, question, history, notes, pages)
    tally.asked(len(asked))
    from_web = (*(numbered for exchange in history for numbered in exchange.pages), *pages)
    passages = {numbered.number: numbered for numbered in (*context.passages, *from_web)}
    longest = longest_passage(engine, context, from_web)
    markers = MarkerFilter(passages)
    stream = engine.generate(reading, asked, limit=limit, sampling=sampling)
    generation = yield from translate(stream, lambda piece: _delta(markers.feed(piece.text)))
    tally.add(generation)
    yield from _delta(markers.finish())
    citations = []
    reply = np.array(generation.tokens, np.int32)
    for citation in _evidence(engine, prompt, reading, passages, longest, markers, asked, reply, tally):
        citations.append(citation)
        yield SourceCited(citation)
    unplaced = set(markers.cited.values()) - {citation.n for citation in citations}
    text = without_marks(markers.text, unplaced).strip()
    return Said(text, tuple(citations), generation.tokens, stopped=generation.finish == "length")


def longest_passage(engine: Engine, context: Context, from_web: Sequence[Numbered]) -> int:
    """Tokens of the longest passage that can be cited."""
    return max([context.longest_passage, *map(len, engine.tokenize([numbered.shown for numbered in from_web]))])


def _delta(text: str) -> list[TextDelta]:
    return [TextDelta(text)] if text else []


def _evidence(
    engine: Engine,
    prompt: ChatPrompt,
    reading: Reading,
    passages: Mapping[int, Numbered],
    longest: int,
    markers: MarkerFilter,
    asked: Tokens,
    reply: Tokens,
    tally: Tally,
) -> Generator[Citation]:
    """For each cited passage the model copies the sentences that bear the claim; it chooses where, never what."""
    for number, n in markers.cited.items():
        numbered = passages[number]
        spans = sentences_of(numbered)
        if not spans:
            continue
        quotation = engine.quote(
            reading,
            prompt.evidence(engine, asked, reply, markers.claims[number], number),
            numbered.shown,  # the very words that the model reads; its spans are spans of the text
            starts=[start for start, _ in spans],
            ends=[end for _, end in spans],
            limit=longest,
        )
        tally.add(quotation)
        yield place(n, numbered, quotation.start, quotation.end)
