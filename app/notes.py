"""What a question takes along beside the documents: memories, entries of a lorebook. Knows not where they come from.

Notes stand after the cached reading, before the question that first needed them, and stay there: a long reading is never read
again because of one. A note that the user takes back leaves the earlier turns too; only what follows it is read again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """`key` names one wording of one thing to keep in mind: the same key is told once in a conversation."""

    key: str
    text: str


def untold(notes: Sequence[Note], told: Collection[str]) -> tuple[Note, ...]:
    """Those whose keys are not among the told ones, each once."""
    return tuple({note.key: note for note in notes if note.key not in told}.values())


def still_wanted(notes: Sequence[Note], taken_back: Collection[str]) -> tuple[Note, ...]:
    """Notes of an earlier turn without those that were taken back since."""
    return tuple(note for note in notes if note.key not in taken_back)
