"""Which conversations are scenes, and how each is set up: who plays, the user's part, the author's note."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from unabridged.characters.card import LONGEST_NAME
from unabridged.characters.cast import AUTHORS_NOTE_DEPTH, Cast, Order, Player
from unabridged.characters.character_store import Characters
from unabridged.characters.opening import begin_scene
from unabridged.characters.scene import BY_DEFAULT, Scene, Style
from unabridged.characters.scene_prompt import Documents
from unabridged.conversations import Conversations
from unabridged.errors import UsageError
from unabridged.library import Library
from unabridged.models.engine import Engine
from unabridged.notes import Note
from unabridged.store import Store
from unabridged.turns import INCOGNITO


@dataclass(frozen=True, slots=True)
class Setup:
    """`character_ids` in the order of the sheets; `book_ids` are lorebooks besides the characters' own. See cast.Cast."""

    character_ids: tuple[str, ...]
    user: str = "You"
    persona: str = ""
    author_note: str = ""
    author_note_depth: int = AUTHORS_NOTE_DEPTH
    book_ids: tuple[str, ...] = ()
    order: Order = Order.SPOKEN_TO
    began_at: str = ""  # ISO 8601

    def __post_init__(self) -> None:
        if not self.user.strip() or "\n" in self.user or len(self.user) > LONGEST_NAME:
            raise UsageError(
                "The user needs a name in the scene.", hint=f"Give one of 1 to {LONGEST_NAME} letters in one line."
            )
        if self.author_note_depth < 0:
            raise UsageError("An author's note cannot stand after the end.", hint="Give a depth of 0 or more messages.")


class Scenes:
    def __init__(self, store: Store, characters: Characters, conversations: Conversations, library: Library) -> None:
        self._store, self._characters, self._conversations, self._library = store, characters, conversations, library
        self._incognito: dict[str, Setup] = {}

    def start(
        self, setup: Setup, *, greeting: int | str | None = 0, player_id: str = "", incognito: bool = False
    ) -> tuple[str, str | None]:
        """A new conversation that is a scene; returns its id and the turn of the greeting, where somebody greets."""
        setup = replace(setup, began_at=setup.began_at or datetime.now(UTC).isoformat(timespec="seconds"))
        cast = self._cast(setup, seed="")
        documents = [(document.id, document.name) for document, _ in self._documents(setup)]
        title = ", ".join(player.name for player in cast.players)
        conversation_id = self._conversations.start(documents, title=title, incognito=incognito).id
        self.change(conversation_id, setup)
        return conversation_id, self.greet(conversation_id, greeting=greeting, player_id=player_id)

    def greet(self, conversation_id: str, *, greeting: int | str | None, player_id: str = "") -> str | None:
        """Another beginning of the scene, beside those that it has."""
        return begin_scene(
            self._conversations,
            self.cast(conversation_id),
            conversation_id=conversation_id,
            greeting=greeting,
            player_id=player_id,
        )

    def setup(self, conversation_id: str) -> Setup | None:
        """None for a conversation that is no scene."""
        if conversation_id.startswith(INCOGNITO):
            return self._incognito.get(conversation_id)
        for row in self._store.rows("SELECT setup FROM scenes WHERE conversation_id = ?", [conversation_id]):
            return setup_of(json.loads(row["setup"]))
        return None

    def ids(self) -> set[str]:
        """Of all conversations that are scenes."""
        return {row["conversation_id"] for row in self._store.rows("SELECT conversation_id FROM scenes")} | set(self._incognito)

    def change(self, conversation_id: str, setup: Setup) -> None:
        """From the next turn on. A new author's note or book is told then; another cast has its sheets read once."""
        if conversation_id.startswith(INCOGNITO):
            self._incognito[conversation_id] = setup
            return
        row = {"conversation_id": conversation_id, "setup": json.dumps(asdict(setup), ensure_ascii=True)}
        with self._store.transaction() as db:
            db.table("scenes").upsert(row, pk="conversation_id")

    def cast(self, conversation_id: str) -> Cast:
        """Raises UsageError where the conversation is no scene, or a character of it was removed."""
        return self._cast(self._setup_of(conversation_id), seed=conversation_id)

    def scene(self, engine: Engine, conversation_id: str, *, notes: Sequence[Note] = (), style: Style = BY_DEFAULT) -> Scene:
        """The scene to play a turn in; make it anew for each. Raises UsageError for a model that cannot play."""
        return Scene(
            engine,
            self._conversations,
            self.cast(conversation_id),
            conversation_id=conversation_id,
            documents=self._documents(self._setup_of(conversation_id)),
            notes=notes,
            style=style,
        )

    def _setup_of(self, conversation_id: str) -> Setup:
        setup = self.setup(conversation_id)
        if setup is None:
            raise UsageError("This conversation is no scene.", hint="Begin one with a character.")
        return setup

    def _cast(self, setup: Setup, *, seed: str) -> Cast:
        return Cast(
            players=tuple(Player(each, self._characters.get(each).card) for each in setup.character_ids),
            user=setup.user,
            persona=setup.persona,
            author_note=setup.author_note,
            author_note_depth=setup.author_note_depth,
            world=tuple(self._characters.book(each).book for each in setup.book_ids),
            order=setup.order,
            seed=seed,
            moment=datetime.fromisoformat(setup.began_at),
        )

    def _documents(self, setup: Setup) -> Documents:
        """Of all its characters, each once, in the order of the cast."""
        ids = dict.fromkeys(each for character in setup.character_ids for each in self._characters.get(character).document_ids)
        return [(self._library.document(each), self._library.passages(each)) for each in ids]


def setup_of(kept: Mapping[str, Any]) -> Setup:
    """The set-up that was kept or imported as JSON. Raises UsageError for what is none."""
    try:
        setup = Setup(
            character_ids=tuple(kept["character_ids"]),
            user=kept["user"],
            persona=kept["persona"],
            author_note=kept["author_note"],
            author_note_depth=kept["author_note_depth"],
            book_ids=tuple(kept["book_ids"]),
            order=Order(kept["order"]),
            began_at=kept["began_at"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_setup() from error
    texts = (setup.user, setup.persona, setup.author_note, setup.began_at, *setup.character_ids, *setup.book_ids)
    if type(setup.author_note_depth) is not int or not all(isinstance(text, str) for text in texts):
        raise _no_setup()
    return setup


def _no_setup() -> UsageError:
    return UsageError("The scene of this conversation is not one that Unabridged exported.", hint="Try another file.")
