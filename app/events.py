"""What happens while a question is answered, as values. Knows no screen: the command line and the browser show them alike.

Adding a file yields Ingesting*.
A question yields Waiting* [Loading] [Remembered] Started Reading* [Unsaved] (TextDelta | SourceCited)* Finished.
With the web switch on there may come, before Finished: SearchProposed (SearchProposed | Searching | Deciding | PageFetched)*
[Answering Reading* (TextDelta | SourceCited)*].
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from unabridged.answers import Answer
from unabridged.citations import Citation
from unabridged.web.retrieved import PageRead

Step = TypeVar("Step")
Shown = TypeVar("Shown")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another reading or answer has the engine; `ahead` of them go first."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Ingesting:
    """`done` of `total` parts (pages, or what the format counts) of a file are understood."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being loaded."""

    model: str


@dataclass(frozen=True, slots=True)
class Reading:
    """`done` of `total` tokens are in the KV cache, `reused` of them from an earlier reading."""

    done: int
    total: int
    reused: int
    tokens_per_s: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """The user asked for it: this is kept in mind for these documents from now on."""

    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """It fits; the question is kept as this turn of this conversation, and the reading begins."""

    conversation_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What is being read cannot be kept on disk, for this reason; the answer comes all the same."""

    reason: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next words of the answer. Markers are numbered [1], [2], … in the order in which passages are first cited."""

    text: str


@dataclass(frozen=True, slots=True)
class SourceCited:
    citation: Citation


@dataclass(frozen=True, slots=True)
class SearchProposed:
    """The documents do not answer, or the user asked for the web: this query would be sent to this provider, for this reason.

    It has not been sent. `confirmed` is False where the documents may hold the answer after all: then it is never sent unasked.
    """

    query: str
    reason: str
    provider: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Searching:
    """The query leaves now."""

    query: str
    provider: str


@dataclass(frozen=True, slots=True)
class Deciding:
    """The model looks at what was found and decides what to open or to search for: step `step` of at most `limit`."""

    step: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageFetched:
    """A page was read, as the document with this id; or it could not be, and `problem` says why."""

    url: str
    name: str
    document_id: str = ""
    retrieved_at: str = ""
    characters: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """The answer begins anew, with these pages; what was said from the documents alone is no longer the answer."""

    pages: tuple[PageRead, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer: its text (markers that could not be placed are gone from it), citations, receipt and times."""

    answer: Answer


WebEvent = SearchProposed | Searching | Deciding | PageFetched | Answering
Event = Waiting | Ingesting | Loading | Remembered | Started | Reading | Unsaved | TextDelta | SourceCited | WebEvent | Finished


def translate(steps: Generator[Step, None, Result], show: Callable[[Step], Iterable[Shown]]) -> Generator[Shown, None, Result]:
    """The same work with its steps shown as other values; closing this closes the work, its result is passed on."""
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            yield from show(step)


def drained(steps: Generator[object, None, Result]) -> Result:
    """The result of work whose steps nobody looks at."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return result
