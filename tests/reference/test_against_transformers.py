"""Logits of the session against transformers, an independent implementation, for the same random weights.

Stated tolerance, on log probabilities whose standard deviation is above 1: 1e-3 with f32 weights and an f32 KV cache, where
only the order of additions differs; 0.15 with the f16 cache and the flash attention of normal use, which round to 11 bits.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unabridged.models.engine import Choice, EngineOptions, Sampling, Tokens
from unabridged.models.gguf_header import read_header
from unabridged.models.open_model import OpenModel, open_model
from unabridged.models.segment_cache import SEGMENT

from tests.unit.models.tiny_models import tensor_shapes, vocabulary, write_tiny_model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.reference

ARCHITECTURES = ("llama", "qwen2", "qwen3", "cohere2")
EXACT, ROUNDED = 1e-3, 0.15
LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, HIDDEN, SLIDING = 4, 128, 4, 2, 32, 128, 128


def weights_of(path: Path) -> dict[str, np.ndarray]:
    """By GGUF name, as the file has them."""
    import gguf

    return {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(path).tensors}


def reference(architecture: str, path: Path, rope: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  a transformers model
    weights = weights_of(path)
    size = len(weights["token_embd.weight"])
    if architecture == "llama":
        for name in weights:
            if name.endswith(("attn_q.weight", "attn_k.weight")):
                weights[name] = turned(weights[name], HEADS if "attn_q" in name else KV_HEADS)
    rope = rope or {"rope_type": "default", "rope_theta": 10000.0}
    if architecture == "phi3":
        return fused(weights, size, rope)
    common = {
        "vocab_size": size, "hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD, "max_position_embeddings": 8192,
        "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
        "rope_parameters": rope, "attn_implementation": "eager",
    }  # fmt: skip
    if architecture == "cohere2":
        pattern = ["sliding_attention"] * 3 + ["full_attention"]
        config = transformers.Cohere2Config(
            **common, layer_norm_eps=1e-5, logit_scale=1.0, sliding_window=SLIDING, layer_types=pattern
        )
        model = transformers.Cohere2ForCausalLM(config)
    else:
        classes = {
            "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
            "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
            "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
        }
        make_config, make_model = classes[architecture]
        model = make_model(make_config(**common, rms_norm_eps=1e-6, tie_word_embeddings=False))
    model.load_state_dict({their: torch.tensor(weights[our]) for our, their in names(architecture, size).items()}, strict=False)
    return model.eval()


def fused(weights: dict[str, np.ndarray], size: int, rope: dict[str, Any]) -> Any:  # noqa: ANN401  a transformers model
    """phi3, which keeps q, k and v in one matrix."""
    config = transformers.Phi3Config(
        vocab_size=size, hidden_size=WIDTH, intermediate_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, rms_norm_eps=1e-6, max_position_embeddings=1024, original_max_position_embeddings=256,
        bos_token_id=0, eos_token_id=0, pad_token_id=0, rope_parameters=rope, attn_implementation="eager",
    )  # fmt: skip
    model = transformers.Phi3ForCausalLM(config)
    state = {
        "model.embed_tokens.weight": weights["token_embd.weight"],
        "model.norm.weight": weights["output_norm.weight"],
        "lm_head.weight": weights["output.weight"],
    }
    for i in range(LAYERS):
        ours, theirs = f"blk.{i}.", f"model.layers.{i}."
        state[theirs + "self_attn.qkv_proj.weight"] = np.concatenate([weights[f"{ours}attn_{part}.weight"] for part in "qkv"])
        for our, their in (("attn_output", "self_attn.o_proj"), ("ffn_up", "mlp.gate_up_proj"), ("ffn_down", "mlp.down_proj")):
            state[f"{theirs}{their}.weight"] = weights[f"{ours}{our}.weight"]
        state[theirs + "input_layernorm.weight"] = weights[ours + "attn_norm.weight"]
        state[theirs + "post_attention_layernorm.weight"] = weights[ours + "ffn_norm.weight"]
    model.load_state_dict({name: torch.tensor(values) for name, values in state.items()})
    return model.eval()


def turned(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama GGUFs rotate neighbouring pairs, transformers the two halves of a head: the same rows in another order."""
    return weight.reshape(heads, HEAD // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def names(architecture: str, size: int) -> dict[str, str]:
    parts = {
        "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
        "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
    }  # fmt: skip
    found = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if architecture != "cohere2":  # whose output is tied to the embeddings
        found["output.weight"] = "lm_head.weight"
    for name in tensor_shapes(architecture, size, LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, HIDDEN):
        if name.startswith("blk."):
            _, layer, part, kind = name.split(".")
            found[name] = f"model.layers.{layer}.{parts[part]}.{kind}"
    return found


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp(request.param) / "model.gguf"
    write_tiny_model(
        path, architecture=request.param, layers=LAYERS, width=WIDTH, heads=HEADS, kv_heads=KV_HEADS, head_size=HEAD,
        feed_forward=HIDDEN, sliding_window=SLIDING,
    )  # fmt: skip
    return request.param, path


@pytest.fixture
def opened(model: tuple[str, Path], tmp_path: Path) -> Iterator[OpenModel]:
    opened = open_model(model[1], EngineOptions(tmp_path, kv_type="f32", chunk_tokens=64, segment_tokens=128, threads=1))
    yield opened
    opened.session.close()


def tokens_of(length: int) -> Tokens:
    return np.random.default_rng(7).integers(0, len(vocabulary()[0]), length).astype(np.int32)


def log_probabilities(opened: OpenModel, tokens: Tokens, split: int) -> np.ndarray:
    """Of the next token, after reading `split` tokens and asking with the rest."""
    run = opened.session.scheduler.run
    reading = run(opened.session.read(tokens[:split]))
    options = [np.array([token], np.int32) for token in range(opened.info.vocabulary)]
    return np.log(np.array(run(opened.session.choose(reading.key, tokens[split:], options)).probabilities))


def expected(architecture: str, path: Path, tokens: Tokens, rope: dict[str, Any] | None = None) -> np.ndarray:
    with torch.no_grad():
        logits = reference(architecture, path, rope)(torch.tensor(tokens[None].astype(np.int64))).logits[0, -1]
    return torch.log_softmax(logits.double(), -1).numpy()


@pytest.mark.parametrize("length", [5, 100, 500])
def test_a_question_on_a_reading_gives_the_reference_logits(model: tuple[str, Path], opened: OpenModel, length: int) -> None:
    tokens = tokens_of(length)
    found, wanted = log_probabilities(opened, tokens, length - 3), expected(*model, tokens)
    assert wanted.std() > 1  # a comparison of flat logits would prove nothing
    assert np.abs(found - wanted).max() < EXACT


def test_a_restored_reading_gives_the_reference_logits(model: tuple[str, Path], opened: OpenModel, tmp_path: Path) -> None:
    tokens = tokens_of(500)
    log_probabilities(opened, tokens, 490)
    options = EngineOptions(tmp_path, kv_type="f32", chunk_tokens=64, segment_tokens=128, threads=1)
    again = open_model(model[1], options)
    reading = again.session.scheduler.run(again.session.read(tokens[:490]))
    assert reading.evaluated == 0
    assert np.abs(log_probabilities(again, tokens, 490) - expected(*model, tokens)).max() < EXACT
    again.session.close()


def test_an_f16_cache_stays_close(model: tuple[str, Path], tmp_path: Path) -> None:
    opened = open_model(model[1], EngineOptions(tmp_path, kv_type="f16", chunk_tokens=64, threads=1))
    tokens = tokens_of(300)
    assert np.abs(log_probabilities(opened, tokens, 290) - expected(*model, tokens)).max() < ROUNDED
    opened.session.close()


def test_the_header_says_what_was_written(model: tuple[str, Path]) -> None:
    assert read_header(model[1]).value("block_count") == LAYERS


@pytest.mark.parametrize("scaling", ["linear", "yarn"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_stretched_window_gives_the_reference_logits(tmp_path: Path, architecture: str, scaling: str) -> None:
    """Four times a trained window of 128 tokens, in a reading that is longer than it: fresh, forked, evicted, restored."""
    shape = {"layers": LAYERS, "width": WIDTH, "heads": HEADS, "kv_heads": KV_HEADS, "head_size": HEAD, "feed_forward": HIDDEN}
    path = write_tiny_model(
        tmp_path / "model.gguf", architecture=architecture, window=128, sliding_window=SLIDING, **shape
    )
    rope = {"rope_type": scaling, "factor": 4.0, "rope_theta": 10000.0, "original_max_position_embeddings": 128}
    tokens = tokens_of(400)
    wanted = expected(architecture, path, tokens, rope)
    assert np.abs(wanted - expected(architecture, path, tokens)).max() > 0.1  # it does make a difference
    options = EngineOptions(
        tmp_path / "s", kv_type="f32", chunk_tokens=64, segment_tokens=128, threads=1, rope_scaling=scaling, rope_factor=4.0
    )
    for _ in range(2):
        opened = open_model(path, options)
        for _ in range(2):
            assert np.abs(log_probabilities(opened, tokens, 390) - wanted).max() < EXACT
            opened.session.scheduler.run(opened.session.read(np.roll(tokens, 1)))  # takes the place of the first
        opened.session.close()


def test_questions_side_by_side_on_one_reading_give_the_reference_logits(
    model: tuple[str, Path], opened: OpenModel
) -> None:
    """Five forks in the same batches: one in the reading's own sequence, one made ready, three copied."""
    tokens, run = tokens_of(400), opened.session.scheduler
    reading = run.run(opened.session.read(tokens, reserve=1000))
    while opened.session.idle():
        pass
    every = [np.array([token], np.int32) for token in range(opened.info.vocabulary)]
    prompts = [np.random.default_rng(seed).integers(0, 500, 20 + 30 * seed).astype(np.int32) for seed in range(5)]
    found: dict[int, Choice] = {}
    for number, prompt in enumerate(prompts):
        job = opened.session.choose(reading.key, prompt, every)
        run.start(job, lambda event: None, lambda result, error, number=number: found.update({number: result}))
    while run.busy:
        run.step()
    for number, prompt in enumerate(prompts):
        wanted = expected(*model, np.concatenate([tokens, prompt]))
        assert np.abs(np.log(np.array(found[number].probabilities)) - wanted).max() < EXACT


def test_a_reading_that_had_to_give_way_comes_back_with_the_reference_logits(
    model: tuple[str, Path], tmp_path: Path
) -> None:
    """Out of the cache with its forks, for another reading; back from segments, and, where those are gone too, read anew."""
    tokens = tokens_of(500)
    wanted = expected(*model, tokens)
    for kept in (True, False):
        options = EngineOptions(tmp_path, kv_type="f32", chunk_tokens=64, segment_tokens=128, threads=1, window=1024)
        opened = open_model(model[1], options)
        log_probabilities(opened, tokens, 480)
        opened.session.scheduler.run(opened.session.read(np.roll(tokens_of(1000), 1)))
        assert len(opened.session._map.residents) == 1  # type: ignore[union-attr]
        for segment in [] if kept else list(tmp_path.rglob("*" + SEGMENT)):
            segment.unlink()
        back = opened.session.scheduler.run(opened.session.read(tokens[:480]))
        assert (back.evaluated, back.reused) == ((0, 480) if kept else (480, 0))
        assert np.abs(log_probabilities(opened, tokens, 480) - wanted).max() < EXACT
        opened.session.close()


def test_a_second_question_on_a_fork_that_was_dropped_gives_the_reference_logits(
    model: tuple[str, Path], tmp_path: Path
) -> None:
    """A conversation whose fork gave way is rebuilt from its tokens."""
    options = EngineOptions(tmp_path, kv_type="f32", chunk_tokens=64, segment_tokens=128, threads=1, window=1024)
    opened = open_model(model[1], options)
    tokens, run = tokens_of(700), opened.session.scheduler.run
    reading = run(opened.session.read(tokens[:400]))
    run(opened.session.generate(reading.key, tokens[400:500], limit=1, sampling=Sampling(), stop=()))
    assert opened.session._map.drop_idle()  # type: ignore[union-attr]
    assert not opened.session._map.forks  # type: ignore[union-attr]
    assert np.abs(log_probabilities(opened, tokens, 400) - expected(*model, tokens)).max() < EXACT
    opened.session.close()


@pytest.mark.parametrize("length", [200, 600])
def test_longrope_uses_the_factors_that_the_window_asks_for(tmp_path: Path, length: int) -> None:
    """phi3 with short factors up to 256 tokens and long ones beyond; fresh, then restored."""
    shape = {"layers": LAYERS, "width": WIDTH, "heads": HEADS, "kv_heads": KV_HEADS, "head_size": HEAD, "feed_forward": HIDDEN}
    short, long = np.linspace(1.0, 1.5, HEAD // 2), np.linspace(1.0, 8.0, HEAD // 2)
    attention = float(np.sqrt(1 + np.log(4) / np.log(256)))
    path = write_tiny_model(
        tmp_path / "model.gguf",
        architecture="phi3",
        window=1024,
        metadata={"phi3.rope.scaling.original_context_length": 256, "phi3.rope.scaling.attn_factor": attention},
        tensors={"rope_factors_long.weight": long, "rope_factors_short.weight": short},
        **shape,
    )
    rope = {
        "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 256,
        "short_factor": short.tolist(), "long_factor": long.tolist(), "partial_rotary_factor": 1.0,
    }  # fmt: skip
    tokens = tokens_of(length)
    wanted = expected("phi3", path, tokens, rope)
    options = EngineOptions(
        tmp_path / "s", kv_type="f32", chunk_tokens=64, segment_tokens=128, threads=1, window=256 if length < 256 else 0
    )
    for _ in range(2):
        opened = open_model(path, options)
        assert np.abs(log_probabilities(opened, tokens, length - 10) - wanted).max() < EXACT
        opened.session.close()
    other = open_model(path, replace(options, window=0 if length < 256 else 256))
    assert other.info.fingerprint != opened.info.fingerprint
    if length < 256:  # the other factors do make a difference
        assert np.abs(log_probabilities(other, tokens, length - 10) - wanted).max() > 0.1
    other.session.close()
