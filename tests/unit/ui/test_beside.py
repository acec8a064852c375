"""What the page can do beside reading and asking, without a browser: memories, and what becomes of conversations."""

import io
from collections.abc import Iterator
from dataclasses import asdict

import docx
import pytest
from starlette.testclient import TestClient
from unabridged.errors import UsageError
from unabridged.events import Remembered
from unabridged.ui.events_shown import News, fold
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_keeping import KeepingHandlers
from unabridged.ui.handlers_memories import MemoryHandlers
from unabridged.ui.jobs import Jobs
from unabridged.ui.server import build_app
from unabridged.workspace import Workspace

from tests.fakes import FINDER, FakeEngines, text_of
from tests.unit.ui.conftest import ask, ended, turns


@pytest.fixture
def keeping(workspace: Workspace, jobs: Jobs) -> KeepingHandlers:
    return KeepingHandlers(workspace, jobs)


@pytest.fixture
def memories(workspace: Workspace, jobs: Jobs) -> MemoryHandlers:
    return MemoryHandlers(workspace, jobs)


# --- memories


def test_a_memory_is_added_edited_switched_and_deleted(memories: MemoryHandlers, document: str) -> None:
    told = memories.add_memory({"text": "Answer briefly.", "scope": "documents", "documents": [document]})
    [memory] = told["memories"]
    assert (memory["text"], memory["scope"], memory["names"], memory["state"]) == (
        *("Answer briefly.", "documents"),
        ["contract.txt"],
        "on",
    )
    assert told["budget"] == 1024
    [memory] = memories.edit_memory({"memory": memory["id"], "text": "Answer at length."})["memories"]
    assert memory["text"] == "Answer at length."
    [memory] = memories.switch_memory({"memory": memory["id"], "on": False})["memories"]
    assert memory["state"] == "off"
    assert memories.remove_memory({"memory": memory["id"]})["memories"] == []


def test_a_memory_that_is_off_is_not_in_the_prompt_and_the_receipt_counts_those_that_are(
    chat: ChatHandlers, memories: MemoryHandlers, jobs: Jobs, engines: FakeEngines, document: str
) -> None:
    for text in ("Answer in rhymes.", "Call me Ada."):
        memories.add_memory({"text": text, "scope": "everything", "documents": []})
    off = next(memory for memory in memories.memories({})["memories"] if memory["text"] == "Answer in rhymes.")
    memories.switch_memory({"memory": off["id"], "on": False})
    [turn] = turns(chat, ask(chat, jobs, document))
    prompt = text_of(engines.started[-1].prompts[0])
    assert "Call me Ada." in prompt
    assert "rhymes" not in prompt
    assert (turn["receipt"]["memories"], turn["receipt"]["memories_left_out"]) == (1, 0)


def test_a_budget_of_nothing_leaves_all_memories_out_and_says_so(
    chat: ChatHandlers, memories: MemoryHandlers, jobs: Jobs, document: str
) -> None:
    memories.add_memory({"text": "Call me Ada.", "scope": "everything", "documents": []})
    assert memories.set_memory_budget({"tokens": 0})["budget"] == 0
    [turn] = turns(chat, ask(chat, jobs, document))
    assert (turn["receipt"]["memories"], turn["receipt"]["memories_left_out"]) == (0, 1)


def test_the_model_proposes_a_memory_that_holds_only_when_it_is_accepted(
    chat: ChatHandlers, memories: MemoryHandlers, jobs: Jobs, engines: FakeEngines, document: str
) -> None:
    engines.script.replies = ["Noted.", "The user is a judge."]
    job = ask(chat, jobs, document, "I am a judge. Which law?")
    proposed = ended(jobs, memories.propose_memory({"turn": job.news["turn"], "language": "en"})).news["memory"]
    [memory] = memories.memories({})["memories"]
    assert (memory["text"], memory["state"]) == ("The user is a judge.", "proposed")
    [memory] = memories.switch_memory({"memory": proposed["id"], "on": True})["memories"]
    assert memory["state"] == "on"


def test_what_was_remembered_on_request_is_told(chat: ChatHandlers, jobs: Jobs, document: str) -> None:
    news: News = {}
    fold(news, Remembered("the rent is due on Monday"))
    assert news["remembered"] == "the rent is due on Monday"
    assert ask(chat, jobs, document, "Remember that I am called Ada.").news["remembered"] == "I am called Ada."


def test_nothing_of_an_incognito_conversation_is_proposed_or_kept_as_a_memory(
    chat: ChatHandlers, memories: MemoryHandlers, jobs: Jobs, document: str
) -> None:
    job = ask(chat, jobs, document, incognito=True)
    with pytest.raises(UsageError):
        memories.propose_memory({"turn": job.news["turn"]})
    with pytest.raises(UsageError):
        memories.add_memory({"text": "x", "scope": "conversation", "documents": [], "conversation": job.news["conversation"]})
    assert memories.memories({})["memories"] == []


# --- conversations


def test_an_incognito_conversation_says_so_and_leaves_the_disk_alone(
    chat: ChatHandlers, jobs: Jobs, workspace: Workspace, document: str
) -> None:
    ask(chat, jobs, document, "A secret question?", incognito=True)
    [talk] = chat.conversations({})
    assert talk["incognito"]
    files = [path for path in workspace.home.folder.rglob("*") if path.is_file()]
    assert not any(b"A secret question" in path.read_bytes() for path in files)


