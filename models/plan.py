"""The fit planner: what a model needs on this machine, how large a window it gets, and what to change when it does not fit.

Numbers come from the GGUF header (weights, KV) and a dry run of llama.cpp (scratch); see footprint.py. Nothing is loaded.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from unabridged.errors import UsageError
from unabridged.models.connection import Connection
from unabridged.models.footprint import Footprint
from unabridged.models.gguf_header import GgufHeader, read_header
from unabridged.models.window import KEPT_FREE, available_bytes

KV_TYPES = ("f16", "q8_0", "q4_0")  # best first
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the explanation: what, how many bytes, and where the number comes from."""

    what: str
    size_bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """For one KV type. `largest_window` 0: not even the smallest window fits. `advice`: what would help, best first."""

    name: str
    architecture: str
    kv_type: str
    window: int
    trained_window: int
    largest_window: int
    free_bytes: int
    lines: tuple[Line, ...]
    advice: tuple[str, ...]

    @property
    def needed_bytes(self) -> int:
        return sum(line.size_bytes for line in self.lines)

    @property
    def fits(self) -> bool:
        return 0 < self.window <= self.largest_window


def plan_model(path: Path, *, window: int = 0, kv_type: str = "f16", chunk_tokens: int = 512) -> Plan:
    """`window` 0: the largest that fits. Raises ModelFileError, UsageError, EngineFailed."""
    if kv_type not in KV_TYPES or window < 0:
        raise UsageError("There is no such plan.", hint=f"Windows are 0 or more tokens; KV types are {', '.join(KV_TYPES)}.")
    header = read_header(path)
    footprints = footprints_of(path, KV_TYPES, chunk_tokens=chunk_tokens)
    return make_plan(header, footprints, kv_type=kv_type, window=window, free_bytes=available_bytes() - KEPT_FREE)


def footprints_of(path: Path, kv_types: Sequence[str], *, chunk_tokens: int) -> dict[str, Footprint]:
    """By dry runs in a process of their own, because a file that lies may end it. Other KV types than fit are left out."""
    connection = Connection()
    try:
        header = {"call": "footprints", "path": str(path), "kv_types": list(kv_types), "chunk_tokens": chunk_tokens}
        value, _ = connection.ask(header)
        return {kv_type: Footprint(**fields) for kv_type, fields in value.items()}
    finally:
        connection.close()


def make_plan(
    header: GgufHeader, footprints: dict[str, Footprint], *, kv_type: str, window: int, free_bytes: int
) -> Plan:
    """Pure arithmetic over what was measured."""
    if kv_type not in footprints:
        raise UsageError(f"This model cannot have a KV cache of type {kv_type}.", hint=f"Choose {' or '.join(footprints)}.")
    trained = int(header.value("context_length", 0))
    largest = {kind: min(trained, _largest(print_, free_bytes)) for kind, print_ in footprints.items()}
    chosen = footprints[kv_type]
    wanted = window or largest[kv_type]
    lines = [
        Line("weights", chosen.weights_bytes, f"{len(header.tensors)} tensors of the file"),
        Line("KV cache", wanted * chosen.kv_bytes_per_token, f"{wanted:,} tokens × {chosen.kv_bytes_per_token:,} ({kv_type})"),
        Line("mask and graph", wanted * chosen.scratch_bytes_per_token + chosen.scratch_bytes, "a dry run of llama.cpp"),
    ]
    if chosen.state_bytes:
        lines.append(Line("recurrent state", chosen.state_bytes, "a dry run of llama.cpp"))
    return Plan(
        name=str(header.metadata.get("general.name") or header.path.stem),
        architecture=header.architecture,
        kv_type=kv_type,
        window=wanted,
        trained_window=trained,
        largest_window=largest[kv_type],
        free_bytes=free_bytes,
        lines=tuple(lines),
        advice=tuple(_advice(header, largest, window=wanted, trained=trained, footprint=chosen, free=free_bytes)),
    )


def _largest(footprint: Footprint, free_bytes: int) -> int:
    return max(0, free_bytes - footprint.total_bytes(0)) // max(footprint.bytes_per_token, 1)


def _advice(
    header: GgufHeader, largest: dict[str, int], *, window: int, trained: int, footprint: Footprint, free: int
) -> list[str]:
    kv_type = footprint.kv_type
    if 0 < window <= largest[kv_type]:
        return []
    found = []
    if window > trained:
        found.append(f"the model was trained for {trained:,} tokens; extend its window or choose another model")
    for kind in KV_TYPES[KV_TYPES.index(kv_type) + 1 :]:
        if largest.get(kind, 0) >= window:
            found.append(f"a KV cache of type {kind} holds {largest[kind]:,} tokens")
            break
    if largest[kv_type]:
        found.append(f"a window of {largest[kv_type]:,} tokens fits")
    missing = footprint.total_bytes(window) - free
    if missing > 0:
        found.append(f"{missing / _GIB:.1f} GiB more memory, or a model that is smaller by as much")
    experts = sum(tensor.size_bytes for tensor in header.tensors if "_exps." in tensor.name)
    if experts >= missing > 0:
        found.append(f"on a GPU: keep the experts ({experts / _GIB:.1f} GiB) in the host's memory")
    return found


def gpu_layers_that_fit(header: GgufHeader, footprint: Footprint, *, window: int, gpu_bytes: int) -> int:
    """How many of the last layers fit on a GPU with their part of the KV cache; all of them include the output layer."""
    layers = int(header.value("block_count", 0))
    sizes = [0] * layers
    output = 0
    for tensor in header.tensors:
        number = tensor.name.split(".")[1] if tensor.name.startswith("blk.") else ""
        if number.isdigit() and int(number) < layers:
            sizes[int(number)] += tensor.size_bytes
        elif tensor.name.startswith("output"):
            output += tensor.size_bytes
    left = gpu_bytes - footprint.scratch_bytes - window * footprint.scratch_bytes_per_token
    cache = window * footprint.kv_bytes_per_token // max(layers, 1)
    fitting = 0
    for size in reversed(sizes):
        left -= size + cache
        if left < 0:
            return fitting
        fitting += 1
    return fitting + 1 if left >= output else fitting


def as_json(plan: Plan) -> dict[str, object]:
    return {**asdict(plan), "needed_bytes": plan.needed_bytes, "fits": plan.fits}
