"""One reading brought into the KV cache: restored from its segments, the rest evaluated and kept. A part of a session's job.

A segment is written by another thread while the next one is evaluated; never more than one is under way, and a reading ends
only when it is known whether all of it is on disk.
"""

import os
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from unabridged.models.cache_map import SCRATCH, CacheMap
from unabridged.models.engine import Reading, ReadProgress
from unabridged.models.pace import Pace
from unabridged.models.scheduler import Feed, Until
from unabridged.models.segments import Segment, SegmentStore
from unabridged.models.tenants import Resident

GIVE_WAY = 10  # of 19: on a machine that is busy the writer still gets a tenth of a core


def segment_writer() -> Executor:
    """One thread, which leaves the cores to those that evaluate."""
    return ThreadPoolExecutor(1, "segments", initializer=_give_way)


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere priorities are of processes, not of threads
        os.setpriority(os.PRIO_PROCESS, 0, GIVE_WAY)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How segments are kept: `state_only` memories have no cells, so that the last segment makes all others needless.

    `at_once`: a segment is as long as what may be lost, so the next one has to wait until it is written.
    """

    store: SegmentStore
    writer: Executor
    state_only: bool
    at_once: bool


class Prefill:
    """`chain` are the segments of `resident`. After `run`, `unsaved` says why not all of them could be kept, or None."""

    def __init__(
        self, cache: CacheMap, resident: Resident, chain: Sequence[Segment], keeping: Keeping, *, fresh: bool
    ) -> None:
        self._cache, self._resident, self._chain, self._keeping, self._fresh = cache, resident, chain, keeping, fresh
        self._reused = resident.done
        self._evaluated = 0
        self._pace = Pace()
        self._writing: Future[None] | None = None
        self.unsaved: str | None = None

    def run(self, window: Callable[[], int]) -> Generator[Any, Any, Reading]:
        """Yields ReadProgress and what the scheduler is asked for."""
        resident, keeping = self._resident, self._keeping
        if keeping.state_only and not self._fresh and not resident.done:
            self._restore_last()
        for segment in self._chain:
            if segment.end <= resident.done:
                continue
            whole = resident.done <= segment.start and not self._fresh and not keeping.state_only
            if whole and self._restore(segment):
                self._reused += segment.end - segment.start
                self._pace.skip()
            else:
                yield from self._evaluate(segment)
                yield from self._keep(segment)
            yield self._progress()
        yield from self._written()
        return Reading(resident.key, len(resident.tokens), self._reused, self._evaluated, window(), self.unsaved)

    def _evaluate(self, segment: Segment) -> Generator[Any, Any, None]:
        resident, chunk_tokens = self._resident, self._cache.context.chunk_tokens
        for start in range(resident.done, segment.end, chunk_tokens):
            chunk = resident.tokens[start : min(start + chunk_tokens, segment.end)]
            yield Feed(resident.sequence, chunk, start)
            resident.done = start + len(chunk)
            self._evaluated += len(chunk)
            self._pace.evaluated(start, resident.done)
            if resident.done < segment.end:
                yield self._progress()

    def _progress(self) -> ReadProgress:
        done, total = self._resident.done, len(self._resident.tokens)
        return ReadProgress(done, total, self._reused, self._pace.tokens_per_s, self._pace.seconds_left(done, total))

    def _restore_last(self) -> None:
        for segment in reversed(self._chain):
            if self._restore(segment):
                self._reused = segment.end
                return

    def _restore(self, segment: Segment) -> bool:
        """Through the scratch sequence, so that what does not fit leaves no trace in the reading's own."""
        data = self._keeping.store.load(segment)
        if data is None:
            return False
        context = self._cache.context
        whole = context.restore(SCRATCH, data) and context.length(SCRATCH) == segment.end
        if whole:
            context.copy(SCRATCH, self._resident.sequence)
            self._resident.done = segment.end
        context.remove(SCRATCH)
        return whole

    def _keep(self, segment: Segment) -> Generator[Until, None, None]:
        """Copy the segment out and hand it to the writer, once the one before is on disk."""
        yield from self._written()
        if self.unsaved is None:
            context = self._cache.context
            context.copy(self._resident.sequence, SCRATCH, segment.start, segment.end)
            data = context.save(SCRATCH)
            context.remove(SCRATCH)
            self._writing = self._keeping.writer.submit(self._keeping.store.save, segment, data)
            if self._keeping.at_once:
                yield from self._written()
        self._pace.skip()

    def _written(self) -> Generator[Until, None, None]:
        writing, self._writing = self._writing, None
        if writing is None:
            return
        if not writing.done():
            yield Until(writing.done)
        error = writing.exception()
        if isinstance(error, OSError):
            self.unsaved = error.strerror or str(error)
        elif error is not None:
            raise error