def test_a_conversation_is_put_away_and_taken_out_again(
    chat: ChatHandlers, keeping: KeepingHandlers, jobs: Jobs, document: str
) -> None:
    talk = ask(chat, jobs, document).news["conversation"]
    keeping.archive_conversation({"conversation": talk, "archived": True})
    assert chat.conversations({}) == []
    [away] = chat.conversations({"archived": True})
    assert away["archived"]
    keeping.archive_conversation({"conversation": talk, "archived": False})
    assert [row["id"] for row in chat.conversations({})] == [talk]


def test_the_model_names_a_conversation(
    chat: ChatHandlers, keeping: KeepingHandlers, jobs: Jobs, engines: FakeEngines, document: str
) -> None:
    engines.script.replies = ["Norwegian law.", '"The governing law"\n']
    turn = ask(chat, jobs, document).news["turn"]
    assert ended(jobs, keeping.title_conversation({"turn": turn})).state == "finished"
    assert chat.conversations({})[0]["title"] == "The governing law"


def test_the_starter_leaves_the_title_as_it_is_and_says_nothing(
    chat: ChatHandlers, keeping: KeepingHandlers, jobs: Jobs, engines: FakeEngines, document: str
) -> None:
    engines.script.finder = FINDER
    job = ask(chat, jobs, document, "Which laws govern this agreement?")
    assert job.state == "finished", job.news
    titled = ended(jobs, keeping.title_conversation({"turn": job.news["turn"]}))
    assert (titled.state, "error" in titled.news) == ("finished", False)
    assert chat.conversations({})[0]["title"] == "Which laws govern this agreement?"


def test_a_forgotten_turn_is_shown_and_not_read(
    chat: ChatHandlers, keeping: KeepingHandlers, jobs: Jobs, engines: FakeEngines, document: str
) -> None:
    engines.script.replies = ["One.", "Two."]
    first = ask(chat, jobs, document, "First?")
    more = {"conversation": first.news["conversation"], "parent": first.news["turn"], "follows": True}
    second = ask(chat, jobs, document, "Second?", **more)
    assert keeping.read_by_model({"turn": second.news["turn"]}) == [first.news["turn"], second.news["turn"]]
    keeping.forget_turn({"turn": first.news["turn"], "forgotten": True})
    assert [turn["forgotten"] for turn in turns(chat, first)] == [True, False]
    assert keeping.read_by_model({"turn": second.news["turn"]}) == [second.news["turn"]]
    keeping.forget_turn({"turn": first.news["turn"], "forgotten": False})
    assert len(keeping.read_by_model({"turn": second.news["turn"]})) == 2


def test_a_summary_goes_into_a_fresh_branch_instead_of_what_was_said(
    chat: ChatHandlers, keeping: KeepingHandlers, jobs: Jobs, engines: FakeEngines, document: str
) -> None:
    engines.script.replies = ["A long answer.", "It was about laws.", "Yes."]
    first = ask(chat, jobs, document, "First?")
    summary = ended(jobs, keeping.summarise({"turn": first.news["turn"]})).news["summary"]
    assert (summary["text"], summary["stands_for"]) == ("It was about laws.", [first.news["turn"]])
    edited = {"key": summary["key"], "text": "It was about Norwegian laws."}
    second = ask(chat, jobs, document, "Second?", conversation=first.news["conversation"], summary=edited)
    assert [turn["parent"] for turn in turns(chat, second)] == [None, None]
    prompt = text_of(engines.started[-1].prompts[-1])
    assert "It was about Norwegian laws." in prompt
    assert "A long answer." not in prompt


# --- files


@pytest.fixture
def page(workspace: Workspace) -> Iterator[TestClient]:
    with TestClient(build_app(workspace), base_url="http://127.0.0.1") as client:
        yield client


def test_a_conversation_is_downloaded_in_each_format_and_taken_in_again(
    page: TestClient, chat: ChatHandlers, jobs: Jobs, workspace: Workspace, engines: FakeEngines, document: str
) -> None:
    engines.script.replies = ["Norway [5]."]
    talk = ask(chat, jobs, document, "哪国法律 / which law?").news["conversation"]
    word = page.get(f"/conversations/{talk}.docx")
    assert "attachment" in word.headers["content-disposition"]
    assert "filename*=UTF-8''%E5%93%AA" in word.headers["content-disposition"]
    assert any("哪国法律" in paragraph.text for paragraph in docx.Document(io.BytesIO(word.content)).paragraphs)
    assert "哪国法律" in page.get(f"/conversations/{talk}.md").text
    exported = page.get(f"/conversations/{talk}.json").content
    taken = page.post("/conversations", content=exported).json()["conversation"]
    assert taken != talk
    before, after = (workspace.conversations.turns(some_id)[0] for some_id in (talk, taken))
    assert [asdict(item) for item in before.citations] == [asdict(item) for item in after.citations]


def test_what_is_no_conversation_is_refused_in_the_language_of_the_page(page: TestClient) -> None:
    refused = page.post("/conversations?language=zh", content=b'{"title": 1}')
    assert refused.status_code == 422
    assert refused.json()["hint"]
    assert page.get("/conversations/none.json").status_code == 404
    assert page.get("/conversations/none.exe").status_code == 404
