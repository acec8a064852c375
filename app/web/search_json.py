"""Search providers that answer in JSON: SearXNG, Brave, Tavily. Runs in the web child only.

SearXNG: https://docs.searxng.org/dev/search_api.html (its `json` format must be switched on by who runs it).
Brave: https://api-dashboard.search.brave.com/app/documentation/web-search. Tavily: https://docs.tavily.com/documentation/api-reference.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
from unabridged.errors import WebFailed
from unabridged.web.providers import Result, Tell
from unabridged.web.safe_get import USER_AGENT, size_sent

TRIES = 3
TIMEOUT_S = 8.0
LONGEST_WAIT_S = 4.0  # for a provider that says when to come again
ANSWER_BYTES = 4 << 20
_LATER = frozenset((429, 500, 502, 503, 504))


class SearXNG:
    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        request = httpx.Request("GET", f"{self._address}/search", params={"q": query, "format": "json"}, headers=_headers())
        found = _answer(request, "SearXNG", tell, forbidden="Switch on the json format in its settings.yml.")
        return _results(found.get("results"), limit, title="title", url="url", snippet="content")


class Brave:
    def __init__(self, key: str, *, address: str = "https://api.search.brave.com/res/v1/web/search") -> None:
        self._key = _needed(key, "Brave")
        self._address = address

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        request = httpx.Request(
            "GET",
            self._address,
            params={"q": query, "count": min(limit, 20)},
            headers=_headers({"X-Subscription-Token": self._key}),
        )
        web = _answer(request, "Brave", tell).get("web")
        return _results(
            web.get("results") if isinstance(web, dict) else None, limit, title="title", url="url", snippet="description"
        )


class Tavily:
    def __init__(self, key: str, *, address: str = "https://api.tavily.com/search") -> None:
        self._key = _needed(key, "Tavily")
        self._address = address

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        request = httpx.Request(
            "POST",
            self._address,
            json={"query": query, "max_results": min(limit, 20)},
            headers=_headers({"Authorization": f"Bearer {self._key}"}),
        )
        return _results(_answer(request, "Tavily", tell).get("results"), limit, title="title", url="url", snippet="content")


def _headers(more: Mapping[str, str] = {}) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept": "application/json", **more}


def _needed(key: str, name: str) -> str:
    if not key:
        raise WebFailed(f"{name} wants a key and there is none.", hint=f"Give it once: unabridged network key {name.lower()}.")
    return key


def _answer(request: httpx.Request, name: str, tell: Tell, *, forbidden: str = "Check the key.") -> dict[str, Any]:
    """The answer's JSON object; tried again where the provider is busy or cannot be reached. Raises WebFailed."""
    failed: WebFailed | None = None
    wait_s = 0.0
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S) as client:
        for turn in range(TRIES):
            time.sleep(wait_s)
            tell({"asked": {"host": request.url.host, "purpose": "search", "sent": size_sent(request)}})
            try:
                with client.stream(request.method, request.url, headers=request.headers, content=request.content) as response:
                    status, body = response.status_code, _limited(response, name)
                    tell({"answered": {"received": response.num_bytes_downloaded, "status": status}})
            except httpx.HTTPError as error:
                failed = WebFailed(
                    f"{name} does not answer ({type(error).__name__}).", hint="Try again, or choose another provider."
                )
                failed.__cause__ = error
                wait_s = 0.5 * 2**turn
                continue
            if status in _LATER:
                failed = WebFailed(f"{name} is down or busy (status {status}).", hint="Try again, or choose another provider.")
                wait_s = min(_asked_to_wait(response) or 0.5 * 2**turn, LONGEST_WAIT_S)
            elif status != 200:
                raise WebFailed(f"{name} refuses the search (status {status}).", hint=forbidden)
            else:
                return _object(body, name)
    raise failed or WebFailed(f"{name} does not answer.", hint="Try again.")


def _limited(response: httpx.Response, name: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise WebFailed(f"{name} sends more than {ANSWER_BYTES >> 20} MB of results.", hint="Choose another provider.")
    return bytes(body)


def _asked_to_wait(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0


def _object(body: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise WebFailed(f"{name} answers with something else than results.", hint="Check its address.") from error
    if not isinstance(found, dict):
        raise WebFailed(f"{name} answers with something else than results.", hint="Check its address.")
    return found


def _results(found: object, limit: int, *, title: str, url: str, snippet: str) -> list[Result]:
    """Only what has an address; other fields of a hostile or careless answer become text or nothing."""
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    results = [Result(*(str(item.get(name) or "") for name in (title, url, snippet))) for item in items]
    return [result for result in results if result.url.startswith(("http://", "https://"))][:limit]
