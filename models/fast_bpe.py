"""Byte-level BPE by tiktoken, with ranks from a GGUF's own merges. Knows one vocabulary, no llama.cpp."""

from collections.abc import Sequence

import numpy as np
import tiktoken
from unabridged.models.engine import Tokens
from unabridged.models.gguf_header import GgufHeader
from unabridged.models.split_patterns import IGNORES_MERGES, split_pattern

_NORMAL = 1  # token type of the GGUF format


class TooLongRun(Exception):
    """One run of characters was longer than the expression engine can look back over (about a million)."""


class FastBpe:
    """Ranks are in merge order; `ids[rank]` is the model's own token id."""

    def __init__(self, pattern: str, ranks: dict[bytes, int], ids: Tokens) -> None:
        self._encoding = tiktoken.Encoding("gguf", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        self._ids = ids

    def __call__(self, text: str) -> Tokens:
        """Raises TooLongRun."""
        try:
            return self._ids[np.array(self._encoding.encode_ordinary(text), np.intp)]
        except BaseException as error:  # a panic of the Rust code derives from nothing narrower and cannot be imported
            if type(error).__name__ == "PanicException":
                raise TooLongRun from error
            raise


def byte_of_character() -> dict[str, int]:
    """GPT-2's printable spelling of the 256 bytes (github.com/openai/gpt-2, encoder.py)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(rest)}


def build_fast_bpe(header: GgufHeader) -> FastBpe | None:
    """None where the vocabulary is not byte-level BPE with a pattern that is known here."""
    data = header.metadata
    pattern = split_pattern(str(data.get("tokenizer.ggml.pre", "")))
    tokens, merges = data.get("tokenizer.ggml.tokens"), data.get("tokenizer.ggml.merges")
    if data.get("tokenizer.ggml.model") != "gpt2" or pattern is None or not tokens or merges is None:
        return None
    spelling = byte_of_character()
    id_of = {token: i for i, token in reversed(list(enumerate(tokens)))}
    if any(character not in id_of for character in spelling):
        return None
    ranks = {bytes([byte]): rank for rank, (character, byte) in enumerate(spelling.items())}
    ids = [id_of[character] for character in spelling]
    for word in _words_in_order(header, tokens, merges):
        try:
            raw = bytes([spelling[character] for character in word])
        except KeyError:
            continue
        if word in id_of and raw not in ranks:
            ranks[raw] = len(ids)
            ids.append(id_of[word])
    return FastBpe(pattern, ranks, np.array(ids, np.int32))


def _words_in_order(header: GgufHeader, tokens: Sequence[str], merges: Sequence[str]) -> list[str]:
    words = [merge.replace(" ", "", 1) for merge in merges]
    if header.metadata.get("tokenizer.ggml.pre") in IGNORES_MERGES:  # every word counts, reached by merges or not
        types = header.metadata.get("tokenizer.ggml.token_type")
        words += [token for i, token in enumerate(tokens) if types is None or types[i] == _NORMAL]
    return words
