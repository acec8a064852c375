"""Segments: stretches of a KV cache as files, so that what was read once is never read again. Knows no models.

A segment's name is a hash over the fingerprint and *all* tokens up to its end, so equal prefixes of different readings
are one file, and a file can only be found by a reading it belongs to. Format, little-endian:

    magic 8 · fingerprint 32 · key 32 · first position u32 · tokens u32 · payload length u64
    sha256 of all that and the payload 32 · payload

Files appear whole (temporary name, fsync, rename); several processes may share a folder. Whatever does not check out is
removed before llama.cpp sees it, because llama.cpp trusts a state blindly and aborts on a short one.
"""

import contextlib
import hashlib
import mmap
import os
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from unabridged.models.engine import Tokens

MAGIC = b"UNABSEG1"
_FIELDS = struct.Struct("<8s32s32sIIQ")
_CHECK = 32
HEADER_BYTES = _FIELDS.size + _CHECK
SUFFIX = ".segment"


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


class SegmentStore:
    """The segments of one fingerprint inside the folder that all models share."""

    def __init__(self, folder: Path, fingerprint: bytes) -> None:
        self.folder = folder / fingerprint.hex()[:32]
        self._fingerprint = fingerprint

    def path(self, segment: Segment) -> Path:
        return self.folder / (segment.key.hex() + SUFFIX)

    def has(self, segment: Segment) -> bool:
        return self.path(segment).exists()

    def load(self, segment: Segment) -> NDArray[np.uint8] | None:
        """The payload, mapped and verified; None where there is none or it was damaged (then the file is gone)."""
        path = self.path(segment)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size <= HEADER_BYTES:
                    raise ValueError
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError:
            return None
        except ValueError:
            self._remove(path)
            return None
        whole = np.frombuffer(mapped, np.uint8)
        if bytes(whole[:HEADER_BYTES]) != self._header(segment, whole[HEADER_BYTES:]):
            self._remove(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # eviction goes by the time of last use
        return whole[HEADER_BYTES:]

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # a folder that cannot be written: the segment stays unused
            path.unlink(missing_ok=True)

    def save(self, segment: Segment, payload: NDArray[np.uint8]) -> None:
        """Raises OSError (disk full, no rights); nothing half-written stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".writing", dir=self.folder)
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

    def _header(self, segment: Segment, payload: NDArray[np.uint8]) -> bytes:
        fields = _FIELDS.pack(
            MAGIC, self._fingerprint, segment.key, segment.start, segment.end - segment.start, payload.size
        )
        check = hashlib.sha256(fields)
        check.update(payload.data)
        return fields + check.digest()
