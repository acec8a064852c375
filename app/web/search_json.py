"""Search providers that answer in JSON: SearXNG, Brave, Tavily. Runs in the web child only.

SearXNG: https://docs.searxng.org/dev/search_api.html (its `json` format must be switched on by who runs it).
Brave: https://api-dashboard.search.brave.com/api-reference/web/search/get. Tavily: https://docs.tavily.com/documentation/api-reference.
"""

import httpx
from unabridged.errors import WebFailed
from unabridged.web.json_answer import json_answer
from unabridged.web.providers import Result, Tell
from unabridged.web.safe_get import USER_AGENT
from unabridged.web.words import is_chinese, one_line

_MOST = 20  # results of one request, at Brave and at Tavily
_LATER = "Wait, raise the limit at the provider, or choose another provider."


class SearXNG:
    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        request = httpx.Request("GET", f"{self._address}/search", params={"q": query, "format": "json"}, headers=_headers())
        found = json_answer(request, "SearXNG", _searxng_refuses, tell)
        results = _results(found.get("results"), limit, snippet="content")
        if not results and (silent := _silent(found.get("unresponsive_engines"))):
            raise WebFailed(
                f"The engines that SearXNG asks do not answer ({silent}).", hint="Try again later, or choose another provider."
            )
        return results


class Brave:
    def __init__(self, key: str, *, address: str = "https://api.search.brave.com/res/v1/web/search") -> None:
        self._key = _needed(key, "Brave")
        self._address = address

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        request = httpx.Request(
            "GET",
            self._address,
            params={
                "q": query,
                "count": min(limit, _MOST),
                "country": "ALL",
                "search_lang": "zh-hans" if is_chinese(query) else "en",
                "result_filter": "web",
                "text_decorations": "false",  # else there are HTML tags in descriptions
            },
            headers=_headers() | {"X-Subscription-Token": self._key},
        )
        web = json_answer(request, "Brave", _brave_refuses, tell).get("web")
        return _results(web.get("results") if isinstance(web, dict) else None, limit, snippet="description")


class Tavily:
    def __init__(self, key: str, *, address: str = "https://api.tavily.com/search") -> None:
        self._key = _needed(key, "Tavily")
        self._address = address

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        request = httpx.Request(
            "POST",
            self._address,
            json={"query": query, "max_results": min(limit, _MOST)},
            headers=_headers() | {"Authorization": f"Bearer {self._key}"},
        )
        found = json_answer(request, "Tavily", _tavily_refuses, tell)
        return _results(found.get("results"), limit, snippet="content")


def _searxng_refuses(status: int) -> WebFailed | None:
    if status == 403:
        return WebFailed(
            "SearXNG gives no JSON (status 403).", hint="Whoever runs it adds json to search.formats in its settings.yml."
        )
    if status == 429:
        return WebFailed(
            "SearXNG takes this program for a robot (status 429).",
            hint="Whoever runs it can let this machine pass its limiter; servers for everyone seldom do.",
        )
    return None


def _brave_refuses(status: int) -> WebFailed | None:
    if status in (401, 403, 422):  # 422 is its answer to a wrong key, and to a query that it does not take
        return _wrong_key("Brave", status)
    return WebFailed("The plan at Brave is used up (status 402).", hint=_LATER) if status == 402 else None


def _tavily_refuses(status: int) -> WebFailed | None:
    if status in (401, 403):
        return _wrong_key("Tavily", status)
    if status in (432, 433):  # of the plan, of what is paid for beside it
        return WebFailed(f"The limit of searches at Tavily is reached (status {status}).", hint=_LATER)
    return None


def _wrong_key(name: str, status: int) -> WebFailed:
    return WebFailed(
        f"{name} does not take the key (status {status}).", hint=f"Give it again: unabridged network key {name.lower()}."
    )


def _headers() -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept": "application/json"}


def _needed(key: str, name: str) -> str:
    if not key:
        raise WebFailed(f"{name} wants a key and there is none.", hint=f"Give it once: unabridged network key {name.lower()}.")
    return key


def _silent(found: object) -> str:
    """The engines of a SearXNG that did not answer, each with its reason: [["brave", "too many requests"], …]."""
    pairs = [pair for pair in found if isinstance(pair, list) and len(pair) == 2] if isinstance(found, list) else []
    return "; ".join(one_line(f"{engine}: {reason}")[:60] for engine, reason in pairs[:5])


def _results(found: object, limit: int, *, snippet: str) -> list[Result]:
    """Only what has an address; other fields of a hostile or careless answer become text or nothing."""
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    results = [Result(*(str(item.get(name) or "") for name in ("title", "url", snippet))) for item in items]
    return [result for result in results if result.url.startswith(("http://", "https://"))][:limit]
