"""What the settings ask for: the chosen values out, changed values in. Knows the workspace, no component."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unabridged.errors import UnabridgedError
from unabridged.settings import Settings
from unabridged.ui.jobs import Jobs
from unabridged.ui.strings import texts
from unabridged.workspace import Workspace

Data = dict[str, Any]

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell the user after a change; `saved` is False when it was refused."""

    message: str
    saved: bool


class SettingsHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    @property
    def settings(self) -> Settings:
        return self._workspace.settings

    @property
    def home(self) -> Path:
        return self._workspace.home.folder

    def model_choices(self) -> list[tuple[str, str]]:
        """(what is shown, what is kept) of each model; the kept value is what `use_model` takes."""
        return [
            (f"{model.name} · {model.size_bytes / 1e6:,.0f} MB", _key(model.name, model.path))
            for model in self._workspace.models()
            if not model.missing
        ]

    def chosen_model(self) -> str:
        return next((_key(model.name, model.path) for model in self._workspace.models() if model.used), self.settings.model)

    def model(self, data: Data) -> Data:
        """For the line at the top: the model's name, and a word on what it can do."""
        chosen = next((model for model in self._workspace.models() if model.used), None)
        name = chosen.name if chosen else self.settings.model
        note = texts(data["language"])["starter_note"] if name == "starter" else ""
        return {"name": name, "note": note, "theme": self.settings.theme}

    def save(self, *, language: str, model: str, changes: Data) -> Outcome:
        """Keep all changed values, or none of them and say why."""
        try:
            if model != self.chosen_model():
                self._workspace.use_model(model)
            self._workspace.change_settings(**changes)
        except UnabridgedError as error:
            return Outcome(f"{error.message} {error.hint}", saved=False)
        self._jobs.announce()
        return Outcome(texts(language)["settings_saved"], saved=True)

    def use_path(self, path: str, *, language: str) -> Outcome:
        """A GGUF file on this machine becomes the model."""
        try:
            self._workspace.use_model(path.strip())
        except UnabridgedError as error:
            return Outcome(f"{error.message} {error.hint}", saved=False)
        self._jobs.announce()
        return Outcome(texts(language)["settings_saved"], saved=True)


def _key(name: str, path: Path) -> str:
    return name if name == "starter" else str(path)
