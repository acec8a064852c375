"""One model, one KV cache, many conversations: the work of an engine as jobs for the scheduler. Knows tokens, no documents.

Every method that needs the model is a generator for `Scheduler`; it yields events for the caller and returns the result.
"""

from collections.abc import Sequence

import numpy as np
from unabridged.errors import EngineFailed, UsageError
from unabridged.models.cache_map import SCRATCH, CacheMap
from unabridged.models.choosing import score_options
from unabridged.models.decoding import Answer, append
from unabridged.models.drafting import Drafter, NgramIndex
from unabridged.models.engine import Choice, DocumentSpan, Quotation, Reading, ReadProgress, Sampling, Tokens
from unabridged.models.extension import AS_TRAINED, Rope
from unabridged.models.llama_context import Context
from unabridged.models.llama_model import Model
from unabridged.models.llama_sampler import Sampler
from unabridged.models.llama_shortlist import is_enough
from unabridged.models.prefill import Keeping, Prefill, segment_writer
from unabridged.models.quoting import Copyist
from unabridged.models.scheduler import Alone, Job, Scheduler, Wait
from unabridged.models.segments import SegmentStore, piece_tokens, segments_of
from unabridged.models.tenants import Fork, Resident
from unabridged.models.tokenizer import Tokenizer
from unabridged.models.window import WindowPolicy

SEQUENCES = 48  # the scratch, readings and forks
SHORTLISTED = range(14, SEQUENCES)  # of them, for answers, where sampling begins on the device
RECURRENT_SEQUENCES = 8  # each costs a whole state there
OUTPUTS = 64  # rows of logits in one batch; each costs vocabulary × 4 bytes


