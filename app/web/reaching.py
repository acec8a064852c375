"""From the settings to what an answer may reach of the web. Nothing is opened or asked here."""

from pathlib import Path

from unabridged.library import Library
from unabridged.models.gguf_header import read_header
from unabridged.settings import Settings
from unabridged.web import packages
from unabridged.web.answering import Reach
from unabridged.web.decisions import PlainDecisions, tool_calls
from unabridged.web.keys import key_of
from unabridged.web.network_log import NetworkLog
from unabridged.web.outside import Outside
from unabridged.web.providers import Chosen


def reach(settings: Settings, log: NetworkLog, *, library: Library | None, chat_model: Path | None) -> Reach:
    """`chat_model` None: a finder, which decides nothing; `library` None: keeps no page. Raises UsageError, ModelFileError."""
    packages.check()
    chosen = Chosen(
        settings.web_provider,
        address=settings.web_address,
        key=key_of(settings.web_provider),
        folder=settings.web_folder,
    )
    with_tools, usual = templates(chat_model) if chat_model is not None and settings.web_steps else ("", "")
    return Reach(
        Outside(chosen, log, private=settings.web_private_addresses),
        library,
        pages=settings.web_pages,
        tokens=settings.web_tokens,
        steps=settings.web_steps if with_tools else 0,
        decisions=tool_calls(with_tools, without=usual) or PlainDecisions(),
    )


def templates(model: Path) -> tuple[str, str]:
    """The chat templates of a GGUF file: the one that knows tools, as its model then does, and the usual one; "" for none."""
    metadata = read_header(model).metadata
    usual, for_tools = (str(metadata.get(f"tokenizer.chat_template{name}", "")) for name in ("", ".tool_use"))
    return next((template for template in (for_tools, usual) if "tools" in template), ""), usual
