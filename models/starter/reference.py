"""The same transformer in plain numpy, float32, one document at a time: what llama.cpp is compared with.

Slow and short on purpose; returns what every layer did, so that each stage of the circuit can be looked at.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import circuit

Array = NDArray[np.float32]


def normalised(x: Array) -> Array:
    """LayerNorm without bias or weight (all weights are one), over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    result: Array = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return result


def rotated(x: Array, positions: NDArray[np.int64]) -> Array:
    """RoPE on neighbouring dimensions; x is [tokens, heads, HEAD]."""
    turns = circuit.ROPE_BASE ** (-np.arange(0, circuit.HEAD, 2) / circuit.HEAD)
    angles = (positions[:, None] * turns)[:, None]
    even, odd = x[..., ::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., ::2] = even * np.cos(angles) - odd * np.sin(angles)
    out[..., 1::2] = even * np.sin(angles) + odd * np.cos(angles)
    return out


def attention(w: Mapping[str, Array], layer: int, x: Array) -> tuple[Array, Array]:
    """(weights [heads, tokens, tokens], what is added to the residual) of one layer on its normalised input."""
    q, k, v = ((x @ w[f"blk.{layer}.attn_{part}.weight"].T).reshape(len(x), -1, circuit.HEAD) for part in "qkv")
    k, v = (np.repeat(shared, circuit.HEADS // circuit.KV_HEADS, axis=1) for shared in (k, v))
    positions = np.arange(len(x))
    distance = positions[:, None] - positions
    hidden = distance < 0
    if circuit.SLIDING[layer]:
        q, k = rotated(q, positions), rotated(k, positions)
        hidden |= distance >= circuit.WINDOW
    logits = np.einsum("ihd,jhd->hij", q, k) / circuit.HEAD**0.5
    logits[:, hidden] = -np.inf
    share = np.exp(logits - logits.max(-1, keepdims=True))
    share /= share.sum(-1, keepdims=True)
    out = np.einsum("hij,jhd->ihd", share, v).reshape(len(x), -1)
    return share, out @ w[f"blk.{layer}.attn_output.weight"].T


def run(w: Mapping[str, Array], tokens: Sequence[int]) -> tuple[list[Array], list[Array], Array]:
    """(residual before each layer and after the last, attention weights per layer, logits of the last token)."""
    x = w["token_embd.weight"][np.asarray(tokens)]
    residuals, shares = [x], []
    for layer in range(len(circuit.SLIDING)):
        share, added = attention(w, layer, normalised(x))
        x = x + added
        residuals.append(x)
        shares.append(share)
    logits = w["token_embd.weight"] @ normalised(x)[-1] * circuit.LOGIT_SCALE
    return residuals, shares, logits
