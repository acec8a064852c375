"""A reading is read once: restored, resumed, never trusted blindly, and equal to a fresh one to the last bit."""

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unabridged.errors import DoesNotFit, EngineFailed, UsageError
from unabridged.models.engine import EngineOptions, Reading, Sampling, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.open_model import OpenModel, open_model
from unabridged.models.segments import segments_of, stored_tokens

from tests.unit.models.conftest import drained
from tests.unit.models.tiny_models import write_tiny_model

Document = Callable[[int], Tokens]
QUESTION = np.array([50, 51, 52], np.int32)


def next_token_probabilities(opened: OpenModel, reading: Reading | None) -> np.ndarray:
    """Over the whole vocabulary: equal only where all logits are equal."""
    vocabulary = [np.array([token], np.int32) for token in range(opened.info.vocabulary)]
    key = reading.key if reading else None
    return np.array(opened.session.scheduler.run(opened.session.choose(key, QUESTION, vocabulary)).probabilities)


def read(opened: OpenModel, tokens: Tokens, *, fresh: bool = False) -> Reading:
    return opened.session.scheduler.run(opened.session.read(tokens, fresh=fresh))


def test_a_restored_reading_gives_the_same_logits_as_a_fresh_one(
    tiny_model: Path, options: EngineOptions, document: Document
) -> None:
    tokens = document(1000)
    first, second = open_model(tiny_model, options), open_model(tiny_model, options)
    fresh = read(first, tokens)
    restored = read(second, tokens)
    assert (fresh.reused, fresh.evaluated) == (0, 1000)
    assert (restored.reused, restored.evaluated) == (1000, 0)
    assert np.array_equal(next_token_probabilities(first, fresh), next_token_probabilities(second, restored))
    first.session.close()
    second.session.close()


def test_a_reading_that_begins_like_another_reuses_its_segments(
    opened: OpenModel, options: EngineOptions, document: Document
) -> None:
    tokens = document(1000)
    read(opened, tokens[:600])
    longer = read(opened, tokens)
    assert (longer.reused, longer.evaluated) == (512, 488)
    files = list(options.segments_folder.glob("*/*.segment"))
    assert len(files) == 5 + 4  # 128, 256, … 512, 600 and then 640, … 896, 1000: the common ones once


