"""Each search provider against a server in the shape that its documentation gives: requests, results, refusals, pauses."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

import pytest
from unabridged.errors import WebFailed
from unabridged.web.providers import Result, SearchProvider
from unabridged.web.search_ddgs import DuckDuckGo
from unabridged.web.search_json import Brave, SearXNG, Tavily

from tests.unit.web.conftest import Site

FOUND = [
    {"title": "Fees", "url": "https://harbour.example.org/fees", "content": "Forty crowns."},
    {"title": "Odd", "url": "javascript:alert(1)", "content": "x"},
    {"title": None, "url": "https://news.example.org/1", "content": 7},
]
Make = Callable[[str], SearchProvider]
MADE: dict[str, Make] = {
    "SearXNG": lambda address: SearXNG(address.removesuffix("/search")),
    "Brave": lambda address: Brave("sesame", address=address),
    "Tavily": lambda address: Tavily("sesame", address=address),
}
BRAVE_ERROR = {
    "type": "ErrorResponse",
    "error": {
        "id": "0",
        "status": 422,
        "detail": "The provided subscription token is invalid.",
        "code": "SUBSCRIPTION_TOKEN_INVALID",
    },
    "time": 1773685964,
}
TAVILY_ERROR = {"detail": {"error": "Unauthorized: missing or invalid API key."}}


def told(message: dict[str, object]) -> None:
    """Nobody listens."""


def refused(provider: SearchProvider) -> WebFailed:
    with pytest.raises(WebFailed) as raised:
        provider.search("mooring fee", limit=5, tell=told)
    return raised.value


def busy(site: Site, statuses: list[int], body: object, **headers: str) -> str:
    """An address that answers with these statuses in turn, then 200."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status = statuses.pop(0) if statuses else 200
        data = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items() if status != 200 else ():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    site.pages["/search"] = answer
    return f"{site.address}/search"


# SearXNG


def test_searxng_is_asked_for_json_and_only_results_with_an_address_are_taken(site: Site) -> None:
    answer = {
        "query": "mooring fee",
        "number_of_results": 0,
        "results": [{**FOUND[0], "engine": "brave", "engines": ["brave"], "score": 1.0, "category": "general"}, *FOUND[1:]],
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": [],
        "unresponsive_engines": [["google", "timeout"]],
    }
    site.serve("/search", json.dumps(answer), kind="application/json")
    assert SearXNG(f"{site.address}/").search("mooring fee", limit=9, tell=told) == [
        Result("Fees", "https://harbour.example.org/fees", "Forty crowns."),
        Result("", "https://news.example.org/1", "7"),
    ]
    assert site.asked == ["/search?q=mooring+fee&format=json"]


def test_a_searxng_whose_engines_are_silent_is_no_search_without_results(site: Site) -> None:
    silent = [["brave", "too many requests"], ["google", "Suspended: access denied"], "odd", ["x"]]
    site.serve("/search", json.dumps({"results": [], "unresponsive_engines": silent}), kind="application/json")
    error = refused(SearXNG(site.address))
    assert error.message == (
        "The engines that SearXNG asks do not answer (brave: too many requests; google: Suspended: access denied)."
    )


def test_a_searxng_without_json_says_how_to_switch_it_on(site: Site) -> None:
    site.serve("/search", "<h1>Forbidden</h1>", status=403)
    error = refused(SearXNG(site.address))
    assert "no JSON" in error.message
    assert "search.formats" in error.hint
    assert len(site.asked) == 1


def test_a_limiter_of_searxng_is_told_and_not_asked_again(site: Site) -> None:
    site.serve("/search", "Too Many Requests", status=429)
    error = refused(SearXNG(site.address))
    assert "robot" in error.message
    assert "limiter" in error.hint
    assert len(site.asked) == 1


# Brave and Tavily


def test_brave_gets_the_query_and_the_key_and_nothing_else(site: Site) -> None:
    answer = {
        "type": "search",
        "query": {"original": "mooring fee", "more_results_available": True},
        "web": {
            "type": "search",
            "family_friendly": True,
            "results": [
                {
                    "title": "T",
                    "url": "https://a.example.org/",
                    "description": "D",
                    "page_age": "2026-01-15T00:00:00",
                    "profile": {"name": "A", "url": "https://a.example.org/"},
                    "extra_snippets": ["E"],
                }
            ],
        },
    }
    brave = Brave("sesame", address=site.serve("/brave", json.dumps(answer)))
    assert brave.search("mooring fee", limit=3, tell=told) == [Result("T", "https://a.example.org/", "D")]
    fixed = "result_filter=web&text_decorations=false"
    assert site.asked == [f"/brave?q=mooring+fee&count=3&country=ALL&search_lang=en&{fixed}"]
    assert site.headers[0]["X-Subscription-Token"] == "sesame"
    brave.search("泊位费", limit=50, tell=told)
    assert "count=20" in site.asked[1]
    assert "search_lang=zh-hans" in site.asked[1]
    site.serve("/brave", json.dumps({"type": "search", "query": {"original": "x"}}))
    assert brave.search("x", limit=3, tell=told) == [], "where nothing is found there is no web at all"


