"""A lorebook as an editor shows it: the rules of each entry as plain fields, and the entry with other values for them.

What is not changed stays as the book's author wrote it, unknown fields too. Knows the names that cards and SillyTavern use
(see lorebook.py), no page.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

IGNORED = "ignored"  # secondary keys that are there and do not count
LOGIC = ("any", "not_all", "none", "all")  # by SillyTavern's number
PLACES = {
    "before": ("before_char", 0),
    "after": ("after_char", 1),
    "depth": ("after_char", 4),
}  # cards' word, SillyTavern's number
DEPTH, PERCENT, ORDER = 4, 100, 100  # where an entry does not say
_SLASH = r"\/"

Raw = Mapping[str, Any]
Fields = dict[str, Any]


def entry_fields(entry: Raw) -> Fields:
    """The rules of one entry, in the form that cards write; `{}` gives those of a new one."""
    more = _more(entry)
    secondary = entry.get("secondary_keys") or []
    return {
        "title": entry.get("name") or entry.get("comment") or "",
        "keys": ", ".join(entry.get("keys") or ()),
        "secondary": ", ".join(secondary),
        "logic": IGNORED if secondary and not entry.get("selective") else _logic(more.get("selectiveLogic")),
        "content": entry.get("content") or "",
        "enabled": entry.get("enabled") is not False,
        "constant": bool(entry.get("constant")),
        "order": entry.get("insertion_order", ORDER),
        "place": "depth" if more.get("position") == PLACES["depth"][1] else _before_or_after(entry),
        "depth": more.get("depth", DEPTH),
        "probability": PERCENT if more.get("useProbability") is False else more.get("probability", PERCENT),
        "scan_depth": more.get("scan_depth"),
        "case_sensitive": bool(entry.get("case_sensitive")) or more.get("case_sensitive") is True,
        "whole_words": more.get("match_whole_words") is not False,
        "from_lore": not more.get("exclude_recursion"),
        "only_from_lore": bool(more.get("delay_until_recursion")),
        "brings_others": not more.get("prevent_recursion"),
    }


def with_entry_fields(entry: Raw, fields: Fields) -> dict[str, Any]:
    """The entry with those of its fields changed that differ from what it says."""
    before = entry_fields(entry)
    new = {name: value for name, value in fields.items() if name in before and value != before[name]}
    if entry and not new:
        return dict(entry)
    changed = {"keys": [], "content": "", "enabled": True, "insertion_order": ORDER, **copy.deepcopy(dict(entry))}
    changed["extensions"] = dict(_more(entry))
    for name, value in new.items():
        _set(changed, name, value)
    if new.keys() & {"secondary", "logic"}:
        changed["selective"] = bool(changed.get("secondary_keys")) and new.get("logic", before["logic"]) != IGNORED
    if entry.get("use_regex") and not _from_tavern(entry) and _from_tavern(changed):
        _put_slashes(changed)
    return changed


def book_fields(book: Raw) -> Fields:
    return {
        "scan_depth": book.get("scan_depth"),
        "token_budget": book.get("token_budget"),
        "recursive": bool(book.get("recursive_scanning")),
    }


def with_book_fields(book: Raw, fields: Fields, entries: Sequence[Raw]) -> dict[str, Any]:
    """The whole book with these rules and these entries."""
    before, changed = book_fields(book), {"extensions": {}, **book, "entries": list(entries)}
    names = {"scan_depth": "scan_depth", "token_budget": "token_budget", "recursive": "recursive_scanning"}
    for field, name in names.items():
        if field not in fields or fields[field] == before[field]:
            continue
        if fields[field] is None:
            changed.pop(name, None)
        else:
            changed[name] = fields[field]
    return changed


def _more(entry: Raw) -> Raw:
    found = entry.get("extensions")
    return found if isinstance(found, dict) else {}


def _before_or_after(entry: Raw) -> str:
    return "before" if entry.get("position") == "before_char" else "after"


def _logic(number: object) -> str:
    return LOGIC[number] if isinstance(number, int) and 0 <= number < len(LOGIC) else LOGIC[0]


def _keys(words: str) -> list[str]:
    return [key for key in (part.strip() for part in re.split(r"[,，]", words)) if key]


def _from_tavern(entry: Raw) -> bool:
    return "selectiveLogic" in _more(entry) or "position" in _more(entry)


def _put_slashes(entry: dict[str, Any]) -> None:
    """Where SillyTavern's fields are, only keys between slashes are patterns, whatever `use_regex` says."""
    flags = "" if entry.get("case_sensitive") else "i"
    for name in ("keys", "secondary_keys"):
        entry[name] = [key if key.startswith("/") else f"/{key.replace('/', _SLASH)}/{flags}" for key in entry.get(name) or ()]


def _set(entry: dict[str, Any], name: str, value: Any) -> None:  # noqa: ANN401 what JSON can hold
    more = entry["extensions"]
    match name:
        case "title":
            entry["name" if entry.get("name") else "comment"] = value
        case "keys":
            entry["keys"] = _keys(value)
        case "secondary":
            entry["secondary_keys"] = _keys(value)
        case "logic" if value in LOGIC:
            more["selectiveLogic"] = LOGIC.index(value)
        case "content" | "enabled" | "constant":
            entry[name] = value
        case "order":
            entry["insertion_order"] = value
        case "place":
            entry["position"], more["position"] = PLACES[value]
            if value == "depth":
                more.setdefault("depth", DEPTH)
        case "depth" | "scan_depth":
            more[name] = value
        case "probability":
            more |= {"probability": value, "useProbability": True}
        case "case_sensitive":
            entry["case_sensitive"] = more["case_sensitive"] = value
        case "whole_words":
            more["match_whole_words"] = value
        case "from_lore":
            more["exclude_recursion"] = not value
        case "only_from_lore":
            more["delay_until_recursion"] = value
        case "brings_others":
            more["prevent_recursion"] = not value
