"""One answer, token by token, on a fork: sampling, drafting, stop strings, whole characters. A part of a session's job."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from unabridged.models.cache_map import CacheMap
from unabridged.models.choosing import log_softmax
from unabridged.models.drafting import Drafter
from unabridged.models.engine import Generation, Piece, Sampling, Tokens
from unabridged.models.llama_sampler import Sampler
from unabridged.models.scheduler import Feed
from unabridged.models.tenants import Fork
from unabridged.models.text_stream import TextStream

Rows = Generator[Any, Any, range]


def append(cache: CacheMap, fork: Fork, tokens: Tokens, *, outputs: int) -> Rows:
    """Feed tokens to a fork in chunks; returns the rows of the last chunk's logits."""
    rows, size = range(0), cache.context.chunk_tokens
    for start in range(0, len(tokens), size):
        chunk = tokens[start : start + size]
        last = start + len(chunk) == len(tokens)
        rows = yield Feed(fork.sequence, chunk, fork.position, outputs if last else 0)
        fork.tokens += chunk.tolist()
        fork.reserved -= len(chunk)
    return rows


class Answer:
    """`pieces[t]` are the bytes of token t, `ends[t]` says whether it ends an answer."""

    def __init__(
        self, cache: CacheMap, fork: Fork, *, pieces: Sequence[bytes], ends: NDArray[np.bool_], limit: int, stop: Sequence[str]
    ) -> None:
        self._cache, self._fork, self._pieces, self._ends, self._limit = cache, fork, pieces, ends, limit
        self._stream = TextStream(stop)
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self.finish = ""

    def decode(self, prompt: Tokens, sampler: Sampler, sampling: Sampling, drafter: Drafter) -> Generator[Any, Any, None]:
        """Yields Feed and Piece until `finish` is set."""
        draft = np.empty(0, np.int32)
        rows = yield from append(self._cache, self._fork, prompt, outputs=1)
        while not self.finish:
            accepted = 0
            for place, row in enumerate(rows):
                token = sampler.sample(self._cache.context, row)
                if sampling.logprobs:
                    self.logprobs.append(float(log_softmax(self._cache.context.logits(row))[token]))
                piece = self._take(token)
                if piece:
                    yield piece
                if self.finish or place >= len(draft) or token != draft[place]:
                    break
                accepted += 1
            self._forget(len(draft) - accepted)
            drafter.learn(len(draft), accepted)
            if not self.finish:
                draft = drafter.propose(self.tokens, self._limit - len(self.tokens) - 1)
                step = np.concatenate([np.array(self.tokens[-1:], np.int32), draft])
                rows = yield from append(self._cache, self._fork, step, outputs=len(step))
        rest = self._stream.finish()
        if rest:
            yield Piece(rest, ())

    def result(self, *, evaluated: int, reused: int) -> Generation:
        return Generation(self._stream.text, tuple(self.tokens), evaluated, reused, self.finish, tuple(self.logprobs))

    def _take(self, token: int) -> Piece | None:
        """Add one token to the answer; sets `finish` when it was the last."""
        if self._ends[token]:
            self.finish = "stop"
            return None
        self.tokens.append(token)
        text = self._stream.feed(self._pieces[token])
        if self._stream.stopped:
            self.finish = "stop"
        elif len(self.tokens) >= self._limit:
            self.finish = "length"
        return Piece(text, (token,)) if text else None

    def _forget(self, count: int) -> None:
        """Take back the drafted tokens that the model would not have said."""
        if count:
            del self._fork.tokens[-count:]
            self._fork.reserved += count
            self._cache.context.remove(self._fork.sequence, self._fork.position, -1)
