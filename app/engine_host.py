"""The one engine of this process: started when first needed, changed with the settings, used by one at a time.

Threads may share it: whoever wants the engine joins the queue with `turn()` and sees how many are ahead.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from unabridged.models.engine import Engine, EngineOptions

Start = Callable[[Path, EngineOptions], Engine]


class EngineHost:
    def __init__(self, start: Start) -> None:
        self._start = start
        self._engine: Engine | None = None
        self._running: tuple[Path, EngineOptions] | None = None
        self._queue: deque[Place] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> "Generator[Place]":
        """A place in the queue; wait until nobody is ahead before touching the engine. Leaving gives it to the next."""
        place = Place(self._queue, self._changed)
        with self._changed:
            self._queue.append(place)
        try:
            yield place
        finally:
            with self._changed:
                self._queue.remove(place)
                self._changed.notify_all()

    def running(self, path: Path, options: EngineOptions) -> Engine | None:
        """The engine for these weights and options, if it is the one that runs."""
        with self._changed:
            return self._engine if self._running == (path, options) else None

    def engine(self, path: Path, options: EngineOptions) -> Engine:
        """The engine for these weights and options; another that runs is closed first. Only for who is first in the queue."""
        if (engine := self.running(path, options)) is not None:
            return engine
        self.close()
        engine = self._start(path, options)
        with self._changed:
            self._engine, self._running = engine, (path, options)
        return engine

    def close(self) -> None:
        """Stop the engine; the next use starts it again and restores what was read from its segments."""
        with self._changed:
            engine, self._engine, self._running = self._engine, None, None
        if engine is not None:
            engine.close()


class Place:
    """A place in the queue for the engine."""

    def __init__(self, queue: "deque[Place]", changed: threading.Condition) -> None:
        self._queue = queue
        self._changed = changed

    @property
    def ahead(self) -> int:
        with self._changed:
            return self._queue.index(self)

    def wait(self, timeout_s: float | None = None) -> int:
        """Until the queue moves or the time is over; how many are ahead then."""
        with self._changed:
            if self._queue.index(self):
                self._changed.wait(timeout_s)
            return self._queue.index(self)
