"""What the weights are made from: how common each token is, and the lessons that are trained on.

usage: python -m unabridged.models.starter.data TRAINING_FOLDER vocabulary.tiktoken counts.npz lessons.npz
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import lessons, tokenizer
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
    parser = argparse.ArgumentParser(description="count tokens of the training text, and tokenise what is trained on")
    parser.add_argument("training", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("counts", type=Path)
    parser.add_argument("lessons", type=Path)
    parser.add_argument("--characters", type=int, default=16_000_000, help="of text in each language, to ask about")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ranks = tokenizer.load(arguments.vocabulary)
    np.savez_compressed(arguments.counts, shares=shares(arguments.training, ranks))
    lessons.pack(arguments.training, ranks, arguments.lessons, characters=arguments.characters, seed=arguments.seed)


if __name__ == "__main__":
    main()
