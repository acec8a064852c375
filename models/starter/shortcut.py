"""The circuit's answer from the question's tokens alone: seconds where a full reading of 128,000 tokens takes many minutes.

A reading computes every token's full attention, though in this circuit only what the question's tokens collect is ever used.
Layer 0 is taken as what it was built to be (each token carries exactly its own passage's code, the context fades exactly), the
rest is computed from the file's own embeddings. `unabridged eval starter --estimate` uses it; its passages are an estimate
of the model's, and the model card says which numbers are which.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import gguf
import numpy as np
from numpy.typing import NDArray
from unabridged.models.pointing import CANDIDATES, Looked, looked_closer, pointed
from unabridged.models.starter import tokenizer
from unabridged.models.starter.circuit import (
    ASKED,
    BALANCE,
    FADE,
    HEAD,
    HEADS,
    IMPORTANCE,
    LOGIT_SCALE,
    READ,
    WIDTH,
    B,
    C,
    X,
)
from unabridged.models.starter.evaluate import Answered
from unabridged.models.starter.questions import sentence_spans
from unabridged.models.starter.reference import normalised

Array = NDArray[np.float32]
REACH = 40  # tokens of context; FADE**40 is 0.0001


class Shortcut:
    def __init__(self, path: Path) -> None:
        file = gguf.GGUFReader(path)
        tensors = {t.name: t for t in file.tensors}

        def tensor(name: str) -> Array:
            found = tensors[name]
            values: Array = gguf.quants.dequantize(found.data, found.tensor_type).astype(np.float32)
            return values

        self._table = tensor("token_embd.weight")
        self._q = tensor("blk.1.attn_q.weight").reshape(HEADS, HEAD, WIDTH)
        self._k = tensor("blk.1.attn_k.weight")
        votes = tensor("blk.1.attn_output.weight")[C.start]
        self._votes = [float(votes[head * HEAD]) for head in range(HEADS)]
        self._answer = float(tensor("blk.2.attn_output.weight")[C.start, 0])
        self.threshold = float(file.fields["unabridged.finder.threshold"].contents())
        self.first = int(file.fields["unabridged.finder.first_number"].contents())
        roles = (int(file.fields[f"unabridged.finder.{role}"].contents()) for role in ("doc", "user", "assistant"))
        self._doc, self._user, self._assistant = roles
        letters = tokenizer.bytes_by_letter()
        tokens = file.fields["tokenizer.ggml.tokens"].contents()[: self.first - len(tokenizer.SPECIAL)]
        self._encoding = tokenizer.encoding({bytes(letters[c] for c in token): rank for rank, token in enumerate(tokens)})

    def tokenize(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)

    def read(self, passages: Sequence[Sequence[int]]) -> int:
        """A new document; returns how many tokens it has with its numbers."""
        tokens = np.array([token for index, passage in enumerate(passages) for token in (self.first + index, *passage)])
        self._tail = [*tokens[-REACH:], self._user]  # what a question follows
        self._owner = np.repeat(np.arange(len(passages)), [1 + len(passage) for passage in passages])
        self._codes = self._table[self.first : self.first + len(passages), C]
        x = self._carried(tokens)
        x[:, C] -= self._codes[self._owner]
        x[:, READ] = 3
        x[:, BALANCE] -= 3
        self._worth = (tokens < self.first) / np.sqrt((x**2).mean(1))  # of a token's value, in codes
        doc = normalised(self._table[self._doc])
        self._keys = np.concatenate([normalised(x) @ self._k.T, doc[None] @ self._k.T])
        return len(tokens) + 1

    def ask(self, question: Sequence[int]) -> NDArray[np.float64]:
        """Logits of the numbers that are present, in order, and last that of `doc`."""
        x = self._carried(np.array([*self._tail, *question, self._assistant]))[len(self._tail) :]
        x[:, ASKED] = 3
        x[:, BALANCE] -= 3
        if len(question):
            x[:-1, C] += self._votes_of(normalised(x[:-1])) @ self._codes
            told = normalised(x[:-1])
            weight = np.exp(told[:, IMPORTANCE])
            x[-1, C] += self._answer * (weight / weight.sum()) @ told[:, C]
        options = self._table[[*range(self.first, self.first + len(self._codes)), self._doc]]
        answers: NDArray[np.float64] = (LOGIT_SCALE * options @ normalised(x[-1])).astype(np.float64)
        return answers

    def _votes_of(self, asking: Array) -> NDArray[np.float64]:
        """[asking, passages]: how much of each passage's code the full layer gives to each token."""
        votes = np.zeros((len(asking), len(self._codes)))
        for q, vote in zip(self._q, self._votes, strict=True):
            logits = (asking @ q.T) @ self._keys.T / HEAD**0.5
            share = np.exp(logits - logits.max(1, keepdims=True))
            share *= vote / share.sum(1, keepdims=True)
            votes += [np.bincount(self._owner, row[:-1] * self._worth, minlength=len(self._codes)) for row in share]
        return votes

    def _carried(self, tokens: NDArray[np.int64]) -> Array:
        """Embeddings [tokens, WIDTH] with the fading mean of the words in X, as layer 0 leaves it; no codes, no flags."""
        x = self._table[tokens].copy()
        mean = (1 - FADE) * x[:, B]
        faded = mean.copy()
        for distance in range(1, min(REACH, len(tokens) - 1) + 1):
            faded[distance:] += FADE**distance * mean[:-distance]
        x[:, X] += 2 * faded
        return x


class Estimate:
    """What `evaluate` measures in place of the program: what the shortcut points at and quotes, in both looks."""

    def __init__(self, path: Path) -> None:
        self._shortcut = Shortcut(path)
        self._closer = copy.copy(self._shortcut)  # the same weights, and documents of its own

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self._shortcut.tokenize(text)) for text in texts]

    def read(self, passages: Sequence[str]) -> int:
        self._passages = passages
        return self._shortcut.read([self._shortcut.tokenize(passage) for passage in passages])

    def look(self, question: str) -> Looked:
        """As the program does it (app/finding.py)."""
        asked = self._shortcut.tokenize(question)
        first = pointed(_shares(self._shortcut.ask(asked)), list(map(len, self._passages)))
        spans = {i: sentence_spans(self._passages[i]) for i in sorted(first.ranked[:CANDIDATES])}
        sentences = [self._passages[i][start:end] for i in spans for start, end in spans[i]]
        self._closer.read([self._closer.tokenize(sentence) for sentence in sentences])
        return looked_closer(first, _shares(self._closer.ask(asked)), spans)

    def answer(self, question: str) -> Answered:
        looked = self.look(question)
        text = self._passages[looked.best]
        start, end = looked.quotation(looked.best, text)
        return Answered(looked.best, looked.points.certainty >= self._shortcut.threshold, text[start:end])


def _shares(logits: NDArray[np.float64]) -> list[float]:
    shares = np.exp(logits - logits.max())
    return cast(list[float], (shares / shares.sum()).tolist())
