"""How fast a prefill goes and when it will be done. Knows positions and seconds only.

Attention makes a token dearer the later it stands, so the cost per token is taken as a + b · position. a and b come from the
chunks evaluated so far (least squares over cost and position); the seconds left are its integral over what is still to come.
"""

import time

RECENT = 8  # chunks that the speed shown is taken over


class Pace:
    """Times the chunks of one reading; the clock starts when it is made."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._chunks: list[tuple[float, int, float]] = []  # middle position, tokens, seconds

    def skip(self) -> None:
        """What passed since the last chunk was no prefill (a segment was restored)."""
        self._last = time.monotonic()

    def evaluated(self, start: int, end: int) -> None:
        """Tokens `start` … `end` - 1 were just evaluated."""
        now = time.monotonic()
        self.took(start, end, now - self._last)
        self._last = now

    def took(self, start: int, end: int, seconds: float) -> None:
        self._chunks.append(((start + end) / 2, end - start, seconds))

    @property
    def tokens_per_s(self) -> float:
        """Over the last chunks; 0 before the first."""
        recent = self._chunks[-RECENT:]
        return sum(tokens for _, tokens, _ in recent) / max(sum(seconds for _, _, seconds in recent), 1e-9)

    def seconds_left(self, done: int, total: int) -> float:
        """For tokens `done` … `total` - 1; 0 before the first chunk."""
        weight = sum(tokens for _, tokens, _ in self._chunks)
        if not weight:
            return 0.0
        mean_position = sum(position * tokens for position, tokens, _ in self._chunks) / weight
        mean_cost = sum(seconds for _, _, seconds in self._chunks) / weight
        spread = sum(tokens * (position - mean_position) ** 2 for position, tokens, _ in self._chunks)
        shared = sum((position - mean_position) * (seconds - tokens * mean_cost) for position, tokens, seconds in self._chunks)
        # never less than flat, and never so steep that the first token would cost less than nothing
        steepest = mean_cost / mean_position if mean_position else 0.0
        slope = min(max(shared / spread, 0.0), steepest) if spread else 0.0
        return (total - done) * (mean_cost + slope * ((done + total) / 2 - mean_position))
