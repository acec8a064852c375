"""A scene in token ids: the sheet is the reading, every turn is appended after it, and nothing that stands is written anew.

head with the sheet [+ documents] + directions and message + answer [+ name] + reply + next_question + …
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from unabridged.characters.cast import Cast, Player
from unabridged.characters.directions import speaker_of
from unabridged.characters.sheet import sheet_text
from unabridged.context import Context, build
from unabridged.ingest.document import Document, Passage
from unabridged.models.engine import ChatFrame, Engine, Generation, Tokens
from unabridged.notes import Note, still_wanted
from unabridged.prompts import ChatPrompt
from unabridged.turns import Turn

Documents = Sequence[tuple[Document, Sequence[Passage]]]

_BEGINS, _GOES_ON = "[The scene begins.]", "[It goes on.]"


@dataclass(frozen=True, slots=True)
class ScenePrompt:
    engine: Engine
    cast: Cast
    frame: ChatFrame

    @classmethod
    def of(cls, engine: Engine, cast: Cast) -> "ScenePrompt":
        return cls(engine, cast, engine.frame(sheet_text(cast)))

    def context(self, documents: Documents) -> Context:
        """The reading: the sheet, and the documents that the characters come from, whole."""
        if documents:
            return build(self.engine, ChatPrompt(self.frame), documents)
        return Context(tokens=self.frame.head, passages=(), shares=(), longest_passage=0, spans=())

    def prompt(
        self,
        turns: Sequence[Turn],
        message: str,
        player: Player,
        notes: Sequence[Note],
        *,
        taken_back: Collection[str] = (),
        begun: Tokens | None = None,
    ) -> Tokens:
        """After the reading: the turns, then this message, up to where the player's reply begins (or goes on after `begun`)."""
        return np.concatenate(
            [*self._turns(turns, taken_back), *self._asked(message, notes, player, bool(turns)), *_given(begun)]
        )

    def request(self, turns: Sequence[Turn], words: str, *, taken_back: Collection[str] = ()) -> Tokens:
        """After the reading: the turns, then a request from outside the scene."""
        asked = self.engine.tokenize([f"\n\n[{words}]"])[0]
        return np.concatenate([*self._turns(turns, taken_back), asked, self.frame.answer])

    def stops(self, player: Player) -> list[str]:
        """What no reply goes on after: somebody else's turn to speak."""
        others = [each.name for each in self.cast.players if each.id != player.id]
        return [f"\n{name}:" for name in (self.cast.user, *others)]

    def reply_tokens(self, generation: Generation, stops: Sequence[str]) -> tuple[int, ...]:
        """The tokens of what was said. Where a stop string may have ended it, its own tokens must not stay in the scene."""
        if generation.finish == "length" or not stops:
            return generation.tokens
        return tuple(self.engine.tokenize([generation.text.rstrip()])[0].tolist())

    def _turns(self, turns: Sequence[Turn], taken_back: Collection[str]) -> list[Tokens]:
        pieces: list[Tokens] = []
        for number, turn in enumerate(turns):
            notes = still_wanted(turn.notes, taken_back)
            player = self.cast.player(speaker_of(turn) or "") if self._known(turn) else self.cast.players[0]
            pieces += [*self._asked(turn.question, notes, player, number > 0), self._reply(turn), self.frame.next_question]
        return pieces

    def _known(self, turn: Turn) -> bool:
        return speaker_of(turn) in {player.id for player in self.cast.players}

    def _asked(self, message: str, notes: Sequence[Note], player: Player, later: bool) -> list[Tokens]:
        """Directions and message, and the name of who answers, where there are several."""
        lines = "".join(f"[{note.text}]\n" for note in notes)
        words = f"{self.cast.user}: {message}" if message.strip() and self.cast.is_group else message
        if not message.strip():
            words = _GOES_ON if later else _BEGINS
        asked, name = self.engine.tokenize([f"\n\n{lines}{words}", f"{player.name}:"])
        return [asked, self.frame.answer, *([name] if self.cast.is_group else [])]

    def _reply(self, turn: Turn) -> Tokens:
        if turn.reply_tokens and turn.fingerprint == self.engine.info.fingerprint:
            return np.array(turn.reply_tokens, np.int32)
        return self.engine.tokenize([turn.answer])[0]


def _given(begun: Tokens | None) -> list[Tokens]:
    return [] if begun is None else [begun]
