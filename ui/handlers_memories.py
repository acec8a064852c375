"""What the memories ask for: listed with what they hold for, added, edited, switched, deleted; and proposed by the model."""

from typing import Any

from unabridged.afterthoughts import propose_memory
from unabridged.errors import UsageError
from unabridged.memories import Memory, documents_scope
from unabridged.turns import INCOGNITO
from unabridged.ui.jobs import Jobs, told_at_once
from unabridged.workspace import Workspace

Data = dict[str, Any]


class MemoryHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    def memories(self, data: Data) -> Data:
        """All of them, the newest first, with the names of what they hold for; and the room that they have in the prompt."""
        names = {entry.id: entry.name for entry in self._workspace.library.entries()}
        kept = self._workspace.conversations
        names |= {talk.id: talk.title for archived in (False, True) for talk in kept.list(archived=archived)}
        names |= {character.id: character.name for character in self._workspace.characters.list()}
        shown = [_shown(memory, names) for memory in reversed(self._workspace.memories.list())]
        return {"memories": shown, "budget": self._workspace.settings.memory_tokens}

    def add_memory(self, data: Data) -> Data:
        """`scope` everything, documents (those given), or the conversation or the character given."""
        scope = str(data["scope"])
        ids = {"documents": documents_scope(data.get("documents", ()))}
        ids |= {name: str(data.get(name) or "") for name in ("conversation", "character")}
        if ids.get(scope, "").startswith(INCOGNITO):
            raise _incognito()
        self._workspace.memories.add(str(data["text"]), scope=scope, scope_id=ids.get(scope, ""))
        return self._changed(data)

    def edit_memory(self, data: Data) -> Data:
        self._workspace.memories.edit(str(data["memory"]), str(data["text"]))
        return self._changed(data)

    def switch_memory(self, data: Data) -> Data:
        """Off: it is really not in the prompt. A proposed one that is switched on is accepted."""
        self._workspace.memories.switch(str(data["memory"]), on=bool(data["on"]))
        return self._changed(data)

    def remove_memory(self, data: Data) -> Data:
        self._workspace.memories.remove(str(data["memory"]))
        return self._changed(data)

    def set_memory_budget(self, data: Data) -> Data:
        """Room in the prompt, in tokens; 0 keeps all memories out of it."""
        self._workspace.change_settings(memory_tokens=int(data["tokens"] or 0))
        return self._changed(data)

    def propose_memory(self, data: Data) -> Data:
        """Have the model say what should be remembered of the conversation down to a turn; the job's id."""
        turn_id = str(data["turn"])
        if turn_id.startswith(INCOGNITO):
            raise _incognito()

        def propose() -> Data:
            memory = propose_memory(self._workspace, turn_id)
            return {"memory": {"id": memory.id, "text": memory.text} if memory else None}

        return {"job": told_at_once(self._jobs, "proposal", propose, news={"turn": turn_id}).id}

    def _changed(self, data: Data) -> Data:
        self._jobs.announce()
        return self.memories(data)


def _shown(memory: Memory, names: dict[str, str]) -> Data:
    """What is no longer there has no name; the memory then holds for nothing any more."""
    held = [names[some_id] for some_id in memory.scope_id.split() if some_id in names]
    return {
        "id": memory.id,
        "text": memory.text,
        "scope": memory.scope,
        "names": held,
        "state": memory.state,
        "created_at": memory.created_at,
    }


def _incognito() -> UsageError:
    return UsageError(
        "Nothing of an incognito conversation is kept on disk.", hint="Add the memory for everything, in your own words."
    )
