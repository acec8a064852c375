"""Which entries of the lorebooks belong to this moment of a scene. Knows texts and rules, no models.

What is left to chance depends on the seed alone.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unabridged.characters.lore_keys import KeySearch
from unabridged.characters.lorebook import Entry, Logic, Lorebook


@dataclass(frozen=True, slots=True)
class Active:
    """An entry with its book's name and its words, macros put in."""

    book: str
    entry: Entry
    text: str


@dataclass(frozen=True, slots=True)
class Activation:
    """`active` in the order of telling; `left_out` had no room in the budget; `problems` are sentences for the user."""

    active: tuple[Active, ...]
    left_out: tuple[Active, ...]
    problems: tuple[str, ...]


def activate(
    books: Sequence[Lorebook],
    messages: Sequence[str],
    *,
    seed: str,
    budget: int,
    tokens_of: Callable[[Sequence[str]], Sequence[int]],
    expand: Callable[[str], str] = str,
) -> Activation:
    """`messages` are all that was said, the newest last. `budget` (tokens) is for books that name none.

    Entries that are always there are not among the active ones (they stand in the sheet), but count towards the budget.
    """
    search = KeySearch()
    active: list[Active] = []
    left_out: list[Active] = []
    for book in books:
        found = _Scan(book, messages, seed, search, expand).run()
        kept, over = _within(book.token_budget or budget, book, found, tokens_of, expand)
        active += kept
        left_out += over
    active.sort(key=lambda one: one.entry.order)
    return Activation(tuple(active), tuple(left_out), tuple(search.problems))


class _Scan:
    """One book at one moment."""

    def __init__(
        self, book: Lorebook, messages: Sequence[str], seed: str, search: KeySearch, expand: Callable[[str], str]
    ) -> None:
        self._book, self._messages, self._seed = book, messages, seed
        self._search, self._expand = search, expand

    def run(self) -> list[Active]:
        waiting = [entry for entry in self._book.entries if entry.enabled and not entry.always and self._may_come(entry)]
        brought = [self._expand(entry.content) for entry in self._book.always if entry.brings_others]
        active: list[Active] = []
        first = True
        while first or (self._book.recursive and brought):
            lore = "\n".join(brought) if self._book.recursive else ""
            fresh = [entry for entry in waiting if self._comes(entry, lore, first=first)]
            if not fresh and not first:
                break
            waiting = [entry for entry in waiting if entry not in fresh]
            fresh = self._one_of_each_group(fresh, [one.entry for one in active])
            told = [Active(self._book.name, entry, self._expand(entry.content)) for entry in fresh]
            active += told
            brought += [one.text for one in told if one.entry.brings_others]
            first = False
        return [one for one in active if one.text.strip()]

    def _may_come(self, entry: Entry) -> bool:
        if len(self._messages) < entry.delay:
            return False
        return self._lots(entry.id).random() < entry.probability

    def _one_of_each_group(self, fresh: Sequence[Entry], active: Sequence[Entry]) -> list[Entry]:
        """What a group gives up for the one that comes, or has come already, is not told now."""
        kept = list(fresh)
        for group in dict.fromkeys(name for entry in fresh for name in entry.groups):
            rivals = [entry for entry in kept if group in entry.groups]
            if any(group in entry.groups for entry in active):
                chosen = None
            elif first := [entry for entry in rivals if entry.group_first]:
                chosen = max(first, key=lambda entry: entry.order)
            else:
                weights = [max(entry.group_weight, 1e-6) for entry in rivals]
                chosen = self._lots(group).choices(rivals, weights)[0] if rivals else None
            kept = [entry for entry in kept if group not in entry.groups or entry is chosen]
        return kept

    def _lots(self, name: str) -> random.Random:
        seed = hashlib.sha256(f"{self._seed}\0{self._book.name}\0{name}".encode("utf-8", "replace")).digest()
        return random.Random(seed)  # noqa: S311 no secret

    def _comes(self, entry: Entry, lore: str, *, first: bool) -> bool:
        if entry.constant:
            return first or not entry.only_from_lore
        depth = self._book.scan_depth if entry.scan_depth is None else entry.scan_depth
        said = "" if entry.only_from_lore else "\n".join(self._messages[-depth:] if depth else ())
        text = "\n".join((said, lore if entry.from_lore else ""))
        return (
            any(self._in(entry, key, text) for key in entry.keys)
            and not any(self._in(entry, key, text) for key in entry.excluding_keys)
            and self._secondary(entry, text)
        )

    def _secondary(self, entry: Entry, text: str) -> bool:
        if not entry.secondary_keys:
            return True
        found = [self._in(entry, key, text) for key in entry.secondary_keys]
        met = {Logic.ANY: any(found), Logic.ALL: all(found), Logic.NONE: not any(found), Logic.NOT_ALL: not all(found)}
        return met[entry.logic]

    def _in(self, entry: Entry, key: str, text: str) -> bool:
        expanded = self._expand(key)
        return bool(expanded) and self._search.found(
            expanded, text, as_pattern=entry.regex, case_sensitive=entry.case_sensitive, whole_words=entry.whole_words
        )


def _within(
    budget: int,
    book: Lorebook,
    found: Sequence[Active],
    tokens_of: Callable[[Sequence[str]], Sequence[int]],
    expand: Callable[[str], str],
) -> tuple[list[Active], list[Active]]:
    """The most important entries go in as long as there is room; one that is too large does not keep out smaller ones."""
    left = budget - sum(tokens_of([expand(entry.content) for entry in book.always]))
    kept: list[Active] = []
    over: list[Active] = []
    sizes = dict(zip((one.entry.id for one in found), tokens_of([one.text for one in found]), strict=True))
    for one in sorted(found, key=_importance, reverse=True):
        if sizes[one.entry.id] <= left:
            left -= sizes[one.entry.id]
            kept.append(one)
        else:
            over.append(one)
    return kept, over


def _importance(one: Active) -> tuple[bool, float, float]:
    entry = one.entry
    return entry.constant, entry.order if entry.priority is None else entry.priority, entry.order
