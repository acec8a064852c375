"""What the page can do beside reading and asking, without a browser: the web, memories, what becomes of conversations."""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import docx
import keyring
import pytest
from keyring.backend import KeyringBackend
from starlette.testclient import TestClient
from unabridged.errors import QueryRefused, UsageError
from unabridged.events import Answering, Deciding, PageFetched, Remembered, Searching, SearchProposed, TextDelta
from unabridged.ui.events_shown import News, fold, shown
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_keeping import KeepingHandlers
from unabridged.ui.handlers_memories import MemoryHandlers
from unabridged.ui.handlers_web import WebHandlers, web_use
from unabridged.ui.jobs import Job, Jobs
from unabridged.ui.markdown import answer_html
from unabridged.ui.server import build_app
from unabridged.web.answering import WebUse
from unabridged.workspace import Workspace

from tests.fakes import FINDER, FakeEngines, text_of

NOTHING = "The documents do not say."
PROPOSED = '{"query": "mayor of Oslo 2021"}'
QUESTION = "Who was mayor of Oslo in 2021?"
SAVED = """<!-- saved from url=(0031)https://city.example/mayors2021 -->
<html><head><title>Mayors of Oslo</title></head><body><main><h1>Mayors</h1>
<p>Marianne Borgen was mayor of Oslo in that year.</p><p>She was followed by another mayor of the city.</p></main></body>"""


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[Ring]:
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def chat(workspace: Workspace, jobs: Jobs) -> ChatHandlers:
    return ChatHandlers(workspace, jobs)


@pytest.fixture
def keeping(workspace: Workspace, jobs: Jobs) -> KeepingHandlers:
    return KeepingHandlers(workspace, jobs)


@pytest.fixture
def memories(workspace: Workspace, jobs: Jobs) -> MemoryHandlers:
    return MemoryHandlers(workspace, jobs)


@pytest.fixture
def web(workspace: Workspace, jobs: Jobs) -> WebHandlers:
    return WebHandlers(workspace, jobs)


@pytest.fixture
def document(workspace: Workspace, contract: Path) -> str:
    steps = workspace.add(contract)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return str(end.value.id)


def ended(jobs: Jobs, told: dict[str, str]) -> Job:
    job = next(job for job in jobs.all() if job.id == told["job"])
    assert job.ended.wait(20)
    return job


def ask(chat: ChatHandlers, jobs: Jobs, document: str, question: str = QUESTION, **more: object) -> Job:
    return ended(jobs, chat.ask({"documents": [document], "question": question, "language": "en", **more}))


def turns(chat: ChatHandlers, job: Job) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = chat.conversation({"conversation": job.news["conversation"], "language": "en"})["turns"]
    return told


# --- the web switch


@pytest.fixture
def saved_pages(workspace: Workspace, tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "mayors.html").write_text(SAVED, encoding="utf-8")
    workspace.change_settings(web_provider="folder", web_folder=str(folder), web_steps=0)
    return folder


@pytest.mark.parametrize(
    ("data", "use"),
    [
        ({}, None),
        ({"web": "off"}, None),
        ({"web": "ask"}, WebUse()),
        ({"web": "allow"}, WebUse(allow=True)),
        ({"web": "ask", "query": " my words "}, WebUse(query="my words")),
    ],
)
def test_the_switch_has_three_positions_and_words_of_the_users_own_are_sent(data: dict[str, str], use: WebUse | None) -> None:
    assert web_use(data) == use


def test_a_position_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError):
        web_use({"web": "always"})


def test_a_search_is_proposed_and_kept_until_it_is_declined(
    chat: ChatHandlers, jobs: Jobs, engines: FakeEngines, document: str, saved_pages: Path
) -> None:
    engines.script.replies = [NOTHING, PROPOSED]
    job = ask(chat, jobs, document, web="ask")
    assert job.state == "finished", job.news
    [turn] = turns(chat, job)
    assert turn["text"] == NOTHING
    assert turn["outside"]["proposal"]["query"] == "mayor of Oslo 2021"
    assert turn["outside"]["proposal"]["reason"]
    chat.decline_search({"turn": turn["id"]})
    assert turns(chat, job)[0]["outside"] is None


def test_with_the_switch_off_nothing_is_proposed(
    chat: ChatHandlers, jobs: Jobs, engines: FakeEngines, document: str, saved_pages: Path
) -> None:
    engines.script.replies = [NOTHING]
    [turn] = turns(chat, ask(chat, jobs, document))
    assert turn["outside"] is None
    assert turn["pages"] == []


