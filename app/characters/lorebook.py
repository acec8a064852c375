"""Lorebooks as values: entries with their keys and rules.

Read from a card's book, from `lorebook_v3` and from SillyTavern's world-info files. Sources: character-card-spec-v2 and -v3
(Lorebook), docs.sillytavern.app/usage/core-concepts/worldinfo.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from unabridged.characters.card import clean
from unabridged.characters.lore_decorators import Decorators, decorators_of
from unabridged.characters.world_info import as_card_book
from unabridged.errors import DocumentDamaged, DocumentUnsupported

SCAN_DEPTH = 4  # messages, where the book does not say
MOST_ENTRIES = 20_000


class Logic(StrEnum):
    """What the secondary keys must do besides a primary key."""

    ANY = "any of them"
    NOT_ALL = "not all of them"
    NONE = "none of them"
    ALL = "all of them"


_LOGIC = (Logic.ANY, Logic.NOT_ALL, Logic.NONE, Logic.ALL)  # by SillyTavern's number


@dataclass(frozen=True, slots=True)
class Entry:
    """`depth`: it shall stand that many messages before the end; None: once told is enough. `delay`: messages that come first.

    Of the entries of one of its `groups` only one comes: the highest order among those that go first, else by lot and weight.
    `order`: entries of lower order are told first. `priority`: where the budget is short, the lower one is left out first.
    """

    id: str
    title: str
    content: str
    keys: tuple[str, ...] = ()
    secondary_keys: tuple[str, ...] = ()
    excluding_keys: tuple[str, ...] = ()
    logic: Logic = Logic.ANY
    regex: bool = False  # every key is a pattern; else only those written /pattern/flags
    case_sensitive: bool = False
    whole_words: bool = True
    enabled: bool = True
    constant: bool = False
    order: float = 100
    priority: float | None = None
    before_character: bool = False
    depth: int | None = None
    probability: float = 1.0
    scan_depth: int | None = None  # messages; None: as the book
    delay: int = 0
    groups: tuple[str, ...] = ()
    group_first: bool = False
    group_weight: float = 100
    from_lore: bool = True  # other entries may bring it
    only_from_lore: bool = False
    brings_others: bool = True

    @property
    def always(self) -> bool:
        """It is there from the beginning to the end, and so belongs to the sheet."""
        return self.enabled and self.constant and self.probability >= 1 and self.depth is None and not self.delay

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.content.encode("utf-8", "replace")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Lorebook:
    """`token_budget` is for all entries that are there at one time; None: the scene's."""

    name: str
    entries: tuple[Entry, ...]
    scan_depth: int = SCAN_DEPTH
    token_budget: int | None = None
    recursive: bool = False

    @property
    def always(self) -> tuple[Entry, ...]:
        return tuple(sorted((entry for entry in self.entries if entry.always), key=lambda entry: entry.order))


