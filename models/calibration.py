"""How long a prefill takes here: a chunk at the beginning of a window and one far behind it. Runs in the engine process.

A token's cost grows in a line with its position, so two measurements give the time of any length (`pace.py`). The cells
before the far chunk are copies of the first ones, moved to later positions: attention reads as many, and none is computed.
"""

import time
from pathlib import Path

import numpy as np
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_library import usable_cores
from unabridged.models.llama_model import Model

CHUNK_S = 2.0  # what one chunk may take, at the most
FAR = 16_384  # tokens
_FIRST = 32  # tokens of a chunk that tells how long chunks may be

Timed = tuple[int, int, float]


def calibrate(
    path: Path, *, kv_type: str, window: int, chunk_tokens: int, threads: int, gpu_layers: int, experts_on_host: bool
) -> list[Timed]:
    """Chunks as (first token, last token + 1, seconds). Loads the weights; raises ModelFileError or EngineFailed."""
    model = Model(path, gpu_layers=gpu_layers, experts_on_host=experts_on_host)
    room = max(min(window, FAR + 4 * chunk_tokens), 8 * _FIRST)
    settings = {"kv_type": kv_type, "threads": threads or usable_cores(), "sequences": 2, "outputs": 2}
    with Context(model, window=room, chunk_tokens=min(chunk_tokens, room // 4), **settings) as context:  # type: ignore[arg-type]
        _evaluate(context, 0, _FIRST)  # loads the weights from the disk
        seconds = _evaluate(context, _FIRST, _FIRST)
        affordable = int(CHUNK_S / seconds * _FIRST) // _FIRST * _FIRST
        chunk = max(_FIRST, min(context.chunk_tokens, affordable))
        context.clear()
        _evaluate(context, 0, chunk)
        chunks = [(chunk, 2 * chunk, _evaluate(context, chunk, chunk))]
        far = _fill(context, 2 * chunk, room - 2 * chunk)
        if far > 2 * chunk:
            _evaluate(context, far, chunk)  # moves the copies
            chunks.append((far + chunk, far + 2 * chunk, _evaluate(context, far + chunk, chunk)))
    model.close()
    return chunks


def _evaluate(context: Context, position: int, count: int) -> float:
    tokens = np.arange(count, dtype=np.int32) % 100
    started = time.perf_counter()
    context.decode([Rows(0, tokens, position, 1)])
    return time.perf_counter() - started


def _fill(context: Context, held: int, room: int) -> int:
    """Copy the first `held` positions behind one another, up to `room`; returns how many there are then."""
    if not context.can_shift:
        return held
    saved, filled = context.save(0), held
    while filled + held <= room and context.restore(1, saved):
        context.shift(1, filled)
        context.copy(1, 0)
        context.remove(1)
        filled += held
    return filled
