"""What the engine does where there is a card, as far as it shows without one: a card is named, llama.cpp computes on the CPU.

What only a real one can show is in test_gpu.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_cpp import llama_cpp as lib
from unabridged.models import llama_context, open_model
from unabridged.models.engine import EngineOptions, Sampling, Tokens
from unabridged.models.footprint import measure
from unabridged.models.gguf_header import read_header
from unabridged.models.kv_size import kv_bytes_per_token
from unabridged.models.llama_library import Gpu
from unabridged.models.llama_model import Model
from unabridged.models.open_model import OpenModel
from unabridged.models.placement import place
from unabridged.models.session import OUTPUTS, SEQUENCES, SHORTLISTED

from tests.unit.models.tiny_models import write_tiny_model

Document = Callable[[int], Tokens]
MIB = 1 << 20
QUESTION = np.arange(50, 62, dtype=np.int32)


class Card:
    """A card of so much memory; `layers` are how many were asked of llama.cpp when a model was loaded."""

    def __init__(self, patch: pytest.MonkeyPatch, free_bytes: int) -> None:
        self.layers: list[int] = []
        card = self

        class Seen(Model):
            def __init__(self, path: Path, *, gpu_layers: int = -1, **options: Any) -> None:  # noqa: ANN401  passed on
                card.layers.append(gpu_layers)
                super().__init__(path, gpu_layers=gpu_layers, **options)

        patch.setattr(open_model, "gpus", lambda: [Gpu("a card", free_bytes, free_bytes)])
        patch.setattr(open_model, "gpu_free_bytes", lambda: free_bytes)
        patch.setattr(open_model, "Model", Seen)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("m") / "m.gguf", layers=4, window=4096)


@pytest.fixture
def on_card(model: Path, options: EngineOptions, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[OpenModel, Card]]:
    card = Card(monkeypatch, 4096 * MIB)
    opened = open_model.open_model(model, options)
    yield opened, card
    opened.session.close()


def test_a_card_gets_all_layers_and_a_cache_of_q8_0(
    model: Path, options: EngineOptions, on_card: tuple[OpenModel, Card]
) -> None:
    opened, card = on_card
    assert card.layers == [5]  # the output layer is one
    assert opened.info.device == "a card"
    assert opened.info.kv_bytes_per_token == kv_bytes_per_token(read_header(model), "q8_0")
    chosen = open_model.open_model(model, replace(options, kv_type="f16"))
    assert chosen.info.kv_bytes_per_token == kv_bytes_per_token(read_header(model), "f16")
    assert chosen.info.fingerprint != opened.info.fingerprint
    chosen.session.close()


@pytest.mark.parametrize("layers", [0, 1, 3, 5])
def test_a_card_gets_as_many_layers_as_it_has_room_for_beside_a_window(
    model: Path, options: EngineOptions, monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    settings = {"kv_type": "q8_0", "chunk_tokens": 64, "sequences": SEQUENCES, "outputs": OUTPUTS, "shortlisted": SHORTLISTED}
    footprint = measure(model, **settings)  # type: ignore[arg-type]
    enough = place(read_header(model), footprint, gpu_layers=layers).gpu.total_bytes(4096)
    card = Card(monkeypatch, enough)
    opened = open_model.open_model(model, options)
    assert card.layers == [layers]
    assert opened.info.device == ("a card" if layers else "CPU")
    kept_in = "q8_0" if layers else "f16"  # quantised it is slow on a CPU
    assert opened.info.kv_bytes_per_token == kv_bytes_per_token(read_header(model), kept_in)
    opened.session.close()


def test_no_layers_means_no_card(model: Path, options: EngineOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch, 4096 * MIB)
    opened = open_model.open_model(model, replace(options, gpu_layers=0))
    assert (card.layers, opened.info.device) == ([0], "CPU")
    assert opened.info.kv_bytes_per_token == kv_bytes_per_token(read_header(model), "f16")
    opened.session.close()


def test_a_batch_is_submitted_only_when_the_last_one_is_done(
    on_card: tuple[OpenModel, Card], document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card computes on after llama_decode has returned, and does not look at the flag that stops a CPU."""
    opened, calls = on_card[0], []
    decode, wait = lib.llama_decode, lib.llama_synchronize

    def submitted(context: Any, batch: Any) -> int:  # noqa: ANN401  of ctypes
        calls.append(int(batch.n_tokens))
        return int(decode(context, batch))

    monkeypatch.setattr(lib, "llama_decode", submitted)
    monkeypatch.setattr(lib, "llama_synchronize", lambda context: (calls.append(0), wait(context))[1])
    run = opened.session.scheduler.run
    reading = run(opened.session.read(document(500)))
    run(opened.session.generate(reading.key, QUESTION, limit=5, sampling=Sampling(), stop=()))
    assert calls[1::2] == [0] * (len(calls) // 2)
    assert all(0 < tokens <= 64 for tokens in calls[::2])
    assert sum(calls) >= 500 + len(QUESTION)


def test_a_cancel_waits_for_one_batch_where_a_decode_cannot_be_stopped(
    on_card: tuple[OpenModel, Card], document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_context.Context, "abort", lambda context: None)
    session, steps = on_card[0].session, []
    ticket = session.scheduler.start(session.read(document(3000)), steps.append, lambda result, error: steps.append(result))
    while not steps:
        session.scheduler.step()
    session.abort()
    session.scheduler.cancel(ticket)
    assert not session.scheduler.busy
    assert steps[-1].done <= 2 * 64
    assert session.scheduler.run(session.read(document(3000))).tokens == 3000


def test_answers_on_a_card_are_those_of_the_same_cache_on_the_host(
    model: Path, on_card: tuple[OpenModel, Card], options: EngineOptions, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr(open_model, "gpus", list)
    host = open_model.open_model(model, replace(options, kv_type="q8_0"))
    for opened in (on_card[0], host):
        run = opened.session.scheduler.run
        reading = run(opened.session.read(document(300)))
        assert reading.evaluated == 300  # what one has read is not the other's
        said.append(run(opened.session.generate(reading.key, QUESTION, limit=12, sampling=Sampling(), stop=())).tokens)
    assert said[0] == said[1]
    host.session.close()
