"""The folder where segments of all models lie: how much there is, what goes first, what is kept. Knows no format, no models.

    FINGERPRINT/KEY.segment    a stretch of a KV cache (segments.py)
    FINGERPRINT/KEY.reading    what belongs to a reading (reading_notes.py); KEY is `Reading.key`
    pinned/DOCUMENT            an empty file: what was read of this document is not evicted

Several processes may use the folder at once: every file appears and goes as a whole, and a missing one is only read again.
"""

import contextlib
import errno
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unabridged.errors import UsageError
from unabridged.models.reading_notes import READING, SEGMENT, WRITING, ReadingNote, notes_in, write_note

_ABANDONED_S = 3600.0  # a temporary file this old was left by a process that died
_DOCUMENT = re.compile(r"[0-9A-Za-z_-]{1,200}")  # what an id may look like, as it names a file


@dataclass(frozen=True, slots=True)
class Verified:
    checked: int
    damaged: int  # they were removed and are read again when needed
    size_bytes: int  # of what remains


class SegmentCache:
    """`quota_bytes` 0: no limit but the disk. Safe to use from several threads."""

    def __init__(self, folder: Path, *, quota_bytes: int = 0) -> None:
        self.folder, self._quota = folder, quota_bytes
        self._total = 0
        self._in_use: dict[str, frozenset[Path]] = {}
        self._counting = threading.Lock()

    # While reading

    def begin(self, note: ReadingNote, folder: Path) -> None:
        """Count what is there; until `end` the reading's segments are not evicted. Raises OSError where no note can be kept."""
        key = note.segments[-1]
        with self._counting:
            self._in_use[key] = frozenset(note.paths(folder))
            self._total = self.total_bytes()
        write_note(folder / (key + READING), note)

    def end(self, key: str) -> None:
        self._in_use.pop(key, None)

    def grow(self, size_bytes: int) -> None:
        with self._counting:
            self._total += size_bytes

    def make_room(self, size_bytes: int) -> None:
        """Evict until that much fits under the quota; raises OSError (EDQUOT) where what is left is in use or pinned."""
        missing = self._total + size_bytes - self._quota
        if self._quota and missing > 0 and self.evict(missing) < missing:
            raise OSError(errno.EDQUOT, f"the quota of {self._quota / (1 << 30):.1f} GiB is used up")

    def evict(self, size_bytes: int) -> int:
        """Remove the least recently used segments, at least that many bytes if there are; returns the bytes freed."""
        with self._counting:
            spared = self._pinned_paths().union(*self._in_use.values())
            segments, freed = sorted(self.segments()), 0
            for _, size, path in segments:
                if freed >= size_bytes:
                    break
                if path not in spared:
                    path.unlink(missing_ok=True)
                    freed += size
            self._total = sum(size for _, size, _ in segments) - freed
        for path, note in notes_in(self.folder).items():  # of readings of which nothing is left
            if path.name.removesuffix(READING) not in self._in_use and not any(map(Path.exists, note.paths(path.parent))):
                path.unlink(missing_ok=True)
        return freed

    # For people

    def pin(self, document: str) -> None:
        """Keep what was and will be read of a document from eviction, for every model. Raises UsageError, OSError."""
        mark = self._mark(document)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def unpin(self, document: str) -> None:
        self._mark(document).unlink(missing_ok=True)

    def pinned(self) -> frozenset[str]:
        """Ids of the documents that are pinned."""
        return frozenset(entry.name for entry in _entries(self.folder / "pinned"))

    def clear(self, keys: Collection[str] | None = None, *, documents: Collection[str] | None = None) -> int:
        """Remove readings with the segments that no other reading has; returns the bytes freed.

        By their keys, or all that hold any of these documents, or without either every one; pinned ones too.
        """
        everything = keys is None and documents is None
        notes = notes_in(self.folder)
        gone = {path for path, note in notes.items() if everything or _is_meant(path, note, keys, documents)}
        kept = {segment for path in notes.keys() - gone for segment in notes[path].paths(path.parent)}
        victims = {segment for path in gone for segment in notes[path].paths(path.parent)} - kept
        freed = 0
        for _, size, path in self.segments():
            if everything or path in victims:
                path.unlink(missing_ok=True)
                freed += size
        for path in gone:
            path.unlink(missing_ok=True)
        return freed

    def verify(self, is_whole: Callable[[Path], bool]) -> Verified:
        """Check every segment (`segments.is_whole`) and remove the damaged ones."""
        checked = damaged = 0
        for _, _, path in self.segments():
            checked += 1
            if not is_whole(path):
                damaged += 1
                path.unlink(missing_ok=True)
        return Verified(checked, damaged, self.total_bytes())

    def total_bytes(self) -> int:
        return sum(size for _, size, _ in self.segments())

    def segments(self) -> list[tuple[float, int, Path]]:
        """(time of last use, bytes, path) of every segment; what dead processes left half-written is removed."""
        found = []
        for folder in _entries(self.folder):
            for entry in _entries(Path(folder.path)) if folder.is_dir() else []:
                with contextlib.suppress(FileNotFoundError):  # another process was faster
                    status = entry.stat()
                    if entry.name.endswith(SEGMENT):
                        found.append((status.st_mtime, status.st_size, Path(entry.path)))
                    elif entry.name.endswith(WRITING) and time.time() - status.st_mtime > _ABANDONED_S:
                        os.unlink(entry.path)
        return found

    def _mark(self, document: str) -> Path:
        if not _DOCUMENT.fullmatch(document):
            raise UsageError("That is no document.", hint="Name one from `unabridged library list`.")
        return self.folder / "pinned" / document

    def _pinned_paths(self) -> frozenset[Path]:
        """Segments of pinned documents with all before them, without which they are of no use."""
        pinned = self.pinned()
        notes = notes_in(self.folder) if pinned else {}
        found: set[Path] = set()
        for path, note in notes.items():
            ends = [span.end for span in note.documents if span.document in pinned]
            if ends:
                found.update(note.paths(path.parent, before=max(ends)))
        return frozenset(found)


def _is_meant(path: Path, note: ReadingNote, keys: Collection[str] | None, documents: Iterable[str] | None) -> bool:
    if keys is not None and path.name.removesuffix(READING) in keys:
        return True
    return documents is not None and not {span.document for span in note.documents}.isdisjoint(documents)


def _entries(folder: Path) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
