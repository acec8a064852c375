"""What the model reads of a conversation: which turns and memories, in which tokens. Knows not where they are kept."""

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
from unabridged.assistant import Request
from unabridged.memories import MEMORY, Memory, within
from unabridged.models.engine import Engine, Tokens
from unabridged.notes import Note, still_wanted, untold
from unabridged.prompts import Exchange
from unabridged.turns import Turn


def turns_read(path: Sequence[Turn]) -> list[Turn]:
    """Of the turns down to one, those that the model reads before a follow-up: an independent turn begins it anew,
    a forgotten one is left out."""
    read: list[Turn] = []
    for turn in reversed(path):
        if not turn.forgotten:
            read.append(turn)
        if not turn.follows:
            break
    return read[::-1]


def exchanges(engine: Engine, turns: Sequence[Turn], *, taken_back: Collection[str] = ()) -> tuple[Exchange, ...]:
    """The turns as the model saw them, without the notes that were taken back since."""
    return tuple(Exchange(turn.question, _reply(engine, turn), still_wanted(turn.notes, taken_back)) for turn in turns)


def recalling(
    engine: Engine,
    request: Request,
    *,
    turns: Sequence[Turn],
    memories: Sequence[Memory],
    memory_tokens: int,
    summary: Note | None = None,
) -> Request:
    """The question after the turns that it follows, with what they have not told yet: memories as far as there is room for
    them, and a summary. A memory that is no longer among them leaves the earlier turns as well."""
    recalled, left_out = within(engine, memories, tokens=memory_tokens)
    notes = [*([summary] if summary else []), *(memory.note for memory in recalled)]
    told = {note.key for turn in turns for note in turn.notes}
    taken_back = {key for key in told if key.startswith(MEMORY)} - {note.key for note in notes}
    return dataclasses.replace(
        request,
        history=exchanges(engine, turns, taken_back=taken_back),
        notes=untold(notes, told),
        memories=len(recalled),
        memories_left_out=len(left_out),
    )


def _reply(engine: Engine, turn: Turn) -> Tokens:
    """The very tokens of the model that answered; another model gets the words."""
    if turn.reply_tokens and turn.fingerprint == engine.info.fingerprint:
        return np.array(turn.reply_tokens, np.int32)
    return engine.tokenize([turn.answer])[0]
