"""What becomes of conversations: put away, named by the model, summed up, forgotten in part. Knows workspace and jobs."""

from typing import Any

from unabridged.afterthoughts import give_title, summarise
from unabridged.characters.playing import sum_up_scene
from unabridged.errors import UsageError
from unabridged.ui.jobs import Jobs, told_at_once
from unabridged.workspace import Workspace

Data = dict[str, Any]


class KeepingHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    def archive_conversation(self, data: Data) -> Data:
        """Put it away, or take it out again."""
        self._workspace.conversations.archive(str(data["conversation"]), archived=bool(data["archived"]))
        self._jobs.announce()
        return {}

    def forget_turn(self, data: Data) -> Data:
        """Whether the model reads this turn no longer; it stays and is shown."""
        self._workspace.conversations.forget_turn(str(data["turn"]), forgotten=bool(data["forgotten"]))
        self._jobs.announce()
        return {}

    def read_by_model(self, data: Data) -> list[str]:
        """Ids of the turns that the model reads when this one is followed up."""
        return self._workspace.read_by_model(str(data["turn"]))

    def title_conversation(self, data: Data) -> Data:
        """Let the model name the conversation of its first turn. The starter, which cannot write, leaves it as it is."""
        turn_id = str(data["turn"])

        def title() -> Data:
            try:
                give_title(self._workspace, turn_id)
            except UsageError:  # the starter; or the conversation was deleted meanwhile
                return {}
            self._jobs.announce()
            return {}

        return {"job": told_at_once(self._jobs, "title", title, news={}).id}

    def summarise(self, data: Data) -> Data:
        """Have the model sum up what was said down to a turn, to be shown and edited; the job's id."""
        turn_id = str(data["turn"])
        is_scene = self._workspace.scenes.setup(self._workspace.conversations.turn(turn_id).conversation_id) is not None

        def sum_up() -> Data:
            note = (sum_up_scene if is_scene else summarise)(self._workspace, turn_id)
            read = self._workspace.read_by_model(turn_id)
            return {"summary": {"key": note.key, "text": note.text, "stands_for": read}}

        return {"job": told_at_once(self._jobs, "summary", sum_up, news={"turn": turn_id}).id}
