"""What is told to the model between the turns: lore of the moment, notes at a depth, whose turn it is. As notes that stay.

Other programs move such words along with every message, and the model reads everything behind them again. Here nothing moves:
an entry is told once, before the message that called for it; what shall stand at most N messages before the end is told again
as soon as more than N have come between. A note's key is KIND:…:HASH, with @TURN behind it.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from unabridged.characters.cast import Cast, Player
from unabridged.characters.lore_activation import Active, activate
from unabridged.characters.lorebook import Entry
from unabridged.characters.macros import expand
from unabridged.notes import Note
from unabridged.turns import Turn

POST_HISTORY_DEPTH = 4  # messages
LORE, DEPTH_PROMPT, POST_HISTORY, AUTHOR, SPEAKER = "lore:", "depth:", "post:", "author:", "speaker:"
_TURN = re.compile(r"@\d+\Z")


@dataclass(frozen=True, slots=True)
class Directions:
    """`notes` are new with this turn; `told` names the lore among them, `left_out` what had no room in the budget."""

    notes: tuple[Note, ...]
    told: tuple[str, ...]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    """Words that shall be known; within `depth` messages of the end, or anywhere."""

    key: str
    text: str
    depth: int | None = None


def directions(
    cast: Cast,
    player: Player,
    turns: Sequence[Turn],
    message: str,
    *,
    budget: int,
    tokens_of: Callable[[Sequence[str]], Sequence[int]],
) -> Directions:
    """For the turn in which `player` answers `message` (perhaps "") after `turns`. `budget` is in tokens of lore."""
    said = [text for turn in turns for text in (turn.question, turn.answer) if text.strip()]
    messages = [*said, message] if message.strip() else said

    said_last = _last(turns, messages, message)
    meanings = {each.id: cast.values(each, said=said_last) for each in cast.players}

    def put_in(text: str, whose: Player = player) -> str:
        return expand(text, meanings[whose.id], turn=f"{cast.seed}:{len(turns)}")

    lore = activate(cast.books, messages, seed=f"{cast.seed}:{len(turns)}", budget=budget, tokens_of=tokens_of, expand=put_in)
    standing = [_lore(active) for active in lore.active] + _of_the_scene(cast, player, put_in)
    due = [one for one in standing if _is_due(one, turns, messages_now=bool(message.strip()))]
    notes = [Note(f"{one.key}@{len(turns)}", one.text) for one in due]
    if cast.is_group:
        notes.append(Note(f"{SPEAKER}{player.id}", f"Now {player.name} speaks, and nobody else."))
    titles = {_lore(active).key: active.entry.title for active in lore.active}
    return Directions(
        notes=tuple(notes),
        told=tuple(titles[one.key] for one in due if one.key in titles),
        left_out=tuple(active.entry.title for active in lore.left_out),
        problems=lore.problems,
    )


def outdated(cast: Cast, told: Collection[str]) -> set[str]:
    """Of the keys of earlier notes those that no longer hold, because a card, a book or the author's note was changed."""
    current = {_lore_key(book.name, entry) for book in cast.books for entry in book.entries if entry.enabled}
    for player in cast.players:
        current |= {one.key for one in _of_the_scene(cast, player, _as_written)}
    ours = {key for key in told if key.startswith((LORE, DEPTH_PROMPT, POST_HISTORY, AUTHOR))}
    return {key for key in ours if _base(key) not in current}


def speaker_of(turn: Turn) -> str | None:
    """The id of who speaks in a turn of a group; None where there is only one who can."""
    return next((note.key.removeprefix(SPEAKER) for note in turn.notes if note.key.startswith(SPEAKER)), None)


def _last(turns: Sequence[Turn], messages: Sequence[str], message: str) -> dict[str, str]:
    """For the macros that repeat the last message, of anyone, of the user, of a character."""
    mine = [text for text in (*(turn.question for turn in turns), message) if text.strip()]
    theirs = [turn.answer for turn in turns if turn.answer.strip()]
    lists = {"lastmessage": messages, "lastusermessage": mine, "lastcharmessage": theirs}
    return {name: texts[-1] for name, texts in lists.items() if texts}


def _as_written(text: str, player: Player) -> str:
    return text


def _lore(active: Active) -> _Standing:
    return _Standing(_lore_key(active.book, active.entry), active.text.strip(), active.entry.depth)


def _lore_key(book: str, entry: Entry) -> str:
    return f"{LORE}{book}:{entry.id}:{entry.fingerprint}"


def _of_the_scene(cast: Cast, player: Player, put_in: Callable[[str, Player], str]) -> list[_Standing]:
    found = []
    for each in cast.players:
        if prompt := each.card.depth_prompt:
            found.append(_standing(f"{DEPTH_PROMPT}{each.id}", prompt.text, put_in(prompt.text, each), prompt.depth))
    if cast.author_note.strip():
        found.append(_standing(f"{AUTHOR}note", cast.author_note, put_in(cast.author_note, player), cast.author_note_depth))
    if after := player.card.text("post_history_instructions").strip():
        words = put_in(after, player)
        found.append(_standing(f"{POST_HISTORY}{player.id}", after, words, POST_HISTORY_DEPTH))
    return [one for one in found if one.text]


def _standing(key: str, written: str, words: str, depth: int) -> _Standing:
    return _Standing(f"{key}:{hashlib.sha256(written.encode('utf-8', 'replace')).hexdigest()[:12]}", words.strip(), depth)


def _is_due(one: _Standing, turns: Sequence[Turn], *, messages_now: bool) -> bool:
    """Never told, or more messages than its depth have come since."""
    since = int(messages_now)
    for turn in reversed(turns):
        since += bool(turn.question.strip()) + bool(turn.answer.strip())
        if any(_base(note.key) == one.key for note in turn.notes):
            return one.depth is not None and since > max(one.depth, 1)
    return True


def _base(key: str) -> str:
    return _TURN.sub("", key)
