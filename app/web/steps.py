"""Finding pages: by a fixed plan (search, read the first results), or step by step as the model decides, within a limit.

A decision is made in answer to our own question about numbered results: to open one of them, to search again, or to answer
(see `decisions`). No address and no call is ever taken from the text of a page or of an answer.
"""

import hashlib
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from unabridged.assistant import Assistant, Request
from unabridged.errors import DocumentError, WebFailed
from unabridged.events import Deciding, PageFetched, Searching, SearchProposed, drained
from unabridged.fencing import disarmed, fenced
from unabridged.library import Library
from unabridged.models.engine import Reading
from unabridged.prompts import ChatPrompt, Numbered
from unabridged.web.decisions import Decision, Decisions, Open, Search
from unabridged.web.outside import Outside
from unabridged.web.pages import WebPage, understood, within
from unabridged.web.providers import Result

AT_ONCE = 4
DECISION_TOKENS = 96


class Consent(Protocol):
    def __call__(self, query: str, reason: str, *, seen: str) -> Generator[SearchProposed, None, str | None]:
        """The query that may leave now, or None; `seen` is what the web has told so far."""
        ...


@dataclass
class Found:
    """What a search has brought so far: results in order, pages that were opened, addresses that were tried."""

    results: list[Result] = field(default_factory=list)
    pages: list[WebPage] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)

    def add(self, results: Sequence[Result]) -> None:
        known = {result.url for result in self.results}
        self.results += [result for result in results if result.url not in known]

    @property
    def shown(self) -> str:
        """All that the web has told so far."""
        return "\n".join(
            [*(f"{result.title}\n{result.snippet}" for result in self.results), *(page.document.text for page in self.pages)]
        )

    @property
    def untried(self) -> list[Result]:
        return [result for result in self.results if result.url not in self.tried]


def searched(outside: Outside, query: str, found: Found, *, limit: int) -> Generator[Searching]:
    yield Searching(query, outside.provider)
    found.add(outside.search(query, limit=limit))


def opened(outside: Outside, results: Sequence[Result], found: Found, *, library: Library | None) -> Generator[PageFetched]:
    """Open results side by side; pages stand in the order of the results. One that fails is told and left out."""
    found.tried |= {result.url for result in results}
    pages: dict[str, WebPage] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="web") as threads:
        work = {threads.submit(_open, outside, result, library): result for result in results}
        try:
            for done in as_completed(work):
                result = work[done]
                try:
                    page = pages[result.url] = done.result()
                except (WebFailed, DocumentError) as error:
                    yield PageFetched(result.url, result.title, problem=error.message)
                else:
                    document = page.document
                    yield PageFetched(
                        page.web.url, document.name, document.id, page.web.retrieved_at, characters=len(document.text)
                    )
        finally:
            outside.stop()
    held = {page.document.id for page in found.pages}
    for new in [pages[result.url] for result in results if result.url in pages]:
        if new.document.id not in held:
            held.add(new.document.id)
            found.pages.append(new)


def stepwise(
    assistant: Assistant,
    reading: Reading,
    request: Request,
    outside: Outside,
    found: Found,
    *,
    consent: Consent,
    decisions: Decisions,
    library: Library | None,
    steps: int,
    limit: int,
    first_number: int,
    tokens: int,
) -> Generator[Deciding | SearchProposed | Searching | PageFetched]:
    """Up to `steps` decisions of the model; stops when it wants to answer, or says something that is no decision."""
    for step in range(1, steps + 1):
        yield Deciding(step, steps)
        pages = within(assistant.engine, found.pages, first_number=first_number, tokens=tokens)
        asked = f"{_listed(found)}\n\n{decisions.request(request.question, left=steps - step + 1)}"
        match _decided(assistant, reading, request, asked, pages, decisions, results=len(found.results)):
            case Open(number):
                result = found.results[number - 1]
                if result.url not in found.tried:
                    yield from opened(outside, [result], found, library=library)
            case Search(query):
                agreed = yield from consent(query, "", seen=found.shown)
                if agreed is None:
                    return
                yield from searched(outside, agreed, found, limit=limit)
            case None:
                return


def _open(outside: Outside, result: Result, library: Library | None) -> WebPage:
    with outside.page(result) as fetched:
        return understood(fetched, library=library)


def _listed(found: Found) -> str:
    lines = [
        f"{number}. {disarmed(result.title)} ({urlsplit(result.url).hostname or 'saved page'})"
        f"{' – opened' if result.url in found.tried else ''}\n   {disarmed(' '.join(result.snippet.split()))[:300]}"
        for number, result in enumerate(found.results, 1)
    ]
    text = "\n".join(lines)
    return f"Results of the search:{fenced(text, key=hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest())}"


def _decided(
    assistant: Assistant,
    reading: Reading,
    request: Request,
    asked: str,
    pages: Sequence[Numbered],
    decisions: Decisions,
    *,
    results: int,
) -> Decision:
    prompt = assistant.prompt
    if not isinstance(prompt, ChatPrompt):
        return None
    tokens = prompt.question(assistant.engine, asked, request.history, request.notes, pages)
    steps = assistant.engine.generate(reading, tokens, limit=DECISION_TOKENS, sampling=decisions.sampling(results))
    return decisions.decision(drained(steps).text, results=results)
