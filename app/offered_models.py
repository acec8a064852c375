"""Open-weight chat models with a long window that can be fetched: facts about each, and the window it would get here.

Sizes are rounded; the exact size and the checksum come from the hub when a file is fetched. Knows no network.
"""

from dataclasses import dataclass

from unabridged.errors import UsageError
from unabridged.models.window import KEPT_FREE, available_bytes

GB = 10**9
BITS_PER_NUMBER = {"f16": 16.0, "q8_0": 8.5, "q4_0": 4.5}  # of a block of 32 with its scale: ggml-common.h
MASK_BYTES_PER_TOKEN = 2 * 512  # f16, one row for each token of a chunk


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A GGUF file on the hub. Layers, KV heads and head size are of the model's config.json; the window is in tokens."""

    name: str
    repository: str
    file: str
    size_gb: float
    licence: str
    trained_window: int
    layers: int
    kv_heads: int
    head_size: int

    def kv_bytes_per_token(self, kv_type: str) -> float:
        return 2 * self.layers * self.kv_heads * self.head_size * BITS_PER_NUMBER[kv_type] / 8

    def window_here(self, *, kv_type: str, free_bytes: int | None = None) -> int:
        """About the largest window that fits beside the weights; 0 for none. `models.plan` is exact once the file is here."""
        free = (available_bytes() if free_bytes is None else free_bytes) - KEPT_FREE - self.size_gb * GB
        return max(0, min(self.trained_window, int(free // (self.kv_bytes_per_token(kv_type) + MASK_BYTES_PER_TOKEN))))


OFFERED = (
    OfferedModel(
        name="Llama 3.2 3B Instruct",
        repository="bartowski/Llama-3.2-3B-Instruct-GGUF",
        file="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        size_gb=2.0,
        licence="Llama 3.2 Community License",
        trained_window=131_072,
        layers=28,
        kv_heads=8,
        head_size=128,
    ),
    OfferedModel(
        name="Qwen3 4B Instruct 2507",
        repository="unsloth/Qwen3-4B-Instruct-2507-GGUF",
        file="Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        size_gb=2.5,
        licence="Apache-2.0",
        trained_window=262_144,
        layers=36,
        kv_heads=8,
        head_size=128,
    ),
    OfferedModel(
        name="Qwen2.5 7B Instruct 1M",
        repository="bartowski/Qwen2.5-7B-Instruct-1M-GGUF",
        file="Qwen2.5-7B-Instruct-1M-Q4_K_M.gguf",
        size_gb=4.7,
        licence="Apache-2.0",
        trained_window=1_010_000,
        layers=28,
        kv_heads=4,
        head_size=128,
    ),
    OfferedModel(
        name="Llama 3.1 8B Instruct",
        repository="bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
        file="Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
        size_gb=4.9,
        licence="Llama 3.1 Community License",
        trained_window=131_072,
        layers=32,
        kv_heads=8,
        head_size=128,
    ),
    OfferedModel(
        name="Qwen2.5 14B Instruct 1M",
        repository="bartowski/Qwen2.5-14B-Instruct-1M-GGUF",
        file="Qwen2.5-14B-Instruct-1M-Q4_K_M.gguf",
        size_gb=9.0,
        licence="Apache-2.0",
        trained_window=1_010_000,
        layers=48,
        kv_heads=8,
        head_size=128,
    ),
    OfferedModel(
        name="Qwen3 30B A3B Instruct 2507",
        repository="unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF",
        file="Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf",
        size_gb=18.6,
        licence="Apache-2.0",
        trained_window=262_144,
        layers=48,
        kv_heads=4,
        head_size=128,
    ),
)


def offered(name: str) -> OfferedModel:
    """The one with this name. Raises UsageError."""
    for model in OFFERED:
        if model.name == name:
            return model
    raise UsageError(f"There is no model called {name} to fetch.", hint="Choose one that the catalogue shows.")
