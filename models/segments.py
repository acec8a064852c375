"""Segments: stretches of a KV cache as files, so that what was read once is never read again. Knows no models.

A segment's name is a hash over the fingerprint and *all* tokens up to its end, so equal prefixes of different readings
are one file, and a file can only be found by a reading it belongs to. Format, little-endian:

    magic 8 · fingerprint 32 · key 32 · first position u32 · tokens u32 · payload length u64
    sha256 of all that and the payload 32 · payload

Files appear whole (temporary name, fsync, rename); several processes may share a folder. Whatever does not check out is
removed before llama.cpp sees it, because llama.cpp trusts a state blindly and aborts on a short one.
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
from numpy.typing import NDArray
from unabridged.models.engine import Tokens
from unabridged.models.segment_cache import SEGMENT, WRITING, SegmentCache

MAGIC = b"UNABSEG1"
_FIELDS = struct.Struct("<8s32s32sIIQ")
HEADER_BYTES = _FIELDS.size + 32


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


def checkpoints_of(tokens: Tokens, segment_tokens: int, fingerprint: bytes) -> list[Segment]:
    """For a memory that cannot be cut: whole states after one segment, two, four, … and at the end.

    Together they take at most twice the last one, and a reading that was killed begins again no earlier than half way.
    """
    ends: list[int] = []
    while (end := segment_tokens << len(ends)) < len(tokens):
        ends.append(end)
    starts = [0, *ends]
    ends.append(len(tokens))
    keys = [segments_of(tokens[:end], end, fingerprint)[0].key for end in ends]
    return [Segment(key, start, end) for key, start, end in zip(keys, starts, ends, strict=True)]


def stored_tokens(folder: Path, fingerprint: bytes, tokens: Tokens, *, segment_tokens: int) -> int:
    """How many tokens from the beginning of a reading lie on disk. Looks at names only: damage shows when they are read."""
    place = folder / fingerprint.hex()[:32]
    stored = 0
    for size in {segment_tokens, len(tokens)}:  # models that cannot be cut keep one segment
        for segment in segments_of(tokens, size, fingerprint) if size else ():
            if not (place / (segment.key.hex() + SEGMENT)).is_file():
                break
            stored = max(stored, segment.end)
    return stored


class SegmentStore:
    """The segments of one fingerprint inside the folder that all models share."""

    def __init__(self, cache: SegmentCache, fingerprint: bytes, *, model: str) -> None:
        self.folder = cache.folder / fingerprint.hex()[:32]
        self._cache, self._fingerprint, self._model = cache, fingerprint, model
        self._began = time.time()

    def path(self, segment: Segment) -> Path:
        return self.folder / (segment.key.hex() + SEGMENT)

    def begin(self, chain: Sequence[Segment]) -> None:
        """A reading begins: its own segments are not evicted for it, and the folder is told what belongs to it."""
        self._began = time.time()
        self._cache.begin([self.path(segment) for segment in chain])
        with contextlib.suppress(OSError):  # only the listing suffers
            keys = [segment.key.hex() for segment in chain]
            self._cache.note_reading(self.folder, keys, tokens=chain[-1].end, model=self._model)

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
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

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
    check = hashlib.sha256(fields)
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
