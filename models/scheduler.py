"""Several jobs, one context: what they want evaluated goes into one batch per step. Knows no sequences' meaning, no files.

A job is a generator. It yields a `Feed` to append tokens to a sequence and gets back the batch rows of the logits it asked
for (valid until it yields again); `Alone` to go on when no other job is under way; `Wait` to be asked again before the
next batch; `Until` to go on when something outside is done; anything else is an event for whoever started it. Its return
value is the result.

Fairness: short feeds (answers being decoded) go first, but leave a part of the batch to long ones (a document being read),
and among equals whoever was served longest ago goes first. So a reading never stops an answer, answers only slow a reading
down, and two readings share. While answers are under way a batch with long feeds in it is kept as short as `STREAM_S`; where
even a few tokens take longer than that, the answers have the time in excess to themselves before the next one.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from unabridged.errors import EngineFailed, UnabridgedError
from unabridged.models.engine import Tokens
from unabridged.models.llama_context import Aborted, CacheFull, Context, Rows
from unabridged.models.watch import Watch

SHORT = 16  # tokens: a feed up to this long is an answer, not a reading
LONG_SHARE = 4  # one part in so many of a batch is kept for long feeds where there are any
STREAM_S = 0.05  # how long an answer waits for its next token while a document is read beside it: 20 a second
LEAST = 64  # tokens of a batch with long feeds in it all the same: fewer cost about as much
IDLE_S = 0.002  # between two looks at something outside, when there is nothing to evaluate


@dataclass(slots=True)
class Feed:
    """Append `tokens` to `sequence` at `position`; logits wanted for the last `outputs` of them."""

    sequence: int
    tokens: Tokens
    position: int
    outputs: int = 0
    done: int = 0


class Alone:
    """Go on only when no other job is at work. Yielded, like `Wait`, only by a job that holds nothing in the cache."""


class Wait:
    """Ask me again before the next batch, when no job holds logits."""


@dataclass(slots=True)
class Until:
    """Go on when `done`; the job keeps what it holds in the cache, so it counts as being at work."""

    done: Callable[[], bool]


Event = Any  # a frozen dataclass of engine.py
Job = Generator[Any, Any, Any]


@dataclass(slots=True, eq=False)
class Ticket:
    """A job under way: what it waits for, and whom to tell."""

    job: Job
    on_event: Callable[[Any], None]
    on_end: Callable[[Any, UnabridgedError | None], None]
    pending: Any = None
    ready: bool = True
    started: bool = False
    answer: Any = None
    served: int = 0  # the batch in which it took part last
    passed_over: bool = False  # it needs more of a batch at once than the others left


class Scheduler:
    """Not thread-safe: one thread owns it, except that `Context.abort` may be called from others."""

    def __init__(self, context: Callable[[], Context | None], make_room: Callable[[int], bool]) -> None:
        self._context, self._make_room = context, make_room
        self._tickets: list[Ticket] = []
        self._batches = 0
        self._long_token_s = 0.0  # of a token in the last batch that was full of them
        self._owed_s = 0.0  # to answers, by long feeds that took more than STREAM_S
        self.watch = Watch()

    def start(
        self, job: Job, on_event: Callable[[Any], None], on_end: Callable[[Any, UnabridgedError | None], None]
    ) -> Ticket:
        ticket = Ticket(job, on_event, on_end)
        self._tickets.append(ticket)
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Close the job; what it had appended stays for it to clean up."""
        if ticket in self._tickets:
            self._tickets.remove(ticket)
            feed = ticket.pending
            context = self._context()
            if isinstance(feed, Feed) and feed.done and context:
                context.remove(feed.sequence, feed.position, -1)
            ticket.job.close()

    @property
    def busy(self) -> bool:
        return bool(self._tickets)

    def step(self) -> None:
        """Run every job that can go on, then evaluate one batch of what they want."""
        self.watch.step()
        self._advance_all()
        batch = self._batch()
        if batch:
            self._evaluate(batch)
        elif self._tickets:
            time.sleep(IDLE_S)
        self.watch.rest()

    def _advance_all(self) -> None:
        barrier = False
        for ticket in list(self._tickets):
            if ticket not in self._tickets or (barrier and not ticket.started):
                continue  # nobody new starts while someone waits to be alone
            if isinstance(ticket.pending, Alone):
                if self._others_at_work(ticket):
                    barrier = True
                    continue
                ticket.ready = True
            elif isinstance(ticket.pending, Wait):
                ticket.ready = True
            elif isinstance(ticket.pending, Until):
                ticket.ready = ticket.pending.done()
            if ticket.ready:
                self._advance(ticket)
            barrier = barrier or isinstance(ticket.pending, Alone)

    def _others_at_work(self, ticket: Ticket) -> bool:
        return any(t.started and not isinstance(t.pending, Alone | Wait) for t in self._tickets if t is not ticket)

    def _advance(self, ticket: Ticket) -> None:
        """Let one job run until it needs the model, has to wait, or ends."""
        ticket.started = True
        while True:
            try:
                wanted = ticket.job.send(ticket.answer)
            except StopIteration as stop:
                self._tickets.remove(ticket)
                ticket.on_end(stop.value, None)
                return
            except UnabridgedError as error:
                self._tickets.remove(ticket)
                ticket.on_end(None, error)
                return
            ticket.answer = None
            if isinstance(wanted, Feed | Alone | Wait | Until):
                ticket.pending, ticket.ready = wanted, False
                return
            ticket.on_event(wanted)

    def _batch(self) -> list[tuple[Ticket, int]]:
        """Who takes part in the next batch, with how many tokens."""
        context = self._context()
        if context is None:
            return []
        waiting = [ticket for ticket in self._tickets if isinstance(ticket.pending, Feed) and not ticket.ready]
        waiting.sort(key=lambda ticket: (not ticket.passed_over, _is_long(ticket), ticket.served))
        room, kept, outputs = context.chunk_tokens, 0, context.outputs_max
        chosen: list[tuple[Ticket, int]] = []
        if len({_is_long(ticket) for ticket in waiting}) > 1:
            if self._owed_s > 0:
                waiting = [ticket for ticket in waiting if not _is_long(ticket)]
            else:
                quick = int(STREAM_S / self._long_token_s) if self._long_token_s else 0
                room = min(room, max(quick // LEAST, 1) * LEAST)
                kept = room // LONG_SHARE
        for ticket in waiting:
            feed, free = ticket.pending, room if _is_long(ticket) else room - kept
            left = len(feed.tokens) - feed.done
            # rows that carry logits stay together in one batch, because logits live for one batch
            take = left if left <= free else min(free, left - feed.outputs)
            wanted = feed.outputs if take == left else 0
            ticket.passed_over = (take <= 0 < free or wanted > outputs) and bool(chosen)
            if take > 0 and wanted <= outputs:
                chosen.append((ticket, take))
                room, outputs = room - take, outputs - wanted
        return chosen

    def _evaluate(self, batch: list[tuple[Ticket, int]]) -> None:
        context = self._context()
        assert context is not None  # noqa: S101  _batch is empty without one
        self._batches += 1
        rows = []
        for ticket, take in batch:
            feed = ticket.pending
            last = feed.done + take == len(feed.tokens)
            part = feed.tokens[feed.done : feed.done + take]
            rows.append(Rows(feed.sequence, part, feed.position + feed.done, feed.outputs if last else 0))
        tokens, began = sum(take for _, take in batch), time.monotonic()
        self.watch.batch(tokens)
        try:
            found = context.decode(rows)
        except Aborted:  # a cancel: whoever is left feeds the same tokens again
            for part in rows:
                context.remove(part.sequence, part.position, -1)
            return
        except CacheFull:
            if not self._make_room(tokens):
                if len(batch) > 1:
                    self._evaluate(batch[:1])
                else:
                    self._fail(batch[0][0])
            return
        except EngineFailed as error:
            for ticket, _ in batch:
                self._fail(ticket, error)
            return
        took = time.monotonic() - began
        self.watch.batch_took(tokens, took)
        if tokens >= LEAST:
            self._long_token_s = took / tokens
        lengths = {_is_long(ticket) for ticket, _ in batch}
        self._owed_s = took - STREAM_S if len(lengths) > 1 else max(self._owed_s - took, 0.0)
        for (ticket, take), indices in zip(batch, found, strict=True):
            feed = ticket.pending
            feed.done += take
            ticket.served = self._batches
            if feed.done == len(feed.tokens):
                ticket.pending, ticket.ready, ticket.answer = None, True, indices
        # whoever has rows must use them before the next decode, so they run now
        for ticket, _ in batch:
            if ticket.ready and ticket in self._tickets:
                self._advance(ticket)

    def _fail(self, ticket: Ticket, error: UnabridgedError | None = None) -> None:
        error = error or EngineFailed("The window is full.", hint="Close other conversations, or choose a larger window.")
        self._tickets.remove(ticket)
        ticket.job.close()
        ticket.on_end(None, error)

    def run(self, job: Job, on_event: Callable[[Any], None] = lambda event: None) -> Any:  # noqa: ANN401  whatever the job returns
        """Drive one job to its end here and now (with whatever else is under way)."""
        ended: list[tuple[Any, UnabridgedError | None]] = []
        self.start(job, on_event, lambda result, error: ended.append((result, error)))
        while not ended:
            self.step()
        result, error = ended[0]
        if error:
            raise error
        return result


def _is_long(ticket: Ticket) -> bool:
    return len(ticket.pending.tokens) > SHORT
