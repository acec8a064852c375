"""Trains what the starter's words mean, on one device, from where the circuit starts; resumes from its last checkpoint.

The loss is the cross entropy of the right answers in the measure that the program goes by (models/pointing.py): a passage's
probability per character, or nothing. Judged on contexts and stretches of text that are not trained on; the best weights are
kept beside the last, and every judgement is a line of CHECKPOINT.jsonl. Same seed, device and steps: same weights, whether
interrupted or not. On a GPU the same code runs with bf16 (not tried).

usage: python -m unabridged.models.starter.train lessons.npz vocabulary.tiktoken counts.npz meaning.npy CHECKPOINT
"""

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor
from unabridged.models.starter import circuit, tokenizer
from unabridged.models.starter.export import vocabulary
from unabridged.models.starter.lessons import Example, Lessons
from unabridged.models.starter.network import Network, lifted

KINDS = (("human-en", 42), ("sentences-en", 14), ("text-en", 18), ("human-zh", 10), ("sentences-zh", 6), ("text-zh", 10))
TOKENS = ((400, 15), (1000, 30), (2000, 35), (4000, 15), (8000, 5))
WITHOUT = 0.5  # of the questions on training text lose their sentence: its surroundings must do
EXAMPLES_PER_STEP = 4
WARM_UP = 30  # steps
MATRICES = 0.05  # of the rate, for what is multiplied with every word
KEPT = 0.003  # by which share words go back, in each step, to where they started: thousands of words have few questions each
AVERAGED = 0.99  # what is judged and kept is a fading mean of the weights: it is steadier than the last ones


@dataclass(frozen=True, slots=True)
class Judged:
    """A cell of the judgement: `examples` of that kind and length, all with known passages."""

    kind: str
    tokens: int
    examples: int


JUDGED = (
    Judged("development-en", 2000, 20),
    Judged("development-en", 8000, 10),
    Judged("development-zh", 2000, 6),
    Judged("apart-en", 8000, 5),
    Judged("apart-zh", 8000, 3),
    Judged("sentences-en", 0, 150),
    Judged("sentences-zh", 0, 100),
)


def drawn(lessons: Lessons, number: int) -> Example:
    """The example of that number: its kind and length are drawn, too."""
    random = Random(number)  # noqa: S311
    kind = random.choices([name for name, _ in KINDS], [weight for _, weight in KINDS])[0]
    tokens = random.choices([length for length, _ in TOKENS], [weight for _, weight in TOKENS])[0]
    if kind.startswith("sentences"):
        return lessons.sentences(number, f"human{kind[9:]}")
    return lessons.example(number, kind, tokens, without=WITHOUT if kind.startswith("text") else 0.0)


def loss_of(network: Network, example: Example) -> Tensor:
    """Minus the mean log of the probability that the right passages have together (or nothing, where nothing fits)."""
    chances = torch.log_softmax(lifted(network(example.passages, example.questions), example.characters), 1)
    wrong = torch.ones_like(chances, dtype=torch.bool)
    for row, targets in enumerate(example.targets):
        wrong[row, list(targets) or [-1]] = False
    return -torch.logsumexp(chances.masked_fill(wrong, -torch.inf), 1).mean()


@torch.no_grad()
def judge(network: Network, lessons: Lessons, cells: Sequence[Judged] = JUDGED) -> dict[str, float]:
    """Share of right passages (or sentences) of each cell."""
    shares = {}
    for cell in cells:
        right = []
        for number in range(cell.examples):
            if cell.kind.startswith("sentences"):
                example = lessons.sentences(number, f"development{cell.kind[9:]}")
            else:
                example = lessons.example(number, cell.kind, cell.tokens, known=True)
            best = lifted(network(example.passages, example.questions), example.characters)[:, :-1].argmax(1)
            right += [int(b) in targets for b, targets in zip(best, example.targets, strict=True) if targets]
        shares[f"{cell.kind}-{cell.tokens}" if cell.tokens else cell.kind] = float(np.mean(right))
    return shares


