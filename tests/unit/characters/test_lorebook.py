"""Lorebooks bring the entries that belong to the moment, and no others."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.characters.lore_activation import Activation, activate
from unabridged.characters.lore_keys import LARGEST_PATTERN, KeySearch, size_of
from unabridged.characters.lorebook import Logic, Lorebook, read_book
from unabridged.errors import DocumentError

from tests.unit.characters.cards import BOOK


def entry(content: str, *keys: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    return {"keys": list(keys), "content": content, "enabled": True, "insertion_order": 100, "extensions": {}, **fields}


def book(*entries: dict[str, Any], **fields: Any) -> Lorebook:  # noqa: ANN401
    return read_book({"name": "b", "entries": list(entries), **fields})


def lengths(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def active(of: Lorebook, *messages: str, seed: str = "", budget: int = 10_000) -> list[str]:
    return [one.text for one in activated(of, *messages, seed=seed, budget=budget).active]


def activated(of: Lorebook, *messages: str, seed: str = "", budget: int = 10_000) -> Activation:
    return activate([of], messages, seed=seed, budget=budget, tokens_of=lengths)


def test_an_entry_comes_when_one_of_its_keys_is_said() -> None:
    lamp = book(entry("Oil.", "lamp", "light"))
    assert active(lamp, "Is the LAMP lit?") == ["Oil."]
    assert active(lamp, "The lamps, enlightened") == []
    assert active(lamp, "nothing") == []
    assert active(book(entry("Oil.", "lamp", enabled=False)), "lamp") == []


@pytest.mark.parametrize(
    ("fields", "said", "comes"),
    [
        ({}, "LAMP", True),
        ({"case_sensitive": True}, "LAMP", False),
        ({"case_sensitive": True}, "lamp", True),
        ({}, "lamps", False),
        ({"extensions": {"match_whole_words": False}}, "lamps", True),
    ],
)
def test_case_and_whole_words_count_as_the_entry_says(fields: dict[str, Any], said: str, comes: bool) -> None:
    assert bool(active(book(entry("x", "lamp", **fields)), said)) is comes


def test_chinese_words_need_no_spaces_around_them() -> None:
    assert active(book(entry("海。", "灯塔")), "他走向那座灯塔了") == ["海。"]
    assert active(book(entry("x", "Ada")), "我认识Ada很久了") == ["x"]
    assert active(book(entry("x", "Ada")), "Adam") == []


@pytest.mark.parametrize(
    ("logic", "comes_for"),
    [(0, {"a", "b", "ab"}), (1, {"", "a", "b"}), (2, {""}), (3, {"ab"})],
    ids=[str(logic) for logic in Logic],
)
def test_secondary_keys_decide_by_their_logic(logic: int, comes_for: set[str]) -> None:
    picky = book(entry("x", "key", selective=True, secondary_keys=["a", "b"], extensions={"selectiveLogic": logic}))
    said = {"": "key", "a": "key a", "b": "key b", "ab": "key a b"}
    assert {name for name, text in said.items() if active(picky, text)} == comes_for
    assert active(picky, "a b") == []
    assert active(book(entry("x", "key", selective=False, secondary_keys=["a"])), "key") == ["x"]


def test_constant_entries_belong_to_the_sheet() -> None:
    of = read_book(BOOK)
    assert [one.content for one in of.always] == ["Skarv lies in the north."]
    assert active(of, "nothing") == []
    assert active(book(entry("x", constant=True, extensions={"depth": 2, "position": 4})), "nothing") == ["x"]


def test_only_the_last_messages_are_searched() -> None:
    of = book(entry("x", "lamp"), entry("y", "lamp", extensions={"scan_depth": 1}), scan_depth=2)
    assert active(of, "lamp", "b", "c") == []
    assert active(of, "a", "lamp", "c") == ["x"]
    assert active(of, "a", "b", "lamp") == ["x", "y"]


def test_entries_bring_others_unless_they_or_the_others_forbid_it() -> None:
    first, second = entry("The oil.", "lamp"), entry("Herring.", "oil")
    assert active(book(first, second, recursive_scanning=True), "lamp") == ["The oil.", "Herring."]
    assert active(book(first, second), "lamp") == ["The oil."]
    silent = {**first, "extensions": {"prevent_recursion": True}}
    assert active(book(silent, second, recursive_scanning=True), "lamp") == ["The oil."]
    aloof = {**second, "extensions": {"exclude_recursion": True}}
    assert active(book(first, aloof, recursive_scanning=True), "lamp") == ["The oil."]
    shy = {**second, "extensions": {"delay_until_recursion": True}}
    assert active(book(first, shy, recursive_scanning=True), "oil") == []
    assert active(book(first, shy, recursive_scanning=True), "lamp") == ["The oil.", "Herring."]


def test_entries_that_bring_each_other_end() -> None:
    circle = [entry(f"word{(number + 1) % 50}", f"word{number}") for number in range(50)]
    assert len(active(book(*circle, recursive_scanning=True), "word7")) == 50


def test_a_lower_order_is_told_first_and_where_the_budget_is_short_the_less_important_is_left_out() -> None:
    of = book(
        entry("third", "k", insertion_order=3), entry("first", "k", insertion_order=1), entry("second", "k", insertion_order=2)
    )
    assert active(of, "k") == ["first", "second", "third"]
    short = activated(of, "k", budget=11)
    assert [one.text for one in short.active] == ["second", "third"]
    assert [one.text for one in short.left_out] == ["first"]
    named = book(entry("mean", "k", priority=1), entry("dear", "k", priority=9), token_budget=5)
    assert active(named, "k") == ["dear"]
    taken = book(entry("12345", constant=True), entry("long", "k"), token_budget=8)
    assert active(taken, "k") == []


def test_chance_depends_on_the_seed_alone() -> None:
    of = book(entry("x", "k", extensions={"probability": 50, "useProbability": True}))
    drawn = [bool(active(of, "k", seed=str(turn))) for turn in range(200)]
    assert drawn == [bool(active(of, "k", seed=str(turn))) for turn in range(200)]
    assert 60 < sum(drawn) < 140
    assert not any(active(book(entry("x", "k", extensions={"probability": 0})), "k", seed=str(turn)) for turn in range(20))
    assert active(book(entry("x", "k", extensions={"probability": 0, "useProbability": False})), "k") == ["x"]


def test_of_a_group_only_one_comes() -> None:
    def rival(content: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return entry(content, "k", extensions={"group": "weather, mood", **more})

    of = book(rival("rain"), rival("sun", group_weight=300), entry("x", "k"))
    drawn = [active(of, "k", seed=str(turn)) for turn in range(200)]
    assert {tuple(one) for one in drawn} == {("rain", "x"), ("sun", "x")}
    assert 110 < sum("sun" in one for one in drawn) < 190
    assert active(book(rival("rain"), rival("sun", group_override=True)), "k") == ["sun"]
    late = entry("late", "rain", extensions={"group": "mood"})
    assert active(book(rival("rain"), late, recursive_scanning=True), "k") == ["rain"]


def test_decorators_are_rules_and_not_words() -> None:
    of = book(
        entry("@@depth 3\n@@unheard_of 1\n@@@scan_depth 1\n@@additional_keys fog, mist\n@@exclude_keys sun\nThe words.", "k")
    )
    (one,) = of.entries
    assert (one.content, one.depth, one.scan_depth, one.keys, one.excluding_keys) == (
        "The words.",
        3,
        1,
        ("k", "fog", "mist"),
        ("sun",),
    )
    assert active(of, "mist") == ["The words."]
    assert active(of, "mist and sun") == []
    assert active(book(entry("@@activate_only_after 3\nx", "k")), "a", "k") == []
    assert active(book(entry("@@activate_only_after 3\nx", "k")), "a", "b", "k") == ["x"]
    assert active(book(entry("@@dont_activate\nx", "k")), "k") == []


def test_patterns_are_keys() -> None:
    slashed = book(entry("x", r"/lam(p|b)s?\b/i"))
    assert active(slashed, "Two LAMBS") == ["x"]
    assert active(book(entry("x", r"/lamb/")), "LAMB") == []
    assert active(book(entry("x", r"^lam.$", use_regex=True)), "lamb") == ["x"]
    assert active(book(entry("x", "lam.", use_regex=True, extensions={"position": 1})), "lamb") == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"/(x+x+)+y(?=z)(a|aa)+$/",
        r"/((a{1000}){1000}){1000}/",
        "/" + "(?:" * 60 + "a" + "+)+" * 60 + "/",
        "/(unclosed/",
        "/a{1,99999}/",
    ],
)
def test_a_pattern_that_runs_away_is_given_up_and_said_so(pattern: str) -> None:
    began = time.monotonic()
    found = activated(book(entry("never", pattern), entry("x", "k")), "k" + "xa" * 20_000)
    assert "never" not in [one.text for one in found.active]
    assert time.monotonic() - began < 5


def test_what_is_wrong_with_a_pattern_is_told_once() -> None:
    bad = [entry(str(number), "/(a|aa)+c/") for number in range(3)]
    found = activated(book(*bad), "a" * 3000)
    assert found.problems == ("The pattern /(a|aa)+c/ takes too long and was given up.",)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["(", ")", "a", "+", "*", "{2,9}", "{99}", "[b-]", r"\(", "|", "?"]), max_size=40))
def test_a_pattern_that_passes_the_measure_is_compiled_in_no_time(parts: list[str]) -> None:
    pattern = "".join(parts)
    if size_of(pattern) <= LARGEST_PATTERN:
        began = time.process_time()
        KeySearch().found(f"/{pattern}/", "a" * 100, as_pattern=True, case_sensitive=True, whole_words=True)
        assert time.process_time() - began < 2
    regex.purge()


WORLD = {
    "entries": {
        "0": {
            "uid": 0,
            "key": ["lamp"],
            "keysecondary": ["oil"],
            "selective": True,
            "selectiveLogic": 3,
            "comment": "The lamp",
            "content": "Herring.",
            "constant": False,
            "order": 50,
            "position": 4,
            "depth": 2,
            "disable": False,
            "probability": 100,
            "useProbability": True,
            "excludeRecursion": True,
            "caseSensitive": None,
            "scanDepth": None,
        },
        "7": {"uid": 7, "key": ["x"], "content": "gone", "disable": True},
    }
}


def test_a_world_info_file_is_a_lorebook() -> None:
    of = read_book(WORLD, name="Skarv.json")
    lamp, gone = of.entries
    assert (of.name, lamp.title, lamp.depth, lamp.order, lamp.logic, lamp.from_lore) == (
        "Skarv.json",
        "The lamp",
        2,
        50,
        Logic.ALL,
        False,
    )
    assert not gone.enabled
    assert active(of, "lamp oil") == ["Herring."]
    assert read_book({"spec": "lorebook_v3", "data": BOOK}) == read_book(BOOK)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"entries": 5},
        {"entries": [5]},
        {"entries": {"0": []}},
        {"entries": [{"keys": "lamp"}]},
        {"entries": [{"keys": [1]}]},
        {"entries": [{"content": {}}]},
        {"entries": [{"insertion_order": "first"}]},
        {"entries": [{"insertion_order": True}]},
        {"entries": [], "token_budget": "all"},
        {"entries": [], "name": []},
        {"entries": [{}] * 20_001},
    ],
)
def test_a_malformed_book_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(DocumentError) as refused:
        read_book(raw)
    assert refused.value.hint


def test_entries_with_the_same_id_are_told_apart() -> None:
    assert [one.id for one in book(entry("a", id=1), entry("b", id=1), entry("c", id=2)).entries] == ["1", "1#2", "2"]
