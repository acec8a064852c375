"""Weights and vocabulary of one GGUF file, as llama.cpp loads them. Knows no KV cache."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from llama_cpp import llama_cpp as lib
from numpy.typing import NDArray
from unabridged.errors import EngineFailed, ModelFileError
from unabridged.models.engine import Tokens
from unabridged.models.llama_library import complaint, forget_log, host_buffers


def _tiles_may_kill() -> bool:
    """Virtual machines may announce AMX tiles and grant them, and the first load of one still ends the process."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:  # not Linux
        return False
    return "amx_tile" in flags and "hypervisor" in flags


class _BufferOverride(ctypes.Structure):
    """`llama_model_tensor_buft_override` of llama.h: tensors whose name matches go into that buffer. A null one ends a list."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


EXPERT_TENSORS = rb"\.ffn_(up|down|gate|gate_up)_(ch|)exps"


class Model:
    """Weights and vocabulary of one GGUF file."""

    def __init__(
        self,
        path: Path,
        *,
        gpu_layers: int = -1,
        experts_on_host: bool = False,
        vocabulary_only: bool = False,
        dry: bool = False,
    ) -> None:
        params = lib.llama_model_default_params()
        if experts_on_host:
            overrides = (_BufferOverride * 2)(_BufferOverride(EXPERT_TENSORS, host_buffers()))
            params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        params.use_extra_bufts = not _tiles_may_kill()
        if dry:  # sizes only: nothing is mapped or allocated
            params.no_alloc, params.load_mode = True, 0
        forget_log()
        self._model = lib.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise ModelFileError(
                f"{path.name} cannot be loaded: {complaint()}.",
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
        """False for recurrent and hybrid memories: a running state is part of them, from which nothing is taken back."""
        return not (lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))

    @property
    def is_state_only(self) -> bool:
        """True for recurrent memories: a running state is all they hold of a text, however long it is."""
        return bool(lib.llama_model_is_recurrent(self._model)) and not lib.llama_model_is_hybrid(self._model)

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
            self._pieces = list(self._spelled())
        return self._pieces

    def _spelled(self) -> Iterator[bytes]:
        buffer = ctypes.create_string_buffer(64)  # one for all: a large vocabulary is waited for by the first question
        for token in range(self.vocabulary):
            size = lib.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
            if size < 0:
                buffer = ctypes.create_string_buffer(-size)
                size = lib.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
            yield ctypes.string_at(buffer, max(size, 0))

    @property
    def handle(self) -> int:
        return int(self._model)

    @property
    def vocab_handle(self) -> int:
        return int(self._vocab)
