"""Macros stand for what they should, and draw the same lots for the same seed."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.characters.macros import LONGEST, Values, expand

MOMENT = datetime(2026, 11, 5, 9, 7, tzinfo=UTC)
VALUES = Values("Ben", "Ada", seed="s", moment=MOMENT, others={"scenario": "A storm."})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{{user}} and {{char}}", "Ben and Ada"),
        ("{{User}}, <USER>, <BOT>, {{CHAR}}", "Ben, Ben, Ada, Ada"),
        ("{{group}}", "Ada"),
        ("a{{// nobody sees this}}b{{comment: nor this}}c{{noop}}", "abc"),
        ("a{{newline}}b", "a\nb"),
        ("a\n\n{{trim}}\n\nb", "ab"),
        ("{{date}}, {{weekday}} {{time}}, {{isodate}}", "5 November 2026, Thursday 09:07, 2026-11-05"),
        ("{{scenario}}", "A storm."),
        ("{{original}}!", "Before!"),
        ("{{reverse:abc}}", "cba"),
        ("{{random:{{char}},{{char}}}}", "Ada"),
        ("{{roll:1}} {{roll 1d1}} {{roll:3d1+2}} {{roll:2d1-1}}", "1 1 5 1"),
        ("{{pick::x, y::x, y}}", "x, y"),
        ("{{random:a\\,b}}", "a,b"),
        ("{{unknown}} {{unknown:x}} {{roll:many}} {{random}} {{", "{{unknown}} {{unknown:x}} {{roll:many}} {{random}} {{"),
        ("没有宏 {{user}}。", "没有宏 Ben。"),
    ],
)
def test_a_macro_stands_for(written: str, meant: str) -> None:
    assert expand(written, VALUES, original="Before") == meant


@given(st.text(), st.text(), st.text())
def test_the_same_seed_gives_the_same_words(text: str, seed: str, turn: str) -> None:
    values = Values("Ben", "Ada", seed=seed, moment=MOMENT)
    words = text + "{{random:a,b,c}} {{pick:a,b,c}} {{roll:d1000}}"
    assert expand(words, values, turn=turn) == expand(words, values, turn=turn)


def test_lots_fall_anew_from_turn_to_turn_but_a_pick_stays() -> None:
    def drawn(macro: str) -> set[str]:
        return {expand(macro, VALUES, turn=str(turn)) for turn in range(50)}

    assert drawn("{{random:a,b,c}}") == {"a", "b", "c"}
    assert drawn("{{roll:d3}}") == {"1", "2", "3"}
    assert len(drawn("{{pick:a,b,c}}")) == 1
    assert {expand("{{pick:a,b,c}}", Values("", "", seed=str(seed))) for seed in range(50)} == {"a", "b", "c"}


def test_a_macro_that_feeds_on_itself_ends() -> None:
    greedy = Values("Ben", "Ada", others={"description": "{{description}}" * 50})
    began = time.monotonic()
    assert len(expand("{{description}}", greedy)) <= LONGEST
    expand("{{" * 50_000 + "}}" * 50_000, VALUES)
    expand("{{roll:999d999999}}" * 100, VALUES)
    assert time.monotonic() - began < 10
