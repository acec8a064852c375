"""A conversation as a file in one of three formats, each written by an export_*.py; and back from JSON, which is whole."""

from dataclasses import asdict

from unabridged.characters.scenes import setup_of
from unabridged.export_json import from_json, to_json
from unabridged.export_markdown import to_markdown
from unabridged.export_word import to_word
from unabridged.turns import Conversation
from unabridged.workspace import Workspace

FORMATS = {".json": "json", ".md": "markdown", ".docx": "word"}


def export_conversation(workspace: Workspace, conversation_id: str, kind: str, *, turn_id: str | None = None) -> bytes:
    """`json` holds all of it, `markdown` and `word` the branch down to a turn (the last one)."""
    conversation = workspace.conversations.get(conversation_id)
    if kind == "json":
        setup = workspace.scenes.setup(conversation_id)
        return to_json(workspace.conversations, conversation_id, scene=asdict(setup) if setup else None)
    turns = workspace.conversations.turns(conversation_id)
    branch = workspace.conversations.path(turn_id or turns[-1].id) if turns else []
    if kind == "word":
        return to_word(conversation, branch, placed=workspace.library.has)
    return to_markdown(conversation, branch, placed=workspace.library.has).encode()


def import_conversation(workspace: Workspace, content: bytes) -> Conversation:
    """A new conversation from an exported JSON file. Raises UsageError, and then nothing was added."""
    imported = from_json(content)
    setup = setup_of(imported.scene) if imported.scene else None
    conversation = workspace.conversations.restore(imported.title, imported.documents, imported.turns)
    if setup:
        workspace.scenes.change(conversation.id, setup)
    return conversation
