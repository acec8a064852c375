"""A model file is hostile input: whatever is wrong with it is a clear error, never a crash of the program."""

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unabridged.errors import DoesNotFit, EngineFailed, ModelFileError, UnabridgedError, UsageError
from unabridged.models.connection import Connection
from unabridged.models.engine import EngineOptions
from unabridged.models.engine_process import EngineProcess
from unabridged.models.gguf_header import read_header
from unabridged.models.messages import PROTOCOL
from unabridged.models.open_model import model_hash
from unabridged.models.plan import plan_model

from tests.unit.models.conftest import drained
from tests.unit.models.tiny_models import write_tiny_model


def load(path: Path, tmp_path: Path) -> None:
    EngineProcess(path, EngineOptions(tmp_path / "segments", threads=1)).close()


class Opener:
    """Opens one file after the other in one engine process, and starts another where that has died of a file."""

    def __init__(self, folder: Path) -> None:
        options = EngineOptions(folder / "segments", threads=1)
        self._options = {**asdict(options), "segments_folder": str(options.segments_folder)}
        self.connection = Connection()

    def open(self, path: Path) -> None:
        if not self.connection.alive:
            self.connection.close()
            self.connection = Connection()
        self.connection.ask({"call": "open", "protocol": PROTOCOL, "path": str(path), "options": self._options})


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    opener = Opener(tmp_path)
    yield opener
    opener.connection.close()


def test_a_header_is_read_without_the_weights(tiny_model: Path) -> None:
    header = read_header(tiny_model)
    assert header.architecture == "qwen2"
    assert header.value("block_count") == 2
    assert header.metadata["general.name"] == "tiny"
    assert sum(tensor.size_bytes for tensor in header.tensors) + header.size_bytes <= tiny_model.stat().st_size


def test_a_file_cut_short_at_any_byte_is_refused_and_the_engine_process_lives_on(
    tiny_model: Path, tmp_path: Path, opener: Opener
) -> None:
    """300 cuts: the first and the last bytes, all over the header, all over the weights."""
    size, header = tiny_model.stat().st_size, read_header(tiny_model).size_bytes
    random = np.random.default_rng(0)
    spread = [*random.integers(0, header, 150), *random.integers(header, size, 110)]
    cuts = {*range(20), *range(size - 20, size), *map(int, spread)}
    short = tmp_path / "short.gguf"
    short.write_bytes(tiny_model.read_bytes())
    pid = opener.connection.pid
    for cut in sorted(cuts, reverse=True):
        os.truncate(short, cut)
        with pytest.raises(ModelFileError) as refusal:
            opener.open(short)
        assert refusal.value.hint
    assert len(cuts) > 250
    assert (opener.connection.alive, opener.connection.pid) == (True, pid)
    opener.open(tiny_model)


def test_a_file_that_is_cut_short_under_a_running_engine_is_an_error_of_the_engine(tiny_model: Path, tmp_path: Path) -> None:
    """The weights are mapped, so the system ends the process when it touches what is gone; whole again, it goes on."""
    path, tokens = tmp_path / "m.gguf", np.arange(200, dtype=np.int32)
    path.write_bytes(tiny_model.read_bytes())
    with EngineProcess(path, EngineOptions(tmp_path / "segments", threads=1)) as engine:
        os.truncate(path, read_header(path).size_bytes)
        with pytest.raises((EngineFailed, ModelFileError)):
            drained(engine.read(tokens))
        path.write_bytes(tiny_model.read_bytes())
        assert drained(engine.read(tokens)).tokens == 200


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 15000), st.binary(min_size=1, max_size=8))
def test_a_header_with_any_lie_in_it_is_read_or_refused(tiny_model: Path, tmp_path: Path, at: int, lie: bytes) -> None:
    data = bytearray(tiny_model.read_bytes())
    data[at : at + len(lie)] = lie
    path = tmp_path / "lie.gguf"
    path.write_bytes(data)
    with contextlib.suppress(ModelFileError):
        assert read_header(path).size_bytes <= len(data)


def edited(path: Path, target: Path, key: bytes, skip: int, value: bytes) -> Path:
    """A copy with `value` written `skip` bytes after the name `key`."""
    data = bytearray(path.read_bytes())
    at = data.index(key) + len(key) + skip
    data[at : at + len(value)] = value
    target.write_bytes(data)
    return target


TENSOR = struct.calcsize("<I2QI")  # what stands between the name of a matrix and its offset


@pytest.mark.parametrize(
    ("key", "skip", "value", "complaint"),
    [
        (b"GGUF", 4, struct.pack("<Q", 1 << 60), "too early"),  # tensors
        (b"GGUF", 12, struct.pack("<Q", 1 << 60), "too early"),  # metadata
        (b"tokenizer.ggml.tokens", 8, struct.pack("<Q", 1 << 61), "too early"),
        (b"general.name", 4, struct.pack("<Q", 1 << 62), "too early"),
        (b"output.weight", 0, struct.pack("<I", 5), "dimensions"),
        (b"output.weight", 4, struct.pack("<Q", 1 << 50), "impossible size"),
        (b"output.weight", 4, struct.pack("<Q", 1 << 40), "beyond the end|over another"),
        (b"output.weight", 4, struct.pack("<Q", 0), "impossible size"),
        (b"output.weight", 20, struct.pack("<I", 4), "not known"),
        (b"output.weight", TENSOR, struct.pack("<Q", 1 << 40), "beyond the end"),
        (b"output.weight", TENSOR, struct.pack("<Q", 64), "over another"),
        (b"output.weight", TENSOR, struct.pack("<Q", 33), "over another"),
    ],
)
def test_a_lie_about_counts_sizes_or_places_is_told(
    tiny_model: Path, tmp_path: Path, key: bytes, skip: int, value: bytes, complaint: str
) -> None:
    lying = edited(tiny_model, tmp_path / "lie.gguf", key, skip, value)
    with pytest.raises(ModelFileError, match=complaint):
        load(lying, tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(4, 15000), st.binary(min_size=1, max_size=8))
