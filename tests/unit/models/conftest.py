"""One tiny model for the whole run, and an engine over it."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unabridged.models.engine import EngineOptions, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.open_model import OpenModel, open_model

from tests.unit.models.tiny_models import write_tiny_model
from tests.unit.models.watched import Watched


def drained(generator: Generator[Any, None, Any]) -> Any:  # noqa: ANN401  whatever it returns
    """The return value of a generator, its events thrown away."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf", window=16384)


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    return EngineOptions(tmp_path / "segments", chunk_tokens=64, segment_tokens=256, threads=1)


@pytest.fixture
def engine(tiny_model: Path, options: EngineOptions) -> Iterator[EngineProcess]:
    with EngineProcess(tiny_model, options) as engine:
        yield engine


@pytest.fixture
def opened(tiny_model: Path, options: EngineOptions) -> Iterator[OpenModel]:
    """The same without a process of its own."""
    opened = open_model(tiny_model, options)
    yield opened
    opened.session.close()


@pytest.fixture
def watched(opened: OpenModel) -> Watched:
    return Watched(opened)


@pytest.fixture(scope="session")
def document() -> Callable[[int], Tokens]:
    """Random tokens of text, the same for the same length."""
    return lambda length: np.random.default_rng(length).integers(0, 500, length).astype(np.int32)
