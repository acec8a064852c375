"""Who sits in the KV cache: a reading, and forks of it that go on with tokens of their own. Values; cache_map.py moves them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from unabridged.models.drafting import NgramIndex
from unabridged.models.engine import Tokens


@dataclass(slots=True, eq=False)
class Resident:
    """A reading in the cache; `done` of its tokens are there. `users` forks are at work on it."""

    key: str
    tokens: Tokens
    sequence: int
    done: int = 0
    users: int = 0
    being_read: bool = False
    is_on_disk: Callable[[], bool] = lambda: False  # all of it and at this moment, so that it can be brought back
    used: int = 0
    prepared: int | None = None  # a sequence that already shares its cells up to `ready`: the next fork
    ready: int = 0
    index: NgramIndex | None = None  # for drafting, made when first needed


@dataclass(slots=True, eq=False)
class Fork:
    """`tokens` stand in the cache after the reading's; `reserved` more may come while it is busy.

    `spare` is a sequence for trying out what might follow, where that could not be taken back from the fork's own.
    """

    reading: Resident | None
    sequence: int
    tokens: list[int] = field(default_factory=list)
    reserved: int = 0
    busy: bool = True
    used: int = 0
    spare: int | None = None

    @property
    def base(self) -> int:
        return self.reading.done if self.reading else 0

    @property
    def position(self) -> int:
        return self.base + len(self.tokens)

    @property
    def is_lent(self) -> bool:
        """It goes on in the reading's own sequence."""
        return self.reading is not None and self.sequence == self.reading.sequence
