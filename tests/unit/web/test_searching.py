"""Searching through the web child: what is asked, what the network log says of it, saved pages, and the keys of providers."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError, PasswordDeleteError
from unabridged.errors import UsageError, WebFailed
from unabridged.home import Home
from unabridged.store import Store
from unabridged.web import packages
from unabridged.web.keys import keep_key, key_of
from unabridged.web.network_log import NetworkLog
from unabridged.web.outside import Outside
from unabridged.web.providers import Chosen, Result

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


def test_packages_that_are_missing_are_named_with_the_command_that_installs_them() -> None:
    packages.check()
    with pytest.raises(UsageError, match=r"not installed \(no_such_package\)") as refused:
        packages.check(("json", "no_such_package"))
    assert "unabridged[web]" in refused.value.hint
    wanted = Path(__file__).parents[3].joinpath("pyproject.toml").read_text("utf-8").partition("\nweb = [")[2].partition("]")[0]
    assert all(f'"{name}' in wanted for name in packages.NEEDED)


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
