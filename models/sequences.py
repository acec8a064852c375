"""Which sequences of a context are free. Two kinds, where the context has shortlists: one serves only who needs no more."""

from collections.abc import Iterable


class Sequences:
    """`short` are those of whose rows only the best tokens come back; where there are none, every sequence serves all."""

    def __init__(self, numbers: Iterable[int], short: frozenset[int]) -> None:
        self._free, self._short = list(numbers), short

    def serves(self, number: int, *, short: bool) -> bool:
        return (number in self._short) == (short and bool(self._short))

    def count(self, *, short: bool = False) -> int:
        return sum(self.serves(number, short=short) for number in self._free)

    def take(self, *, short: bool = False) -> int:
        """The caller has counted."""
        found = next(number for number in reversed(self._free) if self.serves(number, short=short))
        self._free.remove(found)
        return found

    def give(self, number: int) -> None:
        self._free.append(number)
