"""Characters are kept with everything in them, and scenes with what the user set; both over a real database."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from unabridged.characters.card import new_card
from unabridged.characters.card_files import FORMATS, CardFile, read_card
from unabridged.characters.cast import Order
from unabridged.characters.character_store import Characters
from unabridged.characters.scenes import Scenes, Setup
from unabridged.conversations import Conversations
from unabridged.errors import DocumentError, UsageError
from unabridged.home import Home
from unabridged.library import Library
from unabridged.notes import Note
from unabridged.store import Store

from tests.fakes import FakeEngine, Script, text_of
from tests.unit.characters.cards import BOOK, V1, V2, V3, charx, packed, png, text


@dataclass(frozen=True)
class Kept:
    store: Store
    characters: Characters
    conversations: Conversations
    library: Library
    scenes: Scenes


@pytest.fixture
def kept(home: Home) -> Iterator[Kept]:
    store = Store(home.database)
    characters, conversations, library = Characters(store), Conversations(store), Library(home, store)
    yield Kept(store, characters, conversations, library, Scenes(store, characters, conversations, library))
    conversations.close()
    store.close()


FILES = {
    "V1 JSON": json.dumps(V1).encode(),
    "V2 PNG": png(text("chara", packed(V2))),
    "V3 PNG": png(text("ccv3", packed(V3)), text("chara-ext-asset_:0", b"AAEC")),
    "V3 CHARX": charx(V3, {"assets/emotion/image/joy.webp": b"RIFF\x04\0\0\0WEBPxxxx", "odd name é.bin": b"\0"}),
    "half a character": b'{"name": "A\\ud800", "description": ""}',
}


@pytest.mark.parametrize("file", FILES)
def test_what_is_kept_is_what_came_and_goes_out_again(kept: Kept, file: str) -> None:
    came = read_card(FILES[file], "x")
    character = kept.characters.add(came)
    assert kept.characters.get(character.id).file == came
    for form in FORMATS:
        out = read_card(kept.characters.export(character.id, form), "x")
        assert out.card.name == came.card.name
        assert out.card.greetings == came.card.greetings
    (listed,) = kept.characters.list()
    assert (listed.name, listed.greetings) == (came.card.name, len(came.card.greetings))


def test_an_edit_is_kept_and_a_wrong_one_is_refused(kept: Kept) -> None:
    character = kept.characters.add(CardFile(new_card("Ada")))
    kept.characters.edit(character.id, description="Taller.", character_book=BOOK)
    assert kept.characters.get(character.id).card.text("description") == "Taller."
    with pytest.raises(DocumentError):
        kept.characters.edit(character.id, description=5)
    with pytest.raises(DocumentError):
        kept.characters.edit(character.id, character_book={"entries": [{"keys": 1}]})
    assert kept.characters.list()[0].lore == 2


def test_a_character_is_found_by_name_and_by_id(kept: Kept) -> None:
    first, second = (kept.characters.add(CardFile(new_card(name))) for name in ("Ada", "Ben"))
    assert kept.characters.resolve("Ada").id == first.id
    assert kept.characters.resolve(second.id[:6]).id == second.id
    kept.characters.add(CardFile(new_card("Ada")))
    for words in ("Ada", "Cleo", ""):
        with pytest.raises(UsageError):
            kept.characters.resolve(words)


def test_a_character_that_is_removed_is_really_gone(kept: Kept, home: Home) -> None:
    secret = "the-word-nobody-shall-find"
    character = kept.characters.add(CardFile(new_card("Ada", description=secret), files={"__asset:0": secret.encode()}))
    kept.characters.remove(character.id)
    kept.store.overwrite_deleted()
    assert kept.characters.list() == []
    assert all(secret.encode() not in path.read_bytes() for path in home.folder.glob("library.db*"))


def test_lorebooks_of_their_own_are_kept_edited_and_removed(kept: Kept) -> None:
    book = kept.characters.add_book({"entries": {"0": {"uid": 0, "key": ["k"], "content": "x"}}}, name="world.json")
    assert (book.book.name, len(book.book.entries)) == ("world.json", 1)
    kept.characters.edit_book(book.id, {**BOOK})
    assert [each.book.name for each in kept.characters.books()] == ["Skarv"]
    kept.characters.remove_book(book.id)
    with pytest.raises(UsageError):
        kept.characters.book(book.id)


def test_a_scene_is_played_from_what_is_kept(kept: Kept) -> None:
    ada = kept.characters.add(read_card(FILES["V2 PNG"], "x"))
    world = kept.characters.add_book(
        {"entries": [{"keys": ["k"], "content": "The sea is cold.", "constant": True}]}, name="world"
    )
    setup = Setup((ada.id,), user="Ben", persona="A {{user}} who is wet.", book_ids=(world.id,), author_note="Whisper.")
    conversation_id, greeting = kept.scenes.start(setup, greeting=1)
    engine = FakeEngine(Script(replies=["Yes."]))
    scene = kept.scenes.scene(engine, conversation_id, notes=[Note("memory:1:x", "Ben is a doctor.")])
    list(scene.say("Hello.", parent_id=greeting))
    for words in ("The lamp is out.", "The sea is cold.", "A Ben who is wet.", "[Whisper.]", "[Ben is a doctor.]", "Hello."):
        assert words in text_of(engine.prompts[0])
    assert kept.conversations.get(conversation_id).title == "Ada"
    again = kept.scenes.setup(conversation_id)
    assert again == replace(setup, began_at=again.began_at if again else "")


def test_a_setup_is_kept_whole_and_goes_with_its_conversation(kept: Kept, home: Home) -> None:
    ids = tuple(kept.characters.add(CardFile(new_card(name, first_mes="Hi."))).id for name in ("Ada", "Ben"))
    conversation_id, _ = kept.scenes.start(Setup(ids))
    other = Setup(ids[::-1], "Cleo", "p", "n", 7, (), Order.IN_TURN, "2026-01-02T03:04:05+00:00")
    kept.scenes.change(conversation_id, other)
    assert kept.scenes.setup(conversation_id) == other
    assert [player.name for player in kept.scenes.cast(conversation_id).players] == ["Ben", "Ada"]
    kept.conversations.delete(conversation_id)
    assert kept.scenes.setup(conversation_id) is None
    with pytest.raises(UsageError):
        kept.scenes.cast(conversation_id)


def test_an_incognito_scene_never_touches_the_disk(kept: Kept, home: Home) -> None:
    ada = kept.characters.add(CardFile(new_card("Ada", first_mes="The secret greeting.")))
    conversation_id, _ = kept.scenes.start(Setup((ada.id,), author_note="The secret note."), incognito=True)
    engine = FakeEngine(Script(replies=["Yes."]))
    list(kept.scenes.scene(engine, conversation_id).say("Hello.", parent_id=None))
    assert "[The secret note.]" in text_of(engine.prompts[0])
    with sqlite3.connect(home.database) as database:
        assert database.execute("SELECT count(*) FROM scenes").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM turns").fetchone() == (0,)


def test_a_character_lives_in_its_document(kept: Kept, tmp_path: Path) -> None:
    novel = tmp_path / "novel.txt"
    novel.write_text("Chapter 1\n\nAda lit the lamp.\n\nChapter 2\n\nThe lamp went out.\n", encoding="utf-8")
    document = kept.library.add(novel)
    ada = kept.characters.add(CardFile(new_card("Ada")), document_ids=[document.id])
    conversation_id, greeting = kept.scenes.start(Setup((ada.id,)))
    assert greeting is None
    engine = FakeEngine(Script(replies=["I did."]))
    list(kept.scenes.scene(engine, conversation_id).say("Who lit it?", parent_id=None))
    read = text_of(engine.readings[0])
    assert "Ada lit the lamp." in read
    assert "The lamp went out." in read
    assert kept.conversations.get(conversation_id).documents == ((document.id, "novel.txt"),)
    kept.characters.live_in(ada.id, [])
    assert kept.characters.get(ada.id).document_ids == ()
