"""Cards made to do harm are refused with a sentence and a hint; scripts in their fields are text."""

import contextlib
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.characters.card import Card
from unabridged.characters.card_files import EMBEDDED, IN_PNG, CardFile, read_card, write_card
from unabridged.errors import DocumentDamaged, DocumentError, DocumentTooCostly, DocumentUnsupported

from tests.unit.characters.cards import V1, V2, V3, charx, chunk, compressed_text, international_text, packed, png, text

BOMB = zlib.compress(b"A" * (20 << 20), 9)


def v2(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  wrong on purpose
    return {**V2, "data": {**V2["data"], **fields}}


REFUSED: dict[str, tuple[bytes, type[DocumentError]]] = {
    "nothing": (b"", DocumentUnsupported),
    "a program": (b"MZ" + b"\0" * 100, DocumentUnsupported),
    "JSON of another kind": (b'{"hello": 1}', DocumentUnsupported),
    "a list": (b'{"spec": "chara_card_v2", "data": [1]}', DocumentUnsupported),
    "another specification": (b'{"spec": "sheet", "data": {"name": "x"}}', DocumentUnsupported),
    "a lorebook": (b'{"entries": {}}', DocumentUnsupported),
    "broken JSON": (b'{"name": "x", ', DocumentDamaged),
    "not UTF-8": (b'{"name": "\xff\xfe"}', DocumentDamaged),
    "NaN": (json.dumps({**V1, "x": float("nan")}).encode(), DocumentDamaged),
    "a number beyond range": (b'{"name": "x", "description": "", "y": 1e999}', DocumentDamaged),
    "a number of 5,000 digits": (b'{"name": "x", "description": "", "y": ' + b"9" * 5000 + b"}", DocumentDamaged),
    "deep nesting": (b'{"name": "x", "y": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", DocumentTooCostly),
    "a text of 9 MB": (json.dumps({**V1, "description": "x" * (9 << 20)}).encode(), DocumentTooCostly),
    "a string without an end": (b'{"name": "' + b'\\"' * 200_000, DocumentDamaged),
    "a name that is a number": (json.dumps(v2(name=5)).encode(), DocumentUnsupported),
    "a name without letters": (json.dumps(v2(name=" \n")).encode(), DocumentUnsupported),
    "a name of 300 letters": (json.dumps(v2(name="x" * 300)).encode(), DocumentDamaged),
    "a description that is an object": (json.dumps(v2(description={"$ne": 1})).encode(), DocumentDamaged),
    "greetings that are a text": (json.dumps(v2(alternate_greetings="hello")).encode(), DocumentDamaged),
    "greetings that hold a number": (json.dumps(v2(alternate_greetings=[1])).encode(), DocumentDamaged),
    "extensions that are a list": (json.dumps(v2(extensions=[])).encode(), DocumentDamaged),
    "a book that is a text": (json.dumps(v2(character_book="x")).encode(), DocumentDamaged),
    "assets with an object for a uri": (json.dumps(v2(assets=[{"type": "icon", "uri": {}}])).encode(), DocumentDamaged),
    "a picture without a card": (png(), DocumentUnsupported),
    "a picture cut short": (png(text("chara", packed(V2)))[:-20], DocumentDamaged),
    "a picture with a wrong checksum": (png(text("chara", packed(V2))).replace(b"IDAT", b"IDAU"), DocumentDamaged),
    "a chunk of 4 GB": (png()[:-12] + struct.pack(">I", 2**32 - 1) + b"tEXtchara\0", DocumentDamaged),
    "a picture in a hundred thousand parts": (png(chunk(b"tEXt", b"") * 100_000), DocumentTooCostly),
    "a picture of 4 billion pixels": (png(text("chara", packed(V2)), width=65535, height=65535), DocumentTooCostly),
    "a card that is not base64": (png(text("chara", b"{}{}")), DocumentDamaged),
    "a bomb in zTXt": (png(chunk(b"zTXt", b"chara\0\0" + BOMB)), DocumentTooCostly),
    "a bomb in iTXt": (png(chunk(b"iTXt", b"ccv3\0\1\0\0\0" + BOMB)), DocumentTooCostly),
    "a broken zTXt": (png(chunk(b"zTXt", b"chara\0\0" + BOMB[:100])), DocumentDamaged),
    "an iTXt without its parts": (png(chunk(b"iTXt", b"ccv3\0")), DocumentDamaged),
    "an archive without a card": (charx(V3).replace(b"card.json", b"bard.json"), DocumentUnsupported),
    "an archive cut short": (charx(V3)[:-30], DocumentDamaged),
    "an archive that leads out": (charx(V3, {"../../etc/passwd": b"x"}), DocumentDamaged),
    "an archive with an absolute path": (charx(V3, {"/etc/passwd": b"x"}), DocumentDamaged),
    "an archive for another drive": (charx(V3, {"C:\\x\\..\\y": b"x"}), DocumentDamaged),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_sentence_with_a_hint(case: str) -> None:
    data, error = REFUSED[case]
    with pytest.raises(error) as refused:
        read_card(data, "card.png")
    assert refused.value.message.endswith(".")
    assert refused.value.hint.endswith(".")
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(("claimed", "error"), [(600 << 20, DocumentTooCostly), (10, DocumentDamaged)])
def test_an_archive_is_judged_by_the_sizes_it_claims_and_read_no_further(claimed: int, error: type[DocumentError]) -> None:
    size = struct.pack("<I", 100_000)
    honest = charx(V3, {"a.bin": b"\0" * 100_000})
    assert honest.count(size) == 2
    with pytest.raises(error):
        read_card(honest.replace(size, struct.pack("<I", claimed)), "card.charx")


def test_scripts_in_fields_stay_text() -> None:
    script = "<script>fetch('//evil')</script><img src=x onerror=alert(1)>{{7*7}}${7*7}%s{0.__class__}"
    card = read_card(json.dumps(v2(name=script, description=script, alternate_greetings=[script])).encode(), "x").card
    assert card.name == card.text("description") == card.greetings[1] == script


def test_half_characters_are_kept_in_the_file_and_shown_as_one_that_can_be_shown() -> None:
    file = read_card(b'{"name": "A\\ud800", "description": "a\\u0000b\\r\\nc"}', "x")
    assert file.card.name == "A\ufffd"
    assert file.card.text("description") == "ab\nc"
    assert read_card(write_card(file, "png"), "x").card.raw == file.card.raw


@settings(max_examples=100, deadline=None)
@given(names=st.lists(st.text(max_size=200), max_size=4, unique=True), form=st.sampled_from(["png", "charx"]))
def test_files_of_any_name_are_written_under_names_that_lead_nowhere(names: list[str], form: str) -> None:
    prefix = IN_PNG if form == "charx" else EMBEDDED
    contents = {prefix + name.encode("utf-8", "replace").decode(): bytes([number]) for number, name in enumerate(names)}
    assets = [{"type": "x", "uri": uri, "name": "", "ext": ""} for uri in contents]
    file = CardFile(Card({**V3, "data": {**V3["data"], "assets": assets}}), files=contents)
    back = read_card(write_card(file, form), "x")
    assert [back.files[asset.uri] for asset in back.card.assets[-len(assets) :] if assets] == list(contents.values())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_anywhere_is_refused_or_harmless(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from(
            [png(compressed_text("chara", packed(V2))), png(international_text("ccv3", packed(V3), compress=True)), charx(V3)]
        )
    )
    place = data.draw(st.integers(0, len(whole) - 1))
    hurt = whole[:place] + data.draw(st.binary(max_size=6)) + whole[place + data.draw(st.integers(0, 6)) :]
    with contextlib.suppress(DocumentError):
        assert read_card(hurt, "x").card.name
