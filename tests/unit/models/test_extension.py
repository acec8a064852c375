"""A window beyond the trained one: only when asked for, only as far as needed, never mixed with the plain one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.errors import DoesNotFit, UsageError
from unabridged.models.engine import EngineOptions, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.extension import factor_for

from tests.unit.models.conftest import drained
from tests.unit.models.tiny_models import write_tiny_model


@given(st.integers(1, 1 << 20), st.integers(1, 1 << 17))
def test_the_factor_is_just_large_enough(tokens: int, trained: int) -> None:
    factor = factor_for(tokens, trained)
    assert factor >= 1
    assert factor * trained >= tokens
    assert factor == 1 or (factor - 0.25) * trained < tokens


def test_a_longer_document_is_refused_with_the_factor_that_would_do(
    tmp_path: Path, options: EngineOptions, document: Callable[[int], Tokens]
) -> None:
    path = write_tiny_model(tmp_path / "short.gguf", window=1024)
    with EngineProcess(path, options) as engine:
        with pytest.raises(DoesNotFit) as refusal:
            drained(engine.read(document(2400)))
        assert any("extend the window 2.5 times" in choice for choice in refusal.value.choices)
        with pytest.raises(DoesNotFit) as refusal:
            drained(engine.read(document(9000)))
        assert not any("extend" in choice for choice in refusal.value.choices)  # more than eight times
    with EngineProcess(path, replace(options, rope_scaling="yarn", rope_factor=2.5)) as engine:
        assert drained(engine.read(document(2400))).tokens == 2400
        assert engine.info.trained_window == 1024


def test_a_stretched_cache_is_never_used_for_a_plain_one(
    tmp_path: Path, options: EngineOptions, document: Callable[[int], Tokens]
) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", window=2048)
    for stretched in (options, replace(options, rope_scaling="yarn", rope_factor=2.0)):
        with EngineProcess(path, stretched) as engine:
            assert drained(engine.read(document(700))).evaluated == 700


@pytest.mark.parametrize(
    ("scaling", "factor"), [("yarn", 0.0), ("yarn", 1.0), ("yarn", 9.0), ("", 2.0), ("other", 2.0), ("longrope", 0.0)]
)
def test_a_way_that_the_model_does_not_have_is_refused(
    tiny_model: Path, options: EngineOptions, scaling: str, factor: float
) -> None:
    with pytest.raises(UsageError):
        EngineProcess(tiny_model, replace(options, rope_scaling=scaling, rope_factor=factor))


def test_a_longrope_model_is_opened_wide_enough_for_its_long_factors(tmp_path: Path, options: EngineOptions) -> None:
    factors = np.linspace(1, 4, 16)
    path = write_tiny_model(
        tmp_path / "m.gguf",
        architecture="phi3",
        window=4096,
        metadata={"phi3.rope.scaling.original_context_length": 2560},
        tensors={"rope_factors_long.weight": factors, "rope_factors_short.weight": factors / factors},
    )
    with EngineProcess(path, options) as engine:
        assert engine.window_for(10) > 2560
        assert engine.window_for(4000) == 4096
        long = engine.info.fingerprint
    with EngineProcess(path, replace(options, window=2048)) as engine:
        assert engine.window_for(10) == 2048
        assert engine.info.fingerprint != long
    with pytest.raises(UsageError):
        EngineProcess(path, replace(options, rope_scaling="yarn", rope_factor=2.0))
