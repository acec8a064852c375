"""Small random models as real GGUF files, written in a fraction of a second, with a real byte-level BPE vocabulary.

Their answers are nonsense, but every number in them is computed by llama.cpp exactly as it is for a large model.
"""

import functools
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ("<|end|>", "<|im_start|>", "<|im_end|>", "<|doc|>", "<|user|>", "<|assistant|>")
WORDS_FROM = """The tenant shall pay the rent on the first day of each month. The landlord may end this agreement after
thirty days of notice in writing. This agreement is governed by the laws of the State. "Confidential information" means
all that is not public. 第一条 为了保护当事人的合法权益，制定本法。第二条 民事主体的人身权利受法律保护。当事人应当遵循公平原则。
It was the best of times, it was the worst of times, it was the age of wisdom. And then there was the end of the story.
"""


EXPERTS, EXPERT_WIDTH, RANK, CONVOLUTION = 4, 64, 64, 3
RECURRENT_WIDTH, STATE, TIME_RANK = 256, 16, 8


def _spelling() -> list[str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        table.setdefault(byte, chr(256 + len(table) - len(plain)))
    return [table[byte] for byte in range(256)]


@functools.cache
def vocabulary(merges: int = 300) -> tuple[list[str], list[str]]:
    """Tokens (the bytes, then the merges) and merges of a byte-level BPE trained on a page of text."""
    spell = _spelling()
    words = Counter(
        tuple(spell[byte] for byte in word.encode()) for word in re.findall(r" ?[^\W\d_]+|\d| ?[^\w\s]+|\s", WORDS_FROM)
    )
    tokens, rules = list(spell), []
    while len(rules) < merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        left, right = max(pairs, key=lambda pair: (pairs[pair], pair))
        rules.append(f"{left} {right}")
        tokens.append(left + right)
        words = Counter({_merged(word, left, right): count for word, count in words.items()})
    return tokens, rules


def _merged(word: tuple[str, ...], left: str, right: str) -> tuple[str, ...]:
    out: list[str] = []
    for part in word:
        if out and out[-1] == left and part == right:
            out[-1] = left + right
        else:
            out.append(part)
    return tuple(out)


def write_tiny_model(
    path: Path,
    *,
    architecture: str = "qwen2",
    chat_template: str | None = CHATML,
    name: str = "tiny",
    window: int = 8192,
    layers: int = 2,
    width: int = 128,
    heads: int = 4,
    kv_heads: int = 2,
    head_size: int = 32,
    feed_forward: int = 128,
    sliding_window: int = 0,
    pre_tokenizer: str = "qwen2",
    extra_tokens: tuple[str, ...] = (),
    metadata: dict[str, Any] | None = None,
    scale: float = 0.2,
    seed: int = 0,
    parts_of: int = 0,
    tensors: dict[str, np.ndarray] | None = None,
) -> Path:
    """Architectures: llama, qwen2, qwen3, phi3, cohere2 (sliding), qwen3moe, lfm2 (hybrid), mamba, deepseek2 (MLA, experts).

    f32 weights. `metadata`: more GGUF keys (bool, int, float or str); `tensors`: more of them, or others than the random
    ones, by name. `parts_of` so many tensors: split into several files.
    """
    random = np.random.default_rng(seed)
    words, merges = vocabulary()
    tokens = [*words, *CONTROL, *extra_tokens]
    writer = gguf.GGUFWriter(path, architecture, split_max_tensors=parts_of)
    writer.add_name(name)
    writer.add_context_length(window)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_rope_freq_base(10000.0)
    _add_attention(writer, architecture, layers, kv_heads, head_size)
    writer.add_vocab_size(len(tokens))
    if architecture == "cohere2":
        writer.add_layer_norm_eps(1e-5)
        writer.add_logit_scale(1.0)
        writer.add_sliding_window(sliding_window or 128)
    else:
        writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(words) + [gguf.TokenType.CONTROL] * (len(tokens) - len(words)))
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|end|>"))
    writer.add_add_bos_token(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for key, value in (metadata or {}).items():
        adders = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        adders[type(value)](key, value)
    shapes = tensor_shapes(architecture, len(tokens), layers, width, heads, kv_heads, head_size, feed_forward)
    for tensor, shape in shapes.items():
        if tensor in (tensors or {}):
            continue
        if tensor.endswith("ssm_a"):
            values = -np.exp(random.standard_normal(shape))  # what is remembered decays
        elif tensor.endswith("norm.weight"):
            values = np.ones(shape) + 0.1 * random.standard_normal(shape)
        else:
            values = scale * random.standard_normal(shape)
        writer.add_tensor(tensor, values.astype(np.float32))
    for tensor, values in (tensors or {}).items():
        writer.add_tensor(tensor, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return min(path.parent.glob(f"{path.stem}-00001-of-*.gguf")) if parts_of else path


def _add_attention(writer: gguf.GGUFWriter, architecture: str, layers: int, kv_heads: int, head_size: int) -> None:
    if architecture == "mamba":
        writer.add_ssm_conv_kernel(CONVOLUTION + 1)
        writer.add_ssm_inner_size(RECURRENT_WIDTH)
        writer.add_ssm_state_size(STATE)
        writer.add_ssm_time_step_rank(TIME_RANK)
        return
    if architecture in ("qwen3moe", "deepseek2"):
        writer.add_expert_count(EXPERTS)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(EXPERT_WIDTH)
    if architecture == "deepseek2":
        rope = head_size // 2
        writer.add_head_count_kv(1)
        writer.add_q_lora_rank(RANK)
        writer.add_kv_lora_rank(RANK)
        writer.add_key_length(RANK + rope)
        writer.add_value_length(RANK)
        writer.add_key_length_mla(head_size)
        writer.add_value_length_mla(head_size)
        writer.add_rope_dimension_count(rope)
        writer.add_expert_shared_count(1)
        writer.add_leading_dense_block_count(1)
        return
    if architecture == "lfm2":
        writer.add_shortconv_l_cache(CONVOLUTION)
        writer.add_head_count_kv([kv_heads if i % 2 else 0 for i in range(layers)])
    else:
        writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_dimension_count(head_size)


def tensor_shapes(
    architecture: str,
    vocabulary_size: int,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    head_size: int,
    feed_forward: int,
) -> dict[str, tuple[int, ...]]:
    """By GGUF name; rows are outputs."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (vocabulary_size, width), "output_norm.weight": (width,)}
    if architecture == "lfm2":
        shapes["token_embd_norm.weight"] = shapes.pop("output_norm.weight")
    elif architecture != "cohere2":
        shapes["output.weight"] = (vocabulary_size, width)
    for i in range(layers):
        block = {
            "attn_norm": (width,),
            "attn_q": (heads * head_size, width),
            "attn_k": (kv_heads * head_size, width),
            "attn_v": (kv_heads * head_size, width),
            "attn_output": (width, heads * head_size),
            "ffn_gate": (feed_forward, width),
            "ffn_up": (feed_forward, width),
            "ffn_down": (width, feed_forward),
        }
        if architecture == "mamba":
            shapes |= {f"blk.{i}.{tensor}": shape for tensor, shape in _recurrent(width).items()}
            continue
        if architecture != "cohere2":
            block["ffn_norm"] = (width,)
        if architecture == "phi3":
            block["ffn_up"] = (2 * feed_forward, width)  # the gate, then the rest
            del block["ffn_gate"]
        if architecture in ("qwen3", "qwen3moe", "lfm2"):
            block |= {"attn_q_norm": (head_size,), "attn_k_norm": (head_size,)}
        if architecture == "qwen3moe" or (architecture == "deepseek2" and i):
            block = {name: shape for name, shape in block.items() if name not in ("ffn_gate", "ffn_up", "ffn_down")}
            block |= {
                "ffn_gate_inp": (EXPERTS, width),
                "ffn_gate_exps": (EXPERTS, EXPERT_WIDTH, width),
                "ffn_up_exps": (EXPERTS, EXPERT_WIDTH, width),
                "ffn_down_exps": (EXPERTS, width, EXPERT_WIDTH),
            }
        if architecture == "deepseek2":
            block = _latent(block, width, heads, head_size, shared=i > 0)
        if architecture == "lfm2" and i % 2 == 0:
            block = {name: shape for name, shape in block.items() if name == "attn_norm" or name.startswith("ffn")}
            block |= {"shortconv.conv": (width, CONVOLUTION), "shortconv.in_proj": (3 * width, width)}
            block |= {"shortconv.out_proj": (width, width)}
        shapes |= {f"blk.{i}.{tensor}.weight": shape for tensor, shape in block.items()}
        if architecture == "qwen2":
            shapes |= {f"blk.{i}.{tensor}.bias": (block[tensor][0],) for tensor in ("attn_q", "attn_k", "attn_v")}
    return shapes


def _recurrent(width: int) -> dict[str, tuple[int, ...]]:
    """A selective state space instead of attention and feed-forward."""
    return {
        "attn_norm.weight": (width,),
        "ssm_in.weight": (2 * RECURRENT_WIDTH, width),
        "ssm_conv1d.weight": (RECURRENT_WIDTH, CONVOLUTION + 1),
        "ssm_conv1d.bias": (RECURRENT_WIDTH,),
        "ssm_x.weight": (TIME_RANK + 2 * STATE, RECURRENT_WIDTH),
        "ssm_dt.weight": (RECURRENT_WIDTH, TIME_RANK),
        "ssm_dt.bias": (RECURRENT_WIDTH,),
        "ssm_a": (RECURRENT_WIDTH, STATE),
        "ssm_d": (RECURRENT_WIDTH,),
        "ssm_out.weight": (width, RECURRENT_WIDTH),
    }


def _latent(
    block: dict[str, tuple[int, ...]], width: int, heads: int, head_size: int, *, shared: bool
) -> dict[str, tuple[int, ...]]:
    """Multi-head latent attention instead of q, k and v; and the expert that all tokens share."""
    rope = head_size // 2
    found = {name: shape for name, shape in block.items() if name not in ("attn_q", "attn_k", "attn_v")}
    found |= {
        "attn_q_a": (RANK, width),
        "attn_q_a_norm": (RANK,),
        "attn_q_b": (heads * head_size, RANK),
        "attn_kv_a_mqa": (RANK + rope, width),
        "attn_kv_a_norm": (RANK,),
        "attn_k_b": (heads, RANK, head_size - rope),
        "attn_v_b": (heads, head_size, RANK),
    }
    if shared:
        found |= {"ffn_gate_shexp": (EXPERT_WIDTH, width), "ffn_up_shexp": (EXPERT_WIDTH, width)}
        found |= {"ffn_down_shexp": (width, EXPERT_WIDTH)}
    return found
