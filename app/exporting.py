"""A conversation as a file in one of three formats, each written by an export_*.py. Knows which branch, and what is placed."""

from unabridged.export_json import to_json
from unabridged.export_markdown import to_markdown
from unabridged.export_word import to_word
from unabridged.workspace import Workspace

FORMATS = {".json": "json", ".md": "markdown", ".docx": "word"}


def export_conversation(workspace: Workspace, conversation_id: str, kind: str, *, turn_id: str | None = None) -> bytes:
    """`json` holds all of it, `markdown` and `word` the branch down to a turn (the last one)."""
    conversation = workspace.conversations.get(conversation_id)
    if kind == "json":
        return to_json(workspace.conversations, conversation_id)
    turns = workspace.conversations.turns(conversation_id)
    branch = workspace.conversations.path(turn_id or turns[-1].id) if turns else []
    if kind == "word":
        return to_word(conversation, branch, placed=workspace.library.has)
    return to_markdown(conversation, branch, placed=workspace.library.has).encode()