def test_an_edited_query_brings_a_page_that_is_cited_with_its_address_and_opens_as_a_document(
    chat: ChatHandlers, jobs: Jobs, engines: FakeEngines, workspace: Workspace, document: str, saved_pages: Path
) -> None:
    engines.script.replies = ["It was Marianne Borgen [8]."]
    engines.script.quote_words = "Marianne"
    job = ask(chat, jobs, document, web="ask", query="mayors Oslo")
    assert job.state == "finished", job.news
    [turn] = turns(chat, job)
    [citation] = turn["citations"]
    assert citation["url"] == "https://city.example/mayors2021"
    assert citation["retrieved_at"]
    assert "Marianne Borgen was mayor" in citation["quote"]
    text = workspace.library.document(citation["document_id"]).text
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert 'class="ub-cite ub-web"' in turn["html"]
    assert [page["url"] for page in turn["pages"]] == [citation["url"]]
    assert [read["url"] for read in turn["receipt"]["documents"]] == [None, citation["url"]]


def test_a_query_that_quotes_the_document_is_refused_before_it_leaves(
    chat: ChatHandlers, jobs: Jobs, document: str, saved_pages: Path
) -> None:
    words = "The term of this agreement is five years from the date of signature"
    job = ask(chat, jobs, document, web="ask", query=words)
    assert job.state == "failed"
    assert job.news["error_kind"] == QueryRefused.__name__


def test_what_happens_outside_is_shown_and_the_answer_starts_anew() -> None:
    news: News = {}
    fold(news, TextDelta("From the documents alone."))
    fold(news, SearchProposed("words", "why", "folder", True))
    assert news["proposal"]["query"] == "words"
    fold(news, Searching("words", "folder"))
    assert "proposal" not in news
    assert (news["phase"], news["query"]) == ("searching", "words")
    fold(news, Deciding(2, 6))
    assert (news["step"], news["limit"]) == (2, 6)
    fold(news, PageFetched("https://a.example/", "A", problem="a.example does not answer."))
    assert [page["url"] for page in news["pages"]] == ["https://a.example/"]
    fold(news, Answering(()))
    assert (news["text"], news["citations"]) == ("", [])
    fold(news, TextDelta("From the web."))
    assert "From the web." in shown(news, language="en")["html"]
    assert "alone" not in shown(news, language="en")["html"]


def test_citations_of_the_web_have_a_look_of_their_own() -> None:
    html = answer_html("Here [1] and there [2].", cited=[1, 2], from_web=[2], thinking_label="")
    assert html.count("ub-web") == 1
    assert 'class="ub-cite ub-web" role="button" tabindex="0" data-n="2"' in html


def test_settings_of_the_web_are_kept_and_refused_together(web: WebHandlers, workspace: Workspace, ring: Ring) -> None:
    told = web.web({})
    assert (told["mode"], told["provider"]) == ("off", "duckduckgo")
    changed = {"mode": "ask", "provider": "folder", "address": "", "folder": " /pages ", "pages": 3, "tokens": 4000, "steps": 2}
    assert web.save_web({**told, **changed})["folder"] == "/pages"
    with pytest.raises(UsageError):
        web.save_web({**changed, "provider": "brave", "pages": 0})
    assert workspace.settings.web_provider == "folder"


def test_a_key_is_kept_in_the_keyring_and_never_shown(web: WebHandlers, ring: Ring) -> None:
    assert not web.web({})["keys"]["brave"]["kept"]
    told = web.keep_web_key({"provider": "brave", "key": " secret-key "})
    assert told["keys"]["brave"]["kept"]
    assert "secret-key" not in json.dumps(told)
    assert list(ring.kept.values()) == ["secret-key"]
    assert not web.keep_web_key({"provider": "brave", "key": ""})["keys"]["brave"]["kept"]


def test_the_network_log_is_shown_and_cleared(web: WebHandlers, workspace: Workspace) -> None:
    number = workspace.network_log.begin(host="search.example", purpose="search", sent=120)
    workspace.network_log.complete(number, received=4096, status=200)
    [row] = web.network_log({})
    assert row["at"]
    assert (row["host"], row["purpose"], row["status"]) == ("search.example", "search", 200)
    assert (row["sent"], row["received"]) == (120, 4096)
    web.clear_network_log({})
    assert web.network_log({}) == []


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
    [away] = keeping.archived_conversations({})
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