class Session:
    """Owned by one thread. `fingerprint` stands for the weights and everything that changes the KV cache."""

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        store: SegmentStore,
        windows: WindowPolicy,
        *,
        fingerprint: bytes,
        kv_type: str,
        threads: int,
        chunk_tokens: int,
        segment_tokens: int,
        draft: bool = True,
        on_cpu: bool = True,
        shortlisted: Sequence[int] = (),
        rope: Rope = AS_TRAINED,
    ) -> None:
        self._model, self._tokenizer, self._windows = model, tokenizer, windows
        self._fingerprint, self._kv_type, self._threads, self._rope = fingerprint, kv_type, threads, rope
        self._chunk_tokens, self._draft, self._on_cpu = chunk_tokens, draft, on_cpu
        self._shortlisted = shortlisted if model.keeps_every_position else ()
        self._piece_tokens = piece_tokens(segment_tokens, chunk_tokens)
        self._keeping = Keeping(
            store,
            segment_writer(),
            state_only=model.is_state_only,
            at_once=2 * self._piece_tokens > segment_tokens,
        )
        self._map: CacheMap | None = None
        self._tokens: dict[str, Tokens] = {}  # of every reading asked for, so that it can be read back in
        self._ends = model.ends_generation()
        self._copyist: Copyist | None = None
        self.scheduler = Scheduler(lambda: self._map.context if self._map else None, self._make_room)

    def close(self) -> None:
        """What is being written is finished first."""
        self._keeping.writer.shutdown()
        self.close_window()

    def close_window(self) -> None:
        if self._map:
            self._map.context.close()
            self._map = None

    @property
    def window(self) -> int:
        """Cells of the KV cache now; 0 before the first reading."""
        return self._map.context.window if self._map else 0

    def window_for(self, tokens: int) -> int:
        return self._windows.window_for(tokens, held=self.window)

    def abort(self) -> None:
        """From any thread: end the decode that is running, so that a cancelled job can go.

        A memory that cannot take tokens back would be left in the middle of them, so there the chunk is finished.
        """
        if self._map and self._model.keeps_every_position:
            self._map.context.abort()

    def idle(self) -> bool:
        """Nothing is to do: get a step readier for the next question; False when there is no more to get ready."""
        return self._map is not None and self._map.prepare_fork()

    # Readings

    def read(
        self, tokens: Tokens, *, reserve: int = 0, fresh: bool = False, documents: Sequence[DocumentSpan] = ()
    ) -> Job:
        """Yields ReadProgress, returns Reading."""
        if not len(tokens):
            raise UsageError("There is nothing to read.", hint="Add a document with text in it.")
        chain = segments_of(tokens, self._piece_tokens, self._fingerprint)
        key = chain[-1].key.hex()
        self._tokens[key] = tokens
        need = len(tokens) + reserve
        while True:
            yield from self._wait_for_reader(key)
            resident = self._resident(key)
            if resident and fresh and not resident.users:
                self._cache.drop_reading(resident)
                resident = None
            if need <= self.window and (resident or self._cache.make_room(need)):
                break
            yield from self._open_window(len(tokens), reserve, keep=resident)
        resident = resident or self._cache.add_reading(key, tokens)
        self._cache.use(resident)
        if resident.done == len(tokens):
            return Reading(key, len(tokens), reused=len(tokens), evaluated=0, window=self.window)
        resident.being_read = True
        self._keeping.store.begin(chain, documents)
        try:
            reading = yield from Prefill(self._cache, resident, chain, self._keeping, fresh=fresh).run(lambda: self.window)
            resident.is_on_disk = lambda: self._keeping.store.holds(chain)
            return reading
        finally:
            resident.being_read = False
            self._keeping.store.end(chain)
            if self._map:
                self._map.settle(resident)

    @property
    def _cache(self) -> CacheMap:
        assert self._map is not None  # noqa: S101  callers have opened a window
        return self._map

    def _resident(self, key: str | None) -> Resident | None:
        return self._map.residents.get(key) if self._map and key is not None else None

    def _wait_for_reader(self, key: str) -> Job:
        while (resident := self._resident(key)) and resident.being_read:
            yield Wait()

    def _open_window(self, tokens: int, reserve: int, *, keep: Resident | None) -> Job:
        """A cache large enough, also for whoever is at work beside `keep`. Raises DoesNotFit for what fits in none.

        Where memory has room for both caches everything moves over and all go on. Else what fits once others are done waits
        for them (the caller looks again), and what does not waits until nobody is at work and takes their place; segments
        bring back what the old cache held.
        """
        least = self._windows.check(tokens, reserve, held=self.window)
        need = tokens + reserve + (self._map.cells_at_work(keep=keep) if self._map else 0)
        wanted = max(self._windows.window_for(need, held=self.window), least) if need > self.window else self.window
        yield Wait()  # between two batches: nobody holds logits of the old cache
        if wanted > self.window and self._map and self._windows.largest(held=0) >= wanted:
            try:
                self._map.move_to(self._context(wanted))
            except EngineFailed:  # the memory of a GPU may be counted wrong; then as if there were none
                pass
            else:
                return
        if least <= self.window:
            return
        yield Alone()
        window = self._windows.check(tokens, reserve, held=self.window)
        if window > self.window:
            self.close_window()
            self._map = CacheMap(self._context(window), sequences=self._sequences, can_rewind=self._model.keeps_every_position)

    @property
    def _sequences(self) -> int:
        return SEQUENCES if self._model.keeps_every_position else RECURRENT_SEQUENCES

    def _context(self, window: int) -> Context:
        return Context(
            self._model,
            window=window,
            chunk_tokens=self._chunk_tokens,
            sequences=self._sequences,
            outputs=OUTPUTS,
            kv_type=self._kv_type,
            threads=self._threads,
            rope=self._rope,
            fill_sequence=SCRATCH if self._model.keeps_every_position and self._on_cpu else None,
            shortlisted=self._shortlisted,
        )

    # Questions

    def generate(self, key: str | None, prompt: Tokens, *, limit: int, sampling: Sampling, stop: Sequence[str]) -> Job:
        """Yields Piece, returns Generation."""
        if limit < 1:
            raise UsageError("An answer needs room for at least one token.", hint="Ask for a longer answer.")
        sampler = Sampler(self._model, sampling)
        try:
            fork = yield from self._fork(key, prompt, limit, take_over=True, short=is_enough(sampling))
            reused, rest = fork.position, prompt[len(fork.tokens) :]
            answer = Answer(self._cache, fork, pieces=self._model.pieces, ends=self._ends, limit=limit, stop=stop)
            try:
                yield from answer.decode(rest, sampler, sampling, Drafter(self._index(fork.reading, sampling)))
            finally:
                self._finish(fork, keep=True)
        finally:
            sampler.close()
        return answer.result(evaluated=len(rest), reused=reused)

    def _index(self, reading: Resident | None, sampling: Sampling) -> NgramIndex | None:
        """Drafting is for greedy answers on a cache that can take tokens back."""
        if not self._draft or reading is None or sampling.temperature > 0 or sampling.grammar or sampling.json_schema:
            return None
        if reading.index is None and self._model.keeps_every_position:
            reading.index = NgramIndex(reading.tokens)
        return reading.index

    def choose(self, key: str | None, prompt: Tokens, options: Sequence[Tokens]) -> Job:
        """Returns Choice."""
        if not options or any(not len(option) for option in options):
            raise UsageError("A choice needs options of at least one token each.", hint="Report this as a bug.")
        fork = yield from self._fork(key, prompt, max(map(len, options)), take_over=False, spare=True)
        try:
            evaluated = len(prompt) - len(fork.tokens)
            rows = yield from append(self._cache, fork, prompt[len(fork.tokens) :], outputs=1)
            first = self._cache.context.logits(rows[-1])
            logprobs, more = yield from score_options(self._cache, fork, first, options)
        finally:
            self._finish(fork, keep=False)
        probabilities = np.exp(logprobs - logprobs.max())
        share = min(1.0, float(np.exp(logprobs).sum()))
        return Choice(tuple((probabilities / probabilities.sum()).tolist()), share, evaluated + more)

    def quote(
        self, key: str | None, prompt: Tokens, passage: str, *, starts: Sequence[int], ends: Sequence[int], limit: int
    ) -> Job:
        """Returns Quotation."""
        if self._copyist is None:
            self._copyist = Copyist(self._model.pieces, self._ends, lambda text: self._tokenizer.tokenize([text])[0])
        room = len(self._tokenizer.tokenize([passage])[0]) + OUTPUTS
        fork = yield from self._fork(key, prompt, room, take_over=False)
        try:
            evaluated = len(prompt) - len(fork.tokens)
            rows = yield from append(self._cache, fork, prompt[len(fork.tokens) :], outputs=1)
            first = self._cache.context.logits(rows[-1])
            copying = self._copyist.copy(first, passage, starts=starts, ends=ends, limit=limit)
            step = next(copying)
            while True:
                rows = yield from append(self._cache, fork, step, outputs=len(step))
                evaluated += len(step)
                step = copying.send([self._cache.context.logits(row) for row in rows])
        except StopIteration as stop:
            span = stop.value
            return Quotation(span.start, span.end, span.logprob, evaluated)
        finally:
            self._finish(fork, keep=False)

    def _fork(
        self, key: str | None, prompt: Tokens, limit: int, *, take_over: bool, spare: bool = False, short: bool = False
    ) -> Job:
        """A fork with room for prompt and answer; waits for others, grows the window, reads the document back in."""
        if not len(prompt):
            raise UsageError("There is no question.", hint="Ask something.")
        need = len(prompt) + limit
        tokens = self._tokens[key] if key is not None else np.empty(0, np.int32)
        while True:
            resident = self._resident(key)
            if key is not None and (resident is None or resident.done < len(tokens)):
                yield from _without_progress(self.read(tokens, reserve=need))
            elif self._map and self._map.make_room(need, sequences=1 + spare, keep=resident, short=short):
                if resident:
                    self._map.use(resident)
                return self._map.fork(resident, prompt, reserved=need, take_over=take_over, spare=spare, short=short)
            else:
                yield from self._open_window(len(tokens), need, keep=resident)

    def _finish(self, fork: Fork, *, keep: bool) -> None:
        if self._map:
            self._map.finish(fork, keep=keep)

    def _make_room(self, cells: int) -> bool:
        """The cache is full though the count says otherwise: let something idle go."""
        return bool(self._map) and self._cache.drop_idle()


def _without_progress(reading: Job) -> Job:
    """A reading that is brought back for a question is no more than a delay to whoever asked."""
    answer = None
    try:
        while True:
            wanted = reading.send(answer)
            answer = None if isinstance(wanted, ReadProgress) else (yield wanted)
    except StopIteration as stop:
        return stop.value
    finally:
        reading.close()
