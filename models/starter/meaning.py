"""Where training starts: words that keep the same company get vectors that point the same way.

Positive pointwise mutual information of word groups within a few tokens of each other, factored by a truncated SVD: the
classic equal of word2vec (Levy and Goldberg 2014), without a gradient. Needs scipy.

usage: python -m unabridged.models.starter.meaning lessons.npz vocabulary.tiktoken counts.npz meaning.npy
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import circuit, tokenizer
from unabridged.models.starter.export import vocabulary
from unabridged.models.starter.lessons import Lessons

KINDS = ("text-en", "text-zh", "human-en", "human-zh")
REACH = 6  # tokens to each side, the nearer counted more
SMOOTHING = 0.75  # exponent of a context's count, so that rare ones do not win everything


def meanings(runs: Iterable[NDArray[np.int64]], groups: int, size: int, *, seed: int = 0) -> NDArray[np.float32]:
    """[groups, size], rows of length sqrt(size) or zero; `runs` are texts as word groups."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import svds

    flat = np.concatenate([np.append(run, np.full(REACH, -1)) for run in runs])
    counts = coo_array((groups, groups), dtype=np.float32).tocsr()
    for distance in range(1, REACH + 1):
        left, right = flat[:-distance], flat[distance:]
        both = (left >= 0) & (right >= 0)
        weight = np.full(int(both.sum()), 1 / distance, np.float32)
        counts = counts + coo_array((weight, (left[both], right[both])), shape=(groups, groups)).tocsr()
    table = (counts + counts.T).tocoo()
    total = table.sum(0)
    smoothed = total**SMOOTHING
    with np.errstate(divide="ignore"):
        information = np.log(table.data * smoothed.sum() / (total[table.row] * smoothed[table.col]))
    keep = information > 0
    matrix = coo_array((information[keep], (table.row[keep], table.col[keep])), shape=(groups, groups)).tocsr()
    random = np.random.default_rng(seed)
    u, s, _ = svds(matrix.astype(np.float32), k=size, v0=random.standard_normal(groups).astype(np.float32))
    vectors = u * np.sqrt(s)
    vectors -= vectors.mean(1, keepdims=True)  # a LayerNorm takes the mean away
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: NDArray[np.float32] = np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), 0) * np.sqrt(size)
    return made.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="vectors of words from the company they keep")
    parser.add_argument("lessons", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("counts", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    known = vocabulary(tokenizer.load(arguments.vocabulary), np.load(arguments.counts)["shares"])
    runs = (known.group[tokens] for tokens in Lessons(arguments.lessons).tokens(KINDS))
    np.save(arguments.out, meanings(runs, known.groups, circuit.M.stop - circuit.M.start))


if __name__ == "__main__":
    main()
