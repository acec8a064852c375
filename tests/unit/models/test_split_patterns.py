"""Every pre-tokenizer that is expressed here cuts text where llama.cpp does, and long runs do not slow it down."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.models.fast_bpe import FastBpe, TooLongRun, build_fast_bpe
from unabridged.models.gguf_header import read_header
from unabridged.models.llama_library import start_backend
from unabridged.models.llama_model import Model
from unabridged.models.split_patterns import PRE_TOKENIZERS, split_pattern
from unabridged.models.tokenizer import SAMPLE

from tests.unit.models.tiny_vocabularies import SCRIPTS, write_pairs

ONE_OF_EACH = list({split_pattern(name): name for name in reversed(PRE_TOKENIZERS)}.values())
few = st.lists(st.sampled_from(SCRIPTS), min_size=1, max_size=6).flatmap(lambda some: st.text(some, max_size=25))
texts = st.one_of(st.text(SCRIPTS, max_size=30), few)


def both(folder: Path, pre_tokenizer: str) -> tuple[FastBpe, Model]:
    start_backend()
    path = write_pairs(folder / "pairs.gguf", pre_tokenizer)
    fast = build_fast_bpe(read_header(path))
    assert fast is not None
    return fast, Model(path, vocabulary_only=True)


@pytest.mark.parametrize("pre_tokenizer", ONE_OF_EACH)
def test_words_are_cut_where_llama_cpp_cuts_them(tmp_path: Path, pre_tokenizer: str) -> None:
    fast, model = both(tmp_path, pre_tokenizer)

    @settings(max_examples=150, deadline=None)
    @given(texts)
    def agrees(text: str) -> None:
        assert np.array_equal(fast(text), model.tokenize(text, special=False))

    agrees()
    model.close()


@pytest.mark.parametrize("pre_tokenizer", PRE_TOKENIZERS)
def test_every_name_is_one_that_llama_cpp_knows_and_cuts_alike(tmp_path: Path, pre_tokenizer: str) -> None:
    fast, model = both(tmp_path, pre_tokenizer)
    for text in SAMPLE:
        assert np.array_equal(fast(text), model.tokenize(text, special=False))
    model.close()


def test_a_pattern_of_another_family_does_not_pass(tmp_path: Path) -> None:
    """The vocabulary does tell patterns apart."""
    fast, model = both(tmp_path, "gpt-2")
    model.close()
    header = read_header(tmp_path / "pairs.gguf")
    for other in ONE_OF_EACH:
        changed = build_fast_bpe(replace(header, metadata={**header.metadata, "tokenizer.ggml.pre": other}))
        assert changed is not None
        alike = all(np.array_equal(changed(text), fast(text)) for text in SAMPLE)
        assert alike == (split_pattern(other) == split_pattern("gpt-2")), other


@pytest.mark.parametrize("character", [" ", "\n", "a", "7", "。", "א ", "\u200b", "ー", " \t"])
def test_a_long_run_takes_about_as_long_as_words_do(tmp_path: Path, character: str) -> None:
    """No pattern is quadratic: 40,000 characters would take minutes."""
    header = read_header(write_pairs(tmp_path / "pairs.gguf", "gpt-2"))
    for name in ONE_OF_EACH:
        fast = build_fast_bpe(replace(header, metadata={**header.metadata, "tokenizer.ggml.pre": name}))
        assert fast is not None
        started = time.process_time()
        assert len(fast(character * (40_000 // len(character))))
        assert time.process_time() - started < 5, name


def test_a_run_that_is_too_long_is_told_and_not_lost(tmp_path: Path) -> None:
    fast = build_fast_bpe(read_header(write_pairs(tmp_path / "pairs.gguf", "gpt-2")))
    assert fast is not None
    with pytest.raises(TooLongRun):
        fast(" " * 3_000_000 + "a")
