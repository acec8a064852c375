"""The fit planner: what a model needs on this machine, how large a window it gets, and what to change when it does not fit.

Numbers come from the GGUF header (weights, KV) and a dry run of llama.cpp (scratch); see footprint.py and placement.py. Nothing
is loaded, except for a calibration, which evaluates a few chunks to tell how long a reading would take.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from unabridged.errors import EngineFailed, UsageError
from unabridged.models.connection import Connection
from unabridged.models.footprint import Footprint
from unabridged.models.gguf_header import GgufHeader, read_header
from unabridged.models.pace import Pace
from unabridged.models.placement import WINDOW_TO_HOLD, Placement, best_placement, kv_types
from unabridged.models.window import host_free_bytes

KV_TYPES = ("f16", "q8_0", "q4_0")  # best first
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory that may be taken: of the host, and of all GPUs together."""

    host_bytes: int
    gpu_bytes: int = 0
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the explanation: what, how many bytes, where the number comes from, and in which memory they are."""

    what: str
    size_bytes: int
    why: str
    where: str = "host"


@dataclass(frozen=True, slots=True)
class Plan:
    """For one KV type. `largest_window` 0: not even the smallest window fits. `advice`: what would help, best first.

    `prefill_seconds` to read a document that fills the window, 0 where it was not measured; `timed` says how, or why not.
    """

    name: str
    architecture: str
    kv_type: str
    window: int
    trained_window: int
    largest_window: int
    free_bytes: int
    gpu_free_bytes: int
    gpus: tuple[str, ...]
    gpu_layers: int
    layers: int
    experts_on_host: bool
    lines: tuple[Line, ...]
    advice: tuple[str, ...]
    prefill_seconds: float = 0.0
    timed: str = ""

    @property
    def needed_bytes(self) -> int:
        """Of the host's memory and the GPUs'."""
        return sum(line.size_bytes for line in self.lines)

    @property
    def fits(self) -> bool:
        return 0 < self.window <= self.largest_window


def plan_model(
    path: Path, *, window: int = 0, kv_type: str = "auto", chunk_tokens: int = 512, threads: int = 0, timed: bool = False
) -> Plan:
    """`window` 0: the largest that fits; `kv_type` auto: q8_0 on a GPU, f16 on a CPU. `timed` loads the weights, for seconds.

    Raises ModelFileError, UsageError, EngineFailed.
    """
    if kv_type not in ("auto", *KV_TYPES) or window < 0:
        raise UsageError("There is no such plan.", hint=f"Windows are 0 or more tokens; KV types are {', '.join(KV_TYPES)}.")
    header = read_header(path)
    value = _ask({"call": "footprints", "path": str(path), "kv_types": KV_TYPES, "chunk_tokens": chunk_tokens})
    footprints = {kind: Footprint(**fields) for kind, fields in value["footprints"].items()}
    machine = Machine(host_free_bytes(), value["gpu_bytes"], tuple(value["gpus"]))
    for kind in kv_types(kv_type, has_card=bool(machine.gpus) and "q8_0" in footprints):
        plan = make_plan(header, footprints, kv_type=kind, window=window, machine=machine)
        if plan.gpu_layers:
            break
    return _timed(plan, path, chunk_tokens=chunk_tokens, threads=threads) if timed and plan.fits else plan


def _ask(header: dict[str, Any]) -> Any:  # noqa: ANN401  what the call returns
    """In a process of its own, because a file that lies may end it."""
    connection = Connection()
    try:
        value, _ = connection.ask(header)
        return value
    finally:
        connection.close()


def make_plan(
    header: GgufHeader, footprints: dict[str, Footprint], *, kv_type: str, window: int, machine: Machine
) -> Plan:
    """Pure arithmetic over what was measured."""
    if kv_type not in footprints:
        raise UsageError(f"This model cannot have a KV cache of type {kv_type}.", hint=f"Choose {' or '.join(footprints)}.")
    trained = int(header.value("context_length", 0))
    placed = {kind: _placement(header, footprint, window, machine) for kind, footprint in footprints.items()}
    largest = {kind: min(trained, _largest(placement, machine)) for kind, placement in placed.items()}
    placement = placed[kv_type]
    wanted = window or largest[kv_type]
    return Plan(
        name=str(header.metadata.get("general.name") or header.path.stem),
        architecture=header.architecture,
        kv_type=kv_type,
        window=wanted,
        trained_window=trained,
        largest_window=largest[kv_type],
        free_bytes=machine.host_bytes,
        gpu_free_bytes=machine.gpu_bytes,
        gpus=machine.gpus,
        gpu_layers=placement.gpu_layers,
        layers=int(header.value("block_count", 0)) + 1,
        experts_on_host=placement.experts_on_host,
        lines=tuple(_lines(header, placement, footprints[kv_type], wanted, machine)),
        advice=tuple(_advice(placement, largest, machine, window=wanted, trained=trained, kv_type=kv_type)),
    )


def _placement(header: GgufHeader, footprint: Footprint, window: int, machine: Machine) -> Placement:
    window = window or min(int(header.value("context_length", 0)), WINDOW_TO_HOLD)
    return best_placement(
        header,
        footprint,
        window=window,
        host_bytes=machine.host_bytes,
        gpu_bytes=machine.gpu_bytes,
        gpus=len(machine.gpus),
    )


def _largest(placement: Placement, machine: Machine) -> int:
    return placement.largest_window(host_bytes=machine.host_bytes, gpu_bytes=machine.gpu_bytes)


def _lines(
    header: GgufHeader, placement: Placement, footprint: Footprint, window: int, machine: Machine
) -> Iterator[Line]:
    on_gpu = placement.gpu_layers > 0
    several = f", one on each of {len(machine.gpus)} GPUs" if len(machine.gpus) > 1 else ""
    for where, share in (("GPU", placement.gpu), ("host", placement.host)):
        if where == "GPU" and not on_gpu:
            continue
        experts = "; the experts stay on the host" if where == "GPU" and placement.experts_on_host else ""
        layers = f"{placement.gpu_layers} layers, the output among them{experts}" if where == "GPU" else ""
        rest = "what is not on the GPU" if on_gpu else f"{len(header.tensors)} tensors of the file"
        yield Line("weights", share.weights_bytes, layers or rest, where)
        if share.kv_bytes_per_token:
            why = f"{window:,} tokens × {share.kv_bytes_per_token:,} ({footprint.kv_type})"
            yield Line("KV cache", window * share.kv_bytes_per_token, why, where)
        scratch = window * share.scratch_bytes_per_token + share.scratch_bytes
        if scratch:
            yield Line("mask and graph", scratch, f"a dry run of llama.cpp{several if where == 'GPU' else ''}", where)
        if share.state_bytes:
            yield Line("recurrent state", share.state_bytes, "a dry run of llama.cpp", where)


def _advice(
    placement: Placement, largest: dict[str, int], machine: Machine, *, window: int, trained: int, kv_type: str
) -> Iterator[str]:
    if 0 < window <= largest[kv_type]:
        return
    if window > trained:
        yield f"the model was trained for {trained:,} tokens; extend its window or choose another model"
    for kind in KV_TYPES[KV_TYPES.index(kv_type) + 1 :]:
        if largest.get(kind, 0) >= window:
            yield f"a KV cache of type {kind} holds {largest[kind]:,} tokens"
            break
    if largest[kv_type]:
        yield f"a window of {largest[kv_type]:,} tokens fits"
    missing = placement.host.total_bytes(window) - machine.host_bytes
    if missing > 0:
        yield f"{missing / _GIB:.1f} GiB more memory, or a model that is smaller by as much"


def _timed(plan: Plan, path: Path, *, chunk_tokens: int, threads: int) -> Plan:
    """With the time that a document as long as the window takes to be read."""
    options = {
        "kv_type": plan.kv_type,
        "window": plan.window,
        "chunk_tokens": chunk_tokens,
        "threads": threads,
        "gpu_layers": plan.gpu_layers,
        "experts_on_host": plan.experts_on_host,
    }
    try:
        chunks = _ask({"call": "calibrate", "path": str(path), "options": options})
    except EngineFailed as error:  # the plan holds without it
        return replace(plan, timed=f"not measured: {error.message}")
    pace = Pace()
    for start, end, seconds in chunks:
        pace.took(start, end, seconds)
    told = " and ".join(f"{(end - start) / seconds:,.0f} tokens/s at position {start:,}" for start, end, seconds in chunks)
    return replace(plan, prefill_seconds=pace.seconds_left(0, plan.window), timed=f"just measured: {told}")


def as_json(plan: Plan) -> dict[str, object]:
    return {**asdict(plan), "needed_bytes": plan.needed_bytes, "fits": plan.fits}
