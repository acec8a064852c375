"""What the page can do with the web, without a browser: the switch, proposed searches, pages as sources, settings and log."""

import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from unabridged.errors import QueryRefused, UsageError
from unabridged.events import Answering, Deciding, PageFetched, Searching, SearchProposed, TextDelta
from unabridged.ui.events_shown import News, fold, shown
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_web import WebHandlers, web_use
from unabridged.ui.jobs import Jobs
from unabridged.ui.markdown import answer_html
from unabridged.web.answering import WebUse
from unabridged.workspace import Workspace

from tests.fakes import FakeEngines
from tests.unit.ui.conftest import ask, turns

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
def web(workspace: Workspace, jobs: Jobs) -> WebHandlers:
    return WebHandlers(workspace, jobs)


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
