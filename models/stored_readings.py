"""What is on disk, for people: readings, and how much of it belongs to which document. Looks, changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unabridged.models.reading_notes import READING, ReadingNote, notes_in
from unabridged.models.segment_cache import SegmentCache


@dataclass(frozen=True, slots=True)
class StoredReading:
    """What is on disk of one reading. `shared_bytes` of `size_bytes` also belong to other readings."""

    key: str
    model: str
    documents: tuple[str, ...]  # ids, in the order in which they stand
    tokens: int
    tokens_stored_share: float  # of its segments, how many are still there: 1.0 is a whole reading
    size_bytes: int
    shared_bytes: int
    last_used: float  # seconds since the epoch
    pinned: bool  # a document of it is


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is on disk of one document, in all readings and models together; what they share is counted once.

    A segment in which two documents meet is divided by their tokens, so that all sizes add up to no more than is there.
    """

    document: str
    models: tuple[str, ...]
    readings: int
    size_bytes: int
    last_used: float
    pinned: bool


def list_readings(cache: SegmentCache) -> list[StoredReading]:
    """Most recently used first; readings of which nothing is left are not listed."""
    sizes = {path: size for _, size, path in cache.segments()}
    notes, pinned = notes_in(cache.folder), cache.pinned()
    owners: dict[Path, int] = {}
    for path, note in notes.items():
        for segment in set(note.paths(path.parent)):
            owners[segment] = owners.get(segment, 0) + 1
    found = []
    for path, note in notes.items():
        present = [segment for segment in note.paths(path.parent) if segment in sizes]
        if present:
            documents = tuple(dict.fromkeys(span.document for span in note.documents))
            found.append(
                StoredReading(
                    key=path.name.removesuffix(READING),
                    model=note.model,
                    documents=documents,
                    tokens=note.tokens,
                    tokens_stored_share=len(present) / len(note.segments),
                    size_bytes=sum(sizes[segment] for segment in present),
                    shared_bytes=sum(sizes[segment] for segment in present if owners[segment] > 1),
                    last_used=path.stat().st_mtime,
                    pinned=not pinned.isdisjoint(documents),
                )
            )
    return sorted(found, key=lambda reading: -reading.last_used)


def list_documents(cache: SegmentCache) -> list[StoredDocument]:
    """Most recently used first."""
    readings, pinned = list_readings(cache), cache.pinned()
    shares = _bytes_by_document(notes_in(cache.folder), {path: size for _, size, path in cache.segments()})
    found = []
    for document in dict.fromkeys(document for reading in readings for document in reading.documents):
        mine = [reading for reading in readings if document in reading.documents]
        models = tuple(dict.fromkeys(reading.model for reading in mine))
        size = round(shares.get(document, 0.0))
        found.append(StoredDocument(document, models, len(mine), size, mine[0].last_used, document in pinned))
    return found


def _bytes_by_document(notes: Mapping[Path, ReadingNote], sizes: Mapping[Path, int]) -> dict[str, float]:
    parts: dict[Path, dict[str, float]] = {}
    for path, note in notes.items():
        for index, segment in enumerate(note.paths(path.parent)):
            start = note.ends[index - 1] if index else 0
            for document, tokens in note.tokens_of(index).items():
                parts.setdefault(segment, {})[document] = tokens / (note.ends[index] - start)
    totals: dict[str, float] = {}
    for segment, by_document in parts.items():
        for document, part in by_document.items():
            totals[document] = totals.get(document, 0.0) + part * sizes.get(segment, 0)
    return totals
