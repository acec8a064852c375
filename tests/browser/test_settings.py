"""Settings are saved or refused in words; panes fold and resize; a password stands before everything."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from unabridged.home import Home
from unabridged.workspace import Workspace

from tests.browser.conftest import Served, Visitor
from tests.browser.slow_engine import SlowEngine
from tests.fakes import Script

PASSWORD = "correct horse"
Visit = Callable[..., Visitor]


def settings_of(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    expect(page.locator("#ub-settings-form")).to_be_visible()


def test_changed_settings_are_kept(serve_script: Callable[..., Served], visit: Visit) -> None:
    served = serve_script(Script())
    page = visit().open(served.address)
    settings_of(page)
    expect(page.get_by_label("Longest answer")).to_have_value("1024")
    page.get_by_label("Longest answer").fill("2048")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#ub-settings-told textarea, #ub-settings-told input")).to_have_value("Saved.")
    assert served.workspace.settings.answer_tokens == 2048
    page.get_by_label("Longest answer").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#ub-settings-told textarea, #ub-settings-told input")).to_have_value(
        "The setting answer_tokens must be between 16 and 1048576. Choose answer_tokens between 16 and 1048576."
    )
    assert served.workspace.settings.answer_tokens == 2048
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#ub-settings-form")).to_be_hidden()


def test_panes_fold_and_resize_and_stay_so(serve_script: Callable[..., Served], visit: Visit) -> None:
    served = serve_script(Script())
    visitor = visit()
    page = visitor.open(served.address)
    before = page.locator("#panel-library").bounding_box()
    bar = page.get_by_role("separator", name="Width of the library")
    place = bar.bounding_box()
    assert before is not None
    assert place is not None
    page.mouse.move(place["x"] + 4, 400)
    page.mouse.down()
    page.mouse.move(place["x"] + 84, 400, steps=4)
    page.mouse.up()
    after = page.locator("#panel-library").bounding_box()
    assert after is not None
    assert abs(after["width"] - before["width"] - 80) < 6
    page.reload()
    page.wait_for_selector("body.ub-ready")
    kept = page.locator("#panel-library").bounding_box()
    assert kept is not None
    assert kept["width"] == after["width"]
    page.locator("#panel-library").get_by_role("button", name="Library").click()
    expect(page.locator("#panel-library")).to_be_hidden()
    chat = page.locator("#panel-chat").bounding_box()
    assert chat is not None
    assert chat["x"] == 0


@pytest.fixture
def guarded(home: Home) -> Iterator[Served]:
    server = Served(lambda: Workspace(home, start_engine=lambda path, options: SlowEngine(Script())), password=PASSWORD)
    yield server
    server.stop()


def test_the_password_stands_before_everything(guarded: Served, visit: Visit) -> None:
    page = visit().context.new_page()
    page.goto(guarded.address)
    expect(page).to_have_url(f"{guarded.address}login")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That is not the password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("body.ub-ready")
    expect(page.get_by_role("button", name="Try the sample")).to_be_visible()
