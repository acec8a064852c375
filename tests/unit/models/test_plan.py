"""The planner says what llama.cpp then really allocates, for seven kinds of model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unabridged.errors import ModelFileError, UsageError
from unabridged.models.calibration import _fill, calibrate
from unabridged.models.footprint import Footprint, measure, reported_buffers
from unabridged.models.gguf_header import GgufHeader, read_header
from unabridged.models.kv_size import kv_bytes_by_layer
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_library import log, start_backend
from unabridged.models.llama_model import Model
from unabridged.models.placement import place
from unabridged.models.plan import Machine, Plan, make_plan, plan_model

from tests.unit.models.tiny_models import write_tiny_model

KINDS = {
    "llama": "dense",
    "qwen2": "dense, grouped queries",
    "qwen3": "dense, grouped queries, normed",
    "cohere2": "sliding window",
    "qwen3moe": "mixture of experts",
    "lfm2": "hybrid",
    "deepseek2": "latent attention, mixture of experts",
}
GIB = 1 << 30


@pytest.mark.parametrize("architecture", KINDS)
@pytest.mark.parametrize(
    ("kv_type", "window", "chunk_tokens", "sequences"),
    [("f16", 32768, 512, 8), ("f16", 4096, 512, 8), ("q8_0", 65536, 512, 8), ("q8_0", 16384, 128, 48), ("f16", 65536, 64, 48)],
)
def test_the_plan_is_within_three_percent_of_what_is_allocated(
    tmp_path: Path, architecture: str, kv_type: str, window: int, chunk_tokens: int, sequences: int
) -> None:
    start_backend()
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4, heads=2, head_size=64, window=1 << 17)
    planned = measure(path, kv_type=kv_type, chunk_tokens=chunk_tokens, sequences=sequences, outputs=16)
    model = Model(path)
    with Context(
        model, window=window, chunk_tokens=chunk_tokens, sequences=sequences, outputs=16, kv_type=kv_type, threads=1
    ):
        real = reported_buffers()
    assert planned.kv_bytes_per_token * window == pytest.approx(real.kv_bytes, rel=0.03)
    assert planned.scratch_bytes + planned.scratch_bytes_per_token * window == pytest.approx(real.scratch_bytes, rel=0.03)
    assert planned.weights_bytes == pytest.approx(model.size_bytes, rel=0.03)
    assert planned.state_bytes == real.state_bytes
    total = real.kv_bytes + real.scratch_bytes + real.state_bytes + model.size_bytes
    assert planned.total_bytes(window) == pytest.approx(total, rel=0.03)
    model.close()


def footprint(kv_type: str, per_token: int) -> Footprint:
    return Footprint(kv_type, 4 * GIB, per_token, 1024, 100 << 20, 0)


FOOTPRINTS = {"f16": footprint("f16", 100_000), "q8_0": footprint("q8_0", 53_000), "q4_0": footprint("q4_0", 28_000)}


def test_what_does_not_fit_is_refused_with_what_would_help(tiny_model: Path) -> None:
    header = read_header(write_tiny_model(tiny_model.parent / "long.gguf", window=1 << 20))
    plan = make_plan(header, FOOTPRINTS, kv_type="f16", window=100_000, machine=Machine(12 * GIB))
    assert not plan.fits
    assert plan.needed_bytes == FOOTPRINTS["f16"].total_bytes(100_000)
    assert plan.largest_window == (12 * GIB - FOOTPRINTS["f16"].total_bytes(0)) // 101_024
    assert plan.advice[0].startswith("a KV cache of type q8_0 holds")
    assert make_plan(header, FOOTPRINTS, kv_type="q8_0", window=100_000, machine=Machine(12 * GIB)).fits


def test_the_largest_window_exactly_fits(tiny_model: Path) -> None:
    header = read_header(write_tiny_model(tiny_model.parent / "long.gguf", window=1 << 20))
    plan = make_plan(header, FOOTPRINTS, kv_type="f16", window=0, machine=Machine(12 * GIB))
    assert plan.fits
    assert plan.needed_bytes <= 12 * GIB < plan.needed_bytes + FOOTPRINTS["f16"].bytes_per_token
    assert not make_plan(header, FOOTPRINTS, kv_type="f16", window=plan.window + 1, machine=Machine(12 * GIB)).fits


def test_weights_alone_that_do_not_fit_leave_no_window(tiny_model: Path) -> None:
    plan = make_plan(read_header(tiny_model), FOOTPRINTS, kv_type="f16", window=0, machine=Machine(GIB))
    assert (plan.largest_window, plan.fits) == (0, False)
    assert any("more memory" in line for line in plan.advice)


def card(gpu_gib: float, *, host_gib: float = 64, cards: int = 1) -> Machine:
    return Machine(int(host_gib * GIB), int(gpu_gib * GIB), tuple(f"card {i}" for i in range(cards)))


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> GgufHeader:
    return enlarged(write_tiny_model(tmp_path_factory.mktemp("m") / "m.gguf", layers=8, window=1 << 20))


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> GgufHeader:
    path = tmp_path_factory.mktemp("m") / "m.gguf"
    return enlarged(write_tiny_model(path, architecture="qwen3moe", layers=8, window=1 << 20))


def enlarged(path: Path) -> GgufHeader:
    """The header of a file whose tensors were a thousand times as long."""
    header = read_header(path)
    return replace(header, tensors=tuple(replace(t, shape=(t.shape[0] * 1000, *t.shape[1:])) for t in header.tensors))


def real_footprint(header: GgufHeader, kv_type: str = "q8_0") -> Footprint:
    weights = sum(tensor.size_bytes for tensor in header.tensors)
    return Footprint(kv_type, weights, sum(kv_bytes_by_layer(header, kv_type)), 1024, 100 << 20, 0)


def test_every_byte_is_counted_once_wherever_the_layers_lie(dense: GgufHeader, mixture: GgufHeader) -> None:
    for header in (dense, mixture):
        footprint = real_footprint(header)
        for layers in range(10):
            for experts_on_host in (False, True):
                placed = place(header, footprint, gpu_layers=layers, experts_on_host=experts_on_host)
                assert placed.host.weights_bytes + placed.gpu.weights_bytes == footprint.weights_bytes
                assert placed.host.kv_bytes_per_token + placed.gpu.kv_bytes_per_token == footprint.kv_bytes_per_token


def test_the_output_layer_goes_to_the_gpu_first_and_the_first_layer_last(dense: GgufHeader) -> None:
    sizes = {tensor.name: tensor.size_bytes for tensor in dense.tensors}
    block = sum(size for name, size in sizes.items() if name.startswith("blk.7."))
    footprint = real_footprint(dense)
    assert place(dense, footprint, gpu_layers=1).gpu.weights_bytes == sizes["output.weight"]
    assert place(dense, footprint, gpu_layers=1).gpu.kv_bytes_per_token == 0
    assert place(dense, footprint, gpu_layers=2).gpu.weights_bytes == sizes["output.weight"] + block
    host = place(dense, footprint, gpu_layers=9).host
    assert host.weights_bytes == sizes["token_embd.weight"] + sizes["output_norm.weight"]
    assert host.bytes_per_token == 0


def test_more_layers_go_to_a_larger_gpu_and_fewer_with_a_longer_window(dense: GgufHeader) -> None:
    def layers(gpu_gib: float, window: int) -> int:
        footprints = {"q8_0": real_footprint(dense)}
        return make_plan(dense, footprints, kv_type="q8_0", window=window, machine=card(gpu_gib)).gpu_layers

    counts = [layers(gib, 32768) for gib in (0, 1, 2, 3, 4, 8)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 9)
    assert 0 < layers(2.5, 32768) < 9
    assert layers(2.5, 400_000) < layers(2.5, 32768)


@pytest.mark.parametrize("gpu_gib", [1.0, 1.7, 2.5, 4.0, 8.0])
@pytest.mark.parametrize("window", [10_000, 300_000])
def test_no_plan_takes_more_of_a_memory_than_there_is(
    dense: GgufHeader, mixture: GgufHeader, gpu_gib: float, window: int
) -> None:
    for header in (dense, mixture):
        machine = card(gpu_gib)
        plan = make_plan(header, {"q8_0": real_footprint(header)}, kv_type="q8_0", window=window, machine=machine)
        assert plan.fits
        for where, free in (("GPU", machine.gpu_bytes), ("host", machine.host_bytes)):
            assert sum(line.size_bytes for line in plan.lines if line.where == where) <= free


def test_experts_are_kept_on_the_host_before_whole_layers_are(mixture: GgufHeader) -> None:
    footprint = real_footprint(mixture)
    experts = sum(tensor.size_bytes for tensor in mixture.tensors if "_exps." in tensor.name)
    without = (footprint.weights_bytes - experts) / GIB + 0.5
    plan = make_plan(mixture, {"q8_0": footprint}, kv_type="q8_0", window=10_000, machine=card(without))
    assert (plan.gpu_layers, plan.experts_on_host) == (9, True)
    assert any("experts stay on the host" in line.why for line in plan.lines)
    roomy = make_plan(mixture, {"q8_0": footprint}, kv_type="q8_0", window=10_000, machine=card(without + experts / GIB + 1))
    assert (roomy.gpu_layers, roomy.experts_on_host) == (9, False)


def test_two_cards_are_counted_together_with_a_graph_on_each(dense: GgufHeader) -> None:
    footprint = {"q8_0": real_footprint(dense)}
    one, two = (make_plan(dense, footprint, kv_type="q8_0", window=50_000, machine=card(8, cards=n)) for n in (1, 2))

    def graph(plan: Plan) -> int:
        return sum(line.size_bytes for line in plan.lines if line.where == "GPU" and line.what == "mask and graph")

    assert graph(two) == 2 * graph(one)
    assert any("each of 2 GPUs" in line.why for line in two.lines)


def test_experts_on_the_host_really_go_there_and_answer_the_same(tmp_path: Path) -> None:
    """Without a GPU they were there before: this shows that llama.cpp takes the instruction (it says so once a process)."""
    start_backend()
    path = write_tiny_model(tmp_path / "m.gguf", architecture="qwen3moe")
    logits = []
    for experts_on_host in (False, True):
        model = Model(path, experts_on_host=experts_on_host)
        assert any("tensor overrides to CPU are used" in line for line in log) == experts_on_host
        with Context(model, window=256, chunk_tokens=64, sequences=2, outputs=2, kv_type="f16", threads=1) as context:
            rows = context.decode([Rows(0, np.arange(40, dtype=np.int32), 0, 1)])
            logits.append(context.logits(rows[0][-1]))
        model.close()
    assert np.array_equal(logits[0], logits[1])


def test_the_time_of_a_reading_is_measured(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", layers=4, window=1 << 15)
    plan = plan_model(path, window=1 << 14, timed=True)
    assert 0 < plan.prefill_seconds < 600
    assert plan.timed.count("tokens/s at position") == 2
    assert plan_model(path, window=1 << 14).prefill_seconds == 0


@pytest.mark.parametrize("architecture", [*KINDS, "mamba"])
@pytest.mark.parametrize("window", [100, 1000])
def test_every_kind_of_model_can_be_timed_in_any_window(tmp_path: Path, architecture: str, window: int) -> None:
    """Also where the window is smaller than a chunk, or cells cannot be moved."""
    start_backend()
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4)
    settings = {"kv_type": "f16", "chunk_tokens": 128, "threads": 1, "gpu_layers": 0, "experts_on_host": False}
    chunks = calibrate(path, window=window, **settings)  # type: ignore[arg-type]
    assert all(seconds > 0 and start < end for start, end, seconds in chunks)
    assert len(chunks) == (1 if window == 100 else 2)


def test_a_plan_holds_where_its_time_cannot_be_measured(tmp_path: Path) -> None:
    """llama.cpp ends the process when it moves cells of a model whose layers are all sliding; a plan needs no such move."""
    path = write_tiny_model(tmp_path / "m.gguf", architecture="cohere2", layers=2)
    plan = plan_model(path, window=8000, timed=True)
    assert plan.fits
    assert plan.prefill_seconds == 0
    assert plan.timed.startswith("not measured")


def test_what_does_not_fit_is_not_timed(tiny_model: Path) -> None:
    assert plan_model(tiny_model, window=16385, timed=True).timed == ""


def test_a_far_chunk_costs_what_it_costs_after_a_real_prefill(tmp_path: Path) -> None:
    """The copied cells stand for computed ones: the cache is as full, at the same positions."""
    start_backend()
    path = write_tiny_model(tmp_path / "m.gguf", window=1 << 15)
    model = Model(path)
    with Context(model, window=2048, chunk_tokens=64, sequences=2, outputs=2, kv_type="f16", threads=1) as context:
        context.decode([Rows(0, np.arange(64, dtype=np.int32), 0, 1)])
        assert _fill(context, 64, 1000) == 960
        assert context.length(0) == 960
        context.decode([Rows(0, np.arange(64, dtype=np.int32), 960, 1)])
        assert context.length(0) == 1024
    model.close()


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
