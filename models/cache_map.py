"""Who sits where in the KV cache: readings, and forks of them. Counts cells; moves them through the context it is given.

A reading holds its tokens from position 0 in a sequence of its own. A fork shares the reading's cells and goes on with its
own tokens. What is idle longest gives way first: forks, then readings. Cells are counted as if forks shared nothing among
themselves, which errs on the safe side.

Sharing costs time for every cell, a quarter of a second for a million. So one fork at a time goes on in the reading's own
sequence and is cut off again when it ends; a second is made ready while nothing else is to do; and what a fork leaves behind
that was not worth keeping is the next one's. Only what comes on top of that waits for a copy.

Every decode looks at all cells that are taken, whoever they belong to, so a reading that is not in use and can be brought
back from disk does not stay beside the one that is.
"""

from collections.abc import Sequence

import numpy as np
from unabridged.errors import EngineFailed
from unabridged.models.engine import Tokens
from unabridged.models.llama_context import Context
from unabridged.models.sequences import Sequences
from unabridged.models.tenants import Fork, Resident

SCRATCH = 0  # the sequence through which segments come and go
CARRIED = 2048  # tokens moved at once from one context to the next
SHARED_AT_ONCE = 1 << 16  # positions: a question that comes meanwhile waits for so many
IDLE_CELLS = 4 << 20  # that idle forks may share: llama.cpp remembers about 48 bytes for each cell of each fork


