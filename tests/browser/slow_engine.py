"""A scripted engine that speaks one word at a time, so that a journey can do something in mid-answer."""

import time
from collections.abc import Generator, Sequence

from unabridged.afterthoughts import PROPOSAL_TOKENS
from unabridged.models.engine import Generation, Piece, Reading, Sampling, Tokens

from tests.fakes import GREEDY, FakeEngine, Script

WORD_S = 0.05


class SlowEngine(FakeEngine):
    """Always gives the first reply of its script; for a title and a proposed memory, which are short, the second or none."""

    def __init__(self, script: Script | None = None, *, word_s: float = WORD_S) -> None:
        super().__init__(script)
        self._word_s = word_s

    def generate(
        self, reading: Reading, prompt: Tokens, *, limit: int, sampling: Sampling = GREEDY, stop: Sequence[str] = ()
    ) -> Generator[Piece, None, Generation]:
        short = limit <= PROPOSAL_TOKENS
        reply = "".join(self.script.replies[1:2]) if short else self.script.replies[0]
        for word in reply.split(" "):
            time.sleep(0.0 if short else self._word_s)
            yield Piece(f"{word} ", tuple(word.encode()))
        return Generation(reply, tuple(reply.encode()), evaluated=len(prompt), reused=reading.tokens, finish="stop")
