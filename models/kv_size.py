"""Bytes of KV cache per token, from a GGUF header. Knows the layouts of attention, no devices."""

from collections.abc import Sequence

import numpy as np
from unabridged.models.gguf_header import BLOCKS, GgufHeader, MetadataValue

TYPE_NUMBERS = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8}


def kv_bytes_per_token(header: GgufHeader, kv_type: str) -> int:
    """K and V rows of every layer, as llama.cpp allocates them with a full-size cache for sliding layers."""
    return sum(kv_bytes_by_layer(header, kv_type))


def kv_bytes_by_layer(header: GgufHeader, kv_type: str) -> list[int]:
    """The same for each layer; 0 where a layer has no cache."""
    elements, size = BLOCKS[TYPE_NUMBERS[kv_type]]
    return [sum(-(-row // elements) * size for row in rows) for rows in kv_rows(header)]


def kv_rows(header: GgufHeader) -> list[tuple[int, ...]]:
    """Elements per token of the K and V row of each layer; empty where a layer has no cache."""
    layers = int(header.value("block_count", 0))
    heads = per_layer(header.value("attention.head_count", 1), layers)
    kv_heads = per_layer(header.value("attention.head_count_kv", heads), layers)
    width = int(header.value("embedding_length", 0))
    default = width // max(heads[0], 1) if layers else 0
    if header.value("attention.key_length_mla"):  # latent attention: V is read out of K
        return [(int(header.value("attention.key_length", default)),)] * layers
    key = int(header.value("attention.key_length", default))
    value = int(header.value("attention.value_length", default))
    return [(count * key, count * value) if count else () for count in kv_heads]


def per_layer(value: MetadataValue, layers: int) -> list[int]:
    """One number for all layers, or one for each."""
    if isinstance(value, Sequence | np.ndarray):
        return [int(item) for item in value]
    return [int(value)] * layers
