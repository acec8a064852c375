"""Asks the starter through llama.cpp's own functions, without our engine: what the weights do, and nothing else.

One context, one document: `read` it, then `ask` as often as wanted; each question is removed again from the cache.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray
from unabridged.errors import EngineFailed, ModelFileError


class Probe:
    """The finder's prompt and its probabilities. Not for the program: no restoring, no cancelling, no limits."""

    def __init__(self, path: Path, *, window: int, threads: int = 2, batch: int = 512, swa_full: bool = True) -> None:
        llama.llama_backend_init()
        llama.llama_log_set(_silent, ctypes.c_void_p())
        model = llama.llama_model_default_params()
        model.n_gpu_layers = 0
        model.use_extra_bufts = False  # AMX tiles are refused by some virtual machines, and the process dies of it
        self._model = llama.llama_model_load_from_file(str(path).encode(), model)
        if not self._model:
            raise ModelFileError(f"{path.name} is not a model that llama.cpp can load.", hint="Export it again.")
        context = llama.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch = window, batch, batch
        context.n_threads = context.n_threads_batch = threads
        context.kv_unified, context.swa_full = True, swa_full
        context.n_outputs_max = 1
        context.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        self._context = llama.llama_init_from_model(self._model, context)
        if not self._context:
            raise EngineFailed("llama.cpp could not make a context.", hint="Ask for a smaller window.")
        self._vocabulary = llama.llama_model_get_vocab(self._model)
        self._batch = batch
        self.at = 0
        self.passages = 0
        self.doc, self.user, self.assistant, self.first = (self.number(k) for k in ("doc", "user", "assistant", "first_number"))
        self.numbers = self.number("numbers")

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        llama.llama_free(self._context)
        llama.llama_model_free(self._model)

    def metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(256)
        if llama.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer)) < 0:
            raise ModelFileError(f"The model has no {key}.", hint="Export it again.")
        return buffer.value.decode()

    def number(self, key: str) -> int:
        return int(self.metadata(f"unabridged.finder.{key}"))

    @property
    def threshold(self) -> float:
        return float(self.metadata("unabridged.finder.threshold"))

    def tokenize(self, text: str) -> list[int]:
        data = text.encode()
        room = len(data) + 8
        ids = (llama.llama_token * room)()
        count = llama.llama_tokenize(self._vocabulary, data, len(data), ids, room, False, False)
        return list(ids[:count])

    def read(self, passages: Sequence[Sequence[int]]) -> int:
        """A new document; returns how many tokens it has with its numbers."""
        llama.llama_memory_clear(llama.llama_get_memory(self._context), True)
        self.at = 0
        self.passages = len(passages)
        tokens = [self.doc]
        for index, passage in enumerate(passages):
            tokens += [self.first + index, *passage]
        self._decode(tokens)
        return len(tokens)

    def ask(self, question: Sequence[int]) -> NDArray[np.float64]:
        """Logits of the numbers that are present, in order, and last that of `doc`: nothing fits."""
        start = self.at
        self._decode([self.user, *question, self.assistant])
        pointer = llama.llama_get_logits_ith(self._context, -1)
        everything = np.ctypeslib.as_array(pointer, (self.first + self.numbers,))
        logits = np.append(everything[self.first : self.first + self.passages], everything[self.doc]).astype(float)
        llama.llama_memory_seq_rm(llama.llama_get_memory(self._context), 0, start, -1)
        self.at = start
        return logits

    def _decode(self, tokens: Sequence[int]) -> None:
        for start in range(0, len(tokens), self._batch):
            part = np.array(tokens[start : start + self._batch], np.int32)
            ids = part.ctypes.data_as(ctypes.POINTER(llama.llama_token))
            if (status := llama.llama_decode(self._context, llama.llama_batch_get_one(ids, len(part)))) != 0:
                raise EngineFailed(f"llama_decode answered {status}.", hint="Is the window large enough?")
            self.at += len(part)
        llama.llama_synchronize(self._context)


@llama.llama_log_callback
def _silent(level: int, text: bytes, data: ctypes.c_void_p) -> None:
    """llama.cpp's own log is not ours."""
