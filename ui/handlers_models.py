"""What the catalogue of models asks for: what can be fetched and what it would get here; fetching; choosing. Values only."""

from typing import Any

from unabridged.models.window import available_bytes
from unabridged.offered_models import OFFERED, OfferedModel, offered
from unabridged.ui.events_shown import fold
from unabridged.ui.handlers_settings import kv_type_of
from unabridged.ui.jobs import Jobs
from unabridged.workspace import Workspace

Data = dict[str, Any]

KIND = "download"


class ModelHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    def catalogue(self, data: Data) -> Data:
        """The models that can be fetched: facts, the window each would get on this machine now, and whether it is here."""
        kv_type = kv_type_of(self._workspace.settings.kv_type)
        free_bytes = available_bytes()
        used = self._workspace.model.path
        rows = [self._row(model, kv_type, free_bytes) for model in OFFERED]
        for row, model in zip(rows, OFFERED, strict=True):
            row["used"] = self._workspace.home.models / model.file == used
        return {"kv_type": kv_type, "folder": str(self._workspace.home.models), "models": rows}

    def fetch_model(self, data: Data) -> Data:
        """Start fetching in the background; the job's id. A model that is being fetched is not fetched twice."""
        model = offered(str(data["name"]))
        running = [job for job in self._jobs.all() if job.kind == KIND and not job.ended.is_set()]
        if (job := next((job for job in running if job.news["name"] == model.name), None)) is None:
            news = {"phase": "asking", "name": model.name, "done": 0, "total": 0}
            work = self._workspace.model.fetch(model.name, self._workspace.network_log)
            job = self._jobs.start(KIND, work, fold=fold, news=news)
        return {"job": job.id}

    def stop_fetching(self, data: Data) -> Data:
        """What has arrived stays for the next try."""
        return {"stopping": self._jobs.stop(data["job"])}

    def choose_model(self, data: Data) -> Data:
        """A model that was fetched answers from now on."""
        self._workspace.model.choose(str(self._workspace.home.models / offered(str(data["name"])).file))
        self._jobs.announce()
        return {}

    def _row(self, model: OfferedModel, kv_type: str, free_bytes: int) -> Data:
        return {
            "name": model.name,
            "repository": model.repository,
            "file": model.file,
            "size_gb": model.size_gb,
            "licence": model.licence,
            "trained_window": model.trained_window,
            "window_here": model.window_here(kv_type=kv_type, free_bytes=free_bytes),
            "here": (self._workspace.home.models / model.file).is_file(),
        }
