"""A KV cache and the graph that evaluates batches over it. Knows sequences and positions, no scheduling, no files of ours.

Everything that would make llama.cpp abort the process (a batch longer than n_batch, more outputs than n_outputs_max,
a sequence id out of range, an unclean state buffer) is checked here first and raised as `EngineFailed`.
"""

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from llama_cpp import llama_cpp as lib
from numpy.typing import NDArray
from unabridged.errors import EngineFailed
from unabridged.models.engine import Tokens
from unabridged.models.extension import AS_TRAINED, Rope
from unabridged.models.llama_library import REPORT, complaint, forget_log
from unabridged.models.llama_model import Model
from unabridged.models.llama_shortlist import Shortlists

Logits = NDArray[np.float32]

KV_TYPES = {"f16": lib.GGML_TYPE_F16, "q8_0": lib.GGML_TYPE_Q8_0, "q4_0": lib.GGML_TYPE_Q4_0, "f32": lib.GGML_TYPE_F32}
ROPE_SCALINGS = {"linear": lib.LLAMA_ROPE_SCALING_TYPE_LINEAR, "yarn": lib.LLAMA_ROPE_SCALING_TYPE_YARN}


@dataclass(frozen=True, slots=True)
class Rows:
    """Part of a batch: `tokens` appended to `sequence` from `position`; logits wanted for the last `outputs` of them."""

    sequence: int
    tokens: Tokens
    position: int
    outputs: int


SHORTLISTED_ROWS = 16  # of one sequence in one batch: a drafted answer
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
        shortlisted: Iterable[int] = (),
    ) -> None:
        self._fill_sequence, self._width = fill_sequence, model.width
        self._shortlists, self._shortlisted_rows = Shortlists(shortlisted), frozenset[int]()
        params = lib.llama_context_default_params()
        params.n_ctx, params.n_seq_max, params.n_outputs_max = window, sequences, max(outputs, sequences)
        params.n_batch = params.n_ubatch = max(chunk_tokens, params.n_outputs_max)  # a smaller batch aborts
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
        self._shortlists.bind(params, rows=SHORTLISTED_ROWS)
        self._params = params
        forget_log()
        self._context = lib.llama_init_from_model(model.handle, params)
        if not self._context:
            raise EngineFailed(
                f"A window of {window:,} tokens could not be opened: {complaint()}.",
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
            self._shortlists.free()

    @property
    def outputs_max(self) -> int:
        return self._outputs

    @property
    def shortlisted(self) -> frozenset[int]:
        """Sequences of whose rows only the best tokens come back, for a sampler."""
        return self._shortlists.sequences

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
            raise EngineFailed(f"A batch of {total} tokens and {outputs} outputs is out of bounds.", hint=REPORT)
        tokens = np.ascontiguousarray(np.concatenate([part.tokens for part in batch]), np.int32)
        if tokens.min() < 0 or tokens.max() >= self._vocabulary:
            raise EngineFailed("A token id is outside the vocabulary.", hint=REPORT)
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
        forget_log()
        code = lib.llama_decode(self._context, raw)
        if code == 1:
            raise CacheFull
        if code == 2:
            raise Aborted
        if code:
            raise EngineFailed(f"llama.cpp could not evaluate a batch (code {code}): {complaint()}.", hint="Ask again.")
        lib.llama_synchronize(self._context)
        short = self.shortlisted
        self._shortlisted_rows = frozenset(
            row for part, rows in zip(batch, indices, strict=True) if part.sequence in short for row in rows
        )
        return indices

    def is_shortlisted(self, row: int) -> bool:
        return row in self._shortlisted_rows

    def logits(self, row: int) -> Logits:
        """[vocabulary] of one batch index of the last decode, copied."""
        return self._logits(row).copy()

    def best(self, row: int) -> int:
        """The most probable token there, the first of several."""
        return int(self._logits(row).argmax())

    def _logits(self, row: int) -> Logits:
        """Valid until the next decode."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        if not pointer or row in self._shortlisted_rows:
            raise EngineFailed("llama.cpp has no logits for that row.", hint=REPORT)
        return np.ctypeslib.as_array(pointer, (self._vocabulary,))

    def _checked(self, sequence: int) -> int:
        if not 0 <= sequence < self._sequences:
            raise EngineFailed(f"Sequence {sequence} does not exist.", hint=REPORT)
        return sequence

    def copy(self, source: int, target: int, start: int = -1, end: int = -1) -> None:
        """Let `target` share the cells of `source` at positions start … end - 1; no data moves."""
        lib.llama_memory_seq_cp(self._memory, self._checked(source), self._checked(target), start, end)

    def remove(self, sequence: int, start: int = -1, end: int = -1) -> bool:
        """Forget positions start … end - 1; False where the memory cannot forget a part."""
        return bool(lib.llama_memory_seq_rm(self._memory, self._checked(sequence), start, end))

    @property
    def can_shift(self) -> bool:
        """Whether cells can be moved to other positions."""
        return bool(lib.llama_memory_can_shift(self._memory))

    def shift(self, sequence: int, by: int) -> None:
        """Move all cells of a sequence to later positions; the keys are turned at the next decode."""
        lib.llama_memory_seq_add(self._memory, self._checked(sequence), -1, -1, by)

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