def optimiser_of(network: Network, rate: float) -> torch.optim.Adam:
    slow = ("mix", "wanted", "unmet")
    groups = [
        {"params": [p for name, p in network.named_parameters() if name not in slow], "scale": 1.0},
        {"params": [p for name, p in network.named_parameters() if name in slow], "scale": MATRICES},
    ]
    return torch.optim.Adam(groups, lr=rate, betas=(0.9, 0.98))


def train(
    network: Network,
    lessons: Lessons,
    checkpoint: Path,
    *,
    steps: int,
    stop: int | None = None,
    rate: float = 0.012,
    judged_every: int = 100,
    cells: Sequence[Judged] = JUDGED,
    draw: Callable[[Lessons, int], Example] = drawn,
    device: str = "cpu",
    report: Callable[[dict[str, Any]], None] = lambda line: None,
) -> None:
    """Brings `checkpoint` to `stop` of `steps` steps (all of them by default)."""
    network.to(device)
    averaged = copy.deepcopy(network).eval()
    start = {name: getattr(network, name).detach().clone() for name in ("meaning", "importance")}
    optimiser = optimiser_of(network, rate)
    began, best, seconds = 0, -1.0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        began, best, seconds = state["step"], state["best"], state["seconds"]
    losses: list[float] = []
    clock = time.process_time() - seconds
    end = steps if stop is None else stop
    for step in range(began, end + 1):
        if step % judged_every == 0 or step == end:
            shares = judge(averaged, lessons, cells)
            mean = float(np.mean(list(shares.values())))
            seconds = time.process_time() - clock
            loss = float(np.mean(losses)) if losses else None
            report({"step": step, "loss": loss, "mean": mean, **shares, "processor_s": round(seconds)})
            losses.clear()
            if mean > best:
                best = mean
                _save(checkpoint.with_suffix(".best"), {"network": averaged.state_dict(), "step": step})
            states = {"network": network.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict()}
            _save(checkpoint, {**states, "step": step, "best": best, "seconds": seconds})
        if step == end:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * group["scale"] * min(1, (step + 1) / WARM_UP) * max(0.05, 1 - step / steps)
        torch.manual_seed(step)
        optimiser.zero_grad()
        for part in range(EXAMPLES_PER_STEP):
            example = draw(lessons, step * EXAMPLES_PER_STEP + part)
            if example.questions:
                with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                    loss_ = loss_of(network, example)
                (loss_ / EXAMPLES_PER_STEP).backward()
                losses.append(float(loss_.detach()))
        network.spare()
        optimiser.step()
        with torch.no_grad():
            for name, value in start.items():
                getattr(network, name).lerp_(value, KEPT)
        network.tidy()
        keep = min(AVERAGED, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean_, value in zip(averaged.parameters(), network.parameters(), strict=True):
                mean_.lerp_(value, 1 - keep)


def _save(path: Path, state: dict[str, Any]) -> None:
    temporary = path.with_suffix(f"{path.suffix}.part")
    torch.save(state, temporary)
    temporary.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="train the starter from its circuit")
    parser.add_argument("lessons", type=Path, help="from unabridged.models.starter.data")
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("counts", type=Path)
    parser.add_argument("meaning", type=Path, help="from unabridged.models.starter.meaning")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--rate", type=float, default=0.012)
    parser.add_argument("--judged-every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as the machine has cores")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    known = vocabulary(tokenizer.load(arguments.vocabulary), np.load(arguments.counts)["shares"])
    start = circuit.unlearnt(known, meaning=np.load(arguments.meaning))
    curve = arguments.checkpoint.with_suffix(".jsonl")

    def report(line: dict[str, Any]) -> None:
        with curve.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        sys.stderr.write(json.dumps(line) + "\n")

    train(
        Network(known, start, seed=arguments.seed),
        Lessons(arguments.lessons, seed=arguments.seed),
        arguments.checkpoint,
        steps=arguments.steps,
        rate=arguments.rate,
        judged_every=arguments.judged_every,
        device=arguments.device,
        report=report,
    )


if __name__ == "__main__":
    main()
