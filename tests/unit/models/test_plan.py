"""The planner says what llama.cpp then really allocates, for seven kinds of model."""

from pathlib import Path

import pytest
from unabridged.errors import ModelFileError, UsageError
from unabridged.models.footprint import Footprint, measure, reported_buffers
from unabridged.models.gguf_header import read_header
from unabridged.models.llama_context import Context
from unabridged.models.llama_library import start_backend
from unabridged.models.llama_model import Model
from unabridged.models.plan import gpu_layers_that_fit, make_plan, plan_model

from tests.unit.models.tiny_models import write_tiny_model

ARCHITECTURES = ["llama", "qwen2", "qwen3", "cohere2", "qwen3moe", "lfm2", "deepseek2"]
GIB = 1 << 30


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("kv_type", "window"), [("f16", 32768), ("f16", 4096), ("q8_0", 65536)])
def test_the_plan_is_within_three_percent_of_what_is_allocated(
    tmp_path: Path, architecture: str, kv_type: str, window: int
) -> None:
    start_backend()
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4, heads=2, head_size=64, window=1 << 17)
    planned = measure(path, kv_type=kv_type, chunk_tokens=512, sequences=8, outputs=16)
    model = Model(path)
    with Context(model, window=window, chunk_tokens=512, sequences=8, outputs=16, kv_type=kv_type, threads=1):
        real = reported_buffers()
    assert planned.kv_bytes_per_token * window == pytest.approx(real.kv_bytes, rel=0.03)
    assert planned.scratch_bytes + planned.scratch_bytes_per_token * window == pytest.approx(real.scratch_bytes, rel=0.03)
    assert planned.weights_bytes == pytest.approx(model.size_bytes, rel=0.03)
    assert planned.state_bytes == real.state_bytes
    model.close()


def footprint(kv_type: str, per_token: int) -> Footprint:
    return Footprint(kv_type, 4 * GIB, per_token, 1024, 100 << 20, 0)


FOOTPRINTS = {"f16": footprint("f16", 100_000), "q8_0": footprint("q8_0", 53_000), "q4_0": footprint("q4_0", 28_000)}


def test_what_does_not_fit_is_refused_with_what_would_help(tiny_model: Path) -> None:
    header = read_header(write_tiny_model(tiny_model.parent / "long.gguf", window=1 << 20))
    plan = make_plan(header, FOOTPRINTS, kv_type="f16", window=100_000, free_bytes=12 * GIB)
    assert not plan.fits
    assert plan.needed_bytes == FOOTPRINTS["f16"].total_bytes(100_000)
    assert plan.largest_window == (12 * GIB - FOOTPRINTS["f16"].total_bytes(0)) // 101_024
    assert plan.advice[0].startswith("a KV cache of type q8_0 holds")
    assert make_plan(header, FOOTPRINTS, kv_type="q8_0", window=100_000, free_bytes=12 * GIB).fits


def test_the_largest_window_exactly_fits(tiny_model: Path) -> None:
    header = read_header(write_tiny_model(tiny_model.parent / "long.gguf", window=1 << 20))
    plan = make_plan(header, FOOTPRINTS, kv_type="f16", window=0, free_bytes=12 * GIB)
    assert plan.fits
    assert plan.needed_bytes <= 12 * GIB < plan.needed_bytes + FOOTPRINTS["f16"].bytes_per_token
    assert not make_plan(header, FOOTPRINTS, kv_type="f16", window=plan.window + 1, free_bytes=12 * GIB).fits


def test_weights_alone_that_do_not_fit_leave_no_window(tiny_model: Path) -> None:
    plan = make_plan(read_header(tiny_model), FOOTPRINTS, kv_type="f16", window=0, free_bytes=GIB)
    assert (plan.largest_window, plan.fits) == (0, False)
    assert any("more memory" in line for line in plan.advice)


def test_more_layers_fit_on_a_larger_gpu_and_fewer_with_a_longer_window(tmp_path: Path) -> None:
    header = read_header(write_tiny_model(tmp_path / "m.gguf", layers=8))
    small = Footprint("f16", 0, 8 * 4096, 0, 0, 0)
    layer = sum(tensor.size_bytes for tensor in header.tensors if tensor.name.startswith("blk.0."))
    assert gpu_layers_that_fit(header, small, window=100, gpu_bytes=3 * (layer + 409_600)) == 3
    assert gpu_layers_that_fit(header, small, window=200, gpu_bytes=3 * (layer + 409_600)) < 3
    assert gpu_layers_that_fit(header, small, window=100, gpu_bytes=GIB) == 9
    assert gpu_layers_that_fit(header, small, window=100, gpu_bytes=0) == 0


def test_a_file_is_planned_without_being_loaded(tiny_model: Path, tmp_path: Path) -> None:
    plan = plan_model(tiny_model)
    assert plan.fits
    assert plan.window == plan.trained_window == 16384
    assert [line.what for line in plan.lines] == ["weights", "KV cache", "mask and graph"]
    assert not plan_model(tiny_model, window=16385).fits
    with pytest.raises(UsageError):
        plan_model(tiny_model, kv_type="q5")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny_model.read_bytes()[:5000])
    with pytest.raises(ModelFileError):
        plan_model(broken)
