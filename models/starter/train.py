"""Trains what the circuit's words mean, on one device, from where the circuit starts; resumes from its last checkpoint.

The loss is the cross entropy of the right answer (a NUMBER among those present, or `doc` where nothing fits) and, as long as
the stage asks for it, minus the log of the attention that the question's words give to the right passage. Same seed, same
device, same steps: same weights, whether interrupted or not. Judged by its share of right passages on the development shard,
at the circuit's sharpness: the best weights are kept beside the last, and those of step 0 are the circuit's. bf16 and
torch.compile are switched on where there is a GPU (that path has not been run).

usage: python -m unabridged.models.starter.train SHARDS_FOLDER vocabulary.tiktoken counts.npz CHECKPOINT --steps 1000
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from unabridged.models.starter import tokenizer
from unabridged.models.starter.data import NOTHING, Example
from unabridged.models.starter.export import vocabulary
from unabridged.models.starter.network import Network
from unabridged.models.starter.packing import Shard
from unabridged.models.starter.stages import STAGES, stage_at

EXAMPLES_PER_STEP = 4
WARM_UP = 20  # steps


def loss_of(
    network: torch.nn.Module, example: Example, *, sharpness: float = 1.0, supervision: float = 0.0
) -> tuple[Tensor, float]:
    """(mean loss, share of the answerable questions whose passage comes first)."""
    logits, looked = network(example.passages, example.questions, sharpness=sharpness)
    logits = logits.float()
    targets = torch.tensor(example.targets, device=logits.device)
    fits = targets != NOTHING
    loss = functional.cross_entropy(logits, torch.where(fits, targets, logits.shape[1] - 1))
    if supervision and bool(fits.any()):
        held = looked.gather(1, targets.clamp(min=0)[:, None])[fits, 0]
        loss = loss - supervision * torch.log(held + 1e-6).mean()
    right = (logits[:, :-1].argmax(-1) == targets)[fits].float().mean()
    return loss, float(right)


@torch.no_grad()
def score(network: torch.nn.Module, shard: Shard) -> float:
    """Share of right passages, the mean over the shard's examples."""
    found = [loss_of(network, shard[index])[1] for index in range(len(shard)) if shard[index].questions]
    return float(np.nanmean(found))


def train(
    network: Network,
    shards: Mapping[str, Shard],
    checkpoint: Path,
    *,
    steps: int,
    stop: int | None = None,
    rate: float = 0.003,
    judged_every: int = 50,
    device: str = "cpu",
    report: Callable[[dict[str, Any]], None] = lambda line: None,
) -> None:
    """Brings `checkpoint` to `stop` of `steps` steps (all of them by default); `shards` by stage name, and "development"."""
    network.to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, betas=(0.9, 0.99))
    began, best = 0, -1.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        began, best = state["step"], state["best"]
    on_gpu = device == "cuda"
    run = torch.compile(network, dynamic=True) if on_gpu else network
    losses: list[float] = []
    clock = time.monotonic()
    end = steps if stop is None else stop
    for step in range(began, end + 1):
        if step % judged_every == 0 or step == end:
            right = score(run, shards["development"])
            mean = float(np.mean(losses)) if losses else float("nan")
            name = stage_at(step, steps)[0].name
            report({"step": step, "stage": name, "development": right, "loss": mean, "seconds": time.monotonic() - clock})
            losses.clear()
            if right > best:
                best = right
                _save(checkpoint.with_suffix(".best"), {"network": _trained(network), "step": step, "right": right})
            _save(checkpoint, {"network": _trained(network), "optimiser": optimiser.state_dict(), "step": step, "best": best})
        if step == end:
            break
        stage, sharpness, supervision = stage_at(step, steps)
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_UP) * max(0.05, 1 - step / steps)
        optimiser.zero_grad()
        shard = shards[stage.name]
        for part in range(EXAMPLES_PER_STEP):
            example = shard[(step * EXAMPLES_PER_STEP + part) % len(shard)]
            if example.questions:
                with torch.autocast(device, torch.bfloat16, enabled=on_gpu):
                    loss, _ = loss_of(run, example, sharpness=sharpness, supervision=supervision)
                (loss / EXAMPLES_PER_STEP).backward()
                losses.append(float(loss.detach()))
        optimiser.step()


def _trained(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def _save(path: Path, state: dict[str, Any]) -> None:
    temporary = path.with_suffix(f"{path.suffix}.part")
    torch.save(state, temporary)
    temporary.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="train the starter from its circuit")
    parser.add_argument("shards", type=Path, help="from unabridged.models.starter.packing")
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("counts", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--judged-every", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    network = Network(vocabulary(tokenizer.load(arguments.vocabulary), np.load(arguments.counts)["shares"]))
    names = [*(stage.name for stage in STAGES), "development"]

    def report(line: dict[str, Any]) -> None:
        sys.stderr.write(" ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items()) + "\n")
        sys.stderr.flush()

    train(
        network,
        {name: Shard(arguments.shards / f"{name}.npz") for name in names},
        arguments.checkpoint,
        steps=arguments.steps,
        rate=arguments.rate,
        judged_every=arguments.judged_every,
        device=arguments.device,
        report=report,
    )


if __name__ == "__main__":
    main()