@pytest.mark.parametrize("damage", ["cut short", "bit flipped", "empty", "another fingerprint", "longer", "another's"])
def test_a_damaged_segment_is_detected_removed_and_read_again(
    tiny_model: Path, options: EngineOptions, document: Document, damage: str
) -> None:
    tokens = document(700)
    first = open_model(tiny_model, options)
    expected = next_token_probabilities(first, read(first, tokens))
    first.session.close()
    victim = sorted(options.segments_folder.glob("*/*.segment"))[1]
    data = bytearray(victim.read_bytes())
    if damage == "cut short":
        data = data[: len(data) // 2]
    elif damage == "empty":
        data = bytearray()
    elif damage == "longer":
        data += b"\0"
    elif damage == "another's":
        data = bytearray(sorted(options.segments_folder.glob("*/*.segment"))[2].read_bytes())
    else:
        data[20 if damage == "another fingerprint" else len(data) - 100] ^= 1
    victim.write_bytes(data)
    second = open_model(tiny_model, options)
    again = read(second, tokens)
    assert 0 < again.evaluated <= 256
    assert again.reused + again.evaluated == 700
    assert np.array_equal(next_token_probabilities(second, again), expected)
    assert victim.stat().st_size > 1000  # written anew
    second.session.close()


def test_segments_of_another_model_are_never_used(tmp_path: Path, options: EngineOptions, document: Document) -> None:
    for seed in (1, 2):
        opened = open_model(write_tiny_model(tmp_path / f"{seed}.gguf", seed=seed), options)
        assert read(opened, document(500)).evaluated == 500
        opened.session.close()


def test_fresh_ignores_segments_and_writes_them_anew(opened: OpenModel, document: Document) -> None:
    read(opened, document(500))
    assert read(opened, document(500), fresh=True).evaluated == 500
    assert read(opened, document(500)).evaluated == 0


def test_closing_a_reading_keeps_what_was_read(engine: EngineProcess, document: Document) -> None:
    tokens = document(2000)
    reading = engine.read(tokens)
    while (progress := next(reading)).done < 900:
        pass
    reading.close()
    assert progress.total == 2000
    result = drained(engine.read(tokens))
    assert result.reused >= 900 - 64
    assert result.reused + result.evaluated == 2000


def test_a_kill_in_mid_prefill_loses_at_most_one_segment(engine: EngineProcess, document: Document) -> None:
    tokens, first = document(5000), engine.pid
    reading = engine.read(tokens)
    while next(reading).done < 1500:
        pass
    os.kill(first, signal.SIGKILL)
    with pytest.raises(EngineFailed) as failure:
        drained(reading)
    assert "again" in failure.value.hint
    result = drained(engine.read(tokens))
    assert engine.pid != first
    assert result.reused >= 1500 - 256
    assert result.reused + result.evaluated == 5000


def test_a_question_after_a_crash_brings_the_reading_back_by_itself(engine: EngineProcess, document: Document) -> None:
    reading = drained(engine.read(document(3000)))
    before = drained(engine.generate(reading, QUESTION, limit=8))
    os.kill(engine.pid, signal.SIGKILL)
    time.sleep(0.2)
    after = drained(engine.generate(reading, QUESTION, limit=8))
    assert after.tokens == before.tokens
    assert after.reused == 3000


def test_a_full_disk_does_not_stop_a_reading(
    opened: OpenModel, options: EngineOptions, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    reading = read(opened, document(700))
    assert reading.evaluated == 700
    assert reading.unsaved == "No space left on device"
    left = [path.suffix for path in options.segments_folder.glob("*/*") if path.parent.name != "weights"]
    assert left == [".reading"]  # nothing half-written stays
    assert drained_generate(opened, reading)


def drained_generate(opened: OpenModel, reading: Reading) -> tuple[int, ...]:
    job = opened.session.generate(reading.key, QUESTION, limit=4, sampling=Sampling(), stop=())
    return opened.session.scheduler.run(job).tokens


def test_a_folder_that_cannot_be_written_does_not_stop_a_reading(
    tiny_model: Path, options: EngineOptions, document: Document
) -> None:
    options.segments_folder.parent.mkdir(exist_ok=True)
    options.segments_folder.write_text("a file stands where the folder should be")
    opened = open_model(tiny_model, options)
    reading = read(opened, document(300))
    assert reading.evaluated == 300
    assert reading.unsaved
    opened.session.close()


def test_one_token_too_many_is_refused_before_anything_is_read(tiny_model: Path, tmp_path: Path, document: Document) -> None:
    with EngineProcess(tiny_model, EngineOptions(tmp_path, window=512, chunk_tokens=64, threads=1)) as engine:
        assert engine.window_for(400) == 512
        assert drained(engine.read(document(500), reserve=12)).tokens == 500
        with pytest.raises(DoesNotFit) as refusal:
            drained(engine.read(document(501), reserve=12))
        assert (refusal.value.needed_tokens, refusal.value.window_tokens) == (513, 512)
        assert refusal.value.choices
        with pytest.raises(DoesNotFit):
            drained(engine.read(document(20000)))


@pytest.mark.parametrize("window", [-1, 16385])
def test_an_impossible_window_is_refused(tiny_model: Path, tmp_path: Path, window: int) -> None:
    with pytest.raises(UsageError):
        EngineProcess(tiny_model, EngineOptions(tmp_path, window=window, threads=1))


def test_the_window_grows_with_the_reading(engine: EngineProcess, document: Document) -> None:
    small = drained(engine.read(document(300)))
    large = drained(engine.read(document(4500)))
    assert small.window < large.window
    assert large.window >= 4500
    again = drained(engine.read(document(300)))
    assert again.evaluated == 0


def test_an_empty_reading_is_refused(engine: EngineProcess) -> None:
    with pytest.raises(UsageError):
        drained(engine.read(np.empty(0, np.int32)))


def test_several_processes_share_one_folder(tiny_model: Path, options: EngineOptions, document: Document) -> None:
    results: list[Reading] = []

    def work() -> None:
        with EngineProcess(tiny_model, options) as engine:
            results.append(drained(engine.read(document(3000))))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    with EngineProcess(tiny_model, options) as engine:
        assert drained(engine.read(document(3000))).evaluated == 0


def test_progress_only_grows_and_ends_at_the_total(engine: EngineProcess, document: Document) -> None:
    events = list(engine.read(document(1000)))
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == events[-1].total == 1000
    assert events[-1].tokens_per_s > 0
    assert events[-1].seconds_left == 0


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "cohere2", "qwen3moe", "deepseek2", "lfm2", "mamba"])
def test_every_kind_of_memory_is_restored_to_the_bit(
    tmp_path: Path, options: EngineOptions, document: Document, architecture: str
) -> None:
    """lfm2 is a hybrid and mamba recurrent: every segment of theirs holds the running state too."""
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4, window=4096)
    first = open_model(path, options)
    expected = next_token_probabilities(first, read(first, document(1000)))
    first.session.close()
    second = open_model(path, options)
    restored = read(second, document(1000))
    assert restored.evaluated == 0
    assert np.array_equal(next_token_probabilities(second, restored), expected)
    second.session.close()


