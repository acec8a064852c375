"""Who can be asked for pages on the web: one small protocol, and the names under which the settings know the providers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from unabridged.errors import UsageError

PROVIDERS = ("duckduckgo", "searxng", "brave", "tavily", "folder")
KEYED = ("brave", "tavily")
LONGEST_QUERY = 300  # characters

Tell = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Result:
    """A page that may answer. `file` is where it stands on this machine, for pages that were saved; "" for the others."""

    title: str
    url: str
    snippet: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A provider and what it needs: the address of a SearXNG, the key of Brave or Tavily, the folder of saved pages."""

    name: str = "duckduckgo"
    address: str = ""
    key: str = ""
    folder: str = ""

    def __post_init__(self) -> None:
        if self.name not in PROVIDERS:
            raise UsageError(f"There is no search provider {self.name}.", hint=f"Choose one of {', '.join(PROVIDERS)}.")
        if self.name == "searxng" and not self.address.startswith(("http://", "https://")):
            raise UsageError("The address of the SearXNG server is missing.", hint="Set web_address to its https address.")
        if self.name == "folder" and not self.folder:
            raise UsageError("The folder of saved pages is not named.", hint="Set web_folder to it.")


class SearchProvider(Protocol):
    """Runs in the web child only. Raises WebFailed when it is down, refuses, or answers nonsense."""

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        """At most `limit` results, best first; `tell` hears of every request before it is made and after it."""
        ...


def provider(chosen: Chosen) -> SearchProvider:
    """The provider of this name. Imported here, so that each library is loaded only where it is used."""
    if chosen.name == "folder":
        from unabridged.web.saved_pages import SavedPages

        return SavedPages(chosen.folder)
    if chosen.name == "duckduckgo":
        from unabridged.web.search_ddgs import DuckDuckGo

        return DuckDuckGo()
    from unabridged.web.search_json import Brave, SearXNG, Tavily

    if chosen.name == "searxng":
        return SearXNG(chosen.address)
    return Brave(chosen.key) if chosen.name == "brave" else Tavily(chosen.key)
