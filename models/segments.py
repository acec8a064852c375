"""Segments: stretches of a KV cache as files, so that what was read once is never read again. Knows no models.

A segment's name is a hash over the fingerprint and *all* tokens up to its end, so equal prefixes of different readings
are one file, and a file can only be found by a reading it belongs to. A memory that cannot be cut, as of recurrent and
hybrid models, adds its whole state at that end to every segment. Format, little-endian:

    magic 8 · fingerprint 32 · key 32 · first position u32 · tokens u32 · payload length u64
    XXH3 (128 bits) of all that and the payload 16 · payload

Files appear whole (temporary name, fsync, rename); several processes may share a folder. Whatever does not check out is
removed before llama.cpp sees it, because llama.cpp trusts a state blindly and aborts on a short one. The checksum is for
accidents: whoever may write into the folder could seal a forgery with any. It is computed while a prefill has all cores, and
over gigabytes when a reading is opened, so it has to be fast.
"""

import contextlib
import errno
import hashlib
import mmap
import os
import struct
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray
from unabridged.models.engine import DocumentSpan, Tokens
from unabridged.models.reading_notes import READING, SEGMENT, WRITING, ReadingNote, read_note
from unabridged.models.segment_cache import SegmentCache

MAGIC = b"UNABSEG2"
_FIELDS = struct.Struct("<8s32s32sIIQ")
HEADER_BYTES = _FIELDS.size + 16


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens `start` … `end` - 1 of a reading; `key` also stands for all tokens before them."""

    key: bytes
    start: int
    end: int


def segments_of(tokens: Tokens, segment_tokens: int, fingerprint: bytes) -> list[Segment]:
    """The chain over a whole reading; the last one may be short. Pure: the same tokens always give the same keys."""
    chain, found = hashlib.sha256(fingerprint).digest(), []
    for start in range(0, len(tokens), segment_tokens):
        end = min(start + segment_tokens, len(tokens))
        chain = hashlib.sha256(chain + np.ascontiguousarray(tokens[start:end], np.int32).tobytes()).digest()
        found.append(Segment(chain, start, end))
    return found


def piece_tokens(segment_tokens: int, chunk_tokens: int) -> int:
    """Tokens in one file, whole chunks. A file is written while the next stretch is evaluated, and a kill loses both,
    so a file holds half of what a killed prefill may read again.
    """
    return max(segment_tokens // (2 * chunk_tokens), 1) * chunk_tokens


def stored_tokens(folder: Path, fingerprint: bytes, tokens: Tokens, *, segment_tokens: int, chunk_tokens: int = 512) -> int:
    """How many tokens from the beginning of a reading lie on disk. Looks at names only: damage shows when they are read."""
    place = folder / fingerprint.hex()[:32]
    stored = 0
    for segment in segments_of(tokens, piece_tokens(segment_tokens, chunk_tokens), fingerprint):
        if not (place / (segment.key.hex() + SEGMENT)).is_file():
            break
        stored = segment.end
    return stored


class SegmentStore:
    """The segments of one fingerprint inside the folder that all models share."""

    def __init__(self, cache: SegmentCache, fingerprint: bytes, *, model: str) -> None:
        self.folder = cache.folder / fingerprint.hex()[:32]
        self._cache, self._fingerprint, self._model = cache, fingerprint, model
        self._began = time.time()

    def path(self, segment: Segment) -> Path:
        return self.folder / (segment.key.hex() + SEGMENT)

    def begin(self, chain: Sequence[Segment], documents: Sequence[DocumentSpan] = ()) -> None:
        """A reading begins: until `end` its own segments are not evicted, and it is noted what belongs to it."""
        self._began = time.time()
        keys = tuple(segment.key.hex() for segment in chain)
        known = () if documents else read_note(self.folder / (keys[-1] + READING)).documents
        ends = tuple(segment.end for segment in chain)
        note = ReadingNote(self._model, chain[-1].end, keys, ends, tuple(documents) or known)
        with contextlib.suppress(OSError):  # only the listing suffers
            self._cache.begin(note, self.folder)

    def end(self, chain: Sequence[Segment]) -> None:
        self._cache.end(chain[-1].key.hex())

    def holds(self, chain: Sequence[Segment]) -> bool:
        """Whether all of them are there, by their names."""
        return all(self.path(segment).is_file() for segment in chain)

    def load(self, segment: Segment) -> NDArray[np.uint8] | None:
        """The payload, mapped and verified; None where there is none or it was damaged (then the file is gone)."""
        path = self.path(segment)
        whole = _mapped(path)
        if whole is None:
            return None
        if bytes(whole[:HEADER_BYTES]) != self._header(segment, whole[HEADER_BYTES:]):
            with contextlib.suppress(OSError):  # a folder that cannot be written: the segment stays unused
                path.unlink(missing_ok=True)
            return None
        self._touch(segment)
        return whole[HEADER_BYTES:]

    def save(self, segment: Segment, payload: NDArray[np.uint8]) -> None:
        """Raises OSError (disk full, quota, no rights); nothing half-written stays. A full disk evicts what is older."""
        size = HEADER_BYTES + payload.size
        self._cache.make_room(size)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._write(segment, payload)
        except OSError as error:
            if error.errno != errno.ENOSPC or not self._cache.evict(size):
                raise
            self._write(segment, payload)
        self._cache.grow(size)
        self._touch(segment)

    def _write(self, segment: Segment, payload: NDArray[np.uint8]) -> None:
        handle, name = tempfile.mkstemp(suffix=WRITING, dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._header(segment, payload))
                file.write(payload.data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path(segment))
            self._sync_folder()
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _sync_folder(self) -> None:
        """So that the new name survives a power cut as the data does."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _touch(self, segment: Segment) -> None:
        """Eviction goes by the time of last use; within one reading the end counts as older, so that a prefix survives."""
        used = self._began - segment.start * 1e-6
        with contextlib.suppress(OSError):
            os.utime(self.path(segment), (used, used))

    def _header(self, segment: Segment, payload: NDArray[np.uint8]) -> bytes:
        return _sealed(self._fingerprint, segment.key, segment.start, segment.end - segment.start, payload)


def is_whole(path: Path) -> bool:
    """Whether a segment file is what its name, its folder and its checksum say; for `SegmentCache.verify`."""
    whole = _mapped(path)
    if whole is None or len(whole) < HEADER_BYTES:
        return False
    magic, fingerprint, key, start, count, _ = _FIELDS.unpack(bytes(whole[: _FIELDS.size]))
    named = magic == MAGIC and path.name == key.hex() + SEGMENT and path.parent.name == fingerprint.hex()[:32]
    return named and bytes(whole[:HEADER_BYTES]) == _sealed(fingerprint, key, start, count, whole[HEADER_BYTES:])


def _sealed(fingerprint: bytes, key: bytes, start: int, count: int, payload: NDArray[np.uint8]) -> bytes:
    fields = _FIELDS.pack(MAGIC, fingerprint, key, start, count, payload.size)
    check = xxhash.xxh3_128(fields)
    check.update(payload.data)
    return fields + check.digest()


def _mapped(path: Path) -> NDArray[np.uint8] | None:
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return np.empty(0, np.uint8)
            return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except OSError:
        return None
