"""Trains what the circuit's words mean, on one device, from where the circuit starts; resumes from its last checkpoint.

The loss is the cross entropy of the right NUMBER among those present; for a question that the document does not answer, the
entropy that is missing to "no idea". Same seed, same device, same steps: same weights. bf16 and torch.compile are switched on
where there is a GPU (that path has not been run yet).

usage: python -m unabridged.models.starter.train TRAINING_FOLDER vocabulary.tiktoken counts.npz CHECKPOINT --steps 3000
"""

import argparse
import math
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from unabridged.models.starter import tokenizer
from unabridged.models.starter.data import NOTHING, Example, Examples
from unabridged.models.starter.export import vocabulary
from unabridged.models.starter.network import Network

NOTHING_WEIGHT = 0.1
EXAMPLES_PER_STEP = 4


def loss_of(network: torch.nn.Module, example: Example) -> tuple[Tensor, float]:
    """(mean loss, share of the answerable questions that are answered right)."""
    logits = network(example.passages, example.questions).float()
    targets = torch.tensor(example.targets, device=logits.device)
    fits = targets != NOTHING
    logs = functional.log_softmax(logits, -1)
    missing = math.log(logits.shape[1]) + (logs.exp() * logs).sum(-1)
    chosen = functional.nll_loss(logs, targets.clamp(min=0), reduction="none")
    loss = torch.where(fits, chosen, NOTHING_WEIGHT * missing).mean()
    right = (logits.argmax(-1) == targets)[fits].float().mean()
    return loss, float(right)


def train(network: Network, examples: Examples, checkpoint: Path, *, steps: int, rate: float, device: str) -> None:
    """Brings `checkpoint` to `steps` steps; each looks at `EXAMPLES_PER_STEP` examples."""
    network.to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, betas=(0.9, 0.99))
    began = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        began = state["step"]
    on_gpu = device == "cuda"
    run = torch.compile(network, dynamic=True) if on_gpu else network
    start = {name: value.detach().clone() for name, value in Network.named_parameters(network)}
    scores: dict[str, list[float]] = defaultdict(list)
    clock = time.monotonic()
    for step in range(began, steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 20) * max(0.05, 1 - step / steps)
        optimiser.zero_grad()
        for part in range(EXAMPLES_PER_STEP):
            example = examples.at(step * EXAMPLES_PER_STEP + part)
            if not example.questions:
                continue
            with torch.autocast(device, torch.bfloat16, enabled=on_gpu):
                loss, right = loss_of(run, example)
            (loss / EXAMPLES_PER_STEP).backward()
            scores[example.kind].append(right)
            scores["loss"].append(float(loss.detach()))
        optimiser.step()
        if (step + 1) % 25 == 0 or step + 1 == steps:
            line = " ".join(f"{kind} {np.nanmean(values):.3f}" for kind, values in sorted(scores.items()))
            moved = max(float((value.detach() - start[name]).abs().mean()) for name, value in network.named_parameters())
            sys.stderr.write(f"step {step + 1} {line} moved {moved:.3f} {time.monotonic() - clock:.0f} s\n")
            sys.stderr.flush()
            scores.clear()
            kept = {name: value.detach() for name, value in network.named_parameters()}
            temporary = checkpoint.with_suffix(".part")
            torch.save({"network": kept, "optimiser": optimiser.state_dict(), "step": step + 1}, temporary)
            temporary.replace(checkpoint)


def main() -> None:
    parser = argparse.ArgumentParser(description="train the starter from its circuit")
    parser.add_argument("training", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("counts", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    ranks = tokenizer.load(arguments.vocabulary)
    network = Network(vocabulary(ranks, np.load(arguments.counts)["shares"]))
    examples = Examples(arguments.training, ranks, seed=arguments.seed)
    train(network, examples, arguments.checkpoint, steps=arguments.steps, rate=arguments.rate, device=arguments.device)


if __name__ == "__main__":
    main()
