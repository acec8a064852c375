"""The model that answers, and its engine at hand: choosing and fetching models, the settings that decide how they run.

Knows no documents and no conversations. Safe to use from several threads: whoever works long takes a place in the queue.
"""

import dataclasses
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from unabridged import catalogue
from unabridged.engine_host import EngineHost, Place, Start
from unabridged.events import Loading, Waiting
from unabridged.home import Home
from unabridged.model_downloads import Downloading, download
from unabridged.models.engine import Engine, EngineOptions, ModelInfo, Tokens
from unabridged.models.segments import stored_tokens
from unabridged.offered_models import offered
from unabridged.settings import Settings, load_settings, save_settings
from unabridged.web.network_log import NetworkLog

WAIT_S = 0.5  # between two looks at the queue for the engine


class ChosenModel:
    def __init__(self, home: Home, start: Start, *, model: str | None = None) -> None:
        """`model` answers in place of the one in the settings, this time only. Raises HomeError, ModelFileError."""
        self._home = home
        self._lock = threading.Lock()
        self._settings = load_settings(home)
        if model is not None:
            self._settings = catalogue.use(self._settings, model)
        self._host = EngineHost(start)

    # which one

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def path(self) -> Path:
        return catalogue.model_path(self._settings)

    def change(self, **changes: str | float | tuple[str, ...]) -> Settings:
        """Keep changed settings, by field name; the engine restarts at its next use when they concern it. Raises UsageError."""
        with self._lock:
            self._settings = dataclasses.replace(self._settings, **changes)  # type: ignore[arg-type]  # checked by Settings
            save_settings(self._home, self._settings)
            return self._settings

    def choices(self) -> list[catalogue.Model]:
        """Those on this machine, the starter first."""
        return catalogue.models(self._settings)

    def listed(self) -> catalogue.Model | None:
        """The chosen one among the choices, if it is there."""
        return next((model for model in self.choices() if model.used), None)

    def choose(self, words: str) -> Settings:
        """Another model, by listed name or GGUF path. Raises UsageError, ModelFileError."""
        chosen = catalogue.use(self._settings, words)
        return self.change(model=chosen.model, local_models=chosen.local_models)

    def fetch(self, name: str, log: NetworkLog) -> Generator[Downloading, None, Path]:
        """Fetch one of `offered_models` from the hub and list it; it is not chosen. Closing it keeps what arrived.

        Raises UsageError, ModelFileError, HomeError.
        """
        path = yield from download(offered(name), self._home, log)
        with self._lock:
            listed = tuple(other for other in self._settings.local_models if other != str(path))
            self._settings = dataclasses.replace(self._settings, local_models=(str(path), *listed))
            save_settings(self._home, self._settings)
        return path

    # its engine

    def info(self) -> ModelInfo:
        """What the engine says of the model; loads it if need be."""
        with self.at_hand() as engine:
            return engine.info

    @contextmanager
    def at_hand(self) -> Generator[Engine]:
        """The engine for a short call, which it takes between the chunks of a reading; in the queue only to start another."""
        path, options = self._chosen()
        if (engine := self._host.running(path, options)) is not None:
            yield engine
            return
        with self._host.turn() as place:
            while place.ahead:
                place.wait()
            yield self._host.engine(path, options)

    def turn(self) -> AbstractContextManager[Place]:
        """A place in the queue for the engine; leaving gives it to the next."""
        return self._host.turn()

    def awaited(self, place: Place) -> Generator[Waiting | Loading, None, Engine]:
        """The engine, once nobody is ahead of this place."""
        while ahead := place.ahead:
            yield Waiting(ahead)
            place.wait(WAIT_S)
        path, options = self._chosen()
        if self._host.running(path, options) is None:
            yield Loading(path.stem)
        return self._host.engine(path, options)

    def stored(self, engine: Engine, tokens: Tokens) -> int:
        """How many of the tokens, from the first on, this engine read before and has on disk."""
        segment_tokens = self._chosen()[1].segment_tokens
        return stored_tokens(self._home.segments, bytes.fromhex(engine.info.fingerprint), tokens, segment_tokens=segment_tokens)

    def close(self) -> None:
        self._host.close()

    def _chosen(self) -> tuple[Path, EngineOptions]:
        settings, path = self._settings, self.path
        catalogue.check(path)
        return path, EngineOptions(
            segments_folder=self._home.segments,
            window=settings.window,
            kv_type=settings.kv_type,
            rope_scaling="yarn" if settings.window_factor > 1 else "",
            rope_factor=settings.window_factor if settings.window_factor > 1 else 0.0,
            gpu_layers=settings.gpu_layers,
            threads=settings.threads,
            segments_quota_bytes=int(settings.segments_quota_gib * (1 << 30)),
        )
