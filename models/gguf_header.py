"""The header of a GGUF file: metadata and tensor table, read with bounds, without the weights. Knows no llama.cpp.

Format: github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian). The file is hostile input:
every count and length is checked against what is left of the file before anything is allocated.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from unabridged.errors import ModelFileError

MetadataValue = Any  # a number, a truth value, a string, a list of strings, or a numpy array of numbers

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MAX_DIMENSIONS = 4

# ggml type → (elements per block, bytes per block); github.com/ggml-org/ggml/blob/master/include/ggml.h
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66),
    39: (32, 17), 40: (64, 36),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorInfo:
    name: str
    shape: tuple[int, ...]
    type: int
    offset: int  # from the start of the data section

    @property
    def size_bytes(self) -> int:
        elements, size = BLOCKS.get(self.type, (1, 0))
        count = 1
        for side in self.shape:
            count *= side
        return count // elements * size


@dataclass(frozen=True, slots=True)
class GgufHeader:
    path: Path
    metadata: dict[str, MetadataValue]
    tensors: tuple[TensorInfo, ...]
    size_bytes: int  # of the header itself

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    def value(self, key: str, default: MetadataValue = None) -> MetadataValue:
        """`key` under the architecture's own prefix."""
        return self.metadata.get(f"{self.architecture}.{key}", default)


def read_header(path: Path) -> GgufHeader:
    """Raises ModelFileError for anything that is not a whole, sane GGUF file."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be opened: {error}.", hint="Check the path of the model file.") from error
    if data is None or data[:4] != b"GGUF":
        raise ModelFileError(f"{path.name} is not a GGUF model.", hint="Choose a .gguf file that was fetched whole.")
    try:
        with data:
            return _Cursor(data).header(path)
    except (_CutShort, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise ModelFileError(
            f"{path.name} is damaged or cut short ({error}).", hint="Fetch the file again."
        ) from error


class _CutShort(Exception):
    pass


class _Cursor:
    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._at = data, 4

    def header(self, path: Path) -> GgufHeader:
        version = self._number("I")
        if version not in (2, 3):
            raise ModelFileError(
                f"{path.name} has GGUF version {version}, which is not supported.",
                hint="Convert the model with a current llama.cpp.",
            )
        tensor_count, pair_count = self._number("Q"), self._number("Q")
        metadata: dict[str, MetadataValue] = {}
        for _ in range(self._bounded(pair_count, 13)):
            key = self._text()
            metadata[key] = self._value(self._number("I"))
        tensors = tuple(self._tensor() for _ in range(self._bounded(tensor_count, 24)))
        header = GgufHeader(path, metadata, tensors, self._at)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise _CutShort("its alignment is not a power of two")
        start = -(-self._at // alignment) * alignment
        for tensor in tensors:
            if start + tensor.offset + tensor.size_bytes > len(self._data):
                raise _CutShort(f"{tensor.name} lies beyond the end of the file")
        return header

    def _take(self, count: int) -> bytes:
        if count < 0 or self._at + count > len(self._data):
            raise _CutShort("its header ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def _number(self, code: str) -> MetadataValue:
        return struct.unpack("<" + code, self._take(struct.calcsize("<" + code)))[0]

    def _bounded(self, count: int, least_bytes: int) -> int:
        if count * least_bytes > len(self._data) - self._at:
            raise _CutShort("its header ends too early")
        return count

    def _text(self) -> str:
        return self._take(self._number("Q")).decode("utf-8", "surrogateescape")

    def _value(self, kind: int, *, depth: int = 0) -> MetadataValue:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY or depth > 1:
            raise _CutShort(f"unknown metadata type {kind}")
        item, count = self._number("I"), self._number("Q")
        if item in _SCALARS:
            code = _SCALARS[item]
            raw = self._take(self._bounded(count, struct.calcsize(code)) * struct.calcsize(code))
            return np.frombuffer(raw, np.dtype(code).newbyteorder("<"))
        return [self._value(item, depth=depth + 1) for _ in range(self._bounded(count, 8))]

    def _tensor(self) -> TensorInfo:
        name, dimensions = self._text(), self._number("I")
        if dimensions > _MAX_DIMENSIONS:
            raise _CutShort(f"{name} has {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))
        if any(side == 0 or side >= 1 << 48 for side in shape):
            raise _CutShort(f"{name} has an impossible size")
        return TensorInfo(name, shape, self._number("I"), self._number("Q"))
