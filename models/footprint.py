"""What a model takes in memory for a window, asked of llama.cpp in a dry run that allocates nothing.

Runs in the engine process. Everything is linear in the window: a dry run at two windows gives the price of a cell and what
is there without any.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unabridged.models.extension import AS_TRAINED, Rope
from unabridged.models.gguf_header import read_header
from unabridged.models.kv_size import kv_bytes_per_token
from unabridged.models.llama_context import Context
from unabridged.models.llama_library import log
from unabridged.models.llama_model import Model

_WINDOWS = (8192, 16384)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes, wherever they lie. `scratch`: graph, mask and logits; `state`: recurrent state, whatever the window."""

    kv_type: str
    weights_bytes: int
    kv_bytes_per_token: int
    scratch_bytes_per_token: int
    scratch_bytes: int
    state_bytes: int

    @property
    def bytes_per_token(self) -> int:
        return self.kv_bytes_per_token + self.scratch_bytes_per_token

    def total_bytes(self, window: int) -> int:
        return self.weights_bytes + self.state_bytes + self.scratch_bytes + window * self.bytes_per_token


def measure(
    path: Path,
    *,
    kv_type: str,
    chunk_tokens: int,
    sequences: int,
    outputs: int,
    gpu_layers: int = -1,
    rope: Rope = AS_TRAINED,
    shortlisted: Iterable[int] = (),
) -> Footprint:
    """Raises ModelFileError or EngineFailed."""
    runs = dry_run(
        path,
        windows=_WINDOWS,
        kv_type=kv_type,
        chunk_tokens=chunk_tokens,
        sequences=sequences,
        outputs=outputs,
        gpu_layers=gpu_layers,
        rope=rope,
        shortlisted=shortlisted,
    )
    (small, large), distance = runs, _WINDOWS[1] - _WINDOWS[0]
    per_token = max(0, -(-(large.scratch_bytes - small.scratch_bytes) // distance))
    header = read_header(path)
    return Footprint(
        kv_type=kv_type,
        weights_bytes=sum(tensor.size_bytes for tensor in header.tensors),
        kv_bytes_per_token=kv_bytes_per_token(header, kv_type),
        scratch_bytes_per_token=per_token,
        scratch_bytes=max(0, small.scratch_bytes - per_token * _WINDOWS[0]),
        state_bytes=small.state_bytes,
    )


@dataclass(frozen=True, slots=True)
class DryRun:
    """What llama.cpp says that it would allocate, in bytes."""

    kv_bytes: int
    state_bytes: int
    scratch_bytes: int


def dry_run(
    path: Path,
    *,
    windows: Sequence[int],
    kv_type: str,
    chunk_tokens: int,
    sequences: int,
    outputs: int,
    gpu_layers: int,
    rope: Rope = AS_TRAINED,
    shortlisted: Iterable[int] = (),
) -> list[DryRun]:
    """One for each window; weights and caches are neither read nor allocated."""
    model = Model(path, gpu_layers=gpu_layers, dry=True)
    found = []
    for window in windows:
        with Context(
            model,
            window=window,
            chunk_tokens=chunk_tokens,
            sequences=sequences,
            outputs=outputs,
            kv_type=kv_type,
            threads=1,
            rope=rope,
            shortlisted=shortlisted,
        ):
            found.append(reported_buffers())
    model.close()
    return found


def reported_buffers() -> DryRun:
    """Of the context that was opened last, from llama.cpp's own words."""
    text = "\n".join(log)
    mebibytes = {
        "kv": re.findall(r"kv_cache\w*: size = +([\d.]+) MiB", text),
        "state": re.findall(r"RS buffer size = +([\d.]+) MiB", text),
        "scratch": re.findall(r"(?:compute|output) buffer size = +([\d.]+) MiB", text),
    }
    return DryRun(*(int(sum(map(float, mebibytes[name])) * (1 << 20)) for name in ("kv", "state", "scratch")))
