"""The commands about what is kept in mind: memory list, memory add, memory remove."""

import argparse
import sys
from dataclasses import asdict

from unabridged.console import counted, print_json
from unabridged.home import open_home
from unabridged.memories import Memory, documents_scope
from unabridged.workspace import Workspace


def list_memories(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        memories = workspace.memories.list()
    if options.json:
        print_json({"memories": [asdict(memory) for memory in memories]})
        return 0
    for memory in memories:
        sys.stdout.write(f"{memory.id[:12]}  {memory.state:8}  {_scope(memory):12}  {memory.text}\n")
    if not memories:
        sys.stderr.write('Nothing is remembered. Add something: unabridged memory add "Answer briefly."\n')
    return 0


def add(options: argparse.Namespace) -> int:
    """`memory add TEXT [--document NAME]...`: for these documents, or for everything."""
    with Workspace(open_home()) as workspace:
        ids = [workspace.library.resolve(name).id for name in options.document]
        scope = "documents" if ids else "everything"
        memory = workspace.memories.add(options.text, scope=scope, scope_id=documents_scope(ids))
    sys.stdout.write(f"{memory.id[:12]}\n")
    return 0


def remove(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        for memory in [workspace.memories.get(words) for words in options.memories]:
            workspace.memories.remove(memory.id)
    return 0


def _scope(memory: Memory) -> str:
    return counted(len(memory.scope_id.split()), "document") if memory.scope == "documents" else memory.scope
