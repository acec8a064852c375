"""The catalogue of models: said before anything is fetched, progress, cancel, going on, and choosing. Over a hub of our own."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from unabridged.offered_models import OFFERED

from tests.browser.conftest import Served, Visitor
from tests.browser.test_settings import settings_of
from tests.fakes import Script
from tests.hub import CONTENT, Hub

MODEL = OFFERED[0]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    running = Hub()
    monkeypatch.setenv("HF_ENDPOINT", running.address)
    yield running
    running.close()


def fetch(page: Page) -> None:
    page.locator(f"[data-model='{MODEL.name}']").get_by_role("button", name="Fetch").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(f"{MODEL.repository}/{MODEL.file}")
    expect(asked).to_contain_text("uses the network")
    asked.get_by_role("button", name="Fetch").click()


def test_a_model_is_fetched_when_asked_for_and_then_chosen(
    hub: Hub, serve_script: Callable[..., Served], visit: Callable[..., Visitor]
) -> None:
    served = serve_script(Script())
    page = visit().open(served.address)
    settings_of(page)
    row = page.locator(f"[data-model='{MODEL.name}']")
    expect(row).to_contain_text("trained for 131,072 tokens")
    assert hub.asked == [], "nothing leaves before the click"
    fetch(page)  # it may have ended before the page knows of it: the notice comes all the same
    expect(page.locator(".ub-notice")).to_contain_text(f"{MODEL.name} is here.")
    path = served.workspace.home.models / MODEL.file
    assert path.read_bytes() == CONTENT
    row.get_by_role("button", name="Use").click()
    expect(row).to_contain_text("in use")
    assert served.workspace.settings.model == str(path)


def test_a_transfer_is_cancelled_and_goes_on(
    hub: Hub, serve_script: Callable[..., Served], visit: Callable[..., Visitor]
) -> None:
    served = serve_script(Script())
    page = visit().open(served.address)
    settings_of(page)
    hub.pause_s = 0.5
    fetch(page)
    row = page.locator(f"[data-model='{MODEL.name}']")
    expect(row.locator(".ub-offer-progress")).to_contain_text("MB of")
    row.get_by_role("button", name="Cancel").click()
    expect(row.get_by_role("button", name="Fetch")).to_be_visible()
    [part] = served.workspace.home.models.glob("*.part")
    assert 0 < part.stat().st_size < len(CONTENT)
    hub.pause_s = 0
    fetch(page)
    expect(row.get_by_role("button", name="Use")).to_be_visible()
    assert (hub.asked[-1][2] or "").startswith("bytes="), "the rest only"


def test_a_hub_that_cannot_be_reached_is_told_in_a_sentence_in_each_language(
    hub: Hub, serve_script: Callable[..., Served], visit: Callable[..., Visitor]
) -> None:
    hub.status = 404
    served = serve_script(Script())
    page = visit(locale="zh-CN").open(served.address)
    page.get_by_role("button", name="设置").click()
    row = page.locator(f"[data-model='{MODEL.name}']")
    row.get_by_role("button", name="下载").click()
    page.get_by_role("dialog").get_by_role("button", name="下载").click()
    expect(page.locator(".ub-notice")).to_contain_text("模型库拒绝了")
