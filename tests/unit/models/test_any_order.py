"""Whatever happens in whatever order, a conversation says what a fresh, single, uncached run would say."""

import atexit
import functools
import itertools
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from unabridged.errors import EngineFailed
from unabridged.models.choosing import log_softmax
from unabridged.models.engine import Choice, EngineOptions, Reading, Sampling, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_library import start_backend
from unabridged.models.llama_model import Model
from unabridged.models.open_model import OpenModel, open_model
from unabridged.models.scheduler import Ticket
from unabridged.models.segment_cache import SegmentCache

from tests.unit.models.conftest import drained
from tests.unit.models.tiny_models import write_tiny_model

ANSWER = 6
SEGMENT = 128
CLOSE = 1e-3  # of log probability: what sums in another order may make of f32


def document(number: int) -> Tokens:
    """Documents 0 and 1 begin alike; 3 needs a wider window."""
    own = np.random.default_rng(number).integers(0, 500, 2600 if number == 3 else 150 + 90 * number)
    return np.concatenate([np.random.default_rng(9).integers(0, 500, 200), own] if number < 2 else [own]).astype(np.int32)


def question(number: int) -> Tokens:
    return np.random.default_rng(100 + number).integers(0, 500, 3 + 5 * number).astype(np.int32)


class Fresh:
    """One context, cleared before every use: nothing is shared, cached, forked, drafted or batched."""

    def __init__(self, path: Path) -> None:
        start_backend()
        self._model = Model(path)
        self._context = Context(
            self._model, window=4096, chunk_tokens=512, sequences=1, outputs=1, kv_type="f32", threads=1
        )

    def after(self, prompt: Tokens) -> np.ndarray:
        """Log probabilities of the next token."""
        return log_softmax(self._context.logits(self._read(prompt)[-1]))

    def _read(self, prompt: Tokens) -> range:
        self._context.clear()
        rows = range(0)
        for start in range(0, len(prompt), 512):
            rows = self._context.decode([Rows(0, prompt[start : start + 512], start, 1)])[0]
        return rows

    def agrees(self, prompt: Tokens, answer: tuple[int, ...]) -> bool:
        """Every token is the most probable one after what stands before it, or as good as that."""
        ends = self._model.ends_generation()
        rows = self._read(prompt)
        for place, token in enumerate(answer):
            logprobs = log_softmax(self._context.logits(rows[-1]))
            if logprobs[token] < logprobs.max() - CLOSE:
                return False
            rows = self._context.decode([Rows(0, np.array([token], np.int32), len(prompt) + place, 1)])[0]
        last = log_softmax(self._context.logits(rows[-1]))
        return len(answer) == ANSWER or last[ends].max() >= last.max() - CLOSE


@functools.cache
def workshop() -> tuple[Path, Path, Fresh]:
    """A folder, the model in it, and the plain run; made once, when first needed, gone at exit."""
    folder = Path(tempfile.mkdtemp(prefix="unabridged-any-order-"))
    atexit.register(shutil.rmtree, folder)
    path = write_tiny_model(folder / "model.gguf", window=4096)
    return folder, path, Fresh(path)


def options_in(folder: Path, window: int = 0, *, shortlists: bool = False) -> EngineOptions:
    return EngineOptions(
        folder, window=window, chunk_tokens=64, segment_tokens=SEGMENT, threads=1, kv_type="f32", shortlists=shortlists
    )


