"""How the next token is picked: llama.cpp's own samplers and grammars in a chain. Knows no text."""

from collections.abc import Iterable
from typing import Any

from llama_cpp import llama_cpp as lib
from llama_cpp.llama_grammar import json_schema_to_gbnf
from unabridged.errors import UsageError
from unabridged.models.engine import Sampling
from unabridged.models.llama_context import Context
from unabridged.models.llama_library import complaint, forget_log
from unabridged.models.llama_model import Model


class Sampler:
    """llama.cpp's sampler chain for one answer; temperature 0 is greedy."""

    def __init__(self, model: Model, sampling: Sampling) -> None:
        grammar = _grammar_of(sampling)
        self._is_greedy = sampling.temperature <= 0 and not grammar
        params = lib.llama_sampler_chain_default_params()
        self._chain = lib.llama_sampler_chain_init(params)
        if grammar:
            forget_log()
            rules = lib.llama_sampler_init_grammar(model.vocab_handle, grammar.encode(), b"root")
            if not rules:
                self.close()
                raise UsageError(f"The grammar is not valid GBNF: {complaint()}.", hint="Check its rules.")
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
        if self._is_greedy and not context.is_shortlisted(row):
            return context.best(row)
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
