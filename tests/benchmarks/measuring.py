"""What the engine's benchmarks share: repeated timings of two ways in turn, one line of a table, models and sessions."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from unabridged.models.engine import EngineOptions, Sampling, Tokens
from unabridged.models.llama_context import Context, Rows
from unabridged.models.open_model import OpenModel, open_model

from tests.unit.models.tiny_models import write_tiny_model

CHUNK = 512
QUESTION = np.arange(40, 72, dtype=np.int32)


@dataclass
class Run:
    """How one call of the program measures: where files go, how much, how often, by which clock."""

    folder: Path
    threads: int
    quick: bool
    clock: Callable[[], float] = time.perf_counter
    model: Path | None = None
    _made: dict[str, Path] = field(default_factory=dict)

    def timed(self, work: Callable[[], Any]) -> tuple[float, Any]:
        gc.collect()
        began = self.clock()
        result = work()
        return self.clock() - began, result

    def repeats(self, count: int) -> int:
        return 1 if self.quick else count

    def medium(self) -> Path:
        """Six layers with random weights: nonsense, but every operation of a large model; or the model that was given."""
        return self.model or self._once(
            "medium", layers=6, width=256, heads=4, kv_heads=2, head_size=64, feed_forward=704, window=1 << 18
        )

    def small(self) -> Path:
        """One layer, for lengths at which anything larger would take the evening."""
        return self._once("small", layers=1, width=128, heads=2, kv_heads=2, head_size=64, feed_forward=256, window=1 << 21)

    def _once(self, name: str, **shape: int) -> Path:
        if name not in self._made:
            self._made[name] = write_tiny_model(self.folder / f"{name}.gguf", **shape)  # type: ignore[arg-type]
        return self._made[name]

    @contextmanager
    def opened(self, path: Path, name: str, **options: Any) -> Iterator[OpenModel]:  # noqa: ANN401
        session = open_model(path, EngineOptions(self.folder / name, chunk_tokens=CHUNK, threads=self.threads, **options))
        try:
            yield session
        finally:
            session.session.close()


@dataclass
class Times:
    """Seconds of the same work, several times."""

    seconds: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        self.seconds.append(seconds)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        return f"{self.median:.4f} ({self.best:.4f})"


def by_turns(count: int, ours: Callable[[int], None], theirs: Callable[[int], None]) -> None:
    """Both, `count` times, each with the number of its turn; who goes first changes, because machines warm up and tire."""
    for turn in range(count):
        for work in (ours, theirs) if turn % 2 else (theirs, ours):
            work(turn)


def header() -> None:
    print("seconds: median (least) of n; ratios: median of the pairs, and of the least; above 1, ours is faster\n")
    print(f"{'what / compared with':<68}{'ours':>20}{'theirs':>20}{'ratio':>9}{'least':>9}  n")


def row(what: str, ours: Times, theirs: Times, note: str = "") -> None:
    """Where both were timed equally often the ratio is that of each pair, else of the medians."""
    if len(ours.seconds) == len(theirs.seconds):
        ratio = statistics.median(their / our for our, their in zip(ours.seconds, theirs.seconds, strict=True))
    else:
        ratio = theirs.median / ours.median
    shown = f"{_times(ratio)}{_times(theirs.best / ours.best)}"
    print(f"{what:<68}{ours!s:>20}{theirs!s:>20}{shown}{len(ours.seconds):>3}  {note}", flush=True)


def _times(ratio: float) -> str:
    return f"{ratio:>8,.2f}x" if ratio < 100 else f"{ratio:>8,.0f}x"


def fact(what: str, value: str, note: str = "") -> None:
    """A line with one number that is no time."""
    print(f"{what:<68}{value:>40}{'':>13}  {note}", flush=True)


def random_tokens(length: int, seed: int = 0) -> Tokens:
    return np.random.default_rng(length + seed).integers(0, 500, length).astype(np.int32)


def question(turn: int) -> Tokens:
    """Another one for every turn, so that none finds a fork of its own."""
    return np.random.default_rng(9000 + turn).integers(0, 500, len(QUESTION)).astype(np.int32)


def generating(session: OpenModel, key: str, prompt: Tokens, limit: int, sampling: Sampling | None = None) -> Any:  # noqa: ANN401
    """A job."""
    return session.session.generate(key, prompt, limit=limit, sampling=sampling or Sampling(), stop=())


def get_ready(session: OpenModel) -> None:
    """What the engine process does between two questions."""
    while session.session.idle():
        pass


def bare_prefill(context: Context, tokens: Tokens) -> None:
    """llama_decode in a loop and nothing else."""
    for start in range(0, len(tokens), CHUNK):
        context.decode([Rows(0, tokens[start : start + CHUNK], start, 0)])


def bare_decode(context: Context, position: int, count: int) -> None:
    token = np.array([50], np.int32)
    for step in range(count):
        rows = context.decode([Rows(0, token, position + step, 1)])
        token = np.array([int(context.logits(rows[0][0]).argmax())], np.int32)
