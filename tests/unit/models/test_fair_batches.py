"""How batches are shared out, seen on a context that only takes time: who is in which batch, and how long others wait."""

import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from unabridged.models.llama_context import Rows
from unabridged.models.scheduler import STREAM_S, Feed, Job, Scheduler

ANSWER, READING, QUOTATION = 1, 2, 3


class Slow:
    """A batch takes `token_s` for each token; `batches` says how many tokens of which sequence, and how long it took."""

    def __init__(self, token_s: float, chunk_tokens: int = 512, outputs: int = 64) -> None:
        self.chunk_tokens, self.outputs_max, self._token_s = chunk_tokens, outputs, token_s
        self.batches: list[tuple[dict[int, int], float]] = []

    def decode(self, batch: Sequence[Rows]) -> list[range]:
        took = self._token_s * sum(len(part.tokens) for part in batch)
        time.sleep(took)
        self.batches.append(({part.sequence: len(part.tokens) for part in batch}, took))
        assert sum(part.outputs for part in batch) <= self.outputs_max
        return [range(part.outputs) for part in batch]


def feeding(sequence: int, sizes: Sequence[int], outputs: int) -> Job:
    at = 0
    for size in sizes:
        yield Feed(sequence, np.zeros(size, np.int32), at, min(outputs, size))
        at += size


def scheduler_of(context: Any) -> Scheduler:  # noqa: ANN401  a Slow
    return Scheduler(lambda: context, lambda cells: False)


def start(scheduler: Scheduler, job: Job) -> None:
    scheduler.start(job, lambda event: None, lambda result, error: None)


def until_over(scheduler: Scheduler, context: Slow, sequence: int) -> list[tuple[dict[int, int], float]]:
    """The batches from the first to the last in which a sequence took part."""
    while scheduler.busy:
        scheduler.step()
    mine = [index for index, (batch, _) in enumerate(context.batches) if sequence in batch]
    return context.batches[mine[0] : mine[-1] + 1]


def test_a_reading_alone_fills_its_batches() -> None:
    context = Slow(1e-6)
    scheduler = scheduler_of(context)
    start(scheduler, feeding(READING, [512] * 4, 0))
    assert [batch for batch, _ in until_over(scheduler, context, READING)] == [{READING: 512}] * 4


def test_beside_an_answer_a_reading_takes_what_a_moment_allows() -> None:
    """At a quarter of a millisecond for a token that is 200 tokens, in whole tiles of 64."""
    context = Slow(0.25e-3)
    scheduler = scheduler_of(context)
    start(scheduler, feeding(ANSWER, [1] * 1000, 1))
    start(scheduler, feeding(READING, [512] * 4, 0))
    for _ in range(20):
        scheduler.step()
    shared = [batch for batch, _ in context.batches if READING in batch]
    assert all(batch[ANSWER] == 1 for batch in shared)
    assert shared[0] == {ANSWER: 1, READING: 63}  # nothing is known yet
    assert max(sum(batch.values()) for batch in shared[1:]) in (128, 192)


@pytest.mark.parametrize("token_s", [2e-3, 4e-3])
def test_what_takes_too_long_even_so_is_made_up_for(token_s: float) -> None:
    """64 tokens take much longer than a moment: the answer then has the rest of that time to itself."""
    context = Slow(token_s)
    scheduler = scheduler_of(context)
    start(scheduler, feeding(ANSWER, [1] * 1000, 1))
    start(scheduler, feeding(READING, [200], 0))
    while sum(batch.get(READING, 0) for batch, _ in context.batches) != 200:
        scheduler.step()
    mixed = [index for index, (batch, _) in enumerate(context.batches) if READING in batch]
    assert len(mixed) > 2
    for this, following in itertools.pairwise(mixed):
        between = context.batches[this + 1 : following]
        assert all(batch == {ANSWER: 1} for batch, _ in between)
        # its own clock runs a little slower than the scheduler's, which also counts what sleeping takes beyond that
        assert sum(took for _, took in between) > 0.6 * (context.batches[this][1] - STREAM_S)


def test_a_reading_goes_on_at_full_speed_when_the_answer_is_over() -> None:
    context = Slow(1e-3)
    scheduler = scheduler_of(context)
    start(scheduler, feeding(ANSWER, [1] * 5, 1))
    start(scheduler, feeding(READING, [512, 512], 0))
    batches = [batch for batch, _ in until_over(scheduler, context, READING)]
    assert batches[-1] == {READING: 512}


def test_a_quotation_that_needs_all_the_rows_of_a_batch_is_not_kept_waiting_by_answers() -> None:
    """Its tokens cannot be fed in two parts, because logits live for one batch."""
    context = Slow(1e-6)
    scheduler = scheduler_of(context)
    start(scheduler, feeding(ANSWER, [1] * 50, 1))
    start(scheduler, feeding(QUOTATION, [64] * 5, 64))
    batches = [batch for batch, _ in until_over(scheduler, context, QUOTATION)]
    assert len(batches) <= 10
    assert sum(ANSWER in batch for batch in batches) >= 4


def test_many_answers_leave_a_part_of_the_batch_to_a_reading() -> None:
    context = Slow(1e-6, chunk_tokens=32)
    scheduler = scheduler_of(context)
    for sequence in range(10, 50):
        start(scheduler, feeding(sequence, [1] * 20, 1))
    start(scheduler, feeding(READING, [80], 0))
    batches = [batch for batch, _ in until_over(scheduler, context, READING)]
    assert all(batch[READING] >= 8 for batch in batches)
    assert all(len(batch) > 20 for batch in batches)
