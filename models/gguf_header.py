"""The header of a GGUF model: metadata and tensor table, read with bounds, without the weights. Knows no llama.cpp.

Format: github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian). The file is hostile input:
every count and length is checked against what is left of the file before anything is allocated. A model may be split into
files named …-00001-of-00003.gguf: the first holds the metadata, all of them hold tensors.
"""

import math
import mmap
import os
import re
import struct
from dataclasses import dataclass, replace
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
    39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorInfo:
    name: str
    shape: tuple[int, ...]
    type: int
    offset: int  # from the start of the data section

    @property
    def size_bytes(self) -> int:
        elements, size = BLOCKS[self.type]
        return math.prod(self.shape) // elements * size


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """`files` are all parts of a split model in order, or `path` alone; `tensors` are those of all parts."""

    path: Path
    metadata: dict[str, MetadataValue]
    tensors: tuple[TensorInfo, ...]
    size_bytes: int  # of the header itself
    files: tuple[Path, ...]

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    def value(self, key: str, default: MetadataValue = None) -> MetadataValue:
        """`key` under the architecture's own prefix."""
        return self.metadata.get(f"{self.architecture}.{key}", default)


def read_header(path: Path) -> GgufHeader:
    """Raises ModelFileError for anything that is not a whole, sane GGUF model."""
    first = _read_file(path)
    count, number = first.metadata.get("split.count", 1), first.metadata.get("split.no", 0)
    if not isinstance(count, int) or not isinstance(number, int):
        raise ModelFileError(f"{path.name} does not say how many parts it has.", hint="Fetch the file again.")
    if count <= 1:
        return first
    files = _parts(path, count, number)
    others = [_read_file(file) for file in files[1:]]
    for position, part in enumerate(others, start=1):
        if (part.metadata.get("split.count"), part.metadata.get("split.no")) != (count, position):
            raise ModelFileError(f"{part.path.name} is not part {position + 1} of {count}.", hint="Fetch all parts again.")
    tensors = tuple(tensor for part in (first, *others) for tensor in part.tensors)
    if len({tensor.name for tensor in tensors}) < len(tensors) or len(tensors) != first.metadata.get("split.tensors.count"):
        raise ModelFileError(f"The parts of {path.name} do not belong together.", hint="Fetch all parts again.")
    return replace(first, tensors=tensors, files=files)


def _parts(path: Path, count: int, number: int) -> tuple[Path, ...]:
    """The files of a split model, by their names."""
    name = re.fullmatch(r"(.+)-\d{5}-of-(\d{5})\.gguf", path.name)
    if not name or int(name[2]) != count:
        raise ModelFileError(
            f"{path.name} is one of {count} parts, and its name does not say which.",
            hint=f"Name the parts NAME-00001-of-{count:05}.gguf and so on.",
        )
    files = tuple(path.with_name(f"{name[1]}-{part:05}-of-{count:05}.gguf") for part in range(1, count + 1))
    if number:
        raise ModelFileError(f"{path.name} is part {number + 1} of {count}.", hint=f"Choose {files[0].name}.")
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelFileError(f"{path.name} needs its other parts: {missing[0]} is missing.", hint="Put them into one folder.")
    return files


def _read_file(path: Path) -> GgufHeader:
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
        header = GgufHeader(path, metadata, tensors, self._at, (path,))
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise _CutShort("its alignment is not a power of two")
        start = -(-self._at // alignment) * alignment
        end = 0
        for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
            if tensor.offset < end or tensor.offset % alignment:
                raise _CutShort(f"{tensor.name} lies over another tensor")
            end = tensor.offset + tensor.size_bytes
            if start + end > len(self._data):
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
        kind, offset = self._number("I"), self._number("Q")
        if kind not in BLOCKS:
            raise _CutShort(f"{name} is of a type that is not known here, number {kind}")
        return TensorInfo(name, shape, kind, offset)
