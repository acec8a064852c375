"""Training examples as shards: tokenised once, a few small arrays in one file, read back without text or tokenizer.

Knows the form of an example, not how it is made or used.

usage: python -m unabridged.models.starter.packing TRAINING_FOLDER vocabulary.tiktoken SHARDS_FOLDER [--examples 1000]
"""

import argparse
from collections.abc import Iterable
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from unabridged.models.starter import tokenizer
from unabridged.models.starter.data import Example, Examples
from unabridged.models.starter.stages import DEVELOPMENT, STAGES


def pack(examples: Iterable[Example], path: Path) -> None:
    """Writes an npz of `tokens` (uint16), `shapes` (int32) and `starts`, where each example begins in both.

    Tokens: all passages and questions in a row. Shapes: the kind, how many passages and questions, their lengths, the targets.
    """
    tokens: list[int] = []
    shapes: list[int] = []
    starts = [(0, 0)]
    kinds: list[str] = []
    for example in examples:
        if example.kind not in kinds:
            kinds.append(example.kind)
        parts = [*example.passages, *example.questions]
        for part in parts:
            tokens += part
        shapes += [kinds.index(example.kind), len(example.passages), len(example.questions), *map(len, parts), *example.targets]
        starts.append((len(tokens), len(shapes)))
    temporary = path.with_suffix(".part.npz")
    np.savez_compressed(
        temporary,
        tokens=np.array(tokens, np.uint16),
        shapes=np.array(shapes, np.int32),
        starts=np.array(starts, np.int64),
        kinds=np.array(kinds),
    )
    temporary.replace(path)


class Shard:
    """The examples of a file, by number."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self._tokens, self._shapes, self._starts = file["tokens"], file["shapes"], file["starts"]
            self._kinds = [str(kind) for kind in file["kinds"]]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < len(self):
            raise IndexError(index)
        token, shape = (int(start) for start in self._starts[index])
        kind, passages, questions = (int(value) for value in self._shapes[shape : shape + 3])
        end = shape + 3 + passages + questions
        cuts = accumulate((int(size) for size in self._shapes[shape + 3 : end]), initial=token)
        parts = [self._tokens[a:b].tolist() for a, b in pairwise(cuts)]
        targets = self._shapes[end : end + questions].tolist()
        return Example(self._kinds[kind], parts[:passages], parts[passages:], targets)


def main() -> None:
    parser = argparse.ArgumentParser(description="pack the training text into shards, one for each stage and one to compare on")
    parser.add_argument("training", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--examples", type=int, default=1000, help="of each stage")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.shards.mkdir(parents=True, exist_ok=True)
    ranks = tokenizer.load(arguments.vocabulary)
    examples = Examples(arguments.training, ranks, seed=arguments.seed)
    for stage in STAGES:
        count = arguments.examples if max(stage.tokens) < 4000 else arguments.examples // 5
        pack((examples.at(number, stage) for number in range(count)), arguments.shards / f"{stage.name}.npz")
    apart = Examples(arguments.training, ranks, seed=arguments.seed, development=True)
    pack((apart.at(number, DEVELOPMENT) for number in range(100)), arguments.shards / "development.npz")


if __name__ == "__main__":
    main()
