"""DuckDuckGo through the library ddgs, which needs no key. Runs in the web child only.

Its one engine for DuckDuckGo is driven here, not the search over many engines that the library puts above: that one goes to
others where this one fails, who were not named to the user, and cannot tell a refusal from a search without results.
"""

import time
from typing import Any

from unabridged.errors import WebFailed
from unabridged.web.providers import Result, Tell

HOST = "html.duckduckgo.com"
TIMEOUT_S = 10
TRIES = 2
WAIT_S = 1.0
EVERYWHERE = "wt-wt"  # results of no country in particular
_REFUSAL = "anomaly-modal"  # the page on which it asks to tell ducks from other animals


class DuckDuckGo:
    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        from ddgs.engines.duckduckgo import Duckduckgo

        engine = Duckduckgo(timeout=TIMEOUT_S)
        answer = _asked(engine, query, tell)
        if answer.status_code in (202, 403, 418, 429) or _REFUSAL in answer.text:
            raise WebFailed(
                f"DuckDuckGo takes this program for a robot (status {answer.status_code}).",
                hint="Wait some minutes, or choose another provider.",
            )
        if answer.status_code != 200:
            raise WebFailed(
                f"DuckDuckGo is down or busy (status {answer.status_code}).", hint="Try again, or choose another provider."
            )
        found = engine.post_extract_results(engine.extract_results(answer.text)) if answer.text.strip() else []
        return [Result(item.title, item.href, item.body) for item in found if item.href.startswith(("http://", "https://"))][
            :limit
        ]


def _asked(engine: Any, query: str, tell: Tell) -> Any:  # noqa: ANN401 a library's engine, its answer
    from ddgs.exceptions import DDGSException

    payload = engine.build_payload(query, region=EVERYWHERE, safesearch="moderate", timelimit=None)
    failed: DDGSException | None = None
    for turn in range(TRIES):
        time.sleep(WAIT_S if turn else 0.0)
        tell({"asked": {"host": HOST, "purpose": "search", "sent": None}})  # the library writes the request outside Python
        try:
            answer = engine.http_client.request(engine.search_method, engine.search_url, data=payload)
        except DDGSException as error:
            failed = error
            continue
        tell({"answered": {"received": len(answer.content), "status": answer.status_code}})
        return answer
    raise WebFailed("DuckDuckGo does not answer.", hint="Try again in a minute, or choose another provider.") from failed
