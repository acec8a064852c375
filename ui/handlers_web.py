"""What the web switch and its settings ask for: who searches, with what; and the network log. Never shows a key."""

import dataclasses
from typing import Any

from unabridged.errors import UsageError
from unabridged.settings import WEB
from unabridged.ui.jobs import Jobs
from unabridged.web.answering import WebUse
from unabridged.web.keys import keep_key, key_of, variable
from unabridged.web.providers import KEYED, PROVIDERS
from unabridged.workspace import Workspace

Data = dict[str, Any]

LOGGED = 200  # requests of the log that the page shows


class WebHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    def web(self, data: Data) -> Data:
        """The settings of the switch. Of keys only whether there is one, and which variable of the environment may hold it."""
        settings = self._workspace.settings
        return {
            "mode": settings.web,
            "provider": settings.web_provider,
            "address": settings.web_address,
            "folder": settings.web_folder,
            "pages": settings.web_pages,
            "tokens": settings.web_tokens,
            "steps": settings.web_steps,
            "providers": list(PROVIDERS),
            "keys": {name: {"kept": bool(key_of(name)), "variable": variable(name)} for name in KEYED},
        }

    def save_web(self, data: Data) -> Data:
        """All of them, or none and the reason."""
        self._workspace.change_settings(
            web=str(data["mode"]),
            web_provider=str(data["provider"]),
            web_address=str(data["address"]).strip(),
            web_folder=str(data["folder"]).strip(),
            web_pages=int(data["pages"] or 0),
            web_tokens=int(data["tokens"] or 0),
            web_steps=int(data["steps"] or 0),
        )
        self._jobs.announce()
        return self.web(data)

    def keep_web_key(self, data: Data) -> Data:
        """Into the keyring of the system; an empty one is taken out of it."""
        keep_key(str(data["provider"]), str(data["key"]).strip())
        return self.web(data)

    def network_log(self, data: Data) -> list[Data]:
        """The last requests that left this machine, the newest first."""
        return [dataclasses.asdict(logged) for logged in self._workspace.network_log.requests(limit=LOGGED)]

    def clear_network_log(self, data: Data) -> Data:
        self._workspace.network_log.clear()
        return {}


def web_use(data: Data) -> WebUse | None:
    """How a question may use the web: `web` is the switch (off unless it says otherwise), `query` what the user sends now."""
    mode, query = str(data.get("web") or "off"), str(data.get("query") or "").strip()
    if mode not in WEB:
        raise UsageError(f"The web switch has no position {mode}.", hint=f"Choose one of {', '.join(WEB)}.")
    if query:
        return WebUse(query=query)
    return None if mode == "off" else WebUse(allow=mode == "allow")
