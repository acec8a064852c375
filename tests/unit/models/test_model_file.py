"""A model file is hostile input: whatever is wrong with it is a clear error, never a crash of the program."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unabridged.errors import ModelFileError
from unabridged.models.engine import EngineOptions
from unabridged.models.engine_process import EngineProcess
from unabridged.models.gguf_header import read_header

from tests.unit.models.tiny_models import write_tiny_model


def load(path: Path, tmp_path: Path) -> None:
    EngineProcess(path, EngineOptions(tmp_path / "segments", threads=1)).close()


def test_a_header_is_read_without_the_weights(tiny_model: Path) -> None:
    header = read_header(tiny_model)
    assert header.architecture == "qwen2"
    assert header.value("block_count") == 2
    assert header.metadata["general.name"] == "tiny"
    assert sum(tensor.size_bytes for tensor in header.tensors) + header.size_bytes <= tiny_model.stat().st_size


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_at_any_byte_is_refused(tiny_model: Path, tmp_path: Path, share: float) -> None:
    data = tiny_model.read_bytes()
    short = tmp_path / "short.gguf"
    short.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelFileError):
        read_header(short)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 15000), st.binary(min_size=1, max_size=8))
def test_a_header_with_any_lie_in_it_is_read_or_refused(tiny_model: Path, tmp_path: Path, at: int, lie: bytes) -> None:
    data = bytearray(tiny_model.read_bytes())
    data[at : at + len(lie)] = lie
    path = tmp_path / "lie.gguf"
    path.write_bytes(data)
    with contextlib.suppress(ModelFileError):
        assert read_header(path).size_bytes <= len(data)


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
