"""Who plays in a scene, with whom, and what else is set for it: a value, made of cards and of what the user chose."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from unabridged.characters.card import Card
from unabridged.characters.lorebook import Lorebook, read_book
from unabridged.characters.macros import Values, expand
from unabridged.errors import UsageError

AUTHORS_NOTE_DEPTH = 4  # messages
NOTHING: Mapping[str, str] = MappingProxyType({})


class Order(StrEnum):
    """Who of a group answers: see speaking.py."""

    SPOKEN_TO = "who is spoken to"
    EVERYONE = "everyone"
    IN_TURN = "in turn"


@dataclass(frozen=True, slots=True)
class Player:
    """A character under the id that it is kept under."""

    id: str
    card: Card

    @property
    def name(self) -> str:
        return self.card.called


@dataclass(frozen=True)
class Cast:
    """`seed` decides all lots, `moment` is when the scene began; `from_document`: they live in the documents of the reading.

    `author_note` is the user's direction, kept within `author_note_depth` messages of the end. `world` are further lorebooks.
    """

    players: tuple[Player, ...]
    user: str = "You"
    persona: str = ""
    author_note: str = ""
    author_note_depth: int = AUTHORS_NOTE_DEPTH
    world: tuple[Lorebook, ...] = ()
    order: Order = Order.SPOKEN_TO
    from_document: bool = False
    seed: str = ""
    moment: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        if not self.players:
            raise UsageError("A scene needs a character.", hint="Import a card: unabridged character import FILE.")
        if len({player.id for player in self.players}) < len(self.players):
            raise UsageError("A character is in the scene twice.", hint="Name each character once.")

    @property
    def is_group(self) -> bool:
        return len(self.players) > 1

    @cached_property
    def books(self) -> tuple[Lorebook, ...]:
        """The characters' own lorebooks, then the others."""
        own = [read_book(card.book, name=card.name) for card in (player.card for player in self.players) if card.book]
        return (*own, *self.world)

    def player(self, player_id: str) -> Player:
        for player in self.players:
            if player.id == player_id:
                return player
        raise UsageError("This character is not in the scene.", hint="Add it to the scene first.")

    def values(self, player: Player, *, said: Mapping[str, str] = NOTHING) -> Values:
        """What macros mean in words of this character; `said` are further ones, by name in small letters."""
        card = player.card
        others = {
            **{name: card.text(name) for name in ("description", "personality", "scenario")},
            "persona": self.persona,
            "mesexamples": card.text("mes_example"),
            "charversion": card.text("character_version"),
            **said,
        }
        group = ", ".join(each.name for each in self.players) if self.is_group else ""
        return Values(self.user, player.name, group, self.seed, self.moment, others)

    def put_in(self, text: str, player: Player | None = None, *, turn: str = "", original: str = "") -> str:
        """The text with macros put in as this character means them (the first one, where it is nobody's)."""
        return expand(text, self.values(player or self.players[0]), turn=turn, original=original)

    def greetings(self, player: Player | None = None) -> tuple[str, ...]:
        """What the scene can begin with, macros put in; in a group those that are meant for groups come first."""
        card = (player or self.players[0]).card
        found = ((*card.texts("group_only_greetings"),) if self.is_group else ()) + card.greetings
        return tuple(self.put_in(greeting, player) for greeting in found if greeting.strip())


def mentioned(name: str, text: str) -> int:
    """Where the name (or its first word) stands in the text for the first time; -1 where it does not."""
    found = [
        match.start()
        for word in {name, name.split()[0] if name.split() else name}
        if (match := re.search(rf"(?<![^\W\u3040-\u9fff]){re.escape(word)}(?![^\W\u3040-\u9fff])", text, re.IGNORECASE))
    ]
    return min(found, default=-1)