class CacheMap:
    """Forks that are `short` need no more than the best tokens of a row; a context may have sequences for them (`shortlisted`),
    which then serve nobody else.
    """

    def __init__(self, context: Context, *, sequences: int, can_rewind: bool) -> None:
        self.context, self._can_rewind = context, can_rewind
        self.free = Sequences(range(sequences - 1, SCRATCH, -1), context.shortlisted)
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
        for other in [other for other in self._unused(keep=reading) if other.is_on_disk()]:
            self.drop_reading(other)

    def make_room(self, cells: int, *, sequences: int = 1, keep: Resident | None = None, short: bool = False) -> bool:
        """Let idle forks, then idle readings other than `keep`, go until that many cells and sequences are free."""
        while self.cells + cells > self.context.window or self.free.count(short=short) < sequences:
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
        resident = Resident(key, tokens, self.free.take())
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

    def prepare_fork(self) -> bool:
        """While nothing else is to do: get the next fork of the reading in use ready. A stretch at a time; False when it is."""
        whole = [r for r in self.residents.values() if r.done == len(r.tokens)]
        if not whole or not self._can_rewind:
            return False
        resident = max(whole, key=lambda resident: resident.used)
        if resident.prepared is None:
            if not self.free.count(short=True):
                return False
            resident.prepared, resident.ready = self.free.take(short=True), 0
        self._share(resident, min(resident.ready + SHARED_AT_ONCE, resident.done))
        return resident.ready < resident.done

    def _share(self, resident: Resident, end: int) -> None:
        """Let the prepared sequence have the reading's cells up to `end`."""
        if resident.prepared is not None and resident.ready < end:
            self.context.copy(resident.sequence, resident.prepared, resident.ready, end)
            resident.ready = end

    def _drop_prepared(self, resident: Resident) -> None:
        if resident.prepared is not None:
            self._release(resident.prepared)
            resident.prepared, resident.ready = None, 0

    def fork(
        self,
        reading: Resident | None,
        prompt: Sequence[int] | Tokens,
        *,
        reserved: int,
        take_over: bool,
        spare: bool = False,
        short: bool = False,
    ) -> Fork:
        """A busy fork that already holds as much of `prompt` as any idle fork did, but never its last token.

        `take_over`: a fork that `prompt` simply continues is continued itself, instead of being copied. `spare`: there will
        be branches. `short`: the best tokens of its rows are enough.
        """
        wanted = np.asarray(prompt, np.int32)
        best, shared = None, 0
        for fork in self.forks:
            if fork.reading is reading and not fork.busy:
                common = min(_common_prefix(fork.tokens, wanted), len(wanted) - 1)
                if common > shared and (self._can_rewind or common == len(fork.tokens)):
                    best, shared = fork, common
        if best and take_over and shared == len(best.tokens) and self.free.serves(best.sequence, short=short):
            best.busy = True
            found = best
        else:
            found = self._new_fork(reading, best, wanted[:shared].tolist(), lasting=take_over, short=short)
            self.forks.append(found)
        found.reserved = reserved - shared
        found.spare = self.free.take() if spare and not self._can_rewind else None
        if reading:
            reading.users += 1
        self.touch(found)
        return found

    def _new_fork(
        self, reading: Resident | None, like: Fork | None, tokens: list[int], *, lasting: bool, short: bool
    ) -> Fork:
        """A fork that begins with `tokens`, which `like` has. What is ready is left to one that will be kept (`lasting`)."""
        if not self._can_rewind:
            found = Fork(reading, self.free.take(short=short), tokens)
            if like or reading:
                self.context.copy(like.sequence if like else reading.sequence if reading else SCRATCH, found.sequence)
            return found
        sequence = self._sequence_of(reading, lasting=lasting, short=short) if reading else self.free.take(short=short)
        found = Fork(reading, sequence, tokens)
        if like:
            self.context.copy(like.sequence, found.sequence, found.base, found.position)
        return found

    def _sequence_of(self, reading: Resident, *, lasting: bool, short: bool) -> int:
        """One that shares the reading's cells, the cheapest that there is."""
        is_free = not any(fork.sequence == reading.sequence for fork in self.forks)
        if is_free and self.free.serves(reading.sequence, short=short) and not (lasting and reading.ready == reading.done):
            return reading.sequence
        if reading.prepared is None or not self.free.serves(reading.prepared, short=short):
            found = self.free.take(short=short)
            self.context.copy(reading.sequence, found, 0, reading.done)
            return found
        self._share(reading, reading.done)
        found, reading.prepared, reading.ready = reading.prepared, None, 0
        return found

    def branch(self, fork: Fork) -> int:
        """A sequence in which to try what might follow: the fork's own, or a copy where nothing can be taken back from it."""
        if fork.spare is None:
            return fork.sequence
        self.context.copy(fork.sequence, fork.spare)
        return fork.spare

    def prune(self, fork: Fork) -> None:
        if fork.spare is None:
            self.context.remove(fork.sequence, fork.position, -1)
        else:
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
            self._give_back(fork)
        idle = sorted((fork for fork in self.forks if not fork.busy), key=lambda fork: fork.used)
        while len(idle) > 1 and sum(fork.position for fork in idle) > IDLE_CELLS:
            self.drop_fork(idle.pop(0))

    def _give_back(self, fork: Fork) -> None:
        """What it shares with its reading may serve the next fork."""
        reading = fork.reading
        usable = self._can_rewind and not fork.is_lent and self.free.serves(fork.sequence, short=True)
        if usable and reading and reading.prepared is None and self.context.remove(fork.sequence, fork.base, -1):
            self.forks.remove(fork)
            reading.prepared, reading.ready = fork.sequence, fork.base
        else:
            self.drop_fork(fork)

    def drop_fork(self, fork: Fork) -> None:
        self.forks.remove(fork)
        if fork.is_lent:
            self.context.remove(fork.sequence, fork.base, -1)
        else:
            self._release(fork.sequence)

    def move_to(self, context: Context) -> None:
        """Carry every sequence over to a wider context; the old one is closed. Raises EngineFailed; nothing changed then."""
        try:
            for resident in self.residents.values():
                self._carry(resident.sequence, 0, context)
                if resident.prepared is not None:
                    context.copy(resident.sequence, resident.prepared, -1, resident.ready)
            for fork in [fork for fork in self.forks if not fork.is_lent]:
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
        self.free.give(sequence)


def _common_prefix(left: Sequence[int], right: Tokens) -> int:
    size = min(len(left), len(right))
    differing = np.flatnonzero(np.asarray(left[:size], np.int32) != right[:size])
    return int(differing[0]) if len(differing) else size
