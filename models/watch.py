"""Notices a call into llama.cpp that does not come back. Knows seconds and batch sizes only.

How long a batch may take is learnt from those before it, because it depends on machine, model and length: a batch may take
ten times the longest one of its kind, and two minutes more. Whoever sees `is_overdue` ends the process.
"""

import time

FLOOR_S = 120.0
PATIENCE = 10.0
TOKEN_S = 2.0  # for each token of the first batch of a kind: a large model on a slow disk
STEP_S = 900.0  # everything between two batches: segments restored, a cache opened or moved
SHORT = 64  # tokens: up to here a batch costs about what one token costs


class Watch:
    """One thread works and tells; any other may look."""

    def __init__(self) -> None:
        self._deadline: float | None = None
        self._longest: dict[bool, float] = {}

    @property
    def is_overdue(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline

    def step(self) -> None:
        """Work other than a batch begins."""
        self._deadline = time.monotonic() + STEP_S

    def rest(self) -> None:
        self._deadline = None

    def batch(self, tokens: int) -> float:
        """A batch begins; returns the seconds it may take."""
        longest = self._longest.get(tokens <= SHORT)
        allowed = FLOOR_S + (TOKEN_S * tokens if longest is None else PATIENCE * longest)
        self._deadline = time.monotonic() + allowed
        return allowed

    def batch_took(self, tokens: int, seconds: float) -> None:
        self._longest[tokens <= SHORT] = max(seconds, self._longest.get(tokens <= SHORT, 0.0))
        self.step()
