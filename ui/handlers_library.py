"""What the library panel asks for: values in, values out. Knows the workspace and the running jobs, no component."""

import dataclasses
import shutil
import tempfile
from pathlib import Path, PurePath
from typing import Any

from unabridged.errors import DocumentEncrypted, UsageError
from unabridged.ingest.document import Document
from unabridged.library import Entry
from unabridged.models.segment_cache import SegmentCache
from unabridged.models.stored_readings import StoredDocument, list_documents
from unabridged.ui.events_shown import fold
from unabridged.ui.jobs import Job, Jobs
from unabridged.ui.page_images import PageImages
from unabridged.ui.sample import SAMPLES
from unabridged.ui.source_view import problem_shown
from unabridged.ui.translated import translated
from unabridged.workspace import Workspace

Data = dict[str, Any]

LONGEST_NAME = 120


class LibraryHandlers:
    """`uploads` is a folder of this server: files stay there only until they are read."""

    def __init__(self, workspace: Workspace, jobs: Jobs, uploads: Path, images: PageImages) -> None:
        self._workspace = workspace
        self._jobs = jobs
        self._uploads = uploads
        self._images = images
        self._locked: dict[str, Path] = {}  # job → file that wants a password

    def documents(self, data: Data) -> list[Data]:
        """All documents of the library, the last added first, and what their readings take on the disk."""
        stored = {found.document: found for found in list_documents(self._cache())}
        return [_row(entry, stored.get(entry.id)) for entry in self._workspace.library.entries()]

    def new_upload(self, name: str) -> Path:
        """Where an uploaded file may be written: a fresh folder, and in it the file's own name, made harmless."""
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self._uploads)) / harmless_name(name)

    def start_reading_file(self, path: Path) -> str:
        """Have an uploaded file understood, in the background; the job's id."""
        return self._add(path, temporary=True)

    def unlock(self, data: Data) -> Data:
        """Try again with a password; without one the file is given up."""
        path = self._locked.pop(str(data["job"]), None)
        if path is None:
            raise UsageError("The file is not there any more.", hint="Add it again.")
        if not data.get("password"):
            shutil.rmtree(path.parent)
            return {}
        return {"job": self._add(path, temporary=True, password=str(data["password"]))}

    def add_text(self, data: Data) -> Data:
        """Pasted text becomes a document of its own."""
        text, name = str(data["text"]), str(data.get("name") or "").strip()
        if not text.strip():
            raise UsageError("There is no text to add.", hint="Paste the text into the field first.")
        path = self.new_upload(f"{name or ' '.join(text.split())[:40].rstrip('.')}.txt")
        path.write_text(text, encoding="utf-8")
        return {"job": self._add(path, temporary=True)}

    def add_sample(self, data: Data) -> Data:
        return {"job": self._add(SAMPLES[data["language"]].path, temporary=False)}

    def rename_document(self, data: Data) -> Data:
        self._workspace.library.rename(data["document"], str(data["name"]))
        self._jobs.announce()
        return {}

    def remove_document(self, data: Data) -> Data:
        """The document, its copy, and what of its text lies in readings on the disk."""
        self._workspace.library.remove(data["document"])
        self._cache().clear(documents=[data["document"]])
        self._jobs.announce()
        return {}

    def document_problems(self, data: Data) -> Data:
        """What was not read as it stands, and what can be done."""
        document, language = self._workspace.library.document(data["document"]), data["language"]
        return {
            "name": document.name,
            "details": {translated(name, language): translated(value, language) for name, value in document.details.items()},
            "problems": [problem_shown(problem, language=language) for problem in document.problems],
        }

    def document_tokens(self, data: Data) -> int:
        """Its length to the chosen model, which is loaded for it if need be."""
        return self._workspace.count_tokens(self._workspace.library.document(data["document"]))

    def pin_document(self, data: Data) -> Data:
        """Whether its readings stay on disk when others are deleted to make room."""
        cache = self._cache()
        (cache.pin if data["pinned"] else cache.unpin)(data["document"])
        self._jobs.announce()
        return {}

    def search(self, data: Data) -> Data:
        """Names and contents of documents, the first places of each; and turns of conversations, the last said first."""
        words = str(data["words"])
        found = self._workspace.library.find(words, limit=5)
        named = [entry.id for entry in self._workspace.library.entries() if words.casefold() in entry.name.casefold()]
        return {
            "named": named,
            "places": [
                {
                    "document": place.document_id,
                    "name": place.document,
                    "page": place.page_label or place.page,
                    "start": place.start,
                    "end": place.end,
                    "before": place.before,
                    "words": place.words,
                    "after": place.after,
                }
                for place in found[:100]
            ],
            "said": [dataclasses.asdict(hit) for hit in self._workspace.conversations.search(words, limit=50)],
        }

    def _cache(self) -> SegmentCache:
        quota_bytes = int(self._workspace.settings.segments_quota_gib * (1 << 30))
        return SegmentCache(self._workspace.home.segments, quota_bytes=quota_bytes)

    def _add(self, path: Path, *, temporary: bool, password: str | None = None) -> str:
        def done(job: Job) -> None:
            if job.news.get("error_kind") == DocumentEncrypted.__name__:
                self._locked[job.id] = path
            elif temporary:
                shutil.rmtree(path.parent, ignore_errors=True)  # the folder of all uploads goes with the server
            if isinstance(job.result, Document):
                job.news["document"] = job.result.id
                if password is not None:
                    self._images.unlock(self._workspace.library.original(job.result.id), password)

        news = {"phase": "ingesting", "name": path.name, "done": 0, "total": 0}
        return self._jobs.start("ingest", self._workspace.add(path, password=password), fold=fold, news=news, done=done).id


def harmless_name(name: str) -> str:
    """The last part of a path as people named it, without what a file system or a screen could trip over."""
    last = PurePath(name.replace("\\", "/")).name
    kept = "".join(character for character in last if character.isprintable() and character not in '/\\:*?"<>|').strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix) > 8:
        return kept[:LONGEST_NAME] or "document"
    return f"{stem[: LONGEST_NAME - len(suffix) - 1] or 'document'}.{suffix}"


def _row(entry: Entry, stored: StoredDocument | None) -> Data:
    return {
        "id": entry.id,
        "name": entry.name,
        "media_type": entry.media_type,
        "characters": entry.characters,
        "pages": entry.pages,
        "problems": entry.problems,
        "size_bytes": entry.size_bytes,
        "added_at": entry.added_at,
        "stored_bytes": stored.size_bytes if stored else 0,
        "stored_models": list(stored.models) if stored else [],
        "pinned": bool(stored and stored.pinned),
    }
