"""From documents and a question to a cited answer, as events; closing the iterator stops the work. Knows no disk, no screen."""

import dataclasses
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from unabridged.answers import Answer, Said, Seconds
from unabridged.chatting import chat_answer, longest_passage
from unabridged.context import Context, build, fit
from unabridged.errors import UsageError
from unabridged.events import Event, Finished, Reading, SourceCited, TextDelta, Unsaved, translate
from unabridged.finding import find_answer
from unabridged.ingest.document import Document, Passage
from unabridged.models import engine as contract
from unabridged.models.engine import Engine, Sampling
from unabridged.models.pointing import CANDIDATES
from unabridged.notes import Note
from unabridged.prompts import RULES, ChatPrompt, Exchange, FinderPrompt, Numbered
from unabridged.receipts import Tally

EVIDENCE_TOKENS = 512  # kept free for the request for a quotation
RESERVE_STEP = 1024  # the reserve grows in steps, so that a longer question seldom needs another window

Books = Sequence[tuple[Document, Sequence[Passage]]]


@dataclass(frozen=True, slots=True)
class Request:
    """A question, with the earlier exchanges that it follows, its notes, and passages of web pages, numbered on from there.

    `started`, `ingest_s` are the caller's clock.
    """

    question: str
    history: tuple[Exchange, ...] = ()
    notes: tuple[Note, ...] = ()
    pages: tuple[Numbered, ...] = ()
    memories: int = 0  # that hold for this question and are in its prompt
    memories_left_out: int = 0  # for want of room
    answer_tokens: int = 1024
    temperature: float = 0.0
    fresh: bool = False
    started: float = 0.0  # time.perf_counter()
    ingest_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise UsageError("The question has no text.", hint='Ask in words: unabridged ask FILE "Who signed it?"')

    @property
    def from_web(self) -> tuple[Numbered, ...]:
        """All passages of web pages that stand before this question."""
        return (*(numbered for exchange in self.history for numbered in exchange.pages), *self.pages)


class Assistant:
    """One engine with its prompt style. Ask it one thing at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.finder = engine.info.finder
        self.prompt = FinderPrompt(self.finder) if self.finder else ChatPrompt(engine.frame(RULES))

    @property
    def model_name(self) -> str:
        return f"{self.engine.info.name} (finds and quotes, does not reason)" if self.finder else self.engine.info.name

    def context(self, books: Books) -> Context:
        """The whole documents as one reading. Raises UsageError, DocumentEmpty, DoesNotFit."""
        return build(self.engine, self.prompt, books)

    def read(
        self, context: Context, *, reserve: int, fresh: bool = False
    ) -> Generator[Reading | Unsaved, None, contract.Reading]:
        """Bring the documents into the window. Raises DoesNotFit before anything is sent."""
        fit(self.engine, context, reserve=reserve)
        steps = self.engine.read(context.tokens, reserve=reserve, fresh=fresh, documents=context.spans)
        reading = yield from translate(steps, lambda step: [_shown(step)])
        if reading.unsaved:
            yield Unsaved(reading.unsaved)
        return reading

    def reserve(self, context: Context, request: Request) -> int:
        """Tokens to keep free after the reading: the question with what it follows, the answer, and its evidence."""
        if isinstance(self.prompt, FinderPrompt):
            alone = len(self.prompt.question(self.engine, request.question))
            asked = len(self.prompt.question(self.engine, request.question, request.pages))
            longest = longest_passage(self.engine, context, request.pages)
            needed = asked + alone + CANDIDATES * 2 * longest  # the second look: in the worst case a number for every token
        else:
            asked = len(self.prompt.question(self.engine, request.question, request.history, request.notes, request.pages))
            needed = asked + request.answer_tokens + EVIDENCE_TOKENS + longest_passage(self.engine, context, request.from_web)
        return -(-needed // RESERVE_STEP) * RESERVE_STEP

    def history_tokens(self, history: Sequence[Exchange]) -> int:
        """What earlier turns take in the window before a question that follows them."""
        if isinstance(self.prompt, FinderPrompt):
            return 0
        return len(self.prompt.question(self.engine, "?", history)) - len(self.prompt.question(self.engine, "?"))

    def ask(self, context: Context, request: Request) -> Generator[Event, None, Answer]:
        """Read what is not read yet, answer, place the citations. The last event is Finished, with the answer it returns."""
        before = time.perf_counter()
        reading = yield from self.read(context, reserve=self.reserve(context, request), fresh=request.fresh)
        read_at = time.perf_counter()
        tally = Tally(context, reading, from_web=request.pages if self.finder else request.from_web)
        first_at: list[float] = []

        def clocked(step: TextDelta | SourceCited) -> list[TextDelta | SourceCited]:
            first_at.append(time.perf_counter())
            return [step]

        said = yield from translate(self._answering(context, request, reading, tally), clocked)
        now = time.perf_counter()
        seconds = Seconds(
            ingest=request.ingest_s,
            prefill=read_at - before,
            first_token=(first_at[0] if first_at else now) - read_at,
            total=now - (request.started or before),
        )
        answer = Answer(
            text=said.text,
            citations=said.citations,
            receipt=dataclasses.replace(
                tally.receipt(), memories=request.memories, memories_left_out=request.memories_left_out
            ),
            seconds=seconds,
            model=self.model_name,
            stopped=said.stopped,
            reply_tokens=said.reply_tokens,
            unsure=said.unsure,
        )
        yield Finished(answer)
        return answer

    def _answering(
        self, context: Context, request: Request, reading: contract.Reading, tally: Tally
    ) -> Generator[TextDelta | SourceCited, None, Said]:
        if isinstance(self.prompt, FinderPrompt):
            return find_answer(self.engine, self.prompt, reading, context, request.question, tally, pages=request.pages)
        return chat_answer(
            self.engine,
            self.prompt,
            reading,
            context,
            request.question,
            tally,
            history=request.history,
            notes=request.notes,
            pages=request.pages,
            limit=request.answer_tokens,
            sampling=Sampling(temperature=request.temperature),
        )


def _shown(step: contract.ReadProgress) -> Reading:
    return Reading(step.done, step.total, step.reused, step.tokens_per_s, step.seconds_left)
