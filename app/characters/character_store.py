"""The characters and lorebooks that were imported, with everything that came in their files. Knows no models and no scenes."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from unabridged.characters.card import Card
from unabridged.characters.card_files import CardFile, write_card
from unabridged.characters.hostile_json import write_object
from unabridged.characters.lorebook import Lorebook, in_card_form, read_book
from unabridged.errors import UsageError
from unabridged.store import Store


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the gallery. `lore` counts the entries of its own lorebook."""

    id: str
    name: str
    tags: tuple[str, ...]
    creator: str
    greetings: int
    lore: int
    document_ids: tuple[str, ...]
    has_picture: bool
    added_at: str


@dataclass(frozen=True, slots=True)
class Character:
    """`document_ids`: the documents of the library that it lives in, whole, whenever it speaks."""

    id: str
    file: CardFile
    document_ids: tuple[str, ...]
    added_at: str
    changed_at: str

    @property
    def card(self) -> Card:
        return self.file.card


@dataclass(frozen=True, slots=True)
class KeptBook:
    """A lorebook that belongs to no card, as it was imported and as it is understood."""

    id: str
    raw: dict[str, Any]
    book: Lorebook
    added_at: str


class Characters:
    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> Sequence[Listed]:
        """All of them, the last added first."""
        rows = self._store.rows(
            "SELECT id, card, document_ids, added_at, length(picture) > 0 OR EXISTS "
            "(SELECT 1 FROM character_files f WHERE f.character_id = characters.id) AS pictured "
            "FROM characters ORDER BY added_at DESC, rowid DESC"
        )
        return [_listed(row) for row in rows]

    def add(self, file: CardFile, *, document_ids: Sequence[str] = ()) -> Character:
        """Keep a card with its files; the same card twice makes two characters. Raises what its lorebook raises."""
        if file.card.book:
            read_book(file.card.book)
        character_id, now = uuid.uuid4().hex, _now()
        with self._store.transaction() as db:
            db.table("characters").insert(
                {
                    "id": character_id,
                    "card": _packed(file.card.raw),
                    "picture": file.picture,
                    "document_ids": json.dumps(list(document_ids)),
                    "added_at": now,
                    "changed_at": now,
                }
            )
            db.table("character_files").insert_all(
                {"character_id": character_id, "uri": uri.encode("utf-8", "surrogatepass"), "content": content}
                for uri, content in file.files.items()
            )
        return self.get(character_id)

    def get(self, character_id: str) -> Character:
        """Raises UsageError when there is none."""
        for row in self._store.rows("SELECT * FROM characters WHERE id = ?", [character_id]):
            files = self._store.rows(
                "SELECT uri, content FROM character_files WHERE character_id = ? ORDER BY rowid", [character_id]
            )
            contents = {bytes(file["uri"]).decode("utf-8", "surrogatepass"): bytes(file["content"]) for file in files}
            file = CardFile(Card(_unpacked(row["card"])), bytes(row["picture"]), contents)
            return Character(row["id"], file, tuple(json.loads(row["document_ids"])), row["added_at"], row["changed_at"])
        raise UsageError("There is no such character.", hint="See unabridged character list.")

    def resolve(self, words: str) -> Character:
        """The one character meant by a name, an id or the beginning of one. Raises UsageError for none or several."""
        listed = self.list()
        found = [one for one in listed if one.name == words] or [
            one for one in listed if len(words) >= 4 and one.id.startswith(words.lower())
        ]
        if len(found) != 1:
            many = "several characters" if found else "no character"
            raise UsageError(f"There is {many} called {words}.", hint="Give the id that unabridged character list shows.")
        return self.get(found[0].id)

    def edit(self, character_id: str, **fields: object) -> Card:
        """Other values for fields of the card, by the specification's names. Raises DocumentDamaged for wrong ones."""
        card = self.get(character_id).card.edited(**fields)
        if card.book:
            read_book(card.book)
        self._change(character_id, card=_packed(card.raw))
        return card

    def learn(self, character_id: str, raw: Mapping[str, Any]) -> int:
        """Add the entries of a lorebook or world-info file to the card's own; returns how many. Raises as `add_book`."""
        read_book(raw)
        more = in_card_form(raw)
        own = self.get(character_id).card.book or {"extensions": {}, **{key: more[key] for key in more if key != "entries"}}
        self.edit(character_id, character_book={**own, "entries": [*(own.get("entries") or []), *more["entries"]]})
        return len(more["entries"])

    def live_in(self, character_id: str, document_ids: Sequence[str]) -> None:
        """The documents that are read whole whenever it speaks; none takes it out of all of them."""
        self.get(character_id)
        self._change(character_id, document_ids=json.dumps(list(document_ids)))

    def export(self, character_id: str, form: str) -> bytes:
        """A file in one of card_files.FORMATS."""
        return write_card(self.get(character_id).file, form)

    def remove(self, character_id: str) -> None:
        """Scenes keep what was said; they can only go on without it. What was to be kept in mind for it goes, too."""
        self.get(character_id)
        with self._store.transaction() as db:
            db.table("memories").delete_where("scope = 'character' AND scope_id = ?", [character_id])
            db.table("characters").delete_where("id = ?", [character_id])
        self._store.overwrite_deleted()

    # lorebooks of their own

    def add_book(self, raw: Mapping[str, Any], *, name: str) -> KeptBook:
        """Keep a lorebook or world-info file; `name` is for one that has none. Raises DocumentUnsupported, DocumentDamaged."""
        read_book(raw, name=name)
        book_id, now = uuid.uuid4().hex, _now()
        with self._store.transaction() as db:
            db.table("lorebooks").insert({"id": book_id, "name": name, "book": _packed(dict(raw)), "added_at": now})
        return self.book(book_id)

    def books(self) -> Sequence[KeptBook]:
        return [_book(row) for row in self._store.rows("SELECT * FROM lorebooks ORDER BY added_at DESC, rowid DESC")]

    def book(self, book_id: str) -> KeptBook:
        """Raises UsageError when there is none."""
        for row in self._store.rows("SELECT * FROM lorebooks WHERE id = ?", [book_id]):
            return _book(row)
        raise UsageError("There is no such lorebook.", hint="It may have been removed in another window.")

    def edit_book(self, book_id: str, raw: Mapping[str, Any]) -> KeptBook:
        kept = self.book(book_id)
        read_book(raw, name=kept.book.name)
        with self._store.transaction() as db:
            db.table("lorebooks").update(book_id, {"book": _packed(dict(raw))})
        return self.book(book_id)

    def remove_book(self, book_id: str) -> None:
        self.book(book_id)
        with self._store.transaction() as db:
            db.table("lorebooks").delete_where("id = ?", [book_id])
        self._store.overwrite_deleted()

    def _change(self, character_id: str, **values: str) -> None:
        with self._store.transaction() as db:
            db.table("characters").update(character_id, {**values, "changed_at": _now()})


def _listed(row: Mapping[str, Any]) -> Listed:
    card = Card(_unpacked(row["card"]))
    return Listed(
        id=row["id"],
        name=card.name,
        tags=card.texts("tags"),
        creator=card.text("creator"),
        greetings=len(card.greetings),
        lore=len(read_book(card.book).entries) if card.book else 0,
        document_ids=tuple(json.loads(row["document_ids"])),
        has_picture=bool(row["pictured"]),
        added_at=row["added_at"],
    )


def _book(row: Mapping[str, Any]) -> KeptBook:
    raw = _unpacked(row["book"])
    return KeptBook(row["id"], raw, read_book(raw, name=row["name"]), row["added_at"])


def _packed(raw: dict[str, Any]) -> str:
    return write_object(raw).decode("utf-8")


def _unpacked(text: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(text)
    return raw


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
