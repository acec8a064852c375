"""Sampling that begins where the logits are: of each row only the best tokens leave the device. Knows no text.

All logits of a token are hundreds of kilobytes, and looking through them is the host's work for every answer in a batch. A
sampler bound to a sequence picks on the device instead. It is bound when the context is opened, because binding one later
makes llama.cpp reserve every buffer anew (a gigabyte for a mask of a million tokens). A row of such a sequence has no logits
on the host; so grammars, choices, quotations and log probabilities, which need all of them, use the other sequences.
"""

import ctypes
from collections.abc import Iterable
from typing import Any

from llama_cpp import llama_cpp as lib
from unabridged.models.engine import Sampling

LENGTH = 64  # tokens that leave the device


def is_enough(sampling: Sampling) -> bool:
    """Whether the answer can be picked from the best tokens alone."""
    if sampling.grammar or sampling.json_schema or sampling.logprobs:
        return False
    return sampling.temperature <= 0 or 0 < sampling.top_k <= LENGTH


class Shortlists:
    """One for each of `sequences`; to be freed after the context that was opened with them."""

    def __init__(self, sequences: Iterable[int]) -> None:
        self.sequences = frozenset(sequences)
        self._chains = {sequence: self._chain() for sequence in self.sequences}
        self._bound = (lib.llama_sampler_seq_config * len(self._chains))()
        for place, (sequence, chain) in zip(self._bound, self._chains.items(), strict=True):
            place.seq_id, place.sampler = sequence, ctypes.cast(chain, ctypes.c_void_p)

    @staticmethod
    def _chain() -> Any:  # noqa: ANN401  a pointer of ctypes
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(LENGTH))
        return chain

    def bind(self, params: Any, *, rows: int) -> None:  # noqa: ANN401  llama_context_params
        """`rows` of one sequence may carry logits in one batch."""
        if self._chains:
            params.samplers, params.n_samplers, params.n_outputs_max_per_seq = self._bound, len(self._bound), rows

    def free(self) -> None:
        for chain in self._chains.values():
            lib.llama_sampler_free(chain)
        self._chains = {}
