"""SillyTavern's world-info files in the form of a card's lorebook, which lorebook.py reads.

The names on the left are those of the files, on the right those of Character Card V2 (and of SillyTavern's extensions to it).
"""

from collections.abc import Mapping
from typing import Any

from unabridged.errors import DocumentDamaged

_FIELDS = {
    "uid": "id",
    "key": "keys",
    "keysecondary": "secondary_keys",
    "comment": "comment",
    "content": "content",
    "constant": "constant",
    "selective": "selective",
    "order": "insertion_order",
}
_EXTENSIONS = {
    "position": "position",
    "depth": "depth",
    "probability": "probability",
    "useProbability": "useProbability",
    "selectiveLogic": "selectiveLogic",
    "scanDepth": "scan_depth",
    "caseSensitive": "case_sensitive",
    "matchWholeWords": "match_whole_words",
    "excludeRecursion": "exclude_recursion",
    "preventRecursion": "prevent_recursion",
    "delayUntilRecursion": "delay_until_recursion",
    "delay": "delay",
    "group": "group",
    "groupOverride": "group_override",
    "groupWeight": "group_weight",
}


def as_card_book(world: Mapping[str, Any]) -> dict[str, Any]:
    """`world["entries"]` is an object by number. Raises DocumentDamaged."""
    entries = []
    for item in world["entries"].values():
        if not isinstance(item, dict):
            raise DocumentDamaged("An entry of the world-info file is no object.", hint="Export it again from SillyTavern.")
        entry: dict[str, Any] = {new: item[old] for old, new in _FIELDS.items() if old in item}
        entry["enabled"] = not item.get("disable")
        entry["position"] = "before_char" if item.get("position") == 0 else "after_char"
        known = {new: item[old] for old, new in _EXTENSIONS.items() if old in item}
        unknown = {name: value for name, value in item.items() if name not in (*_FIELDS, *_EXTENSIONS, "disable")}
        entry["extensions"] = {**unknown, **known, "position": item.get("position", 1)}
        entries.append(entry)
    return {"name": world.get("name"), "entries": entries, "recursive_scanning": True, "extensions": {}}
