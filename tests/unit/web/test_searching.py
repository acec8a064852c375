"""Search providers, each asked through the web child: results, refusals, second tries, and what the network log says of it."""

import json
import os
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError, PasswordDeleteError
from unabridged.errors import UsageError, WebFailed
from unabridged.home import Home
from unabridged.store import Store
from unabridged.web.keys import keep_key, key_of
from unabridged.web.network_log import NetworkLog
from unabridged.web.outside import Outside
from unabridged.web.providers import Chosen, Result
from unabridged.web.search_ddgs import DuckDuckGo
from unabridged.web.search_json import Brave, SearXNG, Tavily

from tests.unit.web.conftest import Site, page

FOUND = [
    {"title": "Fees", "url": "https://harbour.example.org/fees", "content": "Forty crowns."},
    {"title": "Odd", "url": "javascript:alert(1)", "content": "x"},
    {"title": None, "url": "https://news.example.org/1", "content": 7},
]


@pytest.fixture
def log(home: Home) -> Iterator[NetworkLog]:
    store = Store(home.database)
    yield NetworkLog(store)
    store.close()


def told(message: dict[str, object]) -> None:
    """Nobody listens."""


def test_a_searxng_is_asked_and_only_results_with_an_address_are_taken(site: Site, log: NetworkLog) -> None:
    outside = Outside(Chosen("searxng", address=site.searxng(FOUND)), log)
    results = outside.search("mooring fee", limit=5)
    assert results == [
        Result("Fees", "https://harbour.example.org/fees", "Forty crowns."),
        Result("", "https://news.example.org/1", "7"),
    ]
    assert site.queries == ["mooring fee"]


def test_the_log_holds_time_host_purpose_and_bytes_and_not_what_was_asked(site: Site, log: NetworkLog, home: Home) -> None:
    Outside(Chosen("searxng", address=site.searxng(FOUND)), log).search("mooring fee", limit=5)
    (line,) = log.requests()
    assert (line.host, line.purpose, line.status) == ("127.0.0.1", "search", 200)
    assert line.sent is not None
    assert line.sent > 100
    assert line.received == len(json.dumps({"query": "", "results": FOUND}))
    assert line.at.startswith("20")
    assert b"mooring" not in b"".join(path.read_bytes() for path in home.folder.glob("library.db*"))
    log.clear()
    assert log.requests() == []


def test_a_busy_provider_is_tried_again_and_one_that_is_down_says_so(site: Site) -> None:
    busy = [503, 429]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status = busy.pop(0) if busy else 200
        body = json.dumps({"results": FOUND}).encode()
        handler.send_response(status)
        handler.send_header("Retry-After", "0")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    site.pages["/search"] = answer
    said: list[dict[str, object]] = []
    assert len(SearXNG(site.address).search("x", limit=9, tell=said.append)) == 2
    assert [next(iter(line)) for line in said] == ["asked", "answered"] * 3
    busy += [503] * 3
    with pytest.raises(WebFailed, match="SearXNG is down or busy"):
        SearXNG(site.address).search("x", limit=9, tell=told)
    with pytest.raises(WebFailed, match="does not answer"):
        SearXNG("http://127.0.0.1:9").search("x", limit=9, tell=told)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>no json</html>", 200, "something else than results"),
        ("[1, 2]", 200, "something else than results"),
        ("", 403, "json format"),
        ("x" * (5 << 20), 200, "more than 4 MB"),
    ],
)
def test_nonsense_and_refusals_of_a_provider_are_clear_errors(site: Site, body: str, status: int, words: str) -> None:
    site.serve("/search", body, kind="application/json", status=status)
    with pytest.raises(WebFailed) as refused:
        SearXNG(site.address).search("x", limit=5, tell=told)
    assert words in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("answer", ["{}", '{"results": 7}', '{"results": [1, null, {"url": 5}]}', '{"web": []}'])
def test_an_answer_without_results_is_no_result(site: Site, answer: str) -> None:
    site.serve("/search", answer, kind="application/json")
    assert SearXNG(site.address).search("x", limit=5, tell=told) == []


@pytest.mark.parametrize("kind", [Brave, Tavily])
def test_a_provider_with_a_key_asks_for_it_before_anything_is_sent(kind: type[Brave] | type[Tavily]) -> None:
    with pytest.raises(WebFailed, match="wants a key") as refused:
        kind("")
    assert "unabridged network key" in refused.value.hint


def test_brave_and_tavily_get_the_query_and_the_key_and_nothing_else(site: Site) -> None:
    """In the shapes that their documentation gives."""
    brave = site.serve(
        "/brave", json.dumps({"web": {"results": [{"title": "T", "url": "https://a.example.org/", "description": "D"}]}})
    )
    assert Brave("sesame", address=brave).search("mooring fee", limit=3, tell=told) == [
        Result("T", "https://a.example.org/", "D")
    ]
    assert site.asked == ["/brave?q=mooring+fee&count=3"]
    assert site.headers[0]["X-Subscription-Token"] == "sesame"
    tavily = site.serve("/tavily", json.dumps({"results": [{"title": "T", "url": "https://b.example.org/", "content": "C"}]}))
    assert Tavily("sesame", address=tavily).search("mooring fee", limit=3, tell=told) == [
        Result("T", "https://b.example.org/", "C")
    ]
    assert json.loads(site.bodies[0]) == {"query": "mooring fee", "max_results": 3}
    assert site.headers[1]["Authorization"] == "Bearer sesame"
    refused = site.serve("/no", "", status=401)
    with pytest.raises(WebFailed, match="refuses the search") as error:
        Brave("wrong", address=refused).search("x", limit=1, tell=told)
    assert error.value.hint == "Check the key."


