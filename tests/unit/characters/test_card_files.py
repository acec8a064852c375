"""Cards of every version go in and come out again with everything in them, whatever file they travel in."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.characters.card import Asset, Card, DepthPrompt, new_card
from unabridged.characters.card_files import FORMATS, CardFile, read_card, write_card

from tests.unit.characters.cards import V1, V2, V3, charx, compressed_text, international_text, packed, png, text

CARDS = pytest.mark.parametrize("raw", [V1, V2, V3], ids=["V1", "V2", "V3"])
WEBP = b"RIFF\x04\0\0\0WEBPxxxx"

scalars = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


@CARDS
def test_a_card_is_read_from_json_from_png_and_from_charx_alike(raw: dict[str, Any]) -> None:
    files = [json.dumps(raw).encode(), b"\xef\xbb\xbf" + json.dumps(raw).encode(), png(text("chara", packed(raw))), charx(raw)]
    assert [read_card(data, "x").card.raw for data in files] == [raw] * 4


@CARDS
@pytest.mark.parametrize("form", FORMATS)
def test_a_card_comes_out_as_it_went_in(raw: dict[str, Any], form: str) -> None:
    file = CardFile(Card(raw))
    assert read_card(write_card(file, form), "x").card.raw == raw


@settings(max_examples=60, deadline=None)
@given(
    extensions=st.dictionaries(st.text(), json_values, max_size=4),
    unknown=st.dictionaries(
        st.text(min_size=1).filter(lambda key: key not in V3["data"] and key != "character_book"), json_values
    ),
    words=st.text(),
    form=st.sampled_from(FORMATS),
)
def test_what_no_specification_knows_is_kept(
    extensions: dict[str, Any], unknown: dict[str, Any], words: str, form: str
) -> None:
    raw = {**V3, "data": {**V3["data"], **unknown, "description": words, "extensions": extensions}}
    once = read_card(json.dumps(raw).encode(), "x")
    assert read_card(write_card(once, form), "x").card.raw == raw == once.card.raw


@pytest.mark.parametrize("form", ["png", "charx"])
def test_a_file_is_written_as_it_was_read_down_to_its_pictures(form: str) -> None:
    pictures = {"assets/emotion/image/joy.webp": WEBP, "module.risum": b"\0\1", "x_meta/joy.json": b"{}"}
    if form == "charx":
        data = charx(V3, pictures)
    else:
        data = png(text("Comment", b"by hand"), text("ccv3", packed(V3)), text("chara-ext-asset_:0", b"AAEC"))
    first = read_card(data, "x")
    assert first.files
    assert read_card(write_card(first, form), "x") == first


def test_pictures_move_with_the_card_from_png_to_charx_and_back() -> None:
    raw = {**V3, "data": {**V3["data"], "assets": [{"type": "emotion", "uri": "__asset:7", "name": "joy", "ext": "png"}]}}
    first = read_card(png(text("ccv3", packed(raw)), text("chara-ext-asset_:7", b"AAEC")), "x")
    moved = read_card(write_card(first, "charx"), "x")
    back = read_card(write_card(moved, "png"), "x")
    for file in (first, moved, back):
        (joy,) = [asset for asset in file.card.assets if asset.kind == "emotion"]
        assert file.files[joy.uri] == b"\0\1\2"
    assert moved.avatar == ("image/png", first.picture)
    assert back.avatar is not None
    assert back.avatar[1] == first.picture
    kept = {key: value for key, value in raw["data"].items() if key != "assets"}
    assert {key: value for key, value in back.card.data.items() if key != "assets"} == kept


def test_the_third_version_wins_over_the_second_and_both_are_written() -> None:
    file = read_card(png(text("chara", packed(V2)), text("ccv3", packed(V3))), "x")
    assert file.card.version == 3
    written = write_card(file, "png")
    assert b"chara\0" in written
    assert b"ccv3\0" in written
    assert file.card.as_version(2).raw["spec"] == "chara_card_v2"
    assert file.card.as_version(2).data == file.card.data


def test_texts_in_every_kind_of_text_chunk_are_found() -> None:
    for chunk in (
        compressed_text,
        lambda k, v: international_text(k, v, compress=True),
        lambda k, v: international_text(k, v, compress=False),
    ):
        assert read_card(png(chunk("chara", packed(V2))), "x").card.raw == V2


def test_the_fields_of_the_specification_are_seen() -> None:
    card = Card(V3)
    assert (card.name, card.called, card.version) == ("Ada", "Addie", 3)
    assert card.greetings == ("You are wet, {{user}}.", "The lamp is out.", "Who knocks?")
    assert card.texts("group_only_greetings") == ("So many guests.",)
    assert card.creator_notes == {"": "Made for a test.", "de": "Für einen Test.", "zh": "测试用"}
    assert card.depth_prompt == DepthPrompt("{{char}} never leaves the island.", 4)
    assert card.talkativeness == 0.8
    assert Asset("background", "https://example.org/sea.png", "sea", "png") in card.assets
    assert card.book is not None


def test_an_edit_changes_that_field_and_nothing_else() -> None:
    card = Card(V3).edited(description="Short.")
    assert card.raw == {**V3, "data": {**V3["data"], "description": "Short."}}
    twice = {**V1, **V2}
    assert Card(twice).edited(scenario="New.").raw == {**twice, "scenario": "New.", "data": {**V2["data"], "scenario": "New."}}
    old = Card(V1).edited(tags=["sea"])
    assert old.version == 2
    assert {field: old.data[field] for field in V1} == V1
    assert new_card("Nell", first_mes="Hello.").greetings == ("Hello.",)


def test_an_avatar_is_a_raster_picture_only() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    raw = {**V3, "data": {**V3["data"], "assets": [{"type": "icon", "uri": "embeded://a.svg", "name": "main", "ext": "svg"}]}}
    assert read_card(charx(raw, {"a.svg": svg}), "x").avatar is None
    assert CardFile(Card(raw), files={"embeded://a.svg": WEBP}).avatar == ("image/webp", WEBP)
