"""A scene as it is played: message and reply, another reply, the same one continued, words for the user, a summary of it all.

Turns are kept in the conversation tree: another reply to the same message is a sibling, nothing is overwritten. Long work is a
generator of events; closing it stops the work, and what was said stays.
"""

import contextlib
import hashlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from unabridged.answers import Answer, Seconds
from unabridged.assistant import Assistant
from unabridged.characters.cast import Cast, Player
from unabridged.characters.directions import directions, outdated, speaker_of
from unabridged.characters.scene_prompt import Documents, ScenePrompt
from unabridged.characters.speaking import speakers
from unabridged.context import Context, fit
from unabridged.conversations import Conversations
from unabridged.errors import DoesNotFit, UnabridgedError, UsageError
from unabridged.events import Event, Finished, Started, TextDelta, translate
from unabridged.history import turns_read
from unabridged.marks import without_thoughts
from unabridged.memories import MEMORY
from unabridged.models.engine import Engine, Piece, Reading, Sampling, Tokens
from unabridged.notes import Note, untold
from unabridged.receipts import Tally
from unabridged.turns import Turn

RESERVE_STEP = 1024  # the reserve grows in steps, so that a longer scene seldom needs another window
OWN_WORDS_TOKENS = 200
SUMMARY_TOKENS = (700, 300, 150)  # as many as there is room for
_OWN_WORDS = "Write what {user} says or does next, from the point of view of {user}, and nothing else."
_SUMMARY = (
    "Sum up the scene so far, as whoever plays it on has to know it: what happened, where everybody is, what they know and "
    "feel, what was promised. Keep names. Write in the language of the scene, only the summary."
)


@dataclass(frozen=True, slots=True)
class LoreTold:
    """What the model learns with this turn, by title; what had no room in the budget; patterns that could not be searched."""

    told: tuple[str, ...]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]


SceneEvent = Event | LoreTold


@dataclass(frozen=True, slots=True)
class Style:
    """`lore_tokens`: for the entries of lorebooks that name no budget of their own."""

    answer_tokens: int = 400
    temperature: float = 0.8
    lore_tokens: int = 1024


BY_DEFAULT = Style()


