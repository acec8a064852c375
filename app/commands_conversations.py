"""The commands about conversations: conversations list, find, export, import, delete."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from unabridged.console import print_json
from unabridged.errors import UsageError
from unabridged.exporting import FORMATS, export_conversation, import_conversation
from unabridged.home import open_home
from unabridged.turns import Conversation
from unabridged.workspace import Workspace


def list_conversations(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        conversations = workspace.conversations.list(archived=options.archived)
    if options.json:
        print_json({"conversations": [asdict(conversation) for conversation in conversations]})
        return 0
    for conversation in conversations:
        names = ", ".join(name for _, name in conversation.documents)
        sys.stdout.write(f"{conversation.id[:12]}  {conversation.changed_at[:16]}  {conversation.title}  ({names})\n")
    if not conversations:
        sys.stderr.write("There are no conversations yet.\n")
    return 0


def find(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        hits = workspace.conversations.search(options.words)
    if options.json:
        print_json({"hits": [asdict(hit) for hit in hits]})
        return 0
    for hit in hits:
        words = " ".join(f"{hit.before}{hit.words}{hit.after}".split())
        sys.stdout.write(f"{hit.conversation_id[:12]}  {hit.title}\n    {words}\n")
    return 0


def export(options: argparse.Namespace) -> int:
    """`conversations export ID FILE`: the ending of FILE (.json, .md or .docx) says the format."""
    path: Path = options.file
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path.name} does not say the format.", hint=f"End it in one of {', '.join(FORMATS)}.")
    with Workspace(open_home()) as workspace:
        content = export_conversation(workspace, _resolve(workspace, options.conversation).id, kind)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another place.") from error
    return 0


def import_file(options: argparse.Namespace) -> int:
    try:
        content = options.file.read_bytes()
    except OSError as error:
        raise UsageError(f"{options.file} cannot be read: {error.strerror}.", hint="Check the path.") from error
    with Workspace(open_home()) as workspace:
        conversation = import_conversation(workspace, content)
    sys.stdout.write(f"{conversation.id[:12]}  {conversation.title}\n")
    return 0


def delete(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        for conversation in [_resolve(workspace, words) for words in options.conversations]:
            workspace.conversations.delete(conversation.id)
    return 0


def _resolve(workspace: Workspace, words: str) -> Conversation:
    """The one conversation with this id, or whose id begins so."""
    conversations = workspace.conversations
    found = [item for item in [*conversations.list(), *conversations.list(archived=True)] if item.id.startswith(words)]
    if len(found) != 1 or not words:
        many = "more than one" if found else "no"
        raise UsageError(f"There is {many} conversation {words}.", hint="See unabridged conversations list.")
    return found[0]
