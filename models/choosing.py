"""How probable each of several token sequences is after a fork. Knows token ids only."""

from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray
from unabridged.models.cache_map import CacheMap
from unabridged.models.engine import Tokens
from unabridged.models.llama_context import Logits
from unabridged.models.scheduler import Feed
from unabridged.models.tenants import Fork


def log_softmax(logits: Logits) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - float(logits.max())
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def score_options(
    cache: CacheMap, fork: Fork, first: Logits, options: Sequence[Tokens]
) -> Generator[Feed, range, tuple[NDArray[np.float64], int]]:
    """log P(option) for each option, and the tokens evaluated for it.

    Options form a trie. `first` gives the probabilities at its root; every inner node (a beginning that two or more tokens
    follow, or one) is evaluated once, on top of the fork, however many options pass through it.
    """
    wanted = [tuple(option.tolist()) for option in options]
    nodes = sorted({option[:size] for option in wanted for size in range(1, len(option))}, key=len)
    rows: dict[tuple[int, ...], NDArray[np.float64]] = {(): log_softmax(first)}
    evaluated = 0
    for node in nodes:
        sequence = cache.branch(fork)
        try:
            found = yield Feed(sequence, np.array(node, np.int32), fork.position, outputs=1)
            rows[node] = log_softmax(cache.context.logits(found[-1]))
        finally:
            cache.prune(fork)
        evaluated += len(node)
    scores = [sum(rows[option[:i]][token] for i, token in enumerate(option)) for option in wanted]
    return np.array(scores, np.float64), evaluated
