"""What is written down about a reading beside its segments: which they are and whose text they hold. Knows ids, no text.

    KEY.reading    JSON: model, tokens, segments (their keys), ends (the position after each), documents ([id, start, end])

A note is only a list for people and for eviction; a reading finds its segments by their keys, with or without one.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unabridged.models.engine import DocumentSpan

SEGMENT, READING, WRITING = ".segment", ".reading", ".writing"


@dataclass(frozen=True, slots=True)
class ReadingNote:
    """`segments[i]` holds the tokens from `ends[i - 1]` (0 for the first) to `ends[i]`."""

    model: str = ""
    tokens: int = 0
    segments: tuple[str, ...] = ()
    ends: tuple[int, ...] = ()
    documents: tuple[DocumentSpan, ...] = ()

    def paths(self, folder: Path, *, before: int | None = None) -> list[Path]:
        """Of its segments in that folder; those that begin before a position, or all."""
        starts = (0, *self.ends)
        return [
            folder / (key + SEGMENT)
            for key, start in zip(self.segments, starts, strict=False)
            if before is None or start < before
        ]

    def tokens_of(self, index: int) -> dict[str, int]:
        """How many tokens of one segment belong to which document."""
        start, end = (0, *self.ends)[index], self.ends[index]
        found: dict[str, int] = {}
        for span in self.documents:
            common = min(end, span.end) - max(start, span.start)
            if common > 0:
                found[span.document] = found.get(span.document, 0) + common
        return found


def write_note(path: Path, note: ReadingNote) -> None:
    """Appears as a whole. Raises OSError."""
    data = {
        "model": note.model,
        "tokens": note.tokens,
        "segments": note.segments,
        "ends": note.ends,
        "documents": [[span.document, span.start, span.end] for span in note.documents],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}{WRITING}")
    temporary.write_text(json.dumps(data), "utf-8")
    temporary.replace(path)


def read_note(path: Path) -> ReadingNote:
    """A note that cannot be read says that nothing belongs to the reading."""
    try:
        return _as_note(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return ReadingNote()


def notes_in(folder: Path) -> dict[Path, ReadingNote]:
    """Of all models whose segments lie under `folder`."""
    return {path: read_note(path) for path in folder.glob(f"*/*{READING}")}


def _as_note(data: Mapping[str, Any]) -> ReadingNote:
    segments, ends = tuple(map(str, data["segments"])), tuple(map(int, data["ends"]))
    if len(segments) != len(ends):
        raise ValueError
    documents = tuple(DocumentSpan(str(document), int(start), int(end)) for document, start, end in data["documents"])
    return ReadingNote(str(data["model"]), int(data["tokens"]), segments, ends, documents)
