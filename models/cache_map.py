"""Who sits where in the KV cache: readings, and forks of them. Counts cells; moves them through the context it is given.

A reading holds its tokens from position 0 in a sequence of its own. A fork shares the reading's cells and goes on with its
own tokens. What is idle longest gives way first: forks, then readings. Cells are counted as if forks shared nothing among
themselves, which errs on the safe side.

Every decode looks at all cells that are taken, whoever they belong to, so a reading that is not in use and can be brought
back from disk does not stay beside the one that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from unabridged.errors import EngineFailed
from unabridged.models.drafting import NgramIndex
from unabridged.models.engine import Tokens
from unabridged.models.llama_context import Context

SCRATCH = 0  # the sequence through which segments come and go
CARRIED = 2048  # tokens moved at once from one context to the next
IDLE_CELLS = 4 << 20  # that idle forks may share: llama.cpp remembers about 48 bytes for each cell of each fork


@dataclass(slots=True, eq=False)
class Resident:
    """A reading in the cache; `done` of its tokens are there. `users` forks are at work on it."""

    key: str
    tokens: Tokens
    sequence: int
    done: int = 0
    users: int = 0
    being_read: bool = False
    on_disk: bool = False  # all of it, so that it can be brought back
    used: int = 0
    prepared: int | None = None  # a sequence that already shares its cells: the next fork
    index: NgramIndex | None = None  # for drafting, made when first needed


@dataclass(slots=True, eq=False)
class Fork:
    """`tokens` stand in the cache after the reading's; `reserved` more may come while it is busy.

    `spare` is a sequence for trying out what might follow, where one was asked for.
    """

    reading: Resident | None
    sequence: int
    tokens: list[int] = field(default_factory=list)
    reserved: int = 0
    busy: bool = True
    used: int = 0
    spare: int | None = None

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

    def use(self, reading: Resident) -> None:
        """This is the reading in use now; others that are idle and on disk go."""
        self.touch(reading)
        for other in [other for other in self._unused(keep=reading) if other.on_disk]:
            self.drop_reading(other)

    def make_room(self, cells: int, *, sequences: int = 1, keep: Resident | None = None) -> bool:
        """Let idle forks, then idle readings other than `keep`, go until that many cells and sequences are free."""
        while self.cells + cells > self.context.window or len(self._free) < sequences:
            if not self.drop_idle(keep=keep):
                return False
        return True

    def drop_idle(self, *, keep: Resident | None = None) -> bool:
        """Let what is idle longest go; False where everything is at work."""
        idle, unused = [fork for fork in self.forks if not fork.busy], self._unused(keep=keep)
        prepared = [resident for resident in self.residents.values() if resident.prepared is not None]
        if idle:
            self.drop_fork(min(idle, key=lambda fork: fork.used))
        elif unused:
            self.drop_reading(min(unused, key=lambda resident: resident.used))
        elif prepared:
            self._drop_prepared(prepared[0])
        return bool(idle or unused or prepared)

    def _unused(self, *, keep: Resident | None) -> list[Resident]:
        return [r for r in self.residents.values() if not r.users and not r.being_read and r is not keep]

    def cells_at_work(self, *, keep: Resident | None) -> int:
        """Cells that cannot be had now: of readings in use other than `keep`, and of forks that are busy."""
        readings = [r for r in self.residents.values() if (r.users or r.being_read) and r is not keep]
        busy = [fork for fork in self.forks if fork.busy]
        return sum(len(reading.tokens) for reading in readings) + sum(len(fork.tokens) + fork.reserved for fork in busy)

    def add_reading(self, key: str, tokens: Tokens) -> Resident:
        resident = Resident(key, tokens, self._free.pop())
        self.residents[key] = resident
        self.touch(resident)
        return resident

    def drop_reading(self, resident: Resident) -> None:
        for fork in [fork for fork in self.forks if fork.reading is resident]:
            self.drop_fork(fork)
        self._drop_prepared(resident)
        self._release(resident.sequence)
        del self.residents[resident.key]

    def settle(self, resident: Resident) -> None:
        """A reading was finished or broken off: what stands in its sequence is what it says it has, or it goes."""
        if self.residents.get(resident.key) is resident and not self._holds(resident.sequence, resident.done):
            self.drop_reading(resident)

    def prepare_fork(self) -> None:
        """While nothing else is to do: at a million cells a fork takes a fifth of a second, so have one ready."""
        ready = [r for r in self.residents.values() if r.prepared is None and r.done == len(r.tokens)]
        if ready and self._free and self._can_rewind:
            resident = max(ready, key=lambda resident: resident.used)
            resident.prepared = self._free.pop()
            self.context.copy(resident.sequence, resident.prepared)

    def _drop_prepared(self, resident: Resident) -> None:
        if resident.prepared is not None:
            self._release(resident.prepared)
            resident.prepared = None

    def fork(
        self, reading: Resident | None, prompt: Sequence[int] | Tokens, *, reserved: int, take_over: bool, spare: bool = False
    ) -> Fork:
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
        elif not best and reading and reading.prepared is not None:
            found, reading.prepared = Fork(reading, reading.prepared), None
            self.forks.append(found)
        else:
            found = Fork(reading, self._free.pop(), wanted[:shared].tolist())
            if best or reading:
                source = best.sequence if best else reading.sequence if reading else SCRATCH
                self.context.copy(source, found.sequence, -1, found.position if self._can_rewind else -1)
            self.forks.append(found)
        found.reserved = reserved - shared
        found.spare = self._free.pop() if spare else None
        if reading:
            reading.users += 1
        self.touch(found)
        return found

    def branch(self, fork: Fork) -> int:
        """The fork's spare sequence, sharing all its cells now; `prune` it after use."""
        if fork.spare is None:
            raise EngineFailed("A fork has no spare sequence.", hint="Report this as a bug.")
        self.context.copy(fork.sequence, fork.spare)
        return fork.spare

    def prune(self, fork: Fork) -> None:
        if fork.spare is not None:
            self.context.remove(fork.spare)

    def finish(self, fork: Fork, *, keep: bool) -> None:
        """The job on this fork is over; kept, it serves the next turn until the room is needed."""
        if fork not in self.forks or not fork.busy:
            return
        if fork.reading:
            fork.reading.users -= 1
            self.touch(fork.reading)
        fork.busy, fork.reserved = False, 0
        if fork.spare is not None:
            self._release(fork.spare)
            fork.spare = None
        self.touch(fork)
        if not (keep and self._holds(fork.sequence, fork.position)):
            self.drop_fork(fork)
        idle = sorted((fork for fork in self.forks if not fork.busy), key=lambda fork: fork.used)
        while len(idle) > 1 and sum(fork.position for fork in idle) > IDLE_CELLS:
            self.drop_fork(idle.pop(0))

    def drop_fork(self, fork: Fork) -> None:
        self._release(fork.sequence)
        self.forks.remove(fork)

    def move_to(self, context: Context) -> None:
        """Carry every sequence over to a wider context; the old one is closed. Raises EngineFailed; nothing changed then."""
        try:
            for resident in self.residents.values():
                self._carry(resident.sequence, 0, context)
                if resident.prepared is not None:
                    context.copy(resident.sequence, resident.prepared)
            for fork in self.forks:
                for sequence in (fork.sequence,) if fork.spare is None else (fork.sequence, fork.spare):
                    if fork.reading and self.context.length(sequence):
                        context.copy(fork.reading.sequence, sequence, -1, fork.base)
                    self._carry(sequence, fork.base, context)
        except EngineFailed:
            context.close()
            raise
        self.context.close()
        self.context = context

    def _carry(self, sequence: int, start: int, context: Context) -> None:
        """Positions from `start` on, in pieces, so that little more memory is taken than both contexts have."""
        end = self.context.length(sequence)
        for at in range(start, end, CARRIED):
            self.context.copy(sequence, SCRATCH, at, min(at + CARRIED, end))
            data = self.context.save(SCRATCH)
            self.context.remove(SCRATCH)
            if not context.restore(SCRATCH, data):
                raise EngineFailed("The window could not be widened.", hint="Ask again.")
            context.copy(SCRATCH, sequence)
            context.remove(SCRATCH)

    def _holds(self, sequence: int, length: int) -> bool:
        """Whether exactly that many positions are there; what a broken-off feed left beyond is taken back where possible."""
        beyond = self.context.length(sequence) > length
        return (not beyond or self.context.remove(sequence, length, -1)) and self.context.length(sequence) == length

    def _release(self, sequence: int) -> None:
        self.context.remove(sequence)
        self._free.append(sequence)


def _common_prefix(left: Sequence[int], right: Tokens) -> int:
    size = min(len(left), len(right))
    differing = np.flatnonzero(np.asarray(left[:size], np.int32) != right[:size])
    return int(differing[0]) if len(differing) else size