@pytest.mark.parametrize("architecture", ["lfm2", "mamba"])
def test_a_memory_that_cannot_be_cut_goes_on_from_its_last_segment(
    tmp_path: Path, options: EngineOptions, document: Document, architecture: str
) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4, window=4096)
    first = open_model(path, options)
    expected = next_token_probabilities(first, read(first, document(1000), fresh=True))
    first.session.close()
    chain = segments_of(document(1000), 128, bytes.fromhex(first.info.fingerprint))
    files = [next(options.segments_folder.glob(f"*/{segment.key.hex()}.segment")) for segment in chain]
    files[-1].unlink()
    files[-2].write_bytes(b"damaged")
    second = open_model(path, options)
    again = read(second, document(1000))
    assert (again.reused, again.evaluated) == (768, 232)
    assert np.array_equal(next_token_probabilities(second, again), expected)
    second.session.close()


@pytest.mark.parametrize("architecture", ["lfm2", "mamba"])
def test_a_cancelled_chunk_leaves_no_state_behind_that_is_not_accounted_for(
    tmp_path: Path, options: EngineOptions, document: Document, architecture: str
) -> None:
    """A question of 100 tokens is fed in two chunks and given up after the first; the state cannot be taken back."""
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4, window=4096)
    opened = open_model(path, options)
    reading = read(opened, document(300))
    expected = next_token_probabilities(opened, reading)
    scheduler = opened.session.scheduler
    job = opened.session.generate(reading.key, document(100), limit=4, sampling=Sampling(), stop=())
    ticket = scheduler.start(job, lambda event: None, lambda result, error: None)
    scheduler.step()
    scheduler.cancel(ticket)
    assert np.array_equal(next_token_probabilities(opened, reading), expected)
    twice = [
        scheduler.run(opened.session.generate(reading.key, document(100), limit=4, sampling=Sampling(), stop=())).tokens
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    opened.session.close()


def test_the_next_stretch_is_evaluated_while_the_last_is_written_and_the_end_waits_for_the_disk(
    opened: OpenModel, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_is_free = threading.Event()
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (disk_is_free.wait(20), sync(file))[1])
    scheduler, steps, ended = opened.session.scheduler, [], []
    scheduler.start(opened.session.read(document(1000)), steps.append, lambda result, error: ended.append(result))
    for _ in range(40):
        scheduler.step()
    assert steps[-1].done == 256 - 64  # the first 128 are being written, the next 128 wait for it before they are handed over
    assert not ended
    disk_is_free.set()
    while scheduler.busy:
        scheduler.step()
    assert ended[0].unsaved is None
    assert stored_tokens(
        opened.session._keeping.store.folder.parent,
        bytes.fromhex(opened.info.fingerprint),
        document(1000),
        segment_tokens=256,
        chunk_tokens=64,
    ) == 1000


@pytest.mark.parametrize("left", [0, 1, 100, 120, 1000, -5000, -1])
def test_a_file_torn_by_a_power_cut_is_never_believed(
    tiny_model: Path, options: EngineOptions, document: Document, left: int
) -> None:
    """What the disk had not got is missing or reads as zeros; and a half-written temporary file lies beside it."""
    for zeros in (False, True):
        first = open_model(tiny_model, options)
        expected = next_token_probabilities(first, read(first, document(300)))
        first.session.close()
        chain = segments_of(document(300), 128, bytes.fromhex(first.info.fingerprint))
        torn = next(options.segments_folder.glob(f"*/{chain[1].key.hex()}.segment"))
        data = torn.read_bytes()
        torn.write_bytes(data[:left] + (bytes(len(data[left:])) if zeros else b""))
        (torn.parent / "tmpabc.writing").write_bytes(data[:50])
        second = open_model(tiny_model, options)
        again = read(second, document(300))
        assert (again.reused, again.evaluated) == (128 + 44, 128)
        assert np.array_equal(next_token_probabilities(second, again), expected)
        second.session.close()
