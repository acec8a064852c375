"""Guesses at what an answer says next: extractive answers repeat the document, so look there. Knows tokens only.

After the last three tokens of the answer, the document's words after the same three tokens are proposed; the model then
checks all of them in one batch and keeps those that it would have said itself (prompt lookup decoding, A. Saxena 2023).
"""

import numpy as np
from numpy.typing import NDArray
from unabridged.models.engine import Tokens

NGRAM = 3
LONGEST = 15  # with the token before it, one short feed


class NgramIndex:
    """Where each run of three tokens occurs, sorted once: a lookup is a binary search, whatever the length."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        keys = _keys(tokens)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def after(self, recent: list[int], count: int) -> Tokens:
        """What follows the three most recent tokens where they occur last with `count` tokens to follow, or with most."""
        if len(recent) < NGRAM or not len(self._keys):
            return np.empty(0, np.int32)
        key = _keys(np.array(recent[-NGRAM:], np.int32))[0]
        at = int(np.searchsorted(self._keys, key, side="right")) - 1
        if at < 0 or self._keys[at] != key:
            return np.empty(0, np.int32)
        while self._order[at] + NGRAM + count > len(self._tokens) and at > 0 and self._keys[at - 1] == key:
            at -= 1
        start = int(self._order[at]) + NGRAM
        return self._tokens[start : start + count]


class Drafter:
    """How much to propose, by how well it went: more after a hit, less after a miss, nothing for a while after two."""

    def __init__(self, index: NgramIndex | None) -> None:
        self._index = index
        self._length, self._misses, self._pause = 4, 0, 0

    def propose(self, recent: list[int], room: int) -> Tokens:
        if self._index is None or room <= 0:
            return np.empty(0, np.int32)
        if self._pause:
            self._pause -= 1
            return np.empty(0, np.int32)
        return self._index.after(recent, min(self._length, room))

    def learn(self, proposed: int, accepted: int) -> None:
        if not proposed:
            return
        if accepted == proposed:
            self._length, self._misses = min(2 * self._length, LONGEST), 0
        elif accepted:
            self._length, self._misses = max(accepted, 2), 0
        else:
            self._length, self._misses = 2, self._misses + 1
            self._pause = 4 if self._misses > 1 else 0


def _keys(tokens: Tokens) -> NDArray[np.uint64]:
    """One number for each run of three: exact for vocabularies below 2^21."""
    wide = tokens.astype(np.uint64)
    if len(wide) < NGRAM:
        return np.empty(0, np.uint64)
    return (wide[:-2] << np.uint64(42)) | (wide[1:-1] << np.uint64(21)) | wide[2:]
