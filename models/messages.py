"""What goes through the pipe between the program and the engine process: a JSON header and raw arrays. No pickle.

    header length u32 · arrays u32 · header (UTF-8 JSON) · for each array: kind u8 · length u64 · raw bytes

Kind 0 is text (UTF-8), kind 1 is int32, little-endian. Lengths are bounded before anything is allocated.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from unabridged.models.engine import Tokens

PROTOCOL = 2
HUNG_STATUS = 75  # with which the engine process ends itself when a call into llama.cpp does not come back
_HEAD, _PART = struct.Struct("<II"), struct.Struct("<BQ")
_MOST_HEADER, _MOST_PARTS, _MOST_PART_BYTES = 64 << 20, 1 << 16, 1 << 31
_TEXT, _TOKENS = 0, 1

Part = str | Tokens


class BrokenMessage(Exception):
    """The other side does not speak this protocol, or ended in the middle of a message."""


def write_message(pipe: BinaryIO, header: Mapping[str, Any], parts: Sequence[Part] = ()) -> None:
    head = json.dumps(header, ensure_ascii=False).encode("utf-8")
    pipe.write(_HEAD.pack(len(head), len(parts)))
    pipe.write(head)
    for part in parts:
        raw = part.encode("utf-8") if isinstance(part, str) else np.ascontiguousarray(part, "<i4").tobytes()
        pipe.write(_PART.pack(_TEXT if isinstance(part, str) else _TOKENS, len(raw)))
        pipe.write(raw)
    pipe.flush()


def read_message(pipe: BinaryIO) -> tuple[dict[str, Any], list[Any]] | None:
    """None when the other side has closed its end between two messages."""
    first = pipe.read(_HEAD.size)
    if not first:
        return None
    if len(first) < _HEAD.size:
        raise BrokenMessage
    length, count = _HEAD.unpack(first)
    if length > _MOST_HEADER or count > _MOST_PARTS:
        raise BrokenMessage
    try:
        header = json.loads(_whole(pipe, length))
    except ValueError as error:
        raise BrokenMessage from error
    parts: list[Any] = []
    for _ in range(count):
        kind, size = _PART.unpack(_whole(pipe, _PART.size))
        if size > _MOST_PART_BYTES or kind not in (_TEXT, _TOKENS):
            raise BrokenMessage
        raw = _whole(pipe, size)
        parts.append(raw.decode("utf-8") if kind == _TEXT else np.frombuffer(raw, "<i4").astype(np.int32))
    return header, parts


def _whole(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise BrokenMessage
    return data
