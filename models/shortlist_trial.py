"""Whether sampling that begins on the device is worth it here: tried on the model itself. Knows no sessions.

On a processor picking the best of a hundred thousand numbers by a graph takes longer than looking through them; on a card it
saves the way to the host. Several answers at once, as in a busy session: both ways must say the same, and the device's must
not take longer.
"""

import time
from collections.abc import Iterable

import numpy as np
from unabridged.errors import EngineFailed
from unabridged.models.engine import Sampling
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_model import Model
from unabridged.models.llama_sampler import Sampler

ANSWERS, STEPS = 8, 12
SAMPLINGS = (Sampling(), Sampling(temperature=0.8, seed=1))


def is_worth_it(model: Model, *, kv_type: str, threads: int) -> bool:
    """Evaluates a few hundred tokens."""
    try:
        plain, short = (answers(model, kv_type=kv_type, threads=threads, shortlisted=each) for each in ((), range(ANSWERS)))
    except EngineFailed:  # the card cannot do it, or has no room for it
        return False
    return short[0] == plain[0] and short[1] <= plain[1]


def answers(
    model: Model, *, kv_type: str, threads: int, shortlisted: Iterable[int], count: int = ANSWERS
) -> tuple[list[list[int]], float]:
    """The tokens of each step, and the seconds of the fastest one."""
    samplers = [Sampler(model, SAMPLINGS[number % 2]) for number in range(count)]
    said, fastest = [[0] * count], float("inf")
    try:
        with Context(
            model, window=512, chunk_tokens=64, sequences=count, outputs=64, kv_type=kv_type, threads=threads,
            shortlisted=shortlisted,
        ) as context:  # fmt: skip
            for position in range(STEPS):
                began = time.perf_counter()
                batch = [Rows(i, np.array([token], np.int32), position, 1) for i, token in enumerate(said[-1])]
                rows = context.decode(batch)
                said.append([sampler.sample(context, row[0]) for sampler, row in zip(samplers, rows, strict=True)])
                fastest = min(fastest, time.perf_counter() - began)
    finally:
        for sampler in samplers:
            sampler.close()
    return said, fastest
