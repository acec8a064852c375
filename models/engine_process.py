"""The engine as the program sees it: `Engine`, carried out by a child process that may crash without taking anything down.

A crash ends the call that met it with `EngineFailed`; the next call starts a new process, and a reading comes back from
its segments. Several threads may call at once; their work is batched by the child.
"""

import threading
from collections.abc import Generator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from unabridged.errors import EngineFailed, ModelFileError, UsageError
from unabridged.models.connection import Connection
from unabridged.models.engine import (
    ChatFrame,
    Choice,
    DocumentSpan,
    EngineOptions,
    Finder,
    Generation,
    ModelInfo,
    Piece,
    Quotation,
    Reading,
    ReadProgress,
    Sampling,
    Tokens,
)
from unabridged.models.messages import PROTOCOL, Part

_GREEDY = Sampling()


class EngineProcess:
    """Loads the model before the constructor returns. Raises ModelFileError, UsageError or EngineFailed."""

    def __init__(self, path: Path, options: EngineOptions) -> None:
        self._path, self._options = path, options
        self._starting = threading.Lock()
        self._readings: dict[str, Tokens] = {}
        self._connection: Connection | None = None
        self._closed = False
        self._info: ModelInfo | None = None
        self._alive()

    def __enter__(self) -> "EngineProcess":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def info(self) -> ModelInfo:
        assert self._info is not None  # noqa: S101  the constructor has loaded the model
        return self._info

    @property
    def pid(self) -> int:
        """Of the child process that is or was last at work."""
        return self._connection.pid if self._connection else 0

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        if any(_has_surrogate(text) for text in texts):
            raise UsageError("The text holds half a character (a lone surrogate).", hint="Remove it and try again.")
        return self._ask({"call": "tokenize"}, list(texts))[1]

    def frame(self, system: str) -> ChatFrame:
        return ChatFrame(*self._ask({"call": "frame"}, [system])[1])

    def window_for(self, tokens: int) -> int:
        return int(self._ask({"call": "window_for", "tokens": tokens})[0])

    def read(
        self, tokens: Tokens, *, reserve: int = 0, fresh: bool = False, documents: Sequence[DocumentSpan] = ()
    ) -> Generator[ReadProgress, None, Reading]:
        connection = self._alive()
        spans = [[span.document, span.start, span.end] for span in documents]
        calling = connection.call({"call": "read", "reserve": reserve, "fresh": fresh, "documents": spans}, [tokens])
        value, _ = yield from _events(calling, ReadProgress)
        reading = Reading(**value)
        self._readings[reading.key] = tokens
        connection.known.add(reading.key)
        return reading

    def generate(
        self, reading: Reading, prompt: Tokens, *, limit: int, sampling: Sampling = _GREEDY, stop: Sequence[str] = ()
    ) -> Generator[Piece, None, Generation]:
        header = {"call": "generate", "limit": limit, "sampling": asdict(sampling), "stop": list(stop)}
        connection = self._with(reading)
        calling = connection.call({**header, "reading": reading.key}, [prompt])
        value, _ = yield from _events(calling, Piece)
        return Generation(**{**value, "tokens": tuple(value["tokens"]), "logprobs": tuple(value["logprobs"])})

    def choose(self, reading: Reading | None, prompt: Tokens, options: Sequence[Tokens]) -> Choice:
        connection = self._with(reading)
        header = {"call": "choose", "reading": reading.key if reading else None}
        value, _ = connection.ask(header, [prompt, *options])
        return Choice(**{**value, "probabilities": tuple(value["probabilities"])})

    def quote(
        self, reading: Reading | None, prompt: Tokens, passage: str, *, starts: Sequence[int], ends: Sequence[int], limit: int
    ) -> Quotation:
        connection = self._with(reading)
        header = {"call": "quote", "reading": reading.key if reading else None, "limit": limit}
        value, _ = connection.ask({**header, "starts": list(starts), "ends": list(ends)}, [prompt, passage])
        return Quotation(**value)

    def close(self) -> None:
        with self._starting:
            self._closed = True
            if self._connection:
                self._connection.close()

    def _ask(self, header: dict[str, Any], parts: Sequence[Part] = ()) -> tuple[Any, list[Any]]:
        return self._alive().ask(header, parts)

    def _alive(self) -> Connection:
        """The running process, or a new one with the model loaded."""
        with self._starting:
            if self._closed:
                raise EngineFailed("The engine is closed.", hint="Open it again.")
            if self._connection and self._connection.alive:
                return self._connection
            if self._connection:
                self._connection.close()
            self._connection = Connection()
            options = {**asdict(self._options), "segments_folder": str(self._options.segments_folder)}
            header = {"call": "open", "protocol": PROTOCOL, "path": str(self._path), "options": options}
            try:
                value, _ = self._connection.ask(header)
            except EngineFailed as error:
                alive = self._connection.alive
                self._connection.close()
                if alive:
                    raise
                hint = "The file may be damaged; fetch it again or choose another model."
                raise ModelFileError(f"{self._path.name} could not be loaded. {error.message}", hint=hint) from error
            except BaseException:
                self._connection.close()
                raise
            finder = Finder(**value["finder"]) if value["finder"] else None
            self._info = replace(ModelInfo(**value), path=self._path, finder=finder)
            return self._connection

    def _with(self, reading: Reading | None) -> Connection:
        """A running process that knows the reading; after a crash it is read back in, from its segments."""
        connection = self._alive()
        if reading is not None and reading.key not in connection.known:
            if reading.key not in self._readings:
                raise EngineFailed("That reading was not made by this engine.", hint="Read the document first.")
            for _ in self.read(self._readings[reading.key]):
                pass
            connection = self._alive()
        return connection


def _events(calling: Generator[Any, None, tuple[Any, list[Any]]], kind: type) -> Generator[Any, None, tuple[Any, list[Any]]]:
    """Events as values; closing this closes the call."""
    try:
        while True:
            fields = next(calling)
            yield kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
    except StopIteration as stop:
        result: tuple[Any, list[Any]] = stop.value
        return result
    finally:
        calling.close()


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
