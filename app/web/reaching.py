"""From the settings to what an answer may reach of the web. Nothing is opened or asked here."""

from pathlib import Path

from unabridged.library import Library
from unabridged.settings import Settings
from unabridged.web.answering import Reach, can_use_tools
from unabridged.web.keys import key_of
from unabridged.web.network_log import NetworkLog
from unabridged.web.outside import Outside
from unabridged.web.providers import Chosen


def reach(settings: Settings, log: NetworkLog, *, library: Library | None, chat_model: Path | None) -> Reach:
    """`chat_model` None: a finder, which decides nothing; `library` None: keeps no page. Raises UsageError, ModelFileError."""
    chosen = Chosen(
        settings.web_provider,
        address=settings.web_address,
        key=key_of(settings.web_provider),
        folder=settings.web_folder,
    )
    stepwise = chat_model is not None and settings.web_steps > 0 and can_use_tools(chat_model)
    return Reach(
        Outside(chosen, log, private=settings.web_private_addresses),
        library,
        pages=settings.web_pages,
        tokens=settings.web_tokens,
        steps=settings.web_steps if stepwise else 0,
    )
