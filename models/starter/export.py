"""Writes the starter as GGUF: weights, vocabulary, the keys that tell the program how to ask it; its sha256 beside it.

Knows no training.

usage: python -m unabridged.models.starter.export vocabulary.tiktoken counts.npz starter.gguf [--checkpoint FILE]
"""

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray
from unabridged.models.starter import circuit, tokenizer

THRESHOLD = 0.3  # certainty (models/pointing.py) from which on an answer is given as one; chosen from what calibrate prints


def write(
    path: Path, ranks: Mapping[bytes, int], weights: Mapping[str, NDArray[np.float32]], *, threshold: float = THRESHOLD
) -> None:
    """The GGUF: embeddings in q8_0, in which signs are exact; the rest in f16.

    llama.cpp multiplies quantised matrices with AMX tiles where the processor has them, and dies on virtual machines that
    forbid them; f16 is computed elsewhere.
    """
    letters = {value: key for key, value in tokenizer.bytes_by_letter().items()}

    def text(token: bytes) -> str:
        return "".join(letters[b] for b in token)

    words = [text(token) for token in sorted(ranks, key=ranks.__getitem__)]
    tokens = [*words, *tokenizer.SPECIAL, *(f"<|{i + 1}|>" for i in range(circuit.NUMBERS))]
    ids = {name: len(words) + i for i, name in enumerate(tokenizer.SPECIAL)}
    g = gguf.GGUFWriter(path, "cohere2")
    g.add_name("Unabridged starter")
    g.add_license("AGPL-3.0-or-later")
    g.add_context_length(1 << 20)
    g.add_embedding_length(circuit.WIDTH)
    g.add_block_count(len(circuit.SLIDING))
    g.add_feed_forward_length(circuit.FEED_FORWARD)
    g.add_head_count(circuit.HEADS)
    g.add_head_count_kv(circuit.KV_HEADS)
    g.add_key_length(circuit.HEAD)
    g.add_value_length(circuit.HEAD)
    g.add_layer_norm_eps(1e-5)
    g.add_rope_freq_base(circuit.ROPE_BASE)
    g.add_rope_dimension_count(circuit.HEAD)
    g.add_logit_scale(circuit.LOGIT_SCALE)
    g.add_sliding_window(circuit.WINDOW)
    g.add_array("cohere2.attention.sliding_window_pattern", list(circuit.SLIDING))
    g.add_vocab_size(len(tokens))
    g.add_tokenizer_model("gpt2")
    g.add_tokenizer_pre("qwen2")
    g.add_token_list(tokens)
    g.add_token_types([gguf.TokenType.NORMAL] * len(words) + [gguf.TokenType.CONTROL] * (len(tokens) - len(words)))
    g.add_token_merges([f"{text(left)} {text(right)}" for left, right in tokenizer.merges_of(dict(ranks))])
    g.add_eos_token_id(ids["<|end|>"])
    g.add_bos_token_id(ids["<|doc|>"])
    g.add_add_bos_token(False)
    for role in ("doc", "user", "assistant"):
        g.add_uint32(f"unabridged.finder.{role}", ids[f"<|{role}|>"])
    g.add_uint32("unabridged.finder.first_number", len(words) + len(tokenizer.SPECIAL))
    g.add_uint32("unabridged.finder.numbers", circuit.NUMBERS)
    g.add_float32("unabridged.finder.threshold", threshold)
    for name, value in weights.items():
        if name == "token_embd.weight":
            kind = gguf.GGMLQuantizationType.Q8_0
            g.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(value, np.float32), kind), raw_dtype=kind)
        else:
            g.add_tensor(name, np.ascontiguousarray(value, np.float32 if value.ndim == 1 else np.float16))
    g.write_header_to_file()
    g.write_kv_data_to_file()
    g.write_tensors_to_file()
    g.close()


def vocabulary(ranks: Mapping[bytes, int], shares: NDArray[np.float64]) -> circuit.Vocabulary:
    """Spellings and forms of a word in one group; rarity from `shares`, each token's share of the training text."""
    import snowballstemmer  # of the extra `train`, as all that only making the weights needs

    stem = snowballstemmer.stemmer("english").stemWord
    words = sorted(ranks, key=ranks.__getitem__)
    groups: dict[bytes, int] = {}
    group = np.array([groups.setdefault(_word(token, stem), len(groups)) for token in words], np.int64)
    share = np.bincount(group, weights=shares[: len(words)])[group]
    rarity = -np.log(share + 1e-6) / np.log(1e6)
    first = len(words)
    return circuit.Vocabulary(
        group=np.concatenate([group, len(groups) + np.arange(len(tokenizer.SPECIAL))]),
        rarity=np.concatenate([rarity, np.zeros(len(tokenizer.SPECIAL))]).clip(0, 1).astype(np.float32),
        doc=first + tokenizer.SPECIAL.index("<|doc|>"),
        user=first + tokenizer.SPECIAL.index("<|user|>"),
        assistant=first + tokenizer.SPECIAL.index("<|assistant|>"),
    )


def _word(token: bytes, stem: Callable[[str], str]) -> bytes:
    """What ties forms of a word together: its stem, without space and case; other bytes stand for themselves."""
    try:
        word = token.decode().strip().lower()
    except UnicodeDecodeError:
        return token
    if word.isascii() and word.isalpha():
        word = stem(word)
    return word.encode() or token


def learnt(known: circuit.Vocabulary, checkpoint: Path) -> circuit.Learnt:
    """What the weights of that checkpoint mean."""
    import torch
    from unabridged.models.starter.network import Network

    network = Network(known, circuit.unlearnt(known))
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["network"])
    return network.learnt()


def main() -> None:
    parser = argparse.ArgumentParser(description="write the starter's GGUF")
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("counts", type=Path, help="token counts, from unabridged.models.starter.data")
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--checkpoint", type=Path, help="the .best of unabridged.models.starter.train; without it, the circuit before training"
    )
    arguments = parser.parse_args()
    ranks = tokenizer.load(arguments.vocabulary)
    known = vocabulary(ranks, np.load(arguments.counts)["shares"])
    values = learnt(known, arguments.checkpoint) if arguments.checkpoint else circuit.unlearnt(known)
    write(arguments.out, ranks, circuit.weights(known, values))
    with arguments.out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    arguments.out.with_suffix(".json").write_text(json.dumps({"sha256": digest}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
