"""The commands about characters, as a script meets them; scenes are played by the real engine with a tiny random model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unabridged.characters.card_files import load_card
from unabridged.cli import main
from unabridged.home import open_home
from unabridged.workspace import Workspace

from tests.unit.characters.cards import V2, V3, packed, png, text
from tests.unit.models.tiny_models import write_tiny_model

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def running(*arguments: object, status: int = 0) -> dict[str, Any]:
        assert main([str(argument) for argument in arguments]) == status
        out, err = capsys.readouterr()
        found: dict[str, Any] = json.loads(out) if "--json" in arguments and not status else {"out": out, "err": err}
        return found

    return running


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "ada.png"
    path.write_bytes(png(text("ccv3", packed(V3))))
    return path


def test_a_card_is_imported_listed_shown_exported_and_removed(run: Run, card: Path, tmp_path: Path) -> None:
    run("character", "import", card)
    (listed,) = run("character", "list", "--json")["characters"]
    assert (listed["name"], listed["greetings"], listed["lore"], listed["has_picture"]) == ("Ada", 3, 2, True)
    shown = run("character", "show", "Ada", "--json")
    assert shown["card"] == V3
    assert "Addie keeps the lighthouse of Skarv." in shown["sheet"]
    for form in ("png", "json", "charx"):
        run("character", "export", "Ada", tmp_path / f"out.{form}")
        assert load_card(tmp_path / f"out.{form}").card.text("description") == "{{char}} keeps the lighthouse of Skarv."
    assert "Removed Ada." in run("character", "remove", listed["id"][:8])["out"]
    assert run("character", "list", "--json") == {"characters": []}


def test_the_starter_answers_about_the_sheet_and_does_not_play(run: Run, card: Path) -> None:
    run("character", "import", card)
    answer = run("character", "show", "Ada", "Who keeps the lighthouse of Skarv?", "--json")
    assert answer["citations"][0]["quote"] == "Addie keeps the lighthouse of Skarv."
    refused = run("chat", "Ada", "Hello.", status=2)
    assert refused["err"].strip().endswith("Choose a chat model: unabridged models list.")


def test_a_character_is_made_from_a_document_and_learns_a_lorebook(run: Run, tmp_path: Path) -> None:
    novel = tmp_path / "novel.txt"
    novel.write_text("Cleo sailed to Skarv.\n", encoding="utf-8")
    with Workspace(open_home()) as workspace:
        document = workspace.library.add(novel)
    run("character", "new", "Cleo", "--lives-in", "novel.txt", "--description", "A sailor.")
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"entries": {"0": {"key": ["sea"], "content": "Cold.", "mine": 1}}}), encoding="utf-8")
    assert "learnt 1 entry." in run("character", "learn", "Cleo", world)["out"]
    run("character", "learn", "Cleo", world)
    (listed,) = run("character", "list", "--json")["characters"]
    assert (listed["document_ids"], listed["lore"]) == ([document.id], 2)
    book = run("character", "show", "Cleo", "--json")["card"]["data"]["character_book"]
    assert [(entry["keys"], entry["extensions"]["mine"]) for entry in book["entries"]] == [(["sea"], 1)] * 2
    refused = run("character", "import", world, status=3)
    assert "character learn" in refused["err"]


def test_what_cannot_be_read_is_refused_with_the_status_for_files(run: Run, tmp_path: Path) -> None:
    for name, content in (("a.png", png()), ("b.json", b"{}"), ("c.charx", b"PK\x03\x04")):
        path = tmp_path / name
        path.write_bytes(content)
        assert len(run("character", "import", path, status=3)["err"].strip().split("\n")) == 2
    run("character", "import", tmp_path / "missing.png", status=3)
    run("character", "export", "Nobody", tmp_path / "out.txt", status=2)
    run("character", "show", "Nobody", status=2)


def test_a_scene_goes_on_from_call_to_call_and_reads_its_sheet_once(run: Run, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.gguf", window=16384)
    (tmp_path / "ada.json").write_text(json.dumps(V2), encoding="utf-8")
    run("character", "import", tmp_path / "ada.json")
    first = run("chat", "Ada", "Is the lamp lit?", "--model", model, "--json")
    second = run("chat", "Ada", "Why not?", "--model", model, "--json")
    assert second["conversation"] == first["conversation"]
    sheet = first["receipt"]["evaluated_tokens"] - (second["receipt"]["prompt_tokens"] - first["receipt"]["prompt_tokens"])
    assert second["receipt"]["reused_tokens"] > sheet / 2  # from the segments that the first call wrote
    assert run("chat", "Ada", "Hello.", "--model", model, "--json", "--new")["conversation"] != first["conversation"]
