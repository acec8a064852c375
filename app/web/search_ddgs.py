"""DuckDuckGo through the library ddgs, which needs no key. Runs in the web child only.

The library opens its connections outside Python, so what it receives cannot be counted: the log says so with null.
"""

from unabridged.errors import WebFailed
from unabridged.web.providers import Result, Tell

HOST = "html.duckduckgo.com"
TIMEOUT_S = 10


class DuckDuckGo:
    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException

        tell({"asked": {"host": HOST, "purpose": "search", "sent": None}})
        try:
            found = DDGS(timeout=TIMEOUT_S).text(query, backend="duckduckgo", max_results=limit)
        except DDGSException as error:
            if "No results" in str(error):
                return []
            raise WebFailed("DuckDuckGo does not answer.", hint="Try again in a minute, or choose another provider.") from error
        tell({"answered": {"received": None, "status": 200}})
        return [Result(item["title"], item["href"], item["body"]) for item in found][:limit]
