"""The folder where segments of all models lie: what is in it, how much, and what goes first. Knows no format, no models.

    FINGERPRINT/KEY.segment    a stretch of a KV cache (segments.py)
    FINGERPRINT/KEY.reading    JSON: which segments make up a reading; KEY is `Reading.key`; `pinned` keeps it from eviction

Several processes may use the folder at once: every file appears and goes as a whole, and a missing one is only read again.
"""

import contextlib
import errno
import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEGMENT, READING, WRITING = ".segment", ".reading", ".writing"
_ABANDONED_S = 3600.0  # a temporary file this old was left by a process that died


@dataclass(frozen=True, slots=True)
class StoredReading:
    """What is on disk of one reading. `shared_bytes` of `size_bytes` also belong to other readings."""

    key: str
    model: str
    tokens: int
    tokens_stored_share: float  # of its segments, how many are still there: 1.0 is a whole reading
    size_bytes: int
    shared_bytes: int
    last_used: float  # seconds since the epoch
    pinned: bool


@dataclass(frozen=True, slots=True)
class Verified:
    checked: int
    damaged: int  # they were removed and are read again when needed
    size_bytes: int  # of what remains


class SegmentCache:
    """`quota_bytes` 0: no limit but the disk."""

    def __init__(self, folder: Path, *, quota_bytes: int = 0) -> None:
        self.folder, self._quota = folder, quota_bytes
        self._total = 0
        self._in_use: frozenset[Path] = frozenset()

    # While reading

    def begin(self, in_use: Collection[Path]) -> None:
        """Count what is there; `in_use` is not evicted until the next reading begins."""
        self._in_use = frozenset(in_use)
        self._total = sum(size for _, size, _ in self._segments())

    def grow(self, size_bytes: int) -> None:
        self._total += size_bytes

    def make_room(self, size_bytes: int) -> None:
        """Evict until that much fits under the quota; raises OSError (EDQUOT) where what is left is in use or pinned."""
        missing = self._total + size_bytes - self._quota
        if self._quota and missing > 0 and self.evict(missing) < missing:
            raise OSError(errno.EDQUOT, f"the quota of {self._quota / (1 << 30):.1f} GiB is used up")

    def evict(self, size_bytes: int) -> int:
        """Remove the least recently used segments, at least that many bytes if there are; returns the bytes freed."""
        spared = self._in_use | self._pinned()
        freed = 0
        for _, size, path in sorted(self._segments()):
            if freed >= size_bytes:
                break
            if path not in spared:
                path.unlink(missing_ok=True)
                freed += size
        self._total -= freed
        return freed

    def note_reading(self, folder: Path, segments: Sequence[str], *, tokens: int, model: str) -> None:
        note = folder / (segments[-1] + READING)
        known = _read_note(note) if note.exists() else {}
        _write_note(note, {"model": model, "tokens": tokens, "segments": list(segments), "pinned": known.get("pinned", False)})

    # For people

    def list_readings(self) -> list[StoredReading]:
        """Most recently used first; readings of which nothing is left are not listed."""
        sizes = {path: size for _, size, path in self._segments()}
        notes = {note: _read_note(note) for note in self.folder.glob(f"*/*{READING}")}
        members = {note: [note.parent / (key + SEGMENT) for key in data["segments"]] for note, data in notes.items()}
        owners: dict[Path, int] = {}
        for paths in members.values():
            for path in set(paths):
                owners[path] = owners.get(path, 0) + 1
        found = []
        for note, data in notes.items():
            present = [path for path in members[note] if path in sizes]
            if present:
                found.append(
                    StoredReading(
                        key=note.name.removesuffix(READING),
                        model=data["model"],
                        tokens=data["tokens"],
                        tokens_stored_share=len(present) / len(members[note]),
                        size_bytes=sum(sizes[path] for path in present),
                        shared_bytes=sum(sizes[path] for path in present if owners[path] > 1),
                        last_used=note.stat().st_mtime,
                        pinned=data["pinned"],
                    )
                )
        return sorted(found, key=lambda reading: -reading.last_used)

    def total_bytes(self) -> int:
        return sum(size for _, size, _ in self._segments())

    def pin(self, key: str, *, pinned: bool = True) -> bool:
        """Keep a reading from eviction, or no longer; False where it is not known."""
        notes = list(self.folder.glob(f"*/{key}{READING}")) if key.isalnum() else []
        for note in notes:
            _write_note(note, {**_read_note(note), "pinned": pinned})
        return bool(notes)

    def clear(self, keys: Collection[str] | None = None) -> int:
        """Remove readings (None: all, pinned ones too) with the segments no other reading has; returns the bytes freed."""
        notes = {note: _read_note(note) for note in self.folder.glob(f"*/*{READING}")}
        gone = {note for note in notes if keys is None or note.name.removesuffix(READING) in keys}
        kept = {note.parent / (key + SEGMENT) for note in notes.keys() - gone for key in notes[note]["segments"]}
        victims = {note.parent / (key + SEGMENT) for note in gone for key in notes[note]["segments"]} - kept
        freed = 0
        for _, size, path in self._segments():
            if path in victims or (keys is None and path not in kept):
                path.unlink(missing_ok=True)
                freed += size
        for note in gone:
            note.unlink(missing_ok=True)
        return freed

    def verify(self, is_whole: Callable[[Path], bool]) -> Verified:
        """Check every segment (`segments.is_whole`) and remove the damaged ones."""
        checked = damaged = 0
        for _, _, path in self._segments():
            checked += 1
            if not is_whole(path):
                damaged += 1
                path.unlink(missing_ok=True)
        return Verified(checked, damaged, self.total_bytes())

    def _segments(self) -> list[tuple[float, int, Path]]:
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

    def _pinned(self) -> frozenset[Path]:
        notes = {note: _read_note(note) for note in self.folder.glob(f"*/*{READING}")}
        pinned = {note: data["segments"] for note, data in notes.items() if data["pinned"]}
        return frozenset(note.parent / (key + SEGMENT) for note, keys in pinned.items() for key in keys)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _read_note(note: Path) -> dict[str, Any]:
    """A note that cannot be read says that nothing belongs to the reading; its segments are still found by their keys."""
    empty: dict[str, Any] = {"model": "", "tokens": 0, "segments": [], "pinned": False}
    try:
        data = json.loads(note.read_text("utf-8"))
        return {name: type(default)(data[name]) for name, default in empty.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return empty


def _write_note(note: Path, data: dict[str, Any]) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    temporary = note.with_suffix(f".{os.getpid()}{WRITING}")
    temporary.write_text(json.dumps(data), "utf-8")
    temporary.replace(note)