def test_duckduckgo_is_asked_through_ddgs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library itself, with its address turned to a server here."""
    from ddgs.engines.duckduckgo import Duckduckgo

    body = "<div class='body'><h2>Fees</h2><a href='https://harbour.example.org/fees'>Forty crowns.</a></div>"
    monkeypatch.setattr(Duckduckgo, "search_url", site.serve("/html/", f"<html><body>{body}</body></html>"))
    said: list[dict[str, object]] = []
    assert DuckDuckGo().search("mooring fee", limit=3, tell=said.append) == [
        Result("Fees", "https://harbour.example.org/fees", "Forty crowns.")
    ]
    assert b"q=mooring+fee" in site.bodies[0]
    assert [next(iter(line)) for line in said] == ["asked", "answered"]
    monkeypatch.setattr(Duckduckgo, "search_url", site.serve("/none/", "<html></html>"))
    assert DuckDuckGo().search("mooring fee", limit=3, tell=told) == []
    monkeypatch.setattr(Duckduckgo, "search_url", "http://127.0.0.1:9/")
    with pytest.raises(WebFailed, match="DuckDuckGo does not answer"):
        DuckDuckGo().search("mooring fee", limit=3, tell=told)


def test_searches_keep_a_pause_between_them(site: Site, log: NetworkLog) -> None:
    outside = Outside(Chosen("searxng", address=site.searxng([])), log)
    outside.search("one", limit=1)
    begun = time.monotonic()
    outside.search("two", limit=1)
    assert time.monotonic() - begun >= 1.0


def test_a_folder_of_saved_pages_answers_without_any_request(tmp_path: Path, log: NetworkLog) -> None:
    (tmp_path / "fees.html").write_text(
        "<!-- saved from url=(0032)https://harbour.example.org/fees -->" + page("Mooring fees", "Forty crowns a night."),
        "utf-8",
    )
    (tmp_path / "news.html").write_text(page("News", "Nothing about boats."), "utf-8")
    (tmp_path / "canon.htm").write_text(
        '<html><head><link rel="canonical" href="https://a.example.org/x"><title>Crowns</title></head><body>Crowns.</body></html>',
        "utf-8",
    )
    (tmp_path / "notes.txt").write_bytes("港口费用为每天四十克朗。".encode("gb18030"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    outside = Outside(Chosen("folder", folder=str(tmp_path)), log)
    first, second = outside.search("how many crowns is mooring a night", limit=5)
    assert (first.title, first.url) == ("Mooring fees", "https://harbour.example.org/fees")
    assert second.url == "https://a.example.org/x"
    assert [result.title for result in outside.search("港口费用是多少？", limit=5)] == ["notes"]
    assert outside.search("xylophone", limit=5) == []
    assert log.requests() == []
    with pytest.raises(WebFailed, match="no folder"):
        Outside(Chosen("folder", folder=str(tmp_path / "gone")), log).search("x", limit=1)


def test_a_choice_that_lacks_something_is_a_usage_error() -> None:
    for name in ("altavista", "searxng", "folder"):
        with pytest.raises(UsageError):
            Chosen(name)


def test_a_page_reaches_its_file_and_its_two_requests_the_log(site: Site, log: NetworkLog) -> None:
    address = site.serve("/fees", page("Fees", "Forty crowns."))
    outside = Outside(Chosen("searxng", address=site.address), log, private=["127.0.0.1"])
    with outside.page(Result("Fees", address, "")) as fetched:
        assert b"Forty crowns." in fetched.file.read_bytes()
        assert (fetched.url, fetched.media_type, fetched.charset) == (address, "text/html", "utf-8")
        assert fetched.retrieved_at.endswith("+00:00")
    assert not fetched.file.exists()
    assert [line.purpose for line in log.requests()] == ["page", "robots.txt"]


def test_a_page_of_this_machine_is_refused_without_a_request_unless_it_was_excepted(site: Site, log: NetworkLog) -> None:
    address = site.serve("/fees", page("Fees", "Forty crowns."))
    with (
        pytest.raises(WebFailed, match="not on the public internet"),
        Outside(Chosen("searxng", address=site.address), log).page(Result("", address, "")),
    ):
        pass
    assert site.asked == []
    assert log.requests() == []


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


class NoRing(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        raise NoKeyringError

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NoKeyringError


def test_keys_are_in_the_keyring_or_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(Ring())
        keep_key("brave", "sesame")
        assert key_of("brave") == "sesame"
        assert key_of("tavily") == ""
        assert key_of("duckduckgo") == ""
        monkeypatch.setenv("UNABRIDGED_BRAVE_KEY", "other")
        assert key_of("brave") == "other"
        monkeypatch.delenv("UNABRIDGED_BRAVE_KEY")
        keep_key("brave", "")
        keep_key("brave", "")
        assert key_of("brave") == ""
        keyring.set_keyring(NoRing())
        assert key_of("brave") == ""
        with pytest.raises(WebFailed, match="keyring") as refused:
            keep_key("brave", "sesame")
        assert "UNABRIDGED_BRAVE_KEY" in refused.value.hint
        with pytest.raises(UsageError):
            keep_key("searxng", "x")
    finally:
        keyring.set_keyring(before)


def test_the_web_child_ends_with_its_parent() -> None:
    """Its stdin closes when we die; then it must not go on alone."""
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "unabridged.web.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"kind": "search", "parent": os.getpid() + 1}).encode() + b"\n")
    process.stdin.flush()
    assert process.wait(timeout=20) == 1
    process.stdin.close()
    process.stdout.close()
