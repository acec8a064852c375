"""A card is dropped, a scene begun with it, played, swiped, continued; hostile cards show text or are refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, Visitor
from tests.browser.test_reading import drop
from tests.fakes import Script
from tests.unit.characters.cards import V2, packed, png, text

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


def test_sheet_lorebook_and_author_s_note_are_edited(
    serve_script: Callable[..., Served], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    served, visitor = serve_script(Script(replies=[REPLY])), visit()
    page = visitor.open(served.address)
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
    page.locator(".ub-lore-entry").first.get_by_label("What is told").fill("The lamp is electric.")
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
    setup = served.workspace.scenes.setup(served.workspace.conversations.list()[0].id)
    assert setup is not None
    assert setup.author_note == "A storm comes."
    assert not visitor.faults
