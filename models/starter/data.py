"""Counts what the circuit must know of the training text: how common each token is.

usage: python -m unabridged.models.starter.data TRAINING_FOLDER vocabulary.tiktoken counts.npz
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import tokenizer
from unabridged.models.starter.corpus import texts


def shares(folder: Path, ranks: dict[bytes, int], *, characters: int = 10_000_000) -> NDArray[np.float64]:
    """Each token's share of the text of the language in which it is more common; float64 [tokens]."""
    encoding = tokenizer.encoding(ranks)
    made = np.zeros((2, len(ranks)))
    for row, language in enumerate(("en", "zh")):
        for text in texts(folder, language, characters=characters):
            made[row] += np.bincount(encoding.encode_ordinary(text), minlength=len(ranks))
    highest: NDArray[np.float64] = (made / made.sum(1, keepdims=True)).max(0)
    return highest


def main() -> None:
    parser = argparse.ArgumentParser(description="count tokens of the training text")
    parser.add_argument("training", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, shares=shares(arguments.training, tokenizer.load(arguments.vocabulary)))


if __name__ == "__main__":
    main()
