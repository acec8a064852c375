"""What people do beside reading and asking: look on the web, have something remembered, keep and carry away conversations."""

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from unabridged.ui.sample import SAMPLES

from tests.browser.conftest import Served, Visitor
from tests.fakes import Script

Serve = Callable[..., Served]
Visit = Callable[..., Visitor]

SAVED = """<!-- saved from url=(0031)https://city.example/mayors2021 -->
<html><head><title>Mayors of Oslo</title></head><body><main><h1>Mayors</h1>
<p>Marianne Borgen was mayor of Oslo in that year.</p>
<p>Another mayor of the city followed &lt;img src=x onerror=alert(1)&gt;.</p></main></body>"""


def ask(page: Page, question: str) -> None:
    page.locator("#ub-question").fill(question)
    page.keyboard.press("Enter")


def test_a_search_is_shown_edited_sent_and_its_page_is_cited_with_its_address(
    served: Served, visit: Visit, tmp_path: Path
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "mayors.html").write_text(SAVED, encoding="utf-8")
    served.workspace.change_settings(web_provider="folder", web_folder=str(folder))
    served.add(SAMPLES["en"].path)
    visitor = visit()
    page = visitor.open(served.address)
    page.get_by_role("checkbox", name="Read Harbour").check()
    page.get_by_role("button", name="Web: off").click()
    page.get_by_role("menuitem", name="ask each time").click()
    ask(page, "Who was mayor of Oslo in 2021?")
    card = page.get_by_role("region", name="Look on the web?")
    expect(card).to_contain_text("do not answer")
    assert served.workspace.library.find("Marianne") == []  # nothing was fetched before the user agreed

    card.get_by_label("Words to search for").fill("mayor Oslo Borgen")
    card.get_by_role("button", name="Send").click()
    cited = page.locator(".ub-answer .ub-cite.ub-web").first
    expect(cited).to_be_visible()
    link = page.locator(".ub-sources").get_by_role("link", name="https://city.example/mayors2021")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    expect(page.locator(".ub-receipt")).to_contain_text("1 web page")
    cited.click()
    expect(page.locator(".ub-source-address")).to_contain_text("retrieved")
    expect(page.locator(".ub-source-address").get_by_role("link", name="https://city.example/mayors2021")).to_be_visible()
    expect(page.locator("mark.ub-cited").first).to_contain_text("Marianne Borgen was mayor of Oslo")
    assert visitor.faults == []
    assert visitor.hosts == {f"127.0.0.1:{served.port}"}


def test_a_memory_is_added_told_under_the_answer_and_deleted(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["An answer.", "The user is <b>a judge</b>."]), word_s=0)
    served.add(contract)
    page = visit().open(served.address)
    page.get_by_role("checkbox", name="Read contract.txt").check()
    page.get_by_role("button", name="Memories").click()
    box = page.get_by_role("dialog", name="Memories")
    box.get_by_label("What should be remembered").fill("Answer briefly.")
    box.get_by_role("button", name="Add").click()
    expect(box.locator(".ub-memory")).to_contain_text("Answer briefly.")
    box.get_by_role("button", name="Close").click()
    ask(page, "Which law?")
    expect(page.locator(".ub-receipt")).to_contain_text("1 memory in mind")

    page.locator(".ub-turn").hover()
    page.get_by_role("button", name="More about this answer").click()
    page.get_by_role("menuitem", name="What should be remembered?").click()
    proposal = page.get_by_role("dialog", name="Remember this?")
    expect(proposal.get_by_role("textbox")).to_have_value("The user is <b>a judge</b>.")
    proposal.get_by_role("button", name="Remember").click()
    page.get_by_role("button", name="Memories").click()
    expect(box.locator(".ub-memory")).to_have_count(2)
    expect(box.locator(".ub-memory").first).to_contain_text("The user is <b>a judge</b>.")
    box.locator(".ub-memory").last.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete").get_by_role("button", name="Delete").click()
    expect(box.locator(".ub-memory")).to_have_count(1)
    [kept] = served.workspace.memories.list()
    assert (kept.text, kept.state) == ("The user is <b>a judge</b>.", "on")


def test_a_conversation_is_named_exported_taken_in_archived_and_another_is_incognito(
    serve_script: Serve, visit: Visit, contract: Path, tmp_path: Path
) -> None:
    served = serve_script(Script(replies=["An answer.", "The given title"]), word_s=0)
    served.add(contract)
    visitor = visit()
    page = visitor.open(served.address)
    page.get_by_role("checkbox", name="Read contract.txt").check()
    ask(page, "Which law?")
    rows = page.locator(".ub-conversations .ub-row")
    expect(rows).to_contain_text("The given title")

    def more(name: str) -> None:
        rows.first.hover()
        rows.first.get_by_role("button", name="More about").click()
        page.get_by_role("menuitem", name=name, exact=True).click()

    more("Export")
    with page.expect_download() as downloading:
        page.get_by_role("menuitem", name="JSON, with every branch").click()
    assert downloading.value.suggested_filename == "The given title.json"
    exported = tmp_path / "talk.json"
    downloading.value.save_as(exported)
    assert json.loads(exported.read_text("utf-8"))["turns"][0]["answer"] == "An answer."
    page.locator("input[type=file][multiple]").first.set_input_files(exported)  # as a document would be dropped
    expect(rows).to_have_count(2)
    assert len(served.workspace.library.entries()) == 1
    more("Archive")
    expect(rows).to_have_count(1)

    page.get_by_role("button", name="Incognito, import, archive").click()
    page.get_by_role("menuitem", name="New incognito conversation").click()
    expect(page.locator(".ub-incognito-sign")).to_be_visible()
    ask(page, "A secret?")
    expect(page.locator(".ub-answer")).to_contain_text("An answer.")
    assert any(talk.incognito for talk in served.workspace.conversations.list())
    page.get_by_role("button", name="New conversation", exact=True).click()
    expect(page.locator(".ub-incognito-sign")).to_be_hidden()
    assert visitor.faults == []


