"""What the page can do with characters, without a browser: taken in, shown, edited, played, handed out, refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient
from unabridged.errors import DocumentDamaged, UsageError
from unabridged.home import Home
from unabridged.ui.handlers_characters import CharacterHandlers
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_keeping import KeepingHandlers
from unabridged.ui.handlers_memories import MemoryHandlers
from unabridged.ui.handlers_scenes import SceneHandlers
from unabridged.ui.jobs import Job, Jobs
from unabridged.ui.server import build_app
from unabridged.workspace import Workspace

from tests.fakes import FINDER, FakeEngine, Script
from tests.unit.characters.cards import BOOK, V2, packed, png, text

LOCAL = "http://127.0.0.1:7860"
DATA = cast("dict[str, Any]", V2["data"])
SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(Script(replies=["Sit by the stove.", "Dry your coat first."]))


@pytest.fixture
def workspace(home: Home, engine: FakeEngine) -> Iterator[Workspace]:
    with Workspace(home, start_engine=lambda path, options: engine) as opened:
        yield opened


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def characters(workspace: Workspace, jobs: Jobs) -> CharacterHandlers:
    return CharacterHandlers(workspace, jobs)


@pytest.fixture
def scenes(workspace: Workspace, jobs: Jobs) -> SceneHandlers:
    return SceneHandlers(workspace, jobs)


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    with TestClient(build_app(workspace), base_url=LOCAL, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def ada(client: TestClient) -> str:
    return taken(client, "ada.png", png(text("chara", packed(V2))))["character"]


def taken(client: TestClient, name: str, content: bytes, language: str = "en") -> dict[str, str]:
    answer: dict[str, str] = client.post("/characters", params={"name": name, "language": language}, content=content).json()
    return answer


def ended(jobs: Jobs, started: dict[str, Any]) -> Job:
    job = next(job for job in jobs.all() if job.id == started["job"])
    assert job.ended.wait(20)
    return job


def begun(scenes: SceneHandlers, *character_ids: str, **more: Any) -> tuple[str, str]:  # noqa: ANN401
    """The conversation, and the turn of its greeting."""
    conversation = scenes.start_scene({"characters": character_ids, "user": "Ben", **more})["conversation"]
    return conversation, scenes._workspace.conversations.turns(conversation)[-1].id


def test_a_card_is_taken_in_shown_and_handed_out_again(client: TestClient, ada: str, characters: CharacterHandlers) -> None:
    [one] = characters.characters({})["characters"]
    assert (one["id"], one["name"], one["greetings"], one["lore"], one["picture"]) == (ada, "Ada", 3, 2, True)
    whole = characters.character({"character": ada})
    assert whole["fields"]["alternate_greetings"] == ["The lamp is out.", "Who knocks?"]
    assert "herring oil" in whole["sheet"]
    exported = client.get(f"/characters/{ada}.json")
    assert exported.json() == V2
    assert "attachment" in exported.headers["content-disposition"]


def test_a_picture_is_served_as_a_picture_and_as_nothing_else(client: TestClient, ada: str) -> None:
    answer = client.get(f"/characters/{ada}/picture")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"chara" not in answer.content
    without = taken(client, "ada.json", json.dumps(V2).encode())["character"]
    assert client.get(f"/characters/{without}/picture").status_code == 404
    assert client.get("/characters/none/picture").status_code == 404


@pytest.mark.parametrize(
    "content", [b"no card at all", b"\x89PNG\r\n\x1a\nbroken", b"PK\x03\x04broken", b'{"spec": "other"}', b'{"a": ' * 90]
)
def test_what_is_no_card_is_refused_in_a_sentence(client: TestClient, content: bytes, characters: CharacterHandlers) -> None:
    answer = client.post("/characters", params={"name": "x.png"}, content=content)
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    assert answer.json()["hint"]
    assert characters.characters({})["characters"] == []


def test_other_sites_can_send_no_card(client: TestClient) -> None:
    answer = client.post(
        "/characters", params={"name": "a.json"}, content=b"{}", headers={"origin": "https://elsewhere.example"}
    )
    assert answer.status_code == 403


def test_a_lorebook_is_kept_by_itself(client: TestClient, characters: CharacterHandlers) -> None:
    book = taken(client, "skarv.json", json.dumps(BOOK).encode())["book"]
    assert [(one["id"], one["lore"]) for one in characters.characters({})["books"]] == [(book, 2)]
    told = characters.lorebook({"book": book})["book"]
    entry = {"raw": {}, "fields": {**told["new"], "keys": "oil"}}
    characters.save_lorebook({"book": book, **told, "entries": [*told["entries"][:1], entry, entry]})
    assert characters.characters({})["books"][0]["lore"] == 3
    characters.remove_lorebook({"book": book})
    assert characters.characters({})["books"] == []


def test_editing_changes_what_was_given_and_keeps_the_rest(
    ada: str, characters: CharacterHandlers, workspace: Workspace
) -> None:
    characters.save_character({"character": ada, "fields": {"personality": SCRIPT, "unknown": "x"}})
    card = workspace.characters.get(ada).card
    assert card.text("personality") == SCRIPT
    assert card.raw["data"] == {**DATA, "personality": SCRIPT}
    book = characters.character({"character": ada})["book"]
    book["entries"][0]["fields"]["content"] = "The lamp is electric now."
    characters.save_lorebook({"character": ada, **book})
    first, *others = BOOK["entries"]
    kept = workspace.characters.get(ada).card.raw["data"]["character_book"]
    assert kept == {**BOOK, "entries": [{**first, "content": "The lamp is electric now."}, *others]}
    with pytest.raises(DocumentDamaged):
        characters.save_character({"character": ada, "fields": {"tags": "no list"}})


def test_a_character_is_made_from_nothing(characters: CharacterHandlers) -> None:
    made = characters.save_character({"character": None, "fields": {"name": "Bea", "first_mes": "Hello."}})["character"]
    assert characters.character({"character": made})["greetings"] == ["Hello."]
    characters.remove_character({"character": made})
    assert characters.characters({})["characters"] == []


def test_half_characters_of_a_card_can_travel(client: TestClient, characters: CharacterHandlers) -> None:
    raw = json.dumps(
        {
            **V2,
            "data": {
                **DATA,
                "name": "A\ud800",
                "character_book": {"entries": [{"keys": ["\udfff"], "content": "\ud800"}]},
            },
        }
    )
    one = taken(client, "half.json", raw.encode())["character"]
    json.dumps([characters.characters({}), characters.character({"character": one})], ensure_ascii=False).encode()


def test_a_scene_opens_with_the_chosen_greeting_and_is_played(
    ada: str, scenes: SceneHandlers, jobs: Jobs, workspace: Workspace
) -> None:
    conversation, greeting = begun(scenes, ada, greeting=1)
    assert workspace.conversations.turn(greeting).answer == "The lamp is out."
    assert [talk["played"] for talk in ChatHandlers(workspace, jobs).conversations({})] == [True]
    said = ended(jobs, scenes.say({"conversation": conversation, "parent": greeting, "message": "May I come in?"}))
    assert (said.state, said.news["text"], said.news["conversation"]) == ("finished", "Sit by the stove.", conversation)
    again = ended(jobs, scenes.answer_again({"conversation": conversation, "turn": said.news["turn"]}))
    first, second = (workspace.conversations.turn(job.news["turn"]) for job in (said, again))
    assert (first.parent_id, first.question) == (second.parent_id, second.question)
    shown = scenes.scene({"conversation": conversation})
    assert shown is not None
    assert [player["name"] for player in shown["players"]] == ["Ada"]
    assert shown["greetings"][0] == "You are wet, Ben."


def test_a_reply_that_goes_on_begins_with_what_was_said(
    ada: str, scenes: SceneHandlers, jobs: Jobs, workspace: Workspace
) -> None:
    conversation, greeting = begun(scenes, ada)
    said = ended(jobs, scenes.say({"conversation": conversation, "parent": greeting, "message": "Hello"}))
    more = ended(jobs, scenes.go_on({"conversation": conversation, "turn": said.news["turn"]}))
    assert more.news["text"].startswith(said.news["text"])
    assert len(more.news["text"]) > len(said.news["text"])


def test_own_words_come_back_and_are_kept_nowhere(ada: str, scenes: SceneHandlers, jobs: Jobs, workspace: Workspace) -> None:
    conversation, greeting = begun(scenes, ada)
    job = ended(jobs, scenes.own_words({"conversation": conversation, "parent": greeting}))
    assert job.news["words"] == "Sit by the stove."
    assert len(workspace.conversations.turns(conversation)) == 1


def test_a_scene_goes_on_with_a_summary_in_a_fresh_branch(
    ada: str, scenes: SceneHandlers, jobs: Jobs, workspace: Workspace
) -> None:
    conversation, greeting = begun(scenes, ada)
    said = ended(jobs, scenes.say({"conversation": conversation, "parent": greeting, "message": "Hello"}))
    summary = ended(jobs, KeepingHandlers(workspace, jobs).summarise({"turn": said.news["turn"]})).news["summary"]
    assert (summary["text"], summary["stands_for"]) == ("Dry your coat first.", [greeting, said.news["turn"]])
    fresh = scenes.say({"conversation": conversation, "parent": None, "message": "And now?", "summary": summary})
    turn = workspace.conversations.turn(ended(jobs, fresh).news["turn"])
    assert (turn.parent_id, turn.notes[0].text) == (None, "Dry your coat first.")


def test_in_a_group_each_turn_has_its_speaker(client: TestClient, ada: str, scenes: SceneHandlers, jobs: Jobs) -> None:
    bea = taken(client, "bea.json", json.dumps({**V2, "data": {**DATA, "name": "Bea"}}).encode())["character"]
    conversation, greeting = begun(scenes, ada, bea, order="everyone")
    ended(jobs, scenes.say({"conversation": conversation, "parent": greeting, "message": "Hello"}))
    shown = scenes.scene({"conversation": conversation})
    assert shown is not None
    assert list(shown["speakers"].values()) == [ada, ada, bea]


def test_the_author_s_note_changes_in_a_running_scene(ada: str, scenes: SceneHandlers, workspace: Workspace) -> None:
    conversation, _ = begun(scenes, ada)
    scenes.change_scene({"conversation": conversation, "author_note": "A storm comes.", "author_note_depth": 2})
    setup = workspace.scenes.setup(conversation)
    assert setup is not None
    assert (setup.author_note, setup.author_note_depth, setup.user) == ("A storm comes.", 2, "Ben")
    with pytest.raises(UsageError):
        scenes.change_scene({"conversation": "none", "author_note": ""})


def test_the_starter_cannot_play_and_says_so(ada: str, scenes: SceneHandlers, jobs: Jobs, engine: FakeEngine) -> None:
    engine.info = replace(engine.info, finder=FINDER)
    conversation, greeting = begun(scenes, ada)
    job = ended(jobs, scenes.say({"conversation": conversation, "parent": greeting, "message": "Hello"}))
    assert job.state == "failed"
    assert "cannot play" in job.news["error"]


def test_what_a_character_says_is_escaped(
    ada: str, scenes: SceneHandlers, jobs: Jobs, engine: FakeEngine, workspace: Workspace
) -> None:
    engine.script.replies[0] = SCRIPT
    conversation, greeting = begun(scenes, ada)
    ended(jobs, scenes.say({"conversation": conversation, "parent": greeting, "message": SCRIPT}))
    turns = ChatHandlers(workspace, jobs).conversation({"conversation": conversation, "language": "en"})["turns"]
    assert "<img" not in turns[-1]["html"]


def test_the_sheet_is_asked_about_from_outside(ada: str, characters: CharacterHandlers, jobs: Jobs) -> None:
    job = ended(jobs, characters.ask_character({"character": ada, "question": "What burns in the lamp?"}))
    assert job.state == "finished", job.news


def test_an_ordinary_conversation_is_no_scene(scenes: SceneHandlers, workspace: Workspace) -> None:
    conversation = workspace.conversations.start([], title="notes").id
    assert scenes.scene({"conversation": conversation}) is None


def test_a_memory_holds_for_one_character(ada: str, workspace: Workspace, jobs: Jobs) -> None:
    told = MemoryHandlers(workspace, jobs).add_memory({"text": "Ben likes tea.", "scope": "character", "character": ada})
    assert told["memories"][0]["names"] == ["Ada"]
    [memory] = workspace.memories.wanted([], character_id=ada)
    assert memory.text == "Ben likes tea."
