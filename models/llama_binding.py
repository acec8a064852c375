"""llama.cpp behind a few small objects: the only file that imports llama_cpp. Knows no files of ours, no scheduling.

Everything that would make llama.cpp abort the process (a batch longer than n_batch, more outputs than n_outputs_max,
a sequence id out of range, an unclean state buffer) is checked here first and raised as `EngineFailed`.
"""

import ctypes
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as lib
from llama_cpp.llama_grammar import json_schema_to_gbnf
from numpy.typing import NDArray
from unabridged.errors import EngineFailed, ModelFileError, UsageError
from unabridged.models.engine import Sampling, Tokens

Logits = NDArray[np.float32]

KV_TYPES = {"f16": lib.GGML_TYPE_F16, "q8_0": lib.GGML_TYPE_Q8_0, "q4_0": lib.GGML_TYPE_Q4_0, "f32": lib.GGML_TYPE_F32}
ROPE_SCALINGS = {"linear": lib.LLAMA_ROPE_SCALING_TYPE_LINEAR, "yarn": lib.LLAMA_ROPE_SCALING_TYPE_YARN}
_BUG = "Report this as a bug."
LIBRARY_VERSION = "0.3.36"

log: deque[str] = deque(maxlen=4000)  # what llama.cpp said last; it never prints document text

_errors: deque[str] = deque(maxlen=40)
_DEBUG, _ERROR = 1, 4  # GGML_LOG_LEVEL_…


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_log(level: int, text: bytes, user_data: object) -> None:
    del user_data
    if level == _DEBUG:  # a line for every tensor
        return
    if level == _ERROR and text.strip():
        _errors.append(text.decode("utf-8", "replace").strip().rstrip("."))
    log.append(text.decode("utf-8", "replace").rstrip("\n"))


def _complaint() -> str:
    """The first error since the log was cleared: the later ones only repeat that something failed."""
    return _errors[0] if _errors else "llama.cpp gave no reason"


def _forget_log() -> None:
    log.clear()
    _errors.clear()


def start_backend() -> None:
    """Once per process, before any model."""
    lib.llama_log_set(_keep_log, ctypes.c_void_p(0))
    lib.llama_backend_init()


def gpu_is_usable() -> bool:
    return bool(lib.llama_supports_gpu_offload())


def device_name() -> str:
    """What the model that was loaded last runs on."""
    found = [match[1] for line in log if (match := re.search(r"using device \S+ \((.+?)\)", line))]
    return found[-1] if found else "GPU"


def _tiles_may_kill() -> bool:
    """Virtual machines may announce AMX tiles and grant them, and the first load of one still ends the process."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:  # not Linux
        return False
    return "amx_tile" in flags and "hypervisor" in flags


class Model:
    """Weights and vocabulary of one GGUF file."""

    def __init__(self, path: Path, *, gpu_layers: int = -1, vocabulary_only: bool = False, dry: bool = False) -> None:
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        params.use_extra_bufts = not _tiles_may_kill()
        if dry:  # sizes only: nothing is mapped or allocated
            params.no_alloc, params.load_mode = True, 0
        _forget_log()
        self._model = lib.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise ModelFileError(
                f"{path.name} cannot be loaded: {_complaint()}.",
                hint="Fetch the file again, or choose another model with `unabridged models use`.",
            )
        self._vocab = lib.llama_model_get_vocab(self._model)
        self.vocabulary = int(lib.llama_vocab_n_tokens(self._vocab))
        self.path = path
        self._pieces: list[bytes] | None = None

    def close(self) -> None:
        if self._model:
            lib.llama_model_free(self._model)
            self._model = None

    @property
    def trained_window(self) -> int:
        return int(lib.llama_model_n_ctx_train(self._model))

    @property
    def width(self) -> int:
        """Elements of a token's embedding."""
        return int(lib.llama_model_n_embd(self._model))

    @property
    def parameters(self) -> int:
        return int(lib.llama_model_n_params(self._model))

    @property
    def size_bytes(self) -> int:
        return int(lib.llama_model_size(self._model))

    @property
    def has_decoder_only(self) -> bool:
        return bool(lib.llama_model_has_decoder(self._model)) and not lib.llama_model_has_encoder(self._model)

    @property
    def keeps_every_position(self) -> bool:
        """False for recurrent and hybrid memories, which cannot be cut into segments."""
        return not (lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))

    @property
    def bos(self) -> int | None:
        """The token that must open every prompt, where the model wants one."""
        return int(lib.llama_vocab_bos(self._vocab)) if lib.llama_vocab_get_add_bos(self._vocab) else None

    def token_name(self, token: int) -> str:
        """The token as the vocabulary spells it, control tokens too; empty for -1."""
        return str(lib.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace")) if token >= 0 else ""

    @property
    def bos_name(self) -> str:
        return self.token_name(int(lib.llama_vocab_bos(self._vocab)))

    @property
    def eos_name(self) -> str:
        return self.token_name(int(lib.llama_vocab_eos(self._vocab)))

    def ends_generation(self) -> NDArray[np.bool_]:
        """[vocabulary] true for every token that ends an answer."""
        return np.fromiter((lib.llama_vocab_is_eog(self._vocab, t) for t in range(self.vocabulary)), bool, self.vocabulary)

    def tokenize(self, text: str, *, special: bool) -> Tokens:
        """llama.cpp's own tokenizer; `special` turns texts like `<|im_end|>` into control tokens. Never adds BOS."""
        raw = text.encode("utf-8")
        room = len(raw) + 16
        for _ in range(2):
            out = np.empty(room, np.int32)
            pointer = out.ctypes.data_as(lib.llama_token_p)
            count = lib.llama_tokenize(self._vocab, raw, len(raw), pointer, room, False, special)
            if count >= 0:
                return out[:count].copy()
            room = -count
        raise EngineFailed("llama.cpp could not tokenise a text.", hint="The vocabulary is damaged; fetch the model again.")

    @property
    def pieces(self) -> list[bytes]:
        """Bytes of every token, empty for control tokens; built on first use."""
        if self._pieces is None:
            self._pieces = [self._piece(token) for token in range(self.vocabulary)]
        return self._pieces

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        size = lib.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = lib.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False)
        return bytes(buffer.raw[: max(size, 0)])

    @property
    def handle(self) -> int:
        return int(self._model)

    @property
    def vocab_handle(self) -> int:
        return int(self._vocab)


