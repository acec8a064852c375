"""How full the window would be, before anything is read. Knows counts, no engine."""

from dataclasses import dataclass

from unabridged.context import Share, choices


@dataclass(frozen=True, slots=True)
class Meter:
    """Tokens of documents as they would stand in the prompt, and the window they would get; nothing is read for this.

    `history`: of the turns that the next question follows; `reserve`: for question and answer.
    """

    model: str
    tokens: int
    history: int
    reserve: int
    window: int
    largest: int  # window that this model could get on this machine now
    stored: int  # of the tokens, from the first on: read before and kept on disk
    shares: tuple[Share, ...]

    @property
    def fits(self) -> bool:
        return self.needed <= self.window

    @property
    def needed(self) -> int:
        return self.tokens + self.history + self.reserve

    @property
    def choices(self) -> list[str]:
        """What would make it fit, best first; nothing when it fits."""
        return [] if self.fits else choices(self.shares, needed=self.needed, window=self.window, history_tokens=self.history)
