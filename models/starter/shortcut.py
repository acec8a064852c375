"""The circuit's answer from the question's tokens alone: seconds where a full reading of 128,000 tokens takes many minutes.

A reading computes every token's full attention, though in this circuit only what the question's tokens collect is ever used.
Layer 0 is taken as what it was built to be (each token carries exactly its own passage's code, the context fades exactly), the
rest is computed from the file's own embeddings. `unabridged eval starter --estimate` uses it; its passages are an estimate
of the model's, and the model card says which numbers are which.
"""

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray
from unabridged.models.pointing import pointed
from unabridged.models.starter import tokenizer
from unabridged.models.starter.circuit import (
    ANSWER,
    BETA,
    FADE,
    LOGIT_SCALE,
    NOTHING,
    RARITY,
    RARITY_WEIGHT,
    SINK,
    VOTE,
    WIDTH,
    B,
    C,
    S,
    T,
)

Array = NDArray[np.float32]
REACH = 40  # tokens of context; FADE**40 is 0.0001


class Shortcut:
    def __init__(self, path: Path) -> None:
        file = gguf.GGUFReader(path)
        tensor = next(t for t in file.tensors if t.name == "token_embd.weight")
        self._table: Array = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        self.threshold = float(file.fields["unabridged.finder.threshold"].contents())
        self.first = int(file.fields["unabridged.finder.first_number"].contents())
        letters = tokenizer.bytes_by_letter()
        tokens = file.fields["tokenizer.ggml.tokens"].contents()[: self.first - len(tokenizer.SPECIAL)]
        self._encoding = tokenizer.encoding({bytes(letters[c] for c in token): rank for rank, token in enumerate(tokens)})

    def tokenize(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)

    def read(self, passages: Sequence[Sequence[int]]) -> int:
        """A new document; returns how many tokens it has with its numbers."""
        tokens = np.array([token for passage in passages for token in passage])
        self._owner = np.repeat(np.arange(len(passages)), [len(passage) for passage in passages])
        self._same, self._near = self._table[tokens, T], self._context(tokens)
        self._codes = self._table[self.first : self.first + len(passages), C]
        return len(tokens) + len(passages) + 1

    def ask(self, question: Sequence[int]) -> NDArray[np.float64]:
        """Logits of the numbers that are present, in order, and last that of `doc`, up to what all of them have in common."""
        tokens = np.asarray(question)
        if not len(tokens):
            return np.append(np.zeros(len(self._codes)), NOTHING)
        same = S / (T.stop - T.start) * self._table[tokens, T] @ self._same.T
        near = self._context(tokens) @ self._near.T / (B.stop - B.start)
        votes = np.zeros((len(tokens), len(self._codes)))
        for beta in BETA:
            logits = same + beta * near
            highest = np.maximum(logits.max(1), S + SINK)
            share = np.exp(logits - highest[:, None])
            share /= (share.sum(1) + np.exp(S + SINK - highest))[:, None]
            votes += [np.bincount(self._owner, row, minlength=len(self._codes)) for row in share]
        collected = VOTE * votes @ self._codes
        spread = np.sqrt(1 + (collected**2).sum(1) / WIDTH)
        weight = np.exp(RARITY_WEIGHT * self._table[tokens, RARITY] / spread)
        answer = ANSWER * (weight / weight.sum() / spread) @ collected
        answers: NDArray[np.float64] = np.append(LOGIT_SCALE * self._codes @ answer, NOTHING)
        answers /= np.sqrt(1 + (answer**2).sum() / WIDTH)
        return answers

    def _context(self, tokens: NDArray[np.int64]) -> Array:
        """[tokens, |B|]: the words before each token, fading."""
        marks = self._table[tokens, B]
        faded = np.zeros_like(marks)
        for distance in range(1, min(REACH, len(tokens) - 1) + 1):
            faded[distance:] += FADE ** (distance - 1) * marks[:-distance]
        return faded


class Estimate:
    """What `evaluate` measures in place of the program: the shortcut's passages. Says nothing on certainty and quotations."""

    def __init__(self, path: Path) -> None:
        self._shortcut = Shortcut(path)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self._shortcut.tokenize(text)) for text in texts]

    def read(self, passages: Sequence[str]) -> int:
        self._lengths = [len(passage) for passage in passages]
        return self._shortcut.read([self._shortcut.tokenize(passage) for passage in passages])

    def point(self, question: str) -> tuple[int, bool]:
        logits = self._shortcut.ask(self._shortcut.tokenize(question))
        return pointed(np.exp(logits - logits.max()).tolist(), self._lengths).ranked[0], True

    def quote(self, passage: int, question: str) -> str:
        return ""