def test_tavily_gets_the_query_and_the_key_and_nothing_else(site: Site) -> None:
    answer = {
        "query": "mooring fee",
        "answer": None,
        "images": [],
        "results": [{"title": "T", "url": "https://b.example.org/", "content": "C", "score": 0.9, "raw_content": None}],
        "response_time": 1.2,
        "request_id": "0",
    }
    tavily = Tavily("sesame", address=site.serve("/tavily", json.dumps(answer)))
    assert tavily.search("mooring fee", limit=3, tell=told) == [Result("T", "https://b.example.org/", "C")]
    assert json.loads(site.bodies[0]) == {"query": "mooring fee", "max_results": 3}
    assert site.headers[0]["Authorization"] == "Bearer sesame"
    assert site.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", [Brave, Tavily])
def test_a_provider_with_a_key_asks_for_it_before_anything_is_sent(kind: type[Brave] | type[Tavily]) -> None:
    with pytest.raises(WebFailed, match="wants a key") as raised:
        kind("")
    assert "unabridged network key" in raised.value.hint


@pytest.mark.parametrize(
    ("name", "status", "body", "message", "hint"),
    [
        ("Brave", 401, "", "does not take the key", "unabridged network key brave"),
        ("Brave", 403, "", "does not take the key", "unabridged network key brave"),
        ("Brave", 422, BRAVE_ERROR, "does not take the key", "It says: The provided subscription token is invalid."),
        ("Brave", 402, "", "used up", "raise the limit"),
        ("Tavily", 401, TAVILY_ERROR, "does not take the key", "It says: Unauthorized: missing or invalid API key."),
        ("Tavily", 403, "", "does not take the key", "unabridged network key tavily"),
        (
            "Tavily",
            432,
            {"detail": {"error": "This request exceeds your plan's set usage limit."}},
            "limit of searches",
            "exceeds",
        ),
        ("Tavily", 433, "", "limit of searches", "raise the limit"),
        ("Tavily", 400, {"detail": {"error": "Query is too long."}}, "refuses the search (status 400)", "It says: Query is"),
        ("Tavily", 400, {"detail": {"error": "x\n" * 900}}, "refuses", "x x x"),
    ],
)
def test_a_refusal_says_what_this_provider_means_by_it_and_is_final(
    site: Site, name: str, status: int, body: object, message: str, hint: str
) -> None:
    address = site.serve("/search", json.dumps(body), kind="application/json", status=status)
    error = refused(MADE[name](address))
    assert message in error.message
    assert f"status {status}" in error.message
    assert hint in error.hint
    assert len(error.hint) < 260
    assert "sesame" not in f"{error.message} {error.hint}"
    assert len(site.asked) == 1


# all that answer in JSON


@pytest.mark.parametrize("name", MADE)
def test_a_busy_provider_is_tried_again_and_one_that_is_down_says_so(site: Site, name: str) -> None:
    body = {"results": FOUND, "web": {"results": FOUND}}
    said: list[dict[str, object]] = []
    provider = MADE[name](busy(site, [503, 502], body, Retry_After="0"))
    assert len(provider.search("x", limit=9, tell=said.append)) == 2
    assert [next(iter(line)) for line in said] == ["asked", "answered"] * 3
    assert f"{name} is down or busy (status 503)." in refused(MADE[name](busy(site, [503] * 3, body))).message


@pytest.mark.parametrize("name", ["Brave", "Tavily"])
@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"Retry_After": "1"}, 1.0),
        ({"X_RateLimit_Remaining": "0, 1985", "X_RateLimit_Reset": "1, 1419704"}, 1.0),
    ],
)
def test_the_pause_that_a_provider_asks_for_is_kept(site: Site, name: str, headers: dict[str, str], pause_s: float) -> None:
    provider = MADE[name](busy(site, [429], {"results": FOUND, "web": {"results": FOUND}}, **headers))
    begun = time.monotonic()
    assert len(provider.search("x", limit=9, tell=told)) == 2
    assert time.monotonic() - begun >= pause_s


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "60"}, "60"),
        ({"X_RateLimit_Limit": "1, 2000", "X_RateLimit_Remaining": "0, 0", "X_RateLimit_Reset": "1, 1419704"}, "1,419,704"),
    ],
)
def test_who_asks_for_a_long_pause_is_not_asked_again(site: Site, headers: dict[str, str], seconds: str) -> None:
    error = refused(MADE["Brave"](busy(site, [429], {}, **headers)))
    assert f"Brave asks to come again in {seconds}" in error.message
    assert len(site.asked) == 1


