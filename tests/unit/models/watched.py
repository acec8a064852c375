"""A session whose jobs write down what happens, and the same question asked where nothing else is: for tests of many jobs."""

from pathlib import Path
from typing import Any

import numpy as np
from unabridged.models.engine import EngineOptions, Generation, Reading, Sampling, Tokens
from unabridged.models.open_model import OpenModel, open_model

ENDLESS = Sampling(grammar='root ::= "a" root')  # an answer that only its limit ends


def question(seed: int, length: int = 12) -> Tokens:
    return np.random.default_rng(1000 + seed).integers(0, 500, length).astype(np.int32)


class Watched:
    """A session whose jobs write down what happens, in the order in which it happens."""

    def __init__(self, opened: OpenModel) -> None:
        self.opened, self.scheduler = opened, opened.session.scheduler
        self.log: list[tuple[str, object]] = []
        self.results: dict[str, Any] = {}

    def start(self, name: str, job: Any) -> None:  # noqa: ANN401  a job
        def ended(result: object, error: object) -> None:
            assert error is None, error
            self.results[name] = result
            self.log.append((name, "end"))

        self.scheduler.start(job, lambda event: self.log.append((name, event)), ended)

    def ask(self, name: str, reading: Reading, prompt: Tokens, limit: int = 12, sampling: Sampling | None = None) -> None:
        chosen = sampling or Sampling()
        self.start(name, self.opened.session.generate(reading.key, prompt, limit=limit, sampling=chosen, stop=()))

    def read(self, name: str, tokens: Tokens, reserve: int = 0) -> None:
        self.start(name, self.opened.session.read(tokens, reserve=reserve))

    def finish(self) -> None:
        while self.scheduler.busy:
            self.scheduler.step()

    def now(self, name: str, job: Any) -> Any:  # noqa: ANN401  whatever the job returns
        self.start(name, job)
        self.finish()
        return self.results[name]

    def between(self, first: str, last: str) -> list[str]:
        """Whose events came between the first and the last event of two jobs."""
        names = [name for name, _ in self.log]
        return names[names.index(first) : len(names) - names[::-1].index(last)]


def options_in(folder: Path) -> EngineOptions:
    """f32: with f16 two tokens that are almost equally probable may change places between batches of different shapes."""
    return EngineOptions(folder, chunk_tokens=64, segment_tokens=256, threads=1, kv_type="f32")


def alone(model: Path, folder: Path, document: Tokens, prompt: Tokens, limit: int = 12) -> tuple[int, ...]:
    """In a session of its own, with nothing kept from before."""
    opened = open_model(model, options_in(folder))
    reading = opened.session.scheduler.run(opened.session.read(document))
    job = opened.session.generate(reading.key, prompt, limit=limit, sampling=Sampling(), stop=())
    said: Generation = opened.session.scheduler.run(job)
    opened.session.close()
    return said.tokens
