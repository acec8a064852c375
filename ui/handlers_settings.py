"""What the settings ask for: the chosen values out, changed values in. Knows the workspace, no component."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unabridged.catalogue import STARTER
from unabridged.errors import UnabridgedError
from unabridged.models.plan import KV_TYPES, plan_model
from unabridged.models.segment_cache import SegmentCache
from unabridged.models.stored_readings import list_readings
from unabridged.settings import Settings
from unabridged.ui.jobs import Jobs
from unabridged.ui.strings import texts
from unabridged.ui.translated import translated
from unabridged.workspace import Workspace

Data = dict[str, Any]

GIB = 1 << 30
DEFAULT_KV_TYPE = "f16"


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
        """(what is shown, what is kept) of each model; the kept value is what ChosenModel.choose() takes."""
        return [
            (f"{model.name} · {model.size_bytes / 1e6:,.0f} MB", _key(model.name, model.path))
            for model in self._workspace.model.choices()
            if not model.missing
        ]

    def chosen_model(self) -> str:
        chosen = self._workspace.model.listed()
        return _key(chosen.name, chosen.path) if chosen else self.settings.model

    def model(self, data: Data) -> Data:
        """For the line at the top: the model's name, and a word on what it can do."""
        chosen = self._workspace.model.listed()
        name = chosen.name if chosen else self.settings.model
        note = texts(data["language"])["starter_note"] if name == STARTER else ""
        look = {"theme": self.settings.theme, "language": self.settings.language}
        return {"name": name, "note": note, "writes": name != STARTER, **look}

    def plan(self, model: str, kv_type: str, *, language: str) -> str:
        """How large a window the model gets on this machine, what that takes, and what would help. Loads nothing."""
        words = texts(language)
        try:
            path = next(each.path for each in self._workspace.model.choices() if _key(each.name, each.path) == model)
            plan = plan_model(path, kv_type=kv_type_of(kv_type))
        except UnabridgedError as error:
            return _sentence(error, language)
        told = words["plan"].format(
            window=f"{plan.largest_window:,}",
            trained=f"{plan.trained_window:,}",
            kv_type=plan.kv_type,
            needed=f"{plan.needed_bytes / GIB:.1f}",
            free=f"{plan.free_bytes / GIB:.1f}",
        )
        return "\n".join([told, *(translated(way, language) for way in plan.advice)])

    def readings(self, *, language: str) -> str:
        """How much of the disk the readings take."""
        cache = self._segments()
        count, size = len(list_readings(cache)), cache.total_bytes()
        quota = f"{self.settings.segments_quota_gib:g}"
        return texts(language)["readings_kept"].format(count=count, size=f"{size / GIB:.2f}", quota=quota)

    def clear_readings(self, *, language: str) -> Outcome:
        """Delete all readings from the disk; the price is reading again."""
        freed = self._segments().clear()
        self._jobs.announce()
        return Outcome(texts(language)["readings_cleared"].format(size=f"{freed / GIB:.2f}"), saved=True)

    def _segments(self) -> SegmentCache:
        return SegmentCache(self._workspace.home.segments, quota_bytes=int(self.settings.segments_quota_gib * GIB))

    def save(self, *, language: str, model: str, changes: Data) -> Outcome:
        """Keep all changed values, or none of them and say why."""
        try:
            if model != self.chosen_model():
                self._workspace.model.choose(model)
            self._workspace.change_settings(**changes)
        except UnabridgedError as error:
            return Outcome(_sentence(error, language), saved=False)
        self._jobs.announce()
        return Outcome(texts(language)["settings_saved"], saved=True)

    def use_path(self, path: str, *, language: str) -> Outcome:
        """A GGUF file on this machine becomes the model."""
        try:
            self._workspace.model.choose(path.strip())
        except UnabridgedError as error:
            return Outcome(_sentence(error, language), saved=False)
        self._jobs.announce()
        return Outcome(texts(language)["settings_saved"], saved=True)


def kv_type_of(setting: str) -> str:
    """The type that is meant: a CPU takes f16 where the setting is auto."""
    return setting if setting in KV_TYPES else DEFAULT_KV_TYPE


def _sentence(error: UnabridgedError, language: str) -> str:
    return f"{translated(error.message, language)} {translated(error.hint, language)}"


def _key(name: str, path: Path) -> str:
    return name if name == STARTER else str(path)
