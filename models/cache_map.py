"""Who sits where in the KV cache: readings, and forks of them. Counts cells; moves them through the context it is given.

A reading holds its tokens from position 0 in a sequence of its own. A fork shares the reading's cells and goes on with its
own tokens. What is idle longest gives way first: forks, then readings. Cells are counted as if forks shared nothing among
themselves, which errs on the safe side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from unabridged.models.drafting import NgramIndex
from unabridged.models.engine import Tokens
from unabridged.models.llama_context import Context

SCRATCH = 0  # the sequence through which segments come and go


@dataclass(slots=True, eq=False)
class Resident:
    """A reading in the cache; `done` of its tokens are there. `users` forks are at work on it."""

    key: str
    tokens: Tokens
    sequence: int
    done: int = 0
    users: int = 0
    being_read: bool = False
    used: int = 0
    index: NgramIndex | None = None  # for drafting, made when first needed


@dataclass(slots=True, eq=False)
class Fork:
    """`tokens` stand in the cache after the reading's; `reserved` more may come while it is busy."""

    reading: Resident | None
    sequence: int
    tokens: list[int] = field(default_factory=list)
    reserved: int = 0
    busy: bool = True
    used: int = 0

    @property
    def base(self) -> int:
        return self.reading.done if self.reading else 0

    @property
    def position(self) -> int:
        return self.base + len(self.tokens)


class CacheMap:
    def __init__(self, context: Context, *, sequences: int, can_rewind: bool) -> None:
        self.context, self._can_rewind = context, can_rewind
        self._free = list(range(sequences - 1, SCRATCH, -1))
        self.residents: dict[str, Resident] = {}
        self.forks: list[Fork] = []
        self._clock = 0

    def touch(self, who: Resident | Fork) -> None:
        self._clock += 1
        who.used = self._clock

    @property
    def cells(self) -> int:
        """Cells taken or promised, at most."""
        readings = sum(len(resident.tokens) for resident in self.residents.values())
        return readings + sum(len(fork.tokens) + fork.reserved for fork in self.forks)

    def make_room(self, cells: int, *, keep: Resident | None = None) -> bool:
        """Let idle forks, then idle readings other than `keep`, go until that many cells and one sequence are free."""
        while self.cells + cells > self.context.window or not self._free:
            if not self.drop_idle(keep=keep):
                return False
        return True

    def drop_idle(self, *, keep: Resident | None = None) -> bool:
        """Let what is idle longest go; False where everything is at work."""
        idle = [fork for fork in self.forks if not fork.busy]
        unused = [r for r in self.residents.values() if not r.users and not r.being_read and r is not keep]
        if idle:
            self.drop_fork(min(idle, key=lambda fork: fork.used))
        elif unused:
            self.drop_reading(min(unused, key=lambda resident: resident.used))
        return bool(idle or unused)

    @property
    def at_work(self) -> bool:
        return any(fork.busy for fork in self.forks) or any(r.being_read for r in self.residents.values())

    def add_reading(self, key: str, tokens: Tokens) -> Resident:
        resident = Resident(key, tokens, self._free.pop())
        self.residents[key] = resident
        self.touch(resident)
        return resident

    def drop_reading(self, resident: Resident) -> None:
        for fork in [fork for fork in self.forks if fork.reading is resident]:
            self.drop_fork(fork)
        self._release(resident.sequence)
        del self.residents[resident.key]

    def fork(self, reading: Resident | None, prompt: Sequence[int] | Tokens, *, reserved: int, take_over: bool) -> Fork:
        """A busy fork that already holds as much of `prompt` as any idle fork did, but never its last token.

        `take_over`: a fork that `prompt` simply continues is continued itself, instead of being copied.
        """
        wanted = np.asarray(prompt, np.int32)
        best, shared = None, 0
        for fork in self.forks:
            if fork.reading is reading and not fork.busy:
                common = min(_common_prefix(fork.tokens, wanted), len(wanted) - 1)
                if common > shared and (self._can_rewind or common == len(fork.tokens)):
                    best, shared = fork, common
        if best and take_over and shared == len(best.tokens):
            best.busy = True
            found = best
        else:
            found = Fork(reading, self._free.pop(), wanted[:shared].tolist())
            if best or reading:
                source = best.sequence if best else reading.sequence if reading else SCRATCH
                self.context.copy(source, found.sequence, -1, found.position if self._can_rewind else -1)
            self.forks.append(found)
        found.reserved = reserved - shared
        if reading:
            reading.users += 1
        self.touch(found)
        return found

    def copy_of(self, fork: Fork) -> int:
        """A free sequence that shares all cells of the fork; give it back with `release`."""
        sequence = self._free.pop()
        self.context.copy(fork.sequence, sequence)
        return sequence

    def has_free_sequences(self, count: int) -> bool:
        return len(self._free) >= count

    def finish(self, fork: Fork, *, keep: bool) -> None:
        """The job on this fork is over; kept, it serves the next turn until the room is needed."""
        if fork not in self.forks or not fork.busy:
            return
        if fork.reading:
            fork.reading.users -= 1
            self.touch(fork.reading)
        fork.busy, fork.reserved = False, 0
        self.touch(fork)
        if keep:
            if self._can_rewind:  # an interrupted feed may have left tokens that are not accounted for
                self.context.remove(fork.sequence, fork.position, -1)
        else:
            self.drop_fork(fork)

    def drop_fork(self, fork: Fork) -> None:
        self._release(fork.sequence)
        self.forks.remove(fork)

    def release(self, sequence: int) -> None:
        self._release(sequence)

    def _release(self, sequence: int) -> None:
        self.context.remove(sequence)
        self._free.append(sequence)


def _common_prefix(left: Sequence[int], right: Tokens) -> int:
    size = min(len(left), len(right))
    differing = np.flatnonzero(np.asarray(left[:size], np.int32) != right[:size])
    return int(differing[0]) if len(differing) else size