def test_whatever_lies_in_the_header_the_program_survives(
    tiny_model: Path, tmp_path: Path, opener: Opener, at: int, lie: bytes
) -> None:
    """The engine process may die of it; what the user gets is one of our errors, or a model that answers."""
    data = bytearray(tiny_model.read_bytes())
    data[at : at + len(lie)] = lie
    path = tmp_path / "lie.gguf"
    path.write_bytes(data)
    with contextlib.suppress(UnabridgedError):
        opener.open(path)


@pytest.mark.parametrize("parts_of", [1, 7])
def test_a_model_in_several_files_is_the_same_model(tmp_path: Path, tiny_model: Path, parts_of: int) -> None:
    first = write_tiny_model(tmp_path / "m.gguf", window=16384, parts_of=parts_of)
    header = read_header(first)
    assert {tensor.name: tensor.size_bytes for tensor in header.tensors} == {
        tensor.name: tensor.size_bytes for tensor in read_header(tiny_model).tensors
    }
    assert len(header.files) == -(-len(header.tensors) // parts_of)
    answers = []
    for path in (first, tiny_model):
        with EngineProcess(path, EngineOptions(tmp_path / "segments", threads=1)) as engine:
            reading = drained(engine.read(np.arange(40, dtype=np.int32)))
            answers.append(drained(engine.generate(reading, np.array([7], np.int32), limit=8)).tokens)
    assert answers[0] == answers[1]


def test_any_part_changes_the_fingerprint(tmp_path: Path) -> None:
    prints = []
    for seed in range(2):
        (tmp_path / str(seed)).mkdir()
        prints.append(write_tiny_model(tmp_path / str(seed) / "m.gguf", parts_of=9, seed=seed))
    one, other = (read_header(path).files for path in prints)
    hashes = {model_hash(files, tmp_path) for files in (one, other, (*one[:-1], other[-1]))}
    assert len(hashes) == 3


def test_parts_that_are_missing_or_mixed_up_are_named(tmp_path: Path) -> None:
    first = write_tiny_model(tmp_path / "m.gguf", parts_of=9)
    second, third = read_header(first).files[1:3]
    with pytest.raises(ModelFileError, match=r"part 2 of 3") as refusal:
        read_header(second)
    assert first.name in refusal.value.hint
    kept = second.read_bytes()
    second.write_bytes(third.read_bytes())
    with pytest.raises(ModelFileError, match="is not part 2"):
        read_header(first)
    second.unlink()
    with pytest.raises(ModelFileError, match="is missing"):
        read_header(first)
    second.write_bytes(kept[:-1])
    with pytest.raises(ModelFileError, match="beyond the end"):
        read_header(first)
    renamed = tmp_path / "other.gguf"
    renamed.write_bytes(first.read_bytes())
    with pytest.raises(ModelFileError, match="does not say which"):
        read_header(renamed)


@pytest.mark.parametrize("window", [-1, 1 << 30])
def test_a_window_that_no_model_has_is_refused(tiny_model: Path, tmp_path: Path, window: int) -> None:
    with pytest.raises(UsageError, match="not possible"):
        EngineProcess(tiny_model, EngineOptions(tmp_path, window=window))


def test_a_model_that_says_it_has_no_window_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", window=0)
    with pytest.raises(ModelFileError, match="no window"):
        load(path, tmp_path)
    assert not plan_model(path).fits


def test_a_reading_beyond_the_memory_is_refused_before_it_starts(tmp_path: Path) -> None:
    """A model that says it was trained for 2³⁰ tokens, and a reading that would need 256 GiB of cache."""
    path = write_tiny_model(tmp_path / "m.gguf", window=1 << 30)
    with EngineProcess(path, EngineOptions(tmp_path, threads=1)) as engine:
        assert 0 < engine.window_for(1 << 29) < 1 << 29
        with pytest.raises(DoesNotFit, match="nothing was read"):
            drained(engine.read(np.zeros(1000, np.int32), reserve=1 << 29))


@pytest.mark.parametrize("content", [b"", b"GGUF", b"%PDF-1.7 this is no model", b"GGUF" + b"\xff" * 60])
def test_what_is_no_model_is_refused_with_a_hint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as refusal:
        load(path, tmp_path)
    assert refusal.value.hint


@pytest.mark.parametrize("path", ["missing.gguf", "."])
def test_no_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ModelFileError):
        load(tmp_path / path, tmp_path)


@pytest.mark.parametrize("key", ["head_count", "block_count", "embedding_length"])
def test_dimensions_that_lie_end_in_an_error(tmp_path: Path, key: str) -> None:
    path = write_tiny_model(tmp_path / "lie.gguf")
    data = path.read_bytes()
    at = data.index(f"qwen2.{'attention.' if 'head' in key else ''}{key}".encode())
    at = data.index(b"\x04\x00\x00\x00", at) + 4
    path.write_bytes(data[:at] + (7777).to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(ModelFileError):
        load(path, tmp_path)
    load(write_tiny_model(tmp_path / "sound.gguf"), tmp_path)


def test_a_model_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes().replace(b"tokenizer.ggml.tokens", b"tokenizer.ggml.tokenz"))
    with pytest.raises(ModelFileError, match="tokenizer"):
        load(path, tmp_path)
