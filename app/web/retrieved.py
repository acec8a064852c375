"""Where a page came from and when: what a citation of a web page says beside its quotation. Knows nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retrieved:
    """`url` is where the page was in the end, after redirects; `retrieved_at` is UTC, ISO 8601."""

    url: str
    retrieved_at: str


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page that a turn took along: its first `passages` passages stood before the question."""

    document_id: str
    url: str
    retrieved_at: str
    passages: int
