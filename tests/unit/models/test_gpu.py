"""What can only be seen on a machine with a GPU and a llama.cpp built for it; skipped elsewhere.

To prove the GPU path: `make .venv/installed-for-tests` where nvcc and nvidia-smi are found (or with LLAMA_WHEELS naming
wheels built for the card), then `.venv/bin/python -m pytest tests/unit/models tests/reference -rs` (nothing here may be
skipped), then `.venv/bin/python tests/benchmarks/engine.py` for the numbers.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unabridged.models.engine import EngineOptions
from unabridged.models.footprint import measure
from unabridged.models.gguf_header import read_header
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_library import gpu_free_bytes, gpus, start_backend
from unabridged.models.llama_model import Model
from unabridged.models.open_model import open_model
from unabridged.models.placement import place
from unabridged.models.shortlist_trial import answers

from tests.unit.models.tiny_models import write_tiny_model

start_backend()
pytestmark = pytest.mark.skipif(not gpus(), reason="no GPU that this llama.cpp can use")
TOKENS = np.random.default_rng(3).integers(0, 500, 300).astype(np.int32)
ROUNDED = 0.15  # as in tests/reference: f16 and quantised caches round


def log_probabilities(path: Path, *, gpu_layers: int, experts_on_host: bool = False, kv_type: str = "f16") -> np.ndarray:
    model = Model(path, gpu_layers=gpu_layers, experts_on_host=experts_on_host)
    with Context(model, window=512, chunk_tokens=128, sequences=2, outputs=2, kv_type=kv_type, threads=2) as context:
        for start in range(0, 300, 100):
            rows = context.decode([Rows(0, TOKENS[start : start + 100], start, 1)])
        logits = context.logits(rows[0][-1]).astype(np.float64)
    model.close()
    return logits - np.logaddexp.reduce(logits)


@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
@pytest.mark.parametrize("gpu_layers", [1, 3, 5])
def test_layers_on_the_gpu_compute_what_the_cpu_does(tmp_path: Path, gpu_layers: int, kv_type: str) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", architecture="qwen3", layers=4, head_size=64, heads=2)
    on_cpu = log_probabilities(path, gpu_layers=0, kv_type=kv_type)
    assert np.abs(log_probabilities(path, gpu_layers=gpu_layers, kv_type=kv_type) - on_cpu).max() < ROUNDED


def test_experts_on_the_host_compute_what_experts_on_the_gpu_do(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", architecture="qwen3moe", layers=4)
    here, there = (log_probabilities(path, gpu_layers=5, experts_on_host=held) for held in (True, False))
    assert np.abs(here - there).max() < ROUNDED


def test_sampling_that_begins_on_the_card_says_the_same(tmp_path: Path) -> None:
    """Whether it is also faster is measured: `python tests/benchmarks/engine.py --only picking`."""
    path = write_tiny_model(tmp_path / "m.gguf", layers=2, extra_tokens=tuple(f"<x{i}>" for i in range(100_000)))
    model = Model(path)
    on_host, on_card = (answers(model, kv_type="f16", threads=2, shortlisted=each) for each in ((), range(8)))
    assert on_host[0] == on_card[0]
    model.close()


def test_the_planned_memory_is_what_the_card_gives(tmp_path: Path) -> None:
    """Within 5% and the 64 MiB in which the driver hands memory out."""
    path = write_tiny_model(tmp_path / "m.gguf", layers=8, width=512, heads=8, kv_heads=8, head_size=64, feed_forward=1024)
    window, settings = 65_536, {"kv_type": "q8_0", "chunk_tokens": 512, "sequences": 48, "outputs": 64}
    planned = place(read_header(path), measure(path, **settings), gpu_layers=9).gpu.total_bytes(window)  # type: ignore[arg-type]
    before = gpu_free_bytes()
    model = Model(path, gpu_layers=9)
    with Context(model, window=window, threads=2, **settings) as context:  # type: ignore[arg-type]
        context.decode([Rows(0, TOKENS, 0, 1)])
        taken = before - gpu_free_bytes()
    model.close()
    assert planned == pytest.approx(taken, rel=0.05, abs=64 << 20)


def test_a_session_uses_the_gpu_and_stops_within_a_chunk(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", layers=4, width=256, heads=8, window=1 << 17)
    options = EngineOptions(tmp_path / "s", chunk_tokens=512, threads=2)
    opened = open_model(path, options)
    assert opened.info.device == gpus()[0].name
    reading = opened.session.read(np.resize(TOKENS, 100_000).astype(np.int32))
    scheduler = opened.session.scheduler
    ticket = scheduler.start(reading, lambda event: None, lambda result, error: None)
    for _ in range(10):
        scheduler.step()
    started = time.perf_counter()
    scheduler.cancel(ticket)
    assert time.perf_counter() - started < 1
    opened.session.close()
    on_cpu = open_model(path, replace(options, gpu_layers=0))
    assert on_cpu.info.device == "CPU"
    assert on_cpu.info.fingerprint != opened.info.fingerprint
    on_cpu.session.close()
