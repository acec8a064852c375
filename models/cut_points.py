"""Where a text may be cut so that a SentencePiece vocabulary gives the same tokens for the parts as for the whole.

SentencePiece's BPE joins neighbours only where the result is a word of the vocabulary. Between two characters that stand
side by side in no word nothing is ever joined, so what is left of them and what is right of them do not touch. Long texts
are cut there, because llama.cpp searches the whole of what it is given once for every token that the vocabulary reserves.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from unabridged.models.engine import Tokens
from unabridged.models.gguf_header import GgufHeader

CHUNK = 4096  # characters
_RESERVED = (3, 4)  # token types of the GGUF format: control, user-defined
_STRANGERS = "。！Ωж中й1\n.x한क"

Tokenize = Callable[[str], Tokens]


class CutPoints:
    """`joined`: pairs of characters that stand side by side in some word; `reserved`: characters of reserved tokens."""

    def __init__(self, words: Iterable[str], reserved: Iterable[str]) -> None:
        reserved = list(reserved)
        self._joined = {pair for word in [*words, *reserved] for pair in itertools.pairwise(word)}
        self._reserved = frozenset(itertools.chain.from_iterable(reserved))

    def is_safe(self, text: str, at: int) -> bool:
        """Nothing joins over the gap before text[at], and what stands there is no end of a reserved token."""
        left = text[at - 1]
        return not left.isspace() and left not in self._reserved and not self._joins(left, text[at])

    def _joins(self, left: str, right: str) -> bool:
        return ("▁" if left == " " else left, "▁" if right == " " else right) in self._joined

    def cuts(self, text: str, chunk: int) -> Iterator[int]:
        """At least `chunk` characters apart; none where there is no safe place."""
        at = chunk
        while at < len(text):
            if self.is_safe(text, at):
                yield at
                at += chunk
            else:
                at += 1

    def stranger_to(self, character: str) -> str:
        """A plain character that joins nothing with this one; empty where the vocabulary has none."""
        return next((s for s in _STRANGERS if s not in self._reserved and not self._joins(s, character)), "")


def cut_points(header: GgufHeader) -> CutPoints | None:
    """None for other vocabularies than SentencePiece's BPE, which Gemma 4 spells in another way."""
    tokens, types = header.metadata.get("tokenizer.ggml.tokens"), header.metadata.get("tokenizer.ggml.token_type")
    if header.metadata.get("tokenizer.ggml.model") not in ("llama", "gemma4") or not tokens or types is None:
        return None
    if len(types) != len(tokens):
        return None
    reserved = [token for token, kind in zip(tokens, types, strict=True) if kind in _RESERVED]
    return CutPoints((token for token, kind in zip(tokens, types, strict=True) if kind not in _RESERVED), reserved)


def tokenize_in_parts(text: str, starts: Sequence[int], points: CutPoints, tokenize: Tokenize) -> Tokens:
    """The tokens of text[:starts[0]], text[starts[0]:starts[1]] …, one after another.

    llama.cpp may put a blank before whatever it is given. A part is therefore led by a character that joins nothing with it,
    to which the blank then belongs, and the tokens of that character by itself are taken off again.
    """
    parts = []
    for start, end in itertools.pairwise([0, *starts, len(text)]):
        lead = points.stranger_to(text[start]) if start else ""
        tokens = tokenize(lead + text[start:end])
        parts.append(tokens[len(tokenize(lead)) :] if lead else tokens)
    return np.concatenate(parts).astype(np.int32)


def tokenize_in_chunks(text: str, points: CutPoints, tokenize: Tokenize, *, chunk: int = CHUNK) -> Tokens:
    """The same as `tokenize(text)`."""
    return tokenize_in_parts(text, list(points.cuts(text, chunk)), points, tokenize)