def in_card_form(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A lorebook of any form as a card's `character_book`."""
    if str(raw.get("spec", "")).startswith("lorebook") and isinstance(raw.get("data"), dict):
        raw = raw["data"]
    return as_card_book(raw) if isinstance(raw.get("entries"), dict) else raw


def read_book(raw: Mapping[str, Any], *, name: str = "") -> Lorebook:
    """A book in any of the three forms. Raises DocumentUnsupported, DocumentDamaged."""
    raw = in_card_form(raw)
    items = raw.get("entries")
    if not isinstance(items, list):
        raise DocumentUnsupported(
            "This JSON is no lorebook: it has no entries.", hint="Choose a lorebook or a world-info file."
        )
    if len(items) > MOST_ENTRIES:
        raise DocumentDamaged(f"The lorebook has {len(items):,} entries.", hint=f"Up to {MOST_ENTRIES:,} are read.")
    budget = _number(raw, "token_budget", None)
    return Lorebook(
        name=clean(_text(raw, "name")).strip() or name,
        entries=_with_own_ids([_entry(item, number) for number, item in enumerate(items, 1)]),
        scan_depth=int(_number(raw, "scan_depth", None) or 0) if raw.get("scan_depth") is not None else SCAN_DEPTH,
        token_budget=int(budget) if budget and budget > 0 else None,
        recursive=_flag(raw, "recursive_scanning", default=False),
    )


def _entry(item: object, number: int) -> Entry:
    if not isinstance(item, dict):
        raise _wrong(f"entry {number}", "an object")
    extensions = item.get("extensions")
    more: dict[str, Any] = extensions if isinstance(extensions, dict) else {}
    rules, content = decorators_of(clean(_text(item, "content")))
    # SillyTavern says use_regex of every entry and means only keys between slashes
    from_tavern = "selectiveLogic" in more or "position" in more
    logic = more.get("selectiveLogic")
    entry = Entry(
        id=clean(str(item.get("id") if item.get("id") is not None else number)),
        title=clean(_text(item, "name") or _text(item, "comment")) or ", ".join(_texts(item, "keys")[:3]) or f"entry {number}",
        content=content,
        keys=_texts(item, "keys"),
        secondary_keys=_texts(item, "secondary_keys") if _flag(item, "selective", default=False) else (),
        logic=_LOGIC[logic] if isinstance(logic, int) and 0 <= logic < len(_LOGIC) else Logic.ANY,
        regex=_flag(item, "use_regex", default=False) and not from_tavern,
        case_sensitive=_flag(item, "case_sensitive", default=False) or more.get("case_sensitive") is True,
        whole_words=more.get("match_whole_words") is not False,
        enabled=_flag(item, "enabled", default=True),
        constant=_flag(item, "constant", default=False),
        order=_number(item, "insertion_order", 100) or 0,
        priority=_number(item, "priority", None),
        before_character=item.get("position") == "before_char",
        depth=_whole(more.get("depth")) if more.get("position") == 4 else None,
        probability=_share(more),
        scan_depth=_whole(more.get("scan_depth")),
        delay=_whole(more.get("delay")) or 0,
        groups=_groups(more.get("group")),
        group_first=more.get("group_override") is True,
        group_weight=_whole(more.get("group_weight", 100)) or 0,
        from_lore=not more.get("exclude_recursion"),
        only_from_lore=bool(more.get("delay_until_recursion")),
        brings_others=not more.get("prevent_recursion"),
    )
    return _decorated(entry, rules)


def _decorated(entry: Entry, rules: Decorators) -> Entry:
    return replace(
        entry,
        keys=entry.keys + rules.more_keys,
        excluding_keys=rules.excluding_keys,
        constant=entry.constant or rules.always,
        enabled=entry.enabled and not rules.never,
        depth=entry.depth if rules.depth is None else rules.depth,
        scan_depth=entry.scan_depth if rules.scan_depth is None else rules.scan_depth,
        delay=max(entry.delay, rules.after_messages),
    )


def _with_own_ids(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Some programs give several entries the same id."""
    seen: dict[str, int] = {}
    found = []
    for entry in entries:
        seen[entry.id] = seen.get(entry.id, 0) + 1
        found.append(entry if seen[entry.id] == 1 else replace(entry, id=f"{entry.id}#{seen[entry.id]}"))
    return tuple(found)


def _share(more: Mapping[str, Any]) -> float:
    percent = more.get("probability")
    if more.get("useProbability") is False or isinstance(percent, bool) or not isinstance(percent, int | float):
        return 1.0
    return min(max(percent / 100, 0.0), 1.0)


def _groups(names: object) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip()) if isinstance(names, str) else ()


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10_000 else None


def _text(item: Mapping[str, Any], field: str) -> str:
    value = item.get(field)
    if value is not None and not isinstance(value, str):
        raise _wrong(field, "a text")
    return value or ""


def _texts(item: Mapping[str, Any], field: str) -> tuple[str, ...]:
    values = item.get(field) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _wrong(field, "a list of texts")
    return tuple(key for value in values if (key := clean(value).strip()))


def _number(item: Mapping[str, Any], field: str, default: float | None) -> float | None:
    value = item.get(field)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 10**12:
        raise _wrong(field, "a number in reason")
    return value


def _flag(item: Mapping[str, Any], field: str, *, default: bool) -> bool:
    value = item.get(field)
    return default if value is None else bool(value)


def _wrong(field: str, words: str) -> DocumentDamaged:
    return DocumentDamaged(f"In the lorebook, {field} is not {words}.", hint="Export it again from the program that made it.")
