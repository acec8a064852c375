"""What the gallery asks for: characters and lorebooks listed, shown, edited, removed, and asked about. Knows no scenes."""

from collections.abc import Mapping
from typing import Any

from unabridged.catalogue import STARTER
from unabridged.characters.card import LISTS_OF_TEXT, TEXTS, clean, new_card
from unabridged.characters.card_files import CardFile
from unabridged.characters.character_store import Character
from unabridged.characters.lore_fields import book_fields, entry_fields, with_book_fields, with_entry_fields
from unabridged.characters.lorebook import in_card_form
from unabridged.characters.playing import ask_about_character, cast_of_one
from unabridged.characters.sheet import sheet_document
from unabridged.ui.events_shown import fold
from unabridged.ui.jobs import Jobs
from unabridged.workspace import Workspace

Data = dict[str, Any]


class CharacterHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    def characters(self, data: Data) -> Data:
        """The gallery, and whether the chosen model can play."""
        listed = [
            {
                "id": one.id,
                "name": clean(one.name),
                "tags": list(one.tags),
                "creator": one.creator,
                "greetings": one.greetings,
                "lore": one.lore,
                "documents": list(one.document_ids),
                "picture": one.has_picture,
            }
            for one in self._workspace.characters.list()
        ]
        books = [
            {"id": kept.id, "name": clean(kept.book.name), "lore": len(kept.book.entries)}
            for kept in self._workspace.characters.books()
        ]
        chosen = self._workspace.model.listed()
        return {"characters": listed, "books": books, "plays": chosen is None or chosen.name != STARTER}

    def character(self, data: Data) -> Data:
        """One character whole: its fields by the specification's names, its lorebook, and its sheet as the model reads it."""
        character = self._workspace.characters.get(str(data["character"]))
        cast = cast_of_one(self._workspace, character.id)
        return {
            "id": character.id,
            "fields": _fields(character),
            "greetings": list(cast.greetings()),
            "documents": list(character.document_ids),
            "assets": [f"{asset.kind}: {asset.name}.{asset.ext}" for asset in character.card.assets],
            "book": _book_shown(character.card.book or {"entries": []}),
            "sheet": sheet_document(cast, cast.players[0]).text,
        }

    def save_character(self, data: Data) -> Data:
        """Other values for `fields`; without a `character` a new one is made. `documents`: those that it lives in."""
        fields = {name: value for name, value in data["fields"].items() if name in (*TEXTS, *LISTS_OF_TEXT)}
        kept = self._workspace.characters
        if data.get("character"):
            kept.edit(str(data["character"]), **fields)
            character_id = str(data["character"])
        else:
            name = str(fields.pop("name", ""))
            character_id = kept.add(CardFile(new_card(name, **fields))).id
        if "documents" in data:
            kept.live_in(character_id, [str(each) for each in data["documents"]])
        self._jobs.announce()
        return {"character": character_id}

    def remove_character(self, data: Data) -> Data:
        self._workspace.characters.remove(str(data["character"]))
        self._jobs.announce()
        return {}

    def lorebook(self, data: Data) -> Data:
        """A lorebook that belongs to no card, in the form that cards write."""
        kept = self._workspace.characters.book(str(data["book"]))
        return {"name": clean(kept.book.name), "book": _book_shown(in_card_form(kept.raw))}

    def save_lorebook(self, data: Data) -> Data:
        """The whole lorebook of a `character`, or of a `book` of its own, as book_shown() gave it, with other `fields`."""
        entries = [with_entry_fields(entry["raw"], entry["fields"]) for entry in data["entries"]]
        raw = with_book_fields(data["raw"], data["fields"], entries)
        if data.get("character"):
            self._workspace.characters.edit(str(data["character"]), character_book=raw)
        else:
            self._workspace.characters.edit_book(str(data["book"]), raw)
        self._jobs.announce()
        return {}

    def remove_lorebook(self, data: Data) -> Data:
        self._workspace.characters.remove_book(str(data["book"]))
        self._jobs.announce()
        return {}

    def ask_character(self, data: Data) -> Data:
        """A question about the sheet, from outside every scene; the job's id. Any model can answer it."""
        events = ask_about_character(self._workspace, str(data["character"]), str(data["question"]))
        news = {"phase": "waiting", "ahead": 0, "documents": []}
        return {"job": self._jobs.start("sheet", events, fold=fold, news=news).id}


def _fields(character: Character) -> Data:
    card = character.card
    return {**{name: card.text(name) for name in TEXTS}, **{name: list(card.texts(name)) for name in LISTS_OF_TEXT}}


def _book_shown(book: Mapping[str, Any]) -> Data:
    """For the editor: everything as it is written, and beside it what can be changed. `new` are the fields of a new entry."""
    raw = _sendable(dict(book))
    entries = [{"raw": entry, "fields": entry_fields(entry)} for entry in raw.pop("entries", None) or ()]
    return {"raw": raw, "fields": book_fields(raw), "entries": entries, "new": entry_fields({})}


def _sendable(value: Any) -> Any:  # noqa: ANN401 what JSON can hold
    """Half characters, which a card may hold, cannot travel to the page."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): _sendable(item) for key, item in value.items()}
    return value
