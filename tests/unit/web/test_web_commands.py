"""`ask --web`, `ask --query` and the network commands, as a script or a person meets them; the starter answers."""

import io
import json
from pathlib import Path

import keyring
import pytest
from unabridged.cli import main
from unabridged.console import Progress
from unabridged.events import SearchProposed
from unabridged.home import Home
from unabridged.web.terminal import approving

from tests.unit.web.conftest import Site, page
from tests.unit.web.test_searching import Ring

QUESTION = "Which mayor was Marianne Borgen?"
FACT = "Marianne Borgen was mayor of the city in that year."


@pytest.fixture
def site(site: Site, home: Home) -> Site:
    address = site.serve("/mayors", page("Mayors", FACT))
    searxng = site.searxng([{"title": "Mayors", "url": address, "content": ""}])
    settings = {"web_provider": "searxng", "web_address": searxng, "web_private_addresses": ["127.0.0.1"]}
    home.settings.write_text(json.dumps(settings), "utf-8")
    return site


def test_without_the_switch_nobody_is_asked(site: Site, contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", str(contract), QUESTION, "--json"]) == 0
    assert all("url" not in citation for citation in json.loads(capsys.readouterr().out)["citations"])
    assert site.asked == []
    assert main(["network", "log"]) == 0
    assert "No request has left" in capsys.readouterr().out


def test_with_it_the_query_is_shown_and_web_citations_look_different(
    site: Site, contract: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["ask", str(contract), QUESTION, "--web"]) == 0
    shown = capsys.readouterr()
    assert "Search the web (searxng) for: mayor Marianne Borgen" in shown.err
    assert "With the web:" in shown.out
    assert f"web: {site.address}/mayors, retrieved 20" in shown.out
    assert "characters of Mayors · 127.0.0.1" in shown.out
    assert main(["network", "log", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["requests"]
    assert [line["purpose"] for line in lines] == ["page", "robots.txt", "search"]
    assert set(lines[0]) == {"at", "host", "purpose", "sent", "received", "status"}
    assert main(["network", "clear"]) == 0
    capsys.readouterr()
    assert main(["network", "log"]) == 0
    assert "No request has left" in capsys.readouterr().out


def test_an_own_query_is_searched_at_once_and_json_stays_one_object(
    site: Site, contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(contract), QUESTION, "--query", "mayors of Oslo", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert site.queries == ["mayors of Oslo"]
    (citation,) = answer["citations"]
    assert citation["quote"] == FACT
    assert citation["url"] == f"{site.address}/mayors"
    assert citation["retrieved_at"].startswith("20")
    assert answer["receipt"]["documents"][1]["url"] == f"{site.address}/mayors"


def test_an_own_query_that_quotes_the_file_is_refused_with_the_reason(
    site: Site, contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(contract), QUESTION, "--query", "Birch Works pays nine thousand crowns each month"]) == 2
    shown = capsys.readouterr()
    assert "quotes contract.txt" in shown.err
    assert "Say it in other words" in shown.err
    assert site.asked == []


def test_a_provider_that_is_down_is_one_sentence_and_a_hint(
    home: Home, contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.settings.write_text(json.dumps({"web_provider": "searxng", "web_address": "http://127.0.0.1:9"}), "utf-8")
    assert main(["ask", str(contract), QUESTION, "--query", "mayors of Oslo"]) == 5
    assert "SearXNG does not answer" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "sent"), [("\n", "mayors"), ("-\n", None), ("", None), ("mayors of Oslo\n", "mayors of Oslo"), ("  \n", "mayors")]
)
def test_on_a_terminal_the_query_can_be_sent_changed_or_kept_back(
    typed: str, sent: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    approve = approving(Progress(io.StringIO()))
    assert approve(SearchProposed("mayors", "Not in the documents.", "searxng", confirmed=False)) == sent
    assert "Not in the documents." in capsys.readouterr().err


@pytest.mark.parametrize(("confirmed", "sent"), [(True, "mayors"), (False, None)])
def test_where_nobody_sits_only_what_was_confirmed_is_sent(
    confirmed: bool, sent: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("other words\n"))
    approve = approving(Progress(io.StringIO()))
    assert approve(SearchProposed("mayors", "Reason.", "searxng", confirmed=confirmed)) == sent
    assert "for: mayors" in capsys.readouterr().err


def test_a_key_is_read_from_stdin_and_never_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    try:
        monkeypatch.setattr("sys.stdin", io.StringIO("sesame\n"))
        assert main(["network", "key", "brave"]) == 0
        assert ring.kept == {("unabridged", "brave"): "sesame"}
        shown = capsys.readouterr()
        assert "sesame" not in shown.out + shown.err
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert main(["network", "key", "brave"]) == 0
        assert ring.kept == {}
    finally:
        keyring.set_keyring(before)