@dataclass(frozen=True, slots=True)
class Rope:
    """How positions are stretched `factor` times beyond the trained window; factor 0: as the file says."""

    scaling: str = ""
    factor: float = 0.0
    original_window: int = 0


AS_TRAINED = Rope()


@dataclass(frozen=True, slots=True)
class Rows:
    """Part of a batch: `tokens` appended to `sequence` from `position`; logits wanted for the last `outputs` of them."""

    sequence: int
    tokens: Tokens
    position: int
    outputs: int


_TILE = 64  # rows of a tile of flash attention on a CPU


class Aborted(Exception):
    """A decode was stopped by `Context.abort`; nothing of it may be used."""


class CacheFull(Exception):
    """No room in the KV cache for the batch; the cache is as it was."""


class Context:
    """A KV cache of `window` cells shared by `sequences` sequences, and the graph that evaluates batches over it."""

    def __init__(
        self,
        model: Model,
        *,
        window: int,
        chunk_tokens: int,
        sequences: int,
        outputs: int,
        kv_type: str,
        threads: int,
        rope: Rope = AS_TRAINED,
        fill_sequence: int | None = None,
    ) -> None:
        self._fill_sequence, self._width = fill_sequence, model.width
        params = lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = window, chunk_tokens, chunk_tokens
        params.n_seq_max, params.n_outputs_max = sequences, min(chunk_tokens, max(outputs, sequences))
        params.n_threads = params.n_threads_batch = threads
        params.type_k = params.type_v = KV_TYPES[kv_type]
        if kv_type != "f16":  # a quantised V needs flash attention; f32 is for exactness, which flash attention rounds away
            params.flash_attn_type = 0 if kv_type == "f32" else 1
        params.kv_unified = params.swa_full = True
        params.no_perf = True
        if rope.factor:
            params.rope_scaling_type = ROPE_SCALINGS[rope.scaling]
            params.rope_freq_scale = 1 / rope.factor
            params.yarn_orig_ctx = rope.original_window
        # The abort callback runs after every node of the graph. A Python one would take the interpreter lock each time,
        # so strlen does it: it returns 0 for an empty C string and 1 once abort() has put a character into the flag.
        self._abort_flag = ctypes.create_string_buffer(2)
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value or 0
        params.abort_callback = lib.ggml_abort_callback(strlen)
        params.abort_callback_data = ctypes.addressof(self._abort_flag)
        self._params = params
        _forget_log()
        self._context = lib.llama_init_from_model(model.handle, params)
        if not self._context:
            raise EngineFailed(
                f"A window of {window:,} tokens could not be opened: {_complaint()}.",
                hint="Choose a smaller window, a smaller KV type, or close other programs.",
            )
        self._memory = lib.llama_get_memory(self._context)
        self._vocabulary, self._sequences, self._outputs = model.vocabulary, sequences, int(params.n_outputs_max)
        self.chunk_tokens = chunk_tokens
        self.window = int(lib.llama_n_ctx(self._context))

    def __enter__(self) -> "Context":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._context:
            lib.llama_free(self._context)
            self._context = None

    @property
    def outputs_max(self) -> int:
        return self._outputs

    def abort(self) -> None:
        """Stop the decode that is running, from any thread; the flag stays up until `decode` is called again."""
        self._abort_flag[0] = b"x"

    def decode(self, batch: Sequence[Rows]) -> list[range]:
        """Evaluate all rows at once; returns, for each part, the batch indices that `logits` and samplers take.

        Raises Aborted, CacheFull, EngineFailed; after Aborted the caller removes what the batch appended.

        On a CPU, flash attention has a fast way for one token and for 64 or more, and a slow one between. Batches between
        are filled up with tokens of a sequence that is empty otherwise and is emptied again at once.
        """
        count = sum(len(part.tokens) for part in batch)
        if self._fill_sequence is None or not self._is_worth_filling(count, max(part.position for part in batch)):
            return self._decode(batch)
        filler = Rows(self._fill_sequence, np.zeros(_TILE - count, np.int32), 0, 0)
        try:
            return self._decode([*batch, filler])[:-1]
        except CacheFull:
            return self._decode(batch)
        finally:
            self.remove(self._fill_sequence)

    def _is_worth_filling(self, count: int, position: int) -> bool:
        """Seen on two models and lengths: a token's attention costs 12 times more on the slow way than in a full tile.

        The rest of a token's work is about 6 × width / position times its attention in a tile.
        """
        rest = 6 * self._width / max(position, 1)
        return count < _TILE <= self.chunk_tokens and count * (rest + 12) > _TILE * (rest + 1)

    def _decode(self, batch: Sequence[Rows]) -> list[range]:
        self._abort_flag[0] = b"\0"
        counts = [len(part.tokens) for part in batch]
        total, outputs = sum(counts), sum(min(part.outputs, len(part.tokens)) for part in batch)
        if not 0 < total <= self.chunk_tokens or outputs > self._outputs or 0 in counts:
            raise EngineFailed(f"A batch of {total} tokens and {outputs} outputs is out of bounds.", hint=_BUG)
        tokens = np.ascontiguousarray(np.concatenate([part.tokens for part in batch]), np.int32)
        if tokens.min() < 0 or tokens.max() >= self._vocabulary:
            raise EngineFailed("A token id is outside the vocabulary.", hint=_BUG)
        starts_and_counts = zip((part.position for part in batch), counts, strict=True)
        positions = np.concatenate([np.arange(at, at + count, dtype=np.int32) for at, count in starts_and_counts])
        sequences = np.repeat(np.array([self._checked(part.sequence) for part in batch], np.int32), counts)
        wanted = np.zeros(total, np.int8)
        indices, end = [], 0
        for part, count in zip(batch, counts, strict=True):
            end += count
            rows = range(end - min(part.outputs, count), end)
            wanted[rows.start : rows.stop] = 1
            indices.append(rows)
        ones = np.ones(total, np.int32)
        pointers = (sequences.ctypes.data + 4 * np.arange(total, dtype=np.uint64)).astype(np.uint64)
        raw = lib.llama_batch(
            n_tokens=total,
            token=tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            embd=None,
            pos=positions.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            n_seq_id=ones.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=pointers.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
            logits=wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        _forget_log()
        code = lib.llama_decode(self._context, raw)
        if code == 1:
            raise CacheFull
        if code == 2:
            raise Aborted
        if code:
            raise EngineFailed(f"llama.cpp could not evaluate a batch (code {code}): {_complaint()}.", hint="Ask again.")
        lib.llama_synchronize(self._context)
        return indices

    def logits(self, row: int) -> Logits:
        """[vocabulary] of one batch index of the last decode, copied."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        if not pointer:
            raise EngineFailed("llama.cpp has no logits for that row.", hint=_BUG)
        return np.ctypeslib.as_array(pointer, (self._vocabulary,)).copy()

    def _checked(self, sequence: int) -> int:
        if not 0 <= sequence < self._sequences:
            raise EngineFailed(f"Sequence {sequence} does not exist.", hint=_BUG)
        return sequence

    def copy(self, source: int, target: int, start: int = -1, end: int = -1) -> None:
        """Let `target` share the cells of `source` at positions start … end - 1; no data moves."""
        lib.llama_memory_seq_cp(self._memory, self._checked(source), self._checked(target), start, end)

    def remove(self, sequence: int, start: int = -1, end: int = -1) -> bool:
        """Forget positions start … end - 1; False where the memory cannot forget a part."""
        return bool(lib.llama_memory_seq_rm(self._memory, self._checked(sequence), start, end))

    def length(self, sequence: int) -> int:
        """Last position held plus one."""
        return int(lib.llama_memory_seq_pos_max(self._memory, self._checked(sequence))) + 1

    def save(self, sequence: int) -> NDArray[np.uint8]:
        """The cells of a sequence as llama.cpp lays them out."""
        size = int(lib.llama_state_seq_get_size(self._context, self._checked(sequence)))
        data = np.empty(size, np.uint8)
        pointer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        written = lib.llama_state_seq_get_data(self._context, pointer, size, sequence)
        if written != size:
            raise EngineFailed(f"llama.cpp saved {written} of {size} bytes.", hint="Ask again.")
        return data

    def restore(self, sequence: int, data: NDArray[np.uint8]) -> bool:
        """The reverse of `save`, only for bytes whose checksum was verified: llama.cpp trusts what it is given."""
        pointer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        return bool(lib.llama_state_seq_set_data(self._context, pointer, data.size, self._checked(sequence)))

    def clear(self) -> None:
        lib.llama_memory_clear(self._memory, False)

    @property
    def handle(self) -> int:
        return int(self._context)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What llama.cpp says that it would allocate, in bytes."""

    kv_bytes: int
    state_bytes: int
    scratch_bytes: int


def dry_run(
    path: Path,
    *,
    windows: Sequence[int],
    kv_type: str,
    chunk_tokens: int,
    sequences: int,
    outputs: int,
    gpu_layers: int,
    rope: Rope = AS_TRAINED,
) -> list[DryRun]:
    """One for each window; weights and caches are neither read nor allocated."""
    model = Model(path, gpu_layers=gpu_layers, dry=True)
    found = []
    for window in windows:
        with Context(
            model,
            window=window,
            chunk_tokens=chunk_tokens,
            sequences=sequences,
            outputs=outputs,
            kv_type=kv_type,
            threads=1,
            rope=rope,
        ):
            found.append(reported_buffers())
    model.close()
    return found


def reported_buffers() -> DryRun:
    """Of the context that was opened last, from llama.cpp's own words."""
    text = "\n".join(log)
    mebibytes = {
        "kv": re.findall(r"kv_cache\w*: size = +([\d.]+) MiB", text),
        "state": re.findall(r"RS buffer size = +([\d.]+) MiB", text),
        "scratch": re.findall(r"(?:compute|output) buffer size = +([\d.]+) MiB", text),
    }
    return DryRun(*(int(sum(map(float, mebibytes[name])) * (1 << 20)) for name in ("kv", "state", "scratch")))


class Sampler:
    """llama.cpp's sampler chain for one answer; temperature 0 is greedy."""

    def __init__(self, model: Model, sampling: Sampling) -> None:
        grammar = _grammar_of(sampling)
        params = lib.llama_sampler_chain_default_params()
        self._chain = lib.llama_sampler_chain_init(params)
        if grammar:
            _forget_log()
            rules = lib.llama_sampler_init_grammar(model.vocab_handle, grammar.encode(), b"root")
            if not rules:
                self.close()
                raise UsageError(f"The grammar is not valid GBNF: {_complaint()}.", hint="Check its rules.")
            self._add([rules])
        if sampling.temperature <= 0:
            self._add([lib.llama_sampler_init_greedy()])
            return
        steps = [lib.llama_sampler_init_top_k(sampling.top_k)] if sampling.top_k > 0 else []
        steps += [lib.llama_sampler_init_top_p(sampling.top_p, 1), lib.llama_sampler_init_min_p(sampling.min_p, 1)]
        steps += [lib.llama_sampler_init_temp(sampling.temperature), lib.llama_sampler_init_dist(sampling.seed & 0xFFFFFFFF)]
        self._add(steps)

    def _add(self, samplers: Iterable[Any]) -> None:
        for sampler in samplers:
            lib.llama_sampler_chain_add(self._chain, sampler)

    def sample(self, context: Context, row: int) -> int:
        """Pick from one batch index of the last decode, and remember the pick."""
        return int(lib.llama_sampler_sample(self._chain, context.handle, row))

    def close(self) -> None:
        if self._chain:
            lib.llama_sampler_free(self._chain)
            self._chain = None


def _grammar_of(sampling: Sampling) -> str:
    if not sampling.json_schema:
        return sampling.grammar
    try:
        return str(json_schema_to_gbnf(sampling.json_schema))
    except (ValueError, KeyError, TypeError, AttributeError, NotImplementedError) as error:
        raise UsageError("The JSON schema cannot be used.", hint="Keep to objects, arrays, strings and numbers.") from error
