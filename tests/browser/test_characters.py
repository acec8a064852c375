"""A card is dropped, a scene begun with it, played, swiped, continued; hostile cards show text or are refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

from playwright.sync_api import Page, expect
from unabridged.characters.lorebook import Logic, read_book

from tests.browser.conftest import Served, Visitor, drop
from tests.fakes import Script
from tests.unit.characters.cards import V2, V3, charx, packed, png, text

REPLY = "Come in and sit by the stove, the kettle is nearly boiling and the storm will not stop before morning."
SCRIPT = "<img src=x onerror=\"document.title='broken'\">"


def card_file(path: Path, **fields: object) -> Path:
    path.write_bytes(png(text("chara", packed({**V2, "data": {**cast("dict[str, object]", V2["data"]), **fields}}))))
    return path


def picture_of(page: Page, name: str) -> None:
    """For looking at, where a folder for it is named."""
    if folder := os.environ.get("UNABRIDGED_LOOK"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_a_dropped_card_is_talked_to(
    serve_script: Callable[..., Served], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    served, visitor = serve_script(Script(replies=[REPLY]), word_s=0.25), visit()
    page = visitor.open(served.address)
    drop(page, card_file(tmp_path / "ada.png"), card_file(tmp_path / "script.png", name=SCRIPT, tags=[SCRIPT]))
    gallery = page.get_by_role("dialog", name="Characters")
    expect(gallery.get_by_role("article")).to_have_count(2)
    expect(gallery.get_by_role("heading", name=SCRIPT)).to_be_visible()
    (tmp_path / "broken.json").write_text(json.dumps({"spec": "chara_card_v2", "data": {"name": 5}}), "utf-8")
    drop(page, tmp_path / "broken.json")
    expect(gallery.get_by_role("alert")).to_contain_text("names nobody")
    picture_of(page, "gallery")

    gallery.get_by_role("article", name="Ada").get_by_role("button", name="Talk").click()
    page.get_by_role("dialog", name="Ada").get_by_text("The lamp is out.").click()
    picture_of(page, "begin")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".ub-turn")).to_contain_text("The lamp is out.")
    page.locator("#ub-question").fill("May I come in?")
    page.locator("#ub-question").press("Enter")
    expect(page.locator(".ub-answer").last).to_contain_text("Come in and")  # while it streams
    expect(page.locator(".ub-answer").last).to_contain_text("before morning.")
    expect(page.locator(".ub-turn")).to_have_count(2)

    reply = page.locator(".ub-turn").last
    reply.hover()
    reply.get_by_role("button", name="Another reply").click()
    page.get_by_role("button", name="Stop", exact=True).click()
    last = page.locator(".ub-turn").last
    expect(last.get_by_text("2 of 2")).to_be_attached()
    expect(last.get_by_role("button", name="Another reply")).to_be_attached()
    last.hover()
    last.get_by_role("button", name="Previous reply").click()
    expect(page.locator(".ub-turn").last).to_contain_text("before morning.")
    picture_of(page, "scene")
    page.reload()
    expect(page.locator(".ub-speaker").first).to_contain_text("Ada")
    assert page.title() == "Unabridged"
    assert not visitor.faults
    assert visitor.hosts == {served.address.split("/")[2]}


def test_a_scene_that_fills_the_window_goes_on_with_a_summary(
    serve_script: Callable[..., Served], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    script = Script(replies=["It was night."])
    served, visitor = serve_script(script, word_s=0), visit()
    page = visitor.open(served.address)
    drop(page, card_file(tmp_path / "ada.png"))
    page.get_by_role("dialog", name="Characters").get_by_role("button", name="Talk").click()
    page.get_by_role("button", name="Begin").click()
    page.locator("#ub-question").fill("Tell me everything.")
    page.locator("#ub-question").press("Enter")
    expect(page.locator(".ub-turn")).to_have_count(2)
    expect(page.locator(".ub-turn").last.get_by_role("button", name="Another reply")).to_be_attached()
    conversation = served.workspace.conversations.list()[0].id
    told = served.workspace.conversations.turns(conversation)[-1]
    assert told.receipt is not None
    script.window = told.receipt.prompt_tokens + 3000  # room for a summary, none for what is said next
    script.replies = ["They met at the lamp."]
    page.locator("#ub-question").fill("And then? " * 600)
    page.locator("#ub-question").press("Enter")
    page.locator(".ub-turns .ub-failure").get_by_role("button", name="Go on with a summary").click()
    summary = page.get_by_role("dialog", name="Go on with a summary")
    expect(summary.get_by_role("textbox")).to_have_value("They met at the lamp.")
    expect(summary.get_by_text("It stands for 2 turns")).to_be_visible()
    picture_of(page, "scene-summary")
    script.window, script.replies = 100_000, ["Then came the storm."]
    summary.get_by_role("button", name="Use it").click()
    expect(page.locator(".ub-answer").last).to_contain_text("Then came the storm.")
    fresh = served.workspace.conversations.turns(conversation)[-1]
    assert (fresh.parent_id, fresh.notes[0].text) == (None, "They met at the lamp.")


def test_sheet_lorebook_and_author_s_note_are_edited(
    serve_script: Callable[..., Served], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    served, visitor = serve_script(Script(replies=[REPLY])), visit()
    page = visitor.open(served.address)
    page.get_by_role("button", name="Characters", exact=True).click()
    expect(page.get_by_text("There are no characters yet.")).to_be_visible()
    drop(page, card_file(tmp_path / "ada.png", tags=["sea, wide"]))
    ada = page.get_by_role("article", name="Ada")
    kept = served.workspace.characters

    ada.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit the sheet").click()
    page.get_by_label("Personality").fill("warm")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog.ub-dialog[open]")).to_have_count(0)

    ada.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit the lorebook").click()
    page.locator(".ub-lore-entry > summary").first.click()
    lamp = page.locator(".ub-lore-entry").first
    lamp.get_by_label("What is told").fill("The lamp is electric.")
    lamp.get_by_label("Secondary keys", exact=True).fill("storm, night")
    lamp.get_by_label("Secondary keys count when").select_option("all")
    lamp.get_by_text("Place, chance and other rules").click()
    lamp.get_by_label("Chance (%)").fill("50")
    lamp.get_by_label("Capitals matter").check()
    page.get_by_label("Room for its entries (tokens)").fill("300")
    picture_of(page, "lorebook")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog.ub-dialog[open]")).to_have_count(0)

    ada.get_by_role("button", name="Talk").click()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Scene and author's note").click()
    page.get_by_role("textbox", name="Author's note").fill("A storm comes.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog.ub-dialog[open]")).to_have_count(0)
    page.get_by_role("button", name="Write for me").click()
    expect(page.locator("#ub-question")).to_have_value(REPLY)

    card = kept.get(kept.list()[0].id).card
    assert card.text("personality") == "warm"
    assert card.texts("tags") == ("sea, wide",)
    entry = card.raw["data"]["character_book"]["entries"][0]
    assert (entry["content"], entry["extensions"]["unknown"]) == ("The lamp is electric.", [1, None])
    book = read_book(card.book or {})
    lamp_entry = book.entries[0]
    assert (lamp_entry.secondary_keys, lamp_entry.logic) == (("storm", "night"), Logic.ALL)
    assert (lamp_entry.probability, lamp_entry.case_sensitive, book.token_budget) == (0.5, True, 300)
    setup = served.workspace.scenes.setup(served.workspace.conversations.list()[0].id)
    assert setup is not None
    assert setup.author_note == "A storm comes."
    assert not visitor.faults


def test_a_person_of_a_book_is_played_with_all_of_the_book_and_several_answer_in_a_group(
    serve_script: Callable[..., Served], visit: Callable[..., Visitor], contract: Path, tmp_path: Path
) -> None:
    served, visitor = serve_script(Script(replies=["So it is."]), word_s=0), visit()
    served.add(contract)
    page = visitor.open(served.address)
    page.get_by_role("button", name="Characters", exact=True).click()
    page.get_by_role("button", name="New character").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Mr Alder")
    page.get_by_label("contract.txt", exact=True).check()
    page.get_by_role("button", name="Save").click()
    alder = page.get_by_role("article", name="Mr Alder")
    expect(alder).to_contain_text("lives in 1 document")
    alder.get_by_role("button", name="Talk").click()
    page.get_by_role("button", name="Begin").click()
    page.locator("#ub-question").fill("Who pays you?")
    page.locator("#ub-question").press("Enter")
    expect(page.locator(".ub-answer").last).to_contain_text("So it is.")
    [scene] = served.workspace.conversations.list()
    [turn] = served.workspace.conversations.turns(scene.id)
    assert turn.receipt is not None
    assert [(one.name, one.characters_read == one.characters > 0) for one in turn.receipt.documents] == [("contract.txt", True)]

    fields = {**cast("dict[str, object]", V3["data"]), "name": "Bo", "nickname": "", "group_only_greetings": ["Two!"]}
    (tmp_path / "bo.charx").write_bytes(charx({**V3, "data": fields}, {"assets/emotion/image/joy.webp": b"RIFF0000WEBP"}))
    drop(page, tmp_path / "bo.charx")
    for name in ("Bo", "Mr Alder"):
        page.get_by_role("checkbox", name=f"Take {name} into a group").check()
    page.get_by_role("button", name="Scene with 2").click()
    page.get_by_label("Who answers").select_option(label="Everyone")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".ub-turn")).to_contain_text("Two!")
    page.locator("#ub-question").fill("Who knocks?")
    page.locator("#ub-question").press("Enter")
    expect(page.locator(".ub-speaker")).to_have_count(3)
    assert page.locator(".ub-speaker strong").all_inner_texts()[1:] in (["Bo", "Mr Alder"], ["Mr Alder", "Bo"])
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.get_by_role("button", name="Let Bo speak").click()
    expect(page.locator(".ub-speaker")).to_have_count(4)
    expect(page.locator(".ub-speaker").last).to_contain_text("Bo")
    assert not visitor.faults
