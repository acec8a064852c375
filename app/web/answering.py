"""An answer with the web switch on: the documents first; then, if they do not answer and the user agrees, pages beside them.

Knows no disk and no screen. What would leave is shown before it leaves, and is checked against the documents each time.
"""

import dataclasses
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from unabridged.answers import Answer
from unabridged.assistant import Assistant, Request
from unabridged.context import Context
from unabridged.errors import QueryRefused, WebFailed
from unabridged.events import Answering, Event, Finished, PageFetched, SearchProposed, drained, translate
from unabridged.ingest.document import Document
from unabridged.library import Library
from unabridged.prompts import FinderPrompt, Numbered
from unabridged.web.absence import absence
from unabridged.web.decisions import Decisions, PlainDecisions
from unabridged.web.leaks import check_query, telling_words
from unabridged.web.outside import Outside
from unabridged.web.pages import within
from unabridged.web.queries import proposed_query
from unabridged.web.retrieved import PageRead
from unabridged.web.steps import Found, opened, searched, stepwise
from unabridged.web.words import asks_for_web, is_chinese

MORE_THAN_ANY_WINDOW = 1 << 40  # tokens
SPARE_TOKENS = 1024  # for the fences of pages, and the step in which the reserve grows

Approve = Callable[[SearchProposed], str | None]


def refuse(proposal: SearchProposed) -> None:
    """The answer of a place where nobody can be asked now: the proposal is shown, nothing leaves."""


@dataclass(frozen=True, slots=True)
class WebUse:
    """How one question may use the web.

    `query` is the user's own: it is searched for at once. Else the documents are asked first, and a proposed query is sent when
    `allow` is set and the absence is confirmed, or when `approve` returns it, perhaps changed; None declines.
    """

    query: str = ""
    allow: bool = False
    approve: Approve = refuse


@dataclass(frozen=True, slots=True)
class Reach:
    """What an answer may use of the web: who is asked, what is kept (`library` None: nothing), and how much at most."""

    outside: Outside
    library: Library | None
    pages: int = 4
    tokens: int = 12_288
    steps: int = 0  # decisions of a model that can use tools; 0: the fixed plan of search, read, answer
    decisions: Decisions = field(default_factory=PlainDecisions)  # the words for them


@dataclass
class _Consent:
    """Asks before each query; remembers what was sent, so that no document leaves in pieces.

    Words that stand in the documents, but neither in the question nor in what the web has shown, are never sent unasked: a page
    or a document that gives orders could have a model tell them one by one.
    """

    question: str
    use: WebUse
    documents: Sequence[Document]
    provider: str
    sent: list[str] = field(default_factory=list)

    def ask(
        self, query: str, reason: str, *, confirmed: bool = True, given: bool = False, seen: str = ""
    ) -> Generator[SearchProposed, None, str | None]:
        """The query that may leave now, or None. A changed query that quotes a document is shown again with the reason."""
        if not given and (telling := telling_words(query, self.documents, f"{self.question}\n{seen}")):
            confirmed, reason = False, f"{reason} {_tells(self.question, telling)}".strip()
        while True:
            proposal = SearchProposed(query, reason, self.provider, confirmed)
            yield proposal
            if given or (self.use.allow and confirmed):
                answer: str | None = query
            else:
                answer = self.use.approve(proposal)
            if answer is None:
                return None
            try:
                check_query(answer, self.documents, earlier=self.sent)
            except QueryRefused as refused:
                if given:
                    raise
                query, reason, confirmed = answer, f"{refused.message} {refused.hint}", False
                continue
            self.sent.append(answer)
            return answer


def answered(
    assistant: Assistant, context: Context, request: Request, *, use: WebUse, reach: Reach
) -> Generator[Event, None, Answer]:
    """As Assistant.ask, with pages of the web where they are needed and allowed. The last event is Finished.

    Raises QueryRefused for a query of the user's own that quotes a document, and WebFailed where it brings nothing.
    """
    documents = [share.document for share in context.shares]
    consent = _Consent(request.question, use, documents, reach.outside.provider)
    alone: Answer | None = None
    if use.query:
        query = yield from consent.ask(use.query, _asked_for(request.question), given=True)
    else:
        alone = yield from translate(assistant.ask(context, request), _unfinished)
        missing = absence(alone, context, request.question)
        wanted = asks_for_web(request.question)
        query = None
        if wanted or missing is not None:
            reading = drained(assistant.read(context, reserve=assistant.reserve(context, request)))
            proposed = proposed_query(assistant, reading, request, documents)
            reason = _asked_for(request.question) if wanted or missing is None else missing.reason
            query = yield from consent.ask(proposed, reason, confirmed=wanted or (missing is not None and missing.confirmed))
    if query is not None:
        try:
            pages = yield from _pages(assistant, context, request, query, consent, reach)
        except WebFailed as error:
            if alone is None:
                raise
            yield PageFetched("", reach.outside.provider, problem=f"{error.message} {error.hint}")
            pages = ()
        if pages:
            yield Answering(_told(pages))
            again = dataclasses.replace(request, pages=pages, fresh=request.fresh and alone is None)
            final = yield from translate(assistant.ask(context, again), _unfinished)
            answer = _together(alone, final)
            yield Finished(answer)
            return answer
    if alone is None:
        raise WebFailed("The search brought no page that can be read.", hint="Try another query or provider.")
    yield Finished(alone)
    return alone