def test_a_pause_may_be_given_as_a_date(site: Site) -> None:
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    error = refused(MADE["Brave"](busy(site, [429], {}, Retry_After=tomorrow)))
    assert re.search(r"Brave asks to come again in 86,[34]\d\d seconds", error.message)


@pytest.mark.parametrize("headers", [{"Retry_After": "soon"}, {"X_RateLimit_Remaining": "a, 0", "X_RateLimit_Reset": ""}])
def test_a_pause_that_means_nothing_is_a_short_one(site: Site, headers: dict[str, str]) -> None:
    provider = MADE["Brave"](busy(site, [429], {"web": {"results": FOUND}}, **headers))
    assert len(provider.search("x", limit=9, tell=told)) == 2


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>no json</html>", "something else than results"),
        ("[1, 2]", "something else"),
        ("x" * (5 << 20), "more than 4 MB"),
    ],
)
def test_nonsense_is_a_clear_error(site: Site, name: str, body: str, words: str) -> None:
    assert words in refused(MADE[name](site.serve("/search", body, kind="application/json"))).message


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("answer", ["{}", '{"results": 7}', '{"results": [1, null, {"url": 5}]}', '{"web": []}', '{"web": {}}'])
def test_an_answer_without_results_is_no_result(site: Site, name: str, answer: str) -> None:
    address = site.serve("/search", answer, kind="application/json")
    assert MADE[name](address).search("x", limit=5, tell=told) == []


def test_a_provider_that_is_not_there_says_so() -> None:
    assert refused(MADE["Tavily"]("http://127.0.0.1:9/search")).message == "Tavily does not answer (ConnectError)."


@pytest.mark.parametrize("name", MADE)
def test_no_key_and_no_query_follow_a_redirect(site: Site, name: str) -> None:
    error = refused(MADE[name](site.redirect("/search", f"{site.address}/elsewhere")))
    assert "sends on to another address" in error.message
    assert len(site.asked) == 1


# DuckDuckGo, by the library itself with its address turned to a server here


@pytest.fixture
def duck(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    from ddgs.engines.duckduckgo import Duckduckgo

    monkeypatch.setattr(Duckduckgo, "search_url", f"{site.address}/html/")
    return site


RESULT = """
<div class="result results_links results_links_deep web-result"><div class="links_main links_deep result__body">
<h2 class="result__title"><a rel="nofollow" class="result__a" href="{url}">{title}</a></h2>
<a class="result__snippet" href="{url}">{body}</a></div></div>
"""


def test_duckduckgo_is_asked_through_its_library(duck: Site) -> None:
    results = [
        RESULT.format(url="https://harbour.example.org/fees", title="Fees", body="<b>Forty</b> crowns."),
        RESULT.format(url="https://duckduckgo.com/y.js?ad_domain=x", title="Ad", body="Buy."),
        RESULT.format(url="javascript:alert(1)", title="Odd", body="x"),
    ]
    duck.serve("/html/", f"<html><body>{''.join(results)}</body></html>")
    said: list[dict[str, object]] = []
    assert DuckDuckGo().search("mooring fee", limit=3, tell=said.append) == [
        Result("Fees", "https://harbour.example.org/fees", "Forty crowns.")
    ]
    assert parse_qs(duck.bodies[0], keep_blank_values=True) == {b"q": [b"mooring fee"], b"b": [b""], b"l": [b"wt-wt"]}
    assert [next(iter(line)) for line in said] == ["asked", "answered"]
    assert said[1]["answered"]["status"] == 200  # type: ignore[index]


@pytest.mark.parametrize("body", ["", "<html></html>", "<div class='no-results'>No results.</div>"])
def test_nothing_found_by_duckduckgo_is_no_error(duck: Site, body: str) -> None:
    duck.serve("/html/", body)
    assert DuckDuckGo().search("mooring fee", limit=3, tell=told) == []


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (202, "<div class='anomaly-modal__title'>Bots use DuckDuckGo too.</div>", "robot (status 202)"),
        (200, "<div class='anomaly-modal__title'>Bots use DuckDuckGo too.</div>", "robot (status 200)"),
        (403, "", "robot (status 403)"),
        (503, "", "down or busy (status 503)"),
    ],
)
def test_a_refusal_of_duckduckgo_is_no_search_without_results_and_nobody_else_is_asked(
    duck: Site, status: int, body: str, words: str
) -> None:
    duck.serve("/html/", body, status=status)
    assert words in refused(DuckDuckGo()).message
    assert duck.asked == ["/html/"]


def test_a_duckduckgo_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from ddgs.engines.duckduckgo import Duckduckgo

    monkeypatch.setattr(Duckduckgo, "search_url", "http://127.0.0.1:9/")
    said: list[dict[str, object]] = []
    with pytest.raises(WebFailed, match="DuckDuckGo does not answer"):
        DuckDuckGo().search("mooring fee", limit=3, tell=said.append)
    assert [next(iter(line)) for line in said] == ["asked", "asked"], "what was tried is told even if no answer came"
