"""An editor of lorebooks changes what was changed and nothing else, and what it shows is what the program does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.characters.lore_fields import book_fields, entry_fields, with_book_fields, with_entry_fields
from unabridged.characters.lorebook import Entry, Logic, read_book

from tests.unit.characters.cards import BOOK

ENTRIES: Any = BOOK["entries"]
TEXTS = st.lists(st.text(alphabet="ab,/ 灯", max_size=4), max_size=3)
FLAGS = st.booleans() | st.none()
WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "keys": TEXTS,
        "secondary_keys": TEXTS,
        "selective": FLAGS,
        "content": st.text(max_size=5),
        "enabled": FLAGS,
        "constant": FLAGS,
        "insertion_order": st.integers(-9, 9),
        "position": st.sampled_from(["before_char", "after_char"]),
        "case_sensitive": FLAGS,
        "use_regex": FLAGS,
        "extensions": st.fixed_dictionaries(
            {"unknown": st.just([1])},
            optional={
                "position": st.integers(0, 6),
                "depth": st.integers(0, 9),
                "selectiveLogic": st.integers(0, 5),
                "probability": st.integers(0, 100),
                "useProbability": FLAGS,
                "match_whole_words": FLAGS,
                "exclude_recursion": FLAGS,
            },
        ),
    },
)


def understood(entry: dict[str, Any]) -> Entry:
    return read_book({"entries": [entry]}).entries[0]


@given(WRITTEN)
def test_an_entry_that_was_only_looked_at_stays_as_it_was_written(entry: dict[str, Any]) -> None:
    assert with_entry_fields(entry, entry_fields(entry)) == entry or entry == {}


@given(WRITTEN, WRITTEN)
def test_the_fields_that_were_given_are_those_that_are_shown_afterwards(entry: dict[str, Any], other: dict[str, Any]) -> None:
    wanted = entry_fields(other)
    changed = with_entry_fields(entry, wanted)
    shown = entry_fields(changed)
    if entry.get("use_regex"):  # its keys may have got slashes
        shown |= {name: wanted[name] for name in ("keys", "secondary")}
    if not wanted["secondary"] or wanted["logic"] == "ignored":
        shown["logic"] = wanted["logic"]
    for name in ("keys", "secondary"):
        for fields in (shown, wanted):
            fields[name] = [key.strip() for key in fields[name].split(",") if key.strip()]
    assert shown == wanted
    assert changed.get("extensions", {}).get("unknown") == entry.get("extensions", {}).get("unknown")


@pytest.mark.parametrize(
    ("fields", "does"),
    [
        ({"secondary": "storm, sea", "logic": "all"}, {"secondary_keys": ("storm", "sea"), "logic": Logic.ALL}),
        ({"secondary": "storm", "logic": "not_all"}, {"secondary_keys": ("storm",), "logic": Logic.NOT_ALL}),
        ({"secondary": "storm", "logic": "ignored"}, {"secondary_keys": ()}),
        ({"place": "depth", "depth": 7}, {"depth": 7}),
        ({"place": "after"}, {"depth": None, "before_character": False}),
        ({"place": "before"}, {"depth": None, "before_character": True}),
        ({"probability": 25}, {"probability": 0.25}),
        ({"scan_depth": 2}, {"scan_depth": 2}),
        ({"case_sensitive": True, "whole_words": False}, {"case_sensitive": True, "whole_words": False}),
        ({"from_lore": False, "only_from_lore": True}, {"from_lore": False, "only_from_lore": True}),
        ({"brings_others": False, "enabled": False}, {"brings_others": False, "enabled": False}),
        ({"constant": True, "order": 3, "title": "oil"}, {"constant": True, "order": 3, "title": "oil"}),
        ({"keys": "灯，lamp"}, {"keys": ("灯", "lamp")}),
    ],
)
def test_what_is_set_here_is_what_the_entry_does(fields: dict[str, Any], does: dict[str, Any]) -> None:
    entry = understood(with_entry_fields(ENTRIES[0], {**entry_fields(ENTRIES[0]), **fields}))
    assert {name: getattr(entry, name) for name in does} == does


def test_patterns_stay_patterns_where_rules_of_sillytavern_come_in() -> None:
    entry = {"keys": ["la.p", "a/b"], "use_regex": True, "content": "Oil.", "enabled": True, "insertion_order": 1}
    changed = with_entry_fields(entry, {"place": "depth"})
    assert changed["keys"] == ["/la.p/i", r"/a\/b/i"]
    assert understood(changed).depth == 4


def test_a_new_entry_is_whole() -> None:
    entry = understood(with_entry_fields({}, {**entry_fields({}), "keys": "lamp", "secondary": "oil", "content": "It burns."}))
    assert (entry.keys, entry.secondary_keys, entry.logic, entry.enabled) == (("lamp",), ("oil",), Logic.ANY, True)


def test_the_rules_of_the_book_are_changed_or_left_to_the_scene() -> None:
    raw = {name: value for name, value in BOOK.items() if name != "entries"}
    assert with_book_fields(raw, book_fields(raw), ENTRIES) == BOOK
    changed = read_book(with_book_fields(raw, {"scan_depth": 2, "token_budget": None, "recursive": False}, ENTRIES))
    assert (changed.scan_depth, changed.token_budget, changed.recursive, len(changed.entries)) == (2, None, False, 2)
