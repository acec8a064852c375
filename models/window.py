"""How large a KV cache may be, from the memory that is free now. Knows sizes, no models.

Per cell: K and V of every layer, and one column of the attention mask for each token of a chunk (f16). Beside the cells:
scratch for the graph, logits, and what the rest of the machine needs.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unabridged.errors import DoesNotFit, UsageError
from unabridged.models.extension import LARGEST_FACTOR, factor_for

ROOM = 2048  # tokens for questions and answers beyond what a reading reserves
STEP = 1024  # windows are multiples of it, so that a slightly longer prompt does not reopen the cache
KEPT_FREE = 1 << 30  # bytes left to the rest of the machine


def available_bytes() -> int:
    """Memory that can be taken without swapping, also inside a container."""
    free = _from_meminfo()
    for limit, used in _CGROUPS:
        try:
            free = min(free, int(Path(limit).read_text("ascii")) - int(Path(used).read_text("ascii")))
        except (OSError, ValueError):  # no such controller, or "max"
            continue
    return max(free, 0)


_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def _from_meminfo() -> int:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):  # not Linux: half of what is installed
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True, slots=True)
class Pool:
    """A memory that cells are taken from: `free` bytes now, and what a cache takes there beside its cells."""

    free: Callable[[], int]
    bytes_per_cell: int
    overhead_bytes: int

    def cells(self, *, held: int) -> int:
        """As many as fit; `held` are taken now and would be given back."""
        if not self.bytes_per_cell:
            return sys.maxsize
        return max(self.free() - self.overhead_bytes + held * self.bytes_per_cell, 0) // self.bytes_per_cell


def host_free_bytes() -> int:
    return available_bytes() - KEPT_FREE


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """`fixed` tokens, or 0 for as many as a reading needs; never beyond `trained` or what any of the `pools` holds.

    `least` where a shorter window would change what the model computes. `extendable`: positions can be stretched.
    """

    fixed: int
    trained: int
    pools: tuple[Pool, ...]
    least: int = 0
    extendable: bool = False

    def __post_init__(self) -> None:
        if self.fixed < 0 or self.fixed > self.trained:
            raise UsageError(
                f"A window of {self.fixed:,} tokens is not possible with this model.",
                hint=f"Choose between 1 and {self.trained:,}, or 0 for as many as a reading needs.",
            )

    def largest(self, *, held: int) -> int:
        """The largest window that memory and training allow; `held` cells are taken now and would be given back."""
        cells = min(self.trained, *(pool.cells(held=held) for pool in self.pools))
        return max(min(cells, self.fixed) if self.fixed else cells, held)

    def window_for(self, tokens: int, *, held: int) -> int:
        largest = self.largest(held=held)
        if self.fixed:
            return min(self.fixed, largest)
        return min(max(-(-(tokens + ROOM) // STEP) * STEP, self.least), largest)

    def check(self, tokens: int, reserve: int, *, held: int) -> int:
        """The window to open; raises DoesNotFit with the ways out."""
        window = self.window_for(tokens + reserve, held=held)
        if tokens + reserve <= window:
            return window
        choices = ["choose fewer or shorter documents"]
        if self.fixed and self.fixed < self.trained:
            choices.insert(0, "set the window to 0 (as large as needed)")
        if window < self.trained and not self.fixed:
            choices += ["free memory or choose a smaller KV type", "choose a smaller model"]
        elif window >= self.trained:
            choices += ["choose a model with a longer window"]
            factor = factor_for(tokens + reserve, self.trained)
            if self.extendable and factor <= LARGEST_FACTOR:
                choices += [f"extend the window {factor:g} times with YaRN (window_factor), at some cost in accuracy"]
        raise DoesNotFit(needed_tokens=tokens + reserve, window_tokens=window, choices=choices)
