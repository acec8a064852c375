"""What people do with the library and with conversations: paste, drop a folder, put in order, rename, remove, search."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Served, Visitor
from tests.browser.test_journeys import ask, tick
from tests.fakes import Script

Serve = Callable[..., Served]
Visit = Callable[..., Visitor]


def row(page: Page, name: str) -> object:
    return page.locator(".ub-documents .ub-row", has_text=name)


def choose(page: Page, name: str, item: str) -> None:
    """An item of the menu of a document or a conversation."""
    page.get_by_role("button", name=f"More about {name}").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name=item, exact=True).click()


@pytest.fixture
def page(serve_script: Serve, visit: Visit, contract: Path, law: Path) -> Page:
    served = serve_script(Script(replies=["It is governed by Norway [3]."]), word_s=0)
    served.add(contract)
    served.add(law)
    opened = visit().open(served.address)
    opened.served = served  # type: ignore[attr-defined]
    return opened


def test_pasted_text_becomes_a_document_that_is_chosen(page: Page) -> None:
    page.get_by_role("button", name="Folder, text, sample").click()
    page.get_by_role("menuitem", name="Paste text").click()
    page.get_by_label("Name (optional)").fill("A note")
    page.get_by_label("Paste or write the text here").fill("The gate closes at nine. 大门九点关闭。")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_role("checkbox", name="Read A note.txt")).to_be_checked()


def test_the_files_of_a_dropped_folder_are_added(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "inner").mkdir(parents=True)
    (folder / "one.txt").write_text("The first paper.")
    (folder / "inner" / "two.txt").write_text("The second paper.")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Folder, text, sample").click()
        page.get_by_role("menuitem", name="Add a folder").click()
    chosen.value.set_files(folder)
    for name in ("one.txt", "two.txt"):
        expect(page.get_by_role("checkbox", name=f"Read {name}")).to_be_checked()


def test_documents_are_read_in_the_order_that_was_chosen(page: Page) -> None:
    tick(page, "contract.txt")
    tick(page, "law.txt")
    choose(page, "law.txt", "Earlier in the reading")
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    served = page.served  # type: ignore[attr-defined]
    [conversation] = served.workspace.conversations.list()
    assert [name for _, name in conversation.documents] == ["law.txt", "contract.txt"]


def test_the_meter_moves_when_a_file_is_ticked(page: Page) -> None:
    words = page.locator(".ub-meter-words")
    tick(page, "contract.txt")
    expect(words).to_have_text(re.compile(r"^[\d,]+ of [\d,]+ tokens"))
    one = int(words.inner_text().split()[0].replace(",", ""))
    tick(page, "law.txt")
    expect(words).not_to_have_text(re.compile(rf"^{one} "))
    expect(words).to_have_text(re.compile(r"^[\d,]+ of [\d,]+ tokens"))
    assert int(words.inner_text().split()[0].replace(",", "")) > one


def test_a_document_is_renamed_and_removed_after_asking(page: Page) -> None:
    choose(page, "law.txt", "Rename")
    page.get_by_role("dialog").get_by_label("Name").fill("Code of law")
    page.keyboard.press("Enter")
    expect(row(page, "Code of law")).to_be_visible()
    choose(page, "Code of law", "Remove")
    expect(page.get_by_role("dialog")).to_contain_text("your own file stays")
    page.keyboard.press("Escape")
    expect(row(page, "Code of law")).to_be_visible()
    choose(page, "Code of law", "Remove")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row(page, "Code of law")).to_have_count(0)


def test_one_search_looks_at_names_texts_and_what_was_said(page: Page) -> None:
    tick(page, "contract.txt")
    ask(page, "Which law rules?")
    page.wait_for_selector(".ub-receipt")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".ub-turn")).to_have_count(0)
    box = page.get_by_role("searchbox", name="Search everything")
    box.fill("Oslo")
    expect(page.locator(".ub-documents .ub-place mark")).to_have_text("Oslo")
    box.fill("rules")
    found = page.locator(".ub-conversations .ub-place")
    expect(found).to_contain_text("Which law rules?")
    found.click()
    expect(page.locator(".ub-bubble")).to_have_text("Which law rules?")
    expect(page.locator(".ub-conversations h3")).to_have_text("Today")


def test_a_conversation_is_renamed_and_a_question_and_a_conversation_are_deleted(page: Page) -> None:
    tick(page, "contract.txt")
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    choose(page, "Which law?", "Rename")
    page.get_by_role("dialog").get_by_label("Name").fill("About Norway")
    page.keyboard.press("Enter")
    expect(page.locator(".ub-conversations .ub-row-name")).to_have_text("About Norway")
    page.locator(".ub-turn").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".ub-turn")).to_have_count(0)
    choose(page, "About Norway", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".ub-conversations .ub-row")).to_have_count(0)


def test_what_is_sent_while_a_conversation_is_on_its_way_belongs_to_it(page: Page) -> None:
    served = page.served  # type: ignore[attr-defined]
    [contract] = [entry for entry in served.workspace.library.entries() if entry.name == "contract.txt"]
    talks = served.workspace.conversations
    first, second = (talks.start([(contract.id, contract.name)], title=title).id for title in ("First", "Second"))
    page.reload()
    page.locator(".ub-conversations .ub-row-main", has_text="First").click()
    expect(page.locator(".ub-meter-words")).to_contain_text("tokens")
    held: list[Route] | None = []

    def hold(route: Route) -> None:
        if held is not None and '"fn_name":"conversation"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/component_server/", hold)
    page.locator(".ub-conversations .ub-row-main", has_text="Second").click()
    ask(page, "Which law?")
    page.wait_for_timeout(300)
    assert [talks.turns(talk) for talk in (first, second)] == [[], []]
    assert held, "the conversation is still on its way"
    late = held.copy()
    held = None
    for route in late:
        route.continue_()
    page.wait_for_selector(".ub-receipt")
    assert [len(talks.turns(talk)) for talk in (first, second)] == [0, 1]
    assert len(talks.list()) == 2


def test_an_answer_is_copied_with_its_sources(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tick(page, "contract.txt")
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    page.get_by_role("button", name="Copy the answer with its sources").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("It is governed by Norway [1].")
    assert "contract.txt" in copied


def test_two_people_in_one_library_keep_their_conversations_apart_on_their_screens(page: Page, visit: Visit) -> None:
    served = page.served  # type: ignore[attr-defined]
    other = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "The first one's question?")
    page.wait_for_selector(".ub-receipt")
    expect(other.locator(".ub-conversations .ub-row")).to_have_count(1)
    assert other.locator(".ub-turn").count() == 0
    expect(other.get_by_role("checkbox", name="Read contract.txt")).not_to_be_checked()