class Scene:
    """One cast with one chat model. Ask it one thing at a time. Raises UsageError for the starter, which cannot play.

    `notes` are further things to keep in mind now, as memories are: each is told once, and one that is gone is taken back.
    """

    def __init__(
        self,
        engine: Engine,
        conversations: Conversations,
        cast: Cast,
        *,
        conversation_id: str,
        documents: Documents = (),
        notes: Sequence[Note] = (),
        style: Style = BY_DEFAULT,
    ) -> None:
        if engine.info.finder:
            raise UsageError(
                "The starter model finds and quotes passages; it cannot play a character.",
                hint="Choose a chat model: unabridged models list.",
            )
        self._engine, self._conversations, self._style = engine, conversations, style
        self._cast = replace(cast, from_document=bool(documents))
        self._conversation_id, self._notes = conversation_id, tuple(notes)
        self._assistant = Assistant(engine)
        self._prompt = ScenePrompt.of(engine, self._cast)
        self.context: Context = self._prompt.context(documents)

    def say(
        self, message: str, *, parent_id: str | None, player_ids: Sequence[str] = (), summary: Note | None = None
    ) -> Generator[SceneEvent, None, str]:
        """A message and the reply, of several characters where several answer; returns the last turn.

        An empty message lets the scene go on. `player_ids` say who answers; else the cast's order decides. A `summary` of
        what was said before goes along into a branch that begins anew: see sum_up().
        """
        self._notes = (*self._notes, *([summary] if summary else []))
        before = self._before(parent_id)
        last = speaker_of(before[-1]) if before else None
        chosen = [self._cast.player(player_id) for player_id in player_ids] or speakers(
            self._cast, message, last=last, turn=str(len(before))
        )
        words = self._cast.put_in(message, turn=f"{self._cast.seed}:{len(before)}")
        for player in chosen:
            parent_id = yield from self._turn(words, player, parent_id)
            words = ""
        if parent_id is None:
            raise UsageError("Nobody answers.", hint="Say who shall.")
        return parent_id

    def answer_again(self, turn_id: str) -> Generator[SceneEvent, None, str]:
        """Another reply to the same message, beside the first; returns its turn."""
        turn = self._conversations.turn(turn_id)
        self._refuse_greeting(turn)
        return (
            yield from self._reply(turn.question, self._player(turn), self._before(turn.parent_id), turn.parent_id, turn.notes)
        )

    def go_on(self, turn_id: str) -> Generator[SceneEvent, None, str]:
        """The reply with more words at its end, beside the shorter one; returns its turn."""
        turn = self._conversations.turn(turn_id)
        self._refuse_greeting(turn)
        before = self._before(turn.parent_id)
        return (yield from self._reply(turn.question, self._player(turn), before, turn.parent_id, turn.notes, begun=turn))

    def own_words(self, *, parent_id: str | None) -> Generator[Event, None, str]:
        """What the user might say next, for the user to change and send; kept nowhere."""
        turns = self._before(parent_id)
        prompt = self._requested(turns, _OWN_WORDS.format(user=self._cast.user))
        stops = [f"\n{player.name}:" for player in self._cast.players]
        sampling = Sampling(temperature=self._style.temperature, seed=_seed(self._cast.seed, "own", str(len(turns))))
        text = yield from self._aside(prompt, limit=OWN_WORDS_TOKENS, sampling=sampling, stops=stops)
        return text.removeprefix(f"{self._cast.user}:").strip()

    def sum_up(self, turn_id: str) -> Generator[Event, None, Note]:
        """The scene down to this turn in a few words, to be shown, edited and given to say(); its key says what it stands for.

        Raises DoesNotFit where the window has not even room for a short one.
        """
        prompt = self._requested(self._before(turn_id), _SUMMARY)
        text = yield from self._aside(prompt, limit=self._room_for_summary(prompt), sampling=Sampling())
        return Note(f"summary:{turn_id}", without_thoughts(text).strip())

    # inside

    def _requested(self, turns: Sequence[Turn], words: str) -> Tokens:
        return self._prompt.request(turns, words, taken_back=self._taken_back(turns))

    def _aside(
        self, prompt: Tokens, *, limit: int, sampling: Sampling, stops: Sequence[str] = ()
    ) -> Generator[Event, None, str]:
        reading = yield from self._read(prompt, limit=limit)
        pieces = self._engine.generate(reading, prompt, limit=limit, sampling=sampling, stop=stops)
        generation = yield from translate(pieces, lambda piece: [TextDelta(piece.text)])
        return generation.text.strip()

    def _room_for_summary(self, prompt: Tokens) -> int:
        *longer, shortest = SUMMARY_TOKENS
        for limit in longer:
            with contextlib.suppress(DoesNotFit):
                fit(self._engine, self.context, reserve=self._reserve(prompt, limit))
                return limit
        fit(self._engine, self.context, reserve=self._reserve(prompt, shortest), history_tokens=len(prompt))
        return shortest

    def _turn(self, message: str, player: Player, parent_id: str | None) -> Generator[SceneEvent, None, str]:
        turns = self._before(parent_id)
        found = directions(self._cast, player, turns, message, budget=self._style.lore_tokens, tokens_of=self._sizes)
        if found.told or found.left_out or found.problems:
            yield LoreTold(found.told, found.left_out, found.problems)
        told = {note.key for turn in turns for note in turn.notes}
        return (yield from self._reply(message, player, turns, parent_id, (*untold(self._notes, told), *found.notes)))

    def _reply(
        self,
        message: str,
        player: Player,
        turns: Sequence[Turn],
        parent_id: str | None,
        notes: Sequence[Note],
        *,
        begun: Turn | None = None,
    ) -> Generator[SceneEvent, None, str]:
        """Keep one turn and have it answered. `begun` is a turn whose reply is taken over and continued."""
        old = self._begun(begun) if begun else None
        prompt = self._prompt.prompt(turns, message, player, notes, taken_back=self._taken_back(turns), begun=old)
        fit(self._engine, self.context, reserve=self._reserve(prompt, self._style.answer_tokens), history_tokens=len(prompt))
        siblings = sum(turn.parent_id == parent_id for turn in self._conversations.turns(self._conversation_id))
        turn_id = self._conversations.begin(
            self._conversation_id,
            message,
            parent_id=parent_id,
            follows=True,
            model=self._assistant.model_name,
            fingerprint=self._engine.info.fingerprint,
            notes=notes,
        )
        try:
            yield Started(self._conversation_id, turn_id)
            if begun:
                self._conversations.extend(turn_id, begun.answer)
            seed = _seed(self._cast.seed, str(len(turns)), str(siblings))
            answer = yield from self._answer(turn_id, prompt, self._prompt.stops(player), seed, begun, old)
            self._conversations.finish(turn_id, answer)
            yield Finished(answer)
        except UnabridgedError:
            self._conversations.leave(turn_id, failed=True)
            raise
        finally:
            self._conversations.leave(turn_id, failed=False)  # no effect on a turn that finished or failed
        return turn_id

    def _answer(
        self, turn_id: str, prompt: Tokens, stops: Sequence[str], seed: int, begun: Turn | None, old: Tokens | None
    ) -> Generator[Event, None, Answer]:
        """The reply, written down while it streams."""
        started = time.perf_counter()
        reading = yield from self._read(prompt, limit=self._style.answer_tokens)
        read_at = time.perf_counter()
        spoken = _Spoken(begun.answer if begun else "")
        first_at: list[float] = []

        def shown(piece: Piece) -> list[TextDelta]:
            first_at.append(time.perf_counter())
            delta = spoken.feed(piece.text)
            if delta:
                self._conversations.extend(turn_id, delta)
            return [TextDelta(delta)] if delta else []

        sampling = Sampling(temperature=self._style.temperature, seed=seed)
        pieces = self._engine.generate(reading, prompt, limit=self._style.answer_tokens, sampling=sampling, stop=stops)
        generation = yield from translate(pieces, shown)
        if begun and not generation.text.strip():
            self._conversations.delete_turn(turn_id)
            raise UsageError(
                "The reply has come to its end: the model adds nothing.", hint="Say something, or ask for another reply."
            )
        tally = Tally(self.context, reading)
        tally.asked(len(prompt))
        tally.add(generation)
        now = time.perf_counter()
        cut = generation.finish == "length"
        return Answer(
            spoken.text if cut else spoken.text.rstrip(),  # what goes on later goes on from its last space
            (),
            tally.receipt(),
            Seconds(0.0, read_at - started, (first_at[0] if first_at else now) - read_at, now - started),
            self._assistant.model_name,
            stopped=cut,
            reply_tokens=(*(old.tolist() if old is not None else ()), *self._prompt.reply_tokens(generation, stops)),
        )

    def _read(self, prompt: Tokens, *, limit: int) -> Generator[Event, None, Reading]:
        return (yield from self._assistant.read(self.context, reserve=self._reserve(prompt, limit)))

    def _reserve(self, prompt: Tokens, limit: int) -> int:
        return -(-(len(prompt) + limit) // RESERVE_STEP) * RESERVE_STEP

    def _before(self, parent_id: str | None) -> list[Turn]:
        return turns_read(self._conversations.path(parent_id)) if parent_id else []

    def _taken_back(self, turns: Sequence[Turn]) -> set[str]:
        """Keys of earlier notes that no longer hold: the card, a book, the author's note was changed, a memory switched off."""
        told = {note.key for turn in turns for note in turn.notes}
        return outdated(self._cast, told) | {key for key in told if key.startswith(MEMORY)} - {note.key for note in self._notes}

    def _begun(self, turn: Turn) -> Tokens:
        if turn.reply_tokens and turn.fingerprint == self._engine.info.fingerprint:
            return np.array(turn.reply_tokens, np.int32)
        return self._engine.tokenize([turn.answer])[0]

    def _player(self, turn: Turn) -> Player:
        player_id = speaker_of(turn)
        return self._cast.player(player_id) if player_id else self._cast.players[0]

    def _sizes(self, texts: Sequence[str]) -> list[int]:
        return [len(tokens) for tokens in self._engine.tokenize(texts)]

    def _refuse_greeting(self, turn: Turn) -> None:
        if turn.parent_id is None and not turn.model:
            raise UsageError("This is the greeting of the card.", hint="Choose another greeting instead.")


class _Spoken:
    """The words of a reply as they are shown: white space at its beginning is left out."""

    def __init__(self, begun: str) -> None:
        self.text = begun

    def feed(self, text: str) -> str:
        delta = text if self.text else text.lstrip()
        self.text += delta
        return delta


def _seed(*parts: str) -> int:
    """31 bits, from a scene, a turn, and how many replies it has already."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()[:4]) >> 1