def test_settings_of_the_web_are_kept_as_they_are_changed(serve_script: Serve, visit: Visit, tmp_path: Path) -> None:
    served = serve_script(Script())
    number = served.workspace.network_log.begin(host="<b>search.example</b>", purpose="search", sent=120)
    served.workspace.network_log.complete(number, received=4096, status=200)
    page = visit().open(served.address)
    page.locator("#panel-header").get_by_role("button", name="Settings").click()
    page.locator(".ub-web-settings summary").first.click()
    page.get_by_label("Who searches").select_option("folder")
    page.get_by_label("Folder of saved pages", exact=False).last.fill(str(tmp_path))
    page.get_by_label("Pages opened at most").fill("3")
    page.get_by_label("Switch in new conversations").select_option("ask")
    expect(page.locator(".ub-web-word")).to_have_text("ask")
    settings = served.workspace.settings
    assert (settings.web, settings.web_provider, settings.web_folder, settings.web_pages) == ("ask", "folder", str(tmp_path), 3)

    page.locator(".ub-web-settings summary").last.click()
    expect(page.locator(".ub-log-rows")).to_contain_text("<b>search.example</b>")
    page.get_by_role("button", name="Clear the log").click()
    page.get_by_role("dialog", name="Network log").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing has left this machine.")).to_be_visible()
    assert served.workspace.network_log.requests() == []


def test_the_line_shows_from_where_the_model_no_longer_reads(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["An answer."]), word_s=0)
    served.add(contract)
    page = visit().open(served.address)
    page.get_by_role("checkbox", name="Read contract.txt").check()
    ask(page, "First?")
    expect(page.locator(".ub-receipt")).to_have_count(1)
    ask(page, "Second?")
    expect(page.locator(".ub-receipt")).to_have_count(2)
    line = page.locator(".ub-unread-line")
    expect(line).to_have_count(0)
    page.get_by_role("switch", name="Follow-up").click()
    expect(line).to_be_visible()  # the second question stood alone: a follow-up to it does not see the first
    assert line.evaluate("line => line.nextElementSibling.textContent.includes('Second?')")
    page.get_by_role("switch", name="Follow-up").click()
    expect(line).to_have_count(0)


def full(serve_script: Serve, visit: Visit, contract: Path) -> tuple[Served, Page]:
    """A page whose conversation has one turn, and a window in which a follow-up has no room."""
    script = Script(replies=["words " * 200, "A title"])
    served = serve_script(script, word_s=0)
    document = served.add(contract)
    meter = served.workspace.meter([document])
    script.window = meter.tokens + meter.reserve + 900
    page = visit().open(served.address)
    page.get_by_role("checkbox", name="Read contract.txt").check()
    ask(page, "First?")
    expect(page.locator(".ub-receipt")).to_have_count(1)
    expect(page.locator(".ub-choices strong")).to_have_count(0)
    page.get_by_role("switch", name="Follow-up").click()
    expect(page.locator(".ub-choices")).to_contain_text("let earlier turns")  # told before anything is sent
    ask(page, "Second?")
    expect(page.locator(".ub-turns .ub-failure")).to_contain_text("nothing was read or cut")
    expect(page.locator(".ub-turn")).to_have_count(1)
    return served, page


def test_where_the_window_is_full_chosen_turns_are_forgotten_and_the_question_is_asked(
    serve_script: Serve, visit: Visit, contract: Path
) -> None:
    served, page = full(serve_script, visit, contract)
    page.locator(".ub-turns .ub-failure").get_by_role("button", name="Choose turns to forget").click()
    choice = page.get_by_role("dialog", name="Choose turns to forget")
    choice.get_by_label("First?").check()
    choice.get_by_role("button", name="Forget").click()
    expect(page.locator(".ub-receipt")).to_have_count(2)
    expect(page.get_by_text("The model no longer reads this turn.")).to_be_visible()
    first, second = served.workspace.conversations.turns(served.workspace.conversations.list()[0].id)
    assert (first.forgotten, second.parent_id, second.follows) == (True, first.id, True)


def test_where_the_window_is_full_an_edited_summary_goes_on_in_a_fresh_branch(
    serve_script: Serve, visit: Visit, contract: Path
) -> None:
    served, page = full(serve_script, visit, contract)
    page.locator(".ub-turns .ub-failure").get_by_role("button", name="Go on with a summary").click()
    summary = page.get_by_role("dialog", name="Go on with a summary")
    expect(summary.get_by_text("It stands for 1 turn")).to_be_visible()
    summary.get_by_role("textbox").fill("They asked once.")
    summary.get_by_role("button", name="Use it").click()
    expect(page.locator(".ub-bubble")).to_have_text("Second?")
    expect(page.locator(".ub-receipt")).to_have_count(1)
    first, second = served.workspace.conversations.turns(served.workspace.conversations.list()[0].id)
    assert (second.parent_id, [note.text for note in second.notes]) == (None, ["They asked once."])
    page.locator(".ub-turn").hover()
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".ub-bubble")).to_have_text(first.question)