class AnyOrder(RuleBasedStateMachine):
    @initialize(window=st.sampled_from([0, 1024]), shortlists=st.booleans())
    def begin(self, window: int, shortlists: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=workshop()[0]))
        self.window, self.shortlists = window, shortlists
        self.readings: dict[int, Reading] = {}
        self.histories: dict[tuple[int, int], Tokens] = {}
        self.pending: list[tuple[Ticket, int, Tokens]] = []
        self.said: list[tuple[Tokens, tuple[int, ...]]] = []
        self.chosen: list[tuple[Tokens, int, Choice]] = []
        self.session = self.open()

    def open(self) -> OpenModel:
        return open_model(workshop()[1], options_in(self.folder, self.window, shortlists=self.shortlists))

    @rule(number=st.integers(0, 2))
    def read(self, number: int) -> None:
        self._read(number)

    @precondition(lambda self: self.window == 0)
    @rule()
    def read_what_widens_the_window(self) -> None:
        self._read(3)

    def _read(self, number: int) -> None:
        tokens = document(number)
        reading = self.session.session.scheduler.run(self.session.session.read(tokens))
        assert reading.reused + reading.evaluated == reading.tokens == len(tokens)
        self.readings[number] = reading

    @precondition(lambda self: self.readings)
    @rule(data=st.data(), asked=st.integers(0, 3), turn=st.booleans())
    def ask(self, data: st.DataObject, asked: int, turn: bool) -> None:
        """A question of its own, or the next turn of a conversation; answered when steps are taken."""
        number = data.draw(st.sampled_from(sorted(self.readings)))
        history = self.histories.get((number, asked % 2), np.empty(0, np.int32)) if turn else np.empty(0, np.int32)
        prompt = np.concatenate([history, question(asked)]).astype(np.int32)
        job = self.session.session.generate(self.readings[number].key, prompt, limit=ANSWER, sampling=Sampling(), stop=())

        def ended(result: object, error: object) -> None:
            assert error is None, error
            answer = result.tokens  # type: ignore[attr-defined]
            self.said.append((np.concatenate([document(number), prompt]), answer))
            if len(prompt) < 60:
                self.histories[number, asked % 2] = np.concatenate([prompt, np.array(answer, np.int32)])

        ticket = self.session.session.scheduler.start(job, lambda event: None, ended)
        self.pending.append((ticket, number, prompt))

    @precondition(lambda self: self.readings)
    @rule(data=st.data(), asked=st.integers(0, 3), turn=st.booleans())
    def ask_and_wait(self, data: st.DataObject, asked: int, turn: bool) -> None:
        self.ask(data, asked, turn)
        while self.session.session.scheduler.busy:
            self.session.session.scheduler.step()

    @rule(count=st.integers(1, 12))
    def step(self, count: int) -> None:
        for _ in range(count):
            self.session.session.scheduler.step()

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        ticket, _, _ = self.pending.pop(data.draw(st.integers(0, len(self.pending) - 1)))
        self.session.session.scheduler.cancel(ticket)

    @rule()
    def rest(self) -> None:
        """Get ready for the next question, as the engine process does when there is nothing to do."""
        if not self.session.session.scheduler.busy:
            self.session.session.idle()

    @rule(data=st.data(), first=st.integers(0, 499), options=st.integers(1, 5))
    @precondition(lambda self: self.readings and not self.session.session.scheduler.busy)
    def choose(self, data: st.DataObject, first: int, options: int) -> None:
        """A fork that is not kept."""
        number = data.draw(st.sampled_from(sorted(self.readings)))
        wanted = [np.array([first + option], np.int32) for option in range(options)]
        choice = self.session.session.scheduler.run(
            self.session.session.choose(self.readings[number].key, question(first % 4), wanted)
        )
        assert abs(sum(choice.probabilities) - 1) < 1e-6
        self.chosen.append((np.concatenate([document(number), question(first % 4)]), first, choice))

    @rule()
    def evict_segments(self) -> None:
        SegmentCache(self.folder).evict(1 << 30)

    @rule(at=st.integers(0, 1 << 20))
    def damage_a_segment(self, at: int) -> None:
        for path in sorted(self.folder.glob("*/*.segment"))[:1]:
            data = bytearray(path.read_bytes())
            data[at % len(data)] ^= 1
            path.write_bytes(data)

    @rule()
    def close_and_reopen(self) -> None:
        """What was under way is lost; what was read is on disk."""
        self.session.session.close()
        self.session, self.pending = self.open(), []
        for number in list(self.readings):
            self._read(number)

    @invariant()
    def every_answer_is_what_a_fresh_run_says(self) -> None:
        while getattr(self, "said", None):
            prompt, answer = self.said.pop()
            assert workshop()[2].agrees(prompt, answer)

    @invariant()
    def every_choice_has_the_probabilities_of_a_fresh_run(self) -> None:
        while getattr(self, "chosen", None):
            prompt, first, choice = self.chosen.pop()
            logprobs = workshop()[2].after(prompt)[first : first + len(choice.probabilities)]
            assert np.abs(np.exp(logprobs).sum() - choice.share) < CLOSE

    def teardown(self) -> None:
        if hasattr(self, "session"):
            while self.session.session.scheduler.busy:
                self.session.session.scheduler.step()
            self.every_answer_is_what_a_fresh_run_says()
            self.session.session.close()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class KilledAtAnyTime(RuleBasedStateMachine):
    """A real engine process, and SIGKILL in the middle of what it does."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=workshop()[0]))
        self.engine = EngineProcess(workshop()[1], options_in(self.folder))
        self.readings: dict[int, Reading] = {}
        self.at_least: dict[int, int] = {}  # tokens of a document that were seen to be read, and have not been evicted
        self.evicted: set[int] = set()  # documents that may be in memory only

    def saw(self, number: int, tokens: int, *, reused: int) -> None:
        """So many tokens were read. What was reused after an eviction may have come from memory, and goes with a kill."""
        if number not in self.evicted or not reused:
            self.evicted.discard(number)
            self.at_least[number] = max(self.at_least.get(number, 0), tokens)

    def kill(self) -> None:
        """Returns when the death is known; whoever calls in between is told of it by an error."""
        with suppress(ProcessLookupError):  # killed before, and nothing has been asked of it since
            os.kill(self.engine.pid, signal.SIGKILL)
        connection = self.engine._connection
        while connection and connection.alive:
            time.sleep(0.01)

    @rule(number=st.integers(0, 3))
    def read(self, number: int) -> None:
        reading: Reading = drained(self.engine.read(document(number)))
        assert reading.reused + reading.evaluated == reading.tokens == len(document(number))
        assert reading.reused >= self.at_least.get(number, 0) - SEGMENT
        self.readings[number] = reading
        self.saw(number, reading.tokens, reused=reading.reused)

    @rule(number=st.integers(0, 3), after=st.integers(0, 45), kill=st.booleans())
    def break_off_a_reading(self, number: int, after: int, kill: bool) -> None:
        """Killed or cancelled, it reads at most one segment again."""
        reading = self.engine.read(document(number))
        try:
            for progress in itertools.islice(reading, after):
                self.saw(number, progress.done, reused=progress.reused)
            if kill:
                self.kill()
                drained(reading)  # it may have been over already
        except EngineFailed:
            assert kill
        reading.close()

    @precondition(lambda self: self.readings)
    @rule(data=st.data(), asked=st.integers(0, 3), kill_after=st.sampled_from([0, 1, 3, None, None]))
    def ask_two_at_once(self, data: st.DataObject, asked: int, kill_after: int | None) -> None:
        numbers = [data.draw(st.sampled_from(sorted(self.readings))) for _ in range(2)]
        prompts = [question(asked), question((asked + 1) % 4)]
        streams = [
            self.engine.generate(self.readings[number], prompt, limit=ANSWER)
            for number, prompt in zip(numbers, prompts, strict=True)
        ]
        try:
            if kill_after is not None:
                for stream in streams:
                    list(itertools.islice(stream, kill_after))
                self.kill()
            for number, prompt, stream in zip(numbers, prompts, streams, strict=True):
                answer = drained(stream).tokens
                assert workshop()[2].agrees(np.concatenate([document(number), prompt]), answer)
        except EngineFailed:
            assert kill_after is not None
        for stream in streams:
            stream.close()

    @rule()
    def evict_segments(self) -> None:
        SegmentCache(self.folder).evict(1 << 30)
        self.at_least.clear()
        self.evicted = {0, 1, 2, 3}

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            for number in self.readings:
                answer = drained(self.engine.generate(self.readings[number], question(1), limit=ANSWER)).tokens
                assert workshop()[2].agrees(np.concatenate([document(number), question(1)]), answer)
            self.engine.close()


TestKilledAtAnyTime = KilledAtAnyTime.TestCase
TestKilledAtAnyTime.settings = settings(
    max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