def _pages(
    assistant: Assistant, context: Context, request: Request, query: str, consent: _Consent, reach: Reach
) -> Generator[Event, None, tuple[Numbered, ...]]:
    """Search, open, and number what has room after the documents and the conversation."""
    window = assistant.engine.window_for(MORE_THAN_ANY_WINDOW)
    room = window - len(context.tokens) - assistant.reserve(context, request) - SPARE_TOKENS
    tokens = min(reach.tokens, room)
    if tokens <= 0:
        raise _full()
    first_number = 1 + len(context.passages) + len(request.from_web)
    found = Found()
    found.tried |= {numbered.web.url for numbered in request.from_web if numbered.web}
    yield from searched(reach.outside, query, found, limit=2 * reach.pages)
    if reach.steps and not isinstance(assistant.prompt, FinderPrompt):
        reading = drained(assistant.read(context, reserve=assistant.reserve(context, request) + tokens + SPARE_TOKENS))
        yield from stepwise(
            assistant,
            reading,
            request,
            reach.outside,
            found,
            consent=consent.ask,
            decisions=reach.decisions,
            library=reach.library,
            steps=reach.steps,
            limit=2 * reach.pages,
            first_number=first_number,
            tokens=tokens,
        )
    if not found.pages:
        yield from opened(reach.outside, found.untried[: reach.pages], found, library=reach.library)
    known = {numbered.document.id for numbered in (*context.passages, *request.from_web)}
    new = [page for page in found.pages if page.document.id not in known]
    numbered = within(assistant.engine, new, first_number=first_number, tokens=tokens)
    if isinstance(assistant.prompt, FinderPrompt):
        numbered = numbered[: assistant.prompt.room(len(context.passages))]
    while numbered and len(context.tokens) + assistant.reserve(context, dataclasses.replace(request, pages=numbered)) > window:
        numbered = numbered[:-1]  # the longer a passage that can be quoted, the more is kept free for its quotation
    if new and not numbered:
        raise _full()
    return numbered


def _full() -> WebFailed:
    return WebFailed("The documents and the conversation fill the window; no page has room.", hint="Leave out a document.")


def _unfinished(event: Event) -> list[Event]:
    return [] if isinstance(event, Finished) else [event]


def _told(pages: Sequence[Numbered]) -> tuple[PageRead, ...]:
    told = []
    for (document_id, web), group in groupby(pages, key=lambda numbered: (numbered.document.id, numbered.web)):
        url, retrieved_at = (web.url, web.retrieved_at) if web else ("", "")
        told.append(PageRead(document_id, url, retrieved_at, len(list(group))))
    return tuple(told)


def _together(alone: Answer | None, final: Answer) -> Answer:
    """The answer with the work of both tries in its receipt and times."""
    if alone is None:
        return final
    first, second = alone.receipt, final.receipt
    receipt = dataclasses.replace(
        second,
        reused_tokens=first.reused_tokens,
        evaluated_tokens=first.evaluated_tokens + second.evaluated_tokens,
        generated_tokens=first.generated_tokens + second.generated_tokens,
    )
    seconds = dataclasses.replace(final.seconds, prefill=alone.seconds.prefill + final.seconds.prefill)
    return dataclasses.replace(final, receipt=receipt, seconds=seconds)


def _tells(question: str, words: Sequence[str]) -> str:
    listed = ", ".join(f"“{word}”" for word in words)
    return (
        f"请注意，这些词只出现在文件中：{listed}。" if is_chinese(question) else f"Note that only the documents tell {listed}."
    )


def _asked_for(question: str) -> str:
    return "您要求在网上查找。" if is_chinese(question) else "You asked for the web."
