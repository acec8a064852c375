"""The packaged model, loaded once, and its vocabulary as tiktoken ranks."""

from collections.abc import Iterator

import gguf
import pytest
from unabridged.models.starter import starter_path, tokenizer
from unabridged.models.starter.finder_probe import Probe


@pytest.fixture(scope="session")
def starter_file() -> gguf.GGUFReader:
    return gguf.GGUFReader(starter_path())


@pytest.fixture(scope="session")
def ranks(starter_file: gguf.GGUFReader) -> dict[bytes, int]:
    letters = tokenizer.bytes_by_letter()
    tokens = starter_file.fields["tokenizer.ggml.tokens"].contents()
    kinds = starter_file.fields["tokenizer.ggml.token_type"].contents()
    plain = [token for token, kind in zip(tokens, kinds, strict=True) if kind == gguf.TokenType.NORMAL]
    return {bytes(letters[c] for c in token): rank for rank, token in enumerate(plain)}


@pytest.fixture(scope="session")
def probe() -> Iterator[Probe]:
    with Probe(starter_path(), window=4096) as opened:
        yield opened
