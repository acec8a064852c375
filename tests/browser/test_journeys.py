"""What people do with the app, and what happens to them: over an engine that slowly says what a script says."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pymupdf
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, Visitor, drop
from tests.fakes import Script

LONG_ANSWER = " ".join(f"word{number}" for number in range(400))
Serve = Callable[..., Served]
Visit = Callable[..., Visitor]


def ask(page: Page, question: str) -> None:
    page.locator("#ub-question").fill(question)
    page.keyboard.press("Enter")


def tick(page: Page, name: str) -> None:
    page.get_by_role("checkbox", name=f"Read {name}").check()


def test_an_answer_streams_stops_and_is_kept(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=[LONG_ANSWER]))
    served.add(contract)
    page = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "Tell me all.")
    expect(page.locator(".ub-answer")).to_contain_text("word9")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped here.")).to_be_visible()
    [conversation] = served.workspace.conversations.list()
    [turn] = served.workspace.conversations.turns(conversation.id)
    assert turn.state == "stopped"
    assert "word9" in turn.answer
    assert "word399" not in turn.answer


def test_streaming_leaves_earlier_answers_alone(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["Short answer."]), word_s=0.1)
    served.add(contract)
    page = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "First?")
    page.wait_for_selector(".ub-receipt")
    page.evaluate("document.querySelector('.ub-turn .ub-answer').mark = 'the same element'")
    ask(page, "Second?")
    expect(page.locator(".ub-receipt")).to_have_count(2)
    assert page.evaluate("document.querySelector('.ub-turn .ub-answer').mark") == "the same element"


def test_an_edited_question_makes_a_branch_that_can_be_walked(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["An answer."]), word_s=0)
    served.add(contract)
    page = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "Old question?")
    page.wait_for_selector(".ub-receipt")
    page.get_by_role("button", name="Edit").click()
    page.locator("dialog textarea").fill("New question?")
    page.locator("dialog").get_by_role("button", name="Send").click()
    expect(page.locator(".ub-bubble")).to_have_text("New question?")
    expect(page.locator(".ub-branches")).to_contain_text("2 of 2")
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".ub-bubble")).to_have_text("Old question?")


def test_work_goes_on_when_the_tab_closes_and_is_found_again(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=[LONG_ANSWER]), word_s=0.02)
    served.add(contract)
    visitor = visit()
    page = visitor.open(served.address)
    tick(page, "contract.txt")
    ask(page, "Tell me all.")
    expect(page.locator(".ub-answer")).to_contain_text("word5")
    address = page.url
    page.close()
    again = visitor.open(address)
    expect(again.locator(".ub-answer")).to_contain_text("word399", timeout=30_000)
    again.wait_for_selector(".ub-receipt")


def test_a_restart_of_the_server_loses_nothing_that_was_seen(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=[LONG_ANSWER]))
    served.add(contract)
    page = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "Tell me all.")
    expect(page.locator(".ub-answer")).to_contain_text("word9")
    served.stop()
    expect(page.locator(".ub-lost-note")).to_be_visible()
    served.start()
    expect(page.locator(".ub-lost-note")).to_be_hidden(timeout=20_000)
    expect(page.get_by_text("Stopped here.")).to_be_visible()
    expect(page.locator(".ub-answer")).to_contain_text("word9")
    ask(page, "And now?")
    expect(page.locator(".ub-answer").last).to_contain_text("word3")


def test_two_tabs_keep_apart_and_see_each_others_work(serve_script: Serve, visit: Visit, contract: Path, law: Path) -> None:
    served = serve_script(Script(replies=["Done."]), word_s=0.1)
    served.add(contract)
    served.add(law)
    visitor = visit()
    one, other = visitor.open(served.address), visitor.open(served.address)
    tick(one, "contract.txt")
    tick(other, "law.txt")
    ask(one, "About the contract?")
    ask(other, "About the law?")
    one.wait_for_selector(".ub-receipt")
    other.wait_for_selector(".ub-receipt")
    assert one.locator(".ub-bubble").all_text_contents() == ["About the contract?"]
    assert other.locator(".ub-bubble").all_text_contents() == ["About the law?"]
    for page in (one, other):
        expect(page.locator(".ub-conversations .ub-row")).to_have_count(2)


def test_a_hostile_document_is_shown_as_text(serve_script: Serve, visit: Visit, tmp_path: Path) -> None:
    hostile = (
        '# <img src=x onerror="window.hurt=1">\n\n<script>window.hurt=1</script>\n\n'
        "[click](javascript:window.hurt=1) ${window.hurt=1} {{constructor.constructor('window.hurt=1')()}}\n"
    )
    path = tmp_path / "a <b>name {{1+1}}.md"
    path.write_text(hostile, encoding="utf-8")
    served = serve_script(Script(replies=["<img src=x onerror='window.hurt=1'> <script>window.hurt=1</script> [2]"]), word_s=0)
    served.add(path)
    visitor = visit()
    page = visitor.open(served.address)
    page.locator(".ub-documents input").check()
    ask(page, "<script>window.hurt=1</script>?")
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-documents .ub-row-main").click()
    expect(page.locator(".ub-text")).to_contain_text("<script>window.hurt=1</script>")
    expect(page.locator(".ub-text")).to_contain_text('<img src=x onerror="window.hurt=1">')
    expect(page.locator(".ub-answer")).to_contain_text("<img src=x onerror='window.hurt=1'>")
    assert page.locator(".ub-answer img, .ub-text img, .ub-answer script, .ub-text script, .ub-text a").count() == 0
    assert page.evaluate("window.hurt") is None
    assert visitor.hosts == {urlsplit(served.address).netloc}


def test_the_sheet_of_a_pdf_shows_boxes_on_the_cited_words(serve_script: Serve, visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "supply.pdf"
    with pymupdf.open() as document:
        for things in ("ropes", "bolts", "planks", "lamps", "sails"):
            sheet = document.new_page()
            for line, part in enumerate(("length", "weight", "colour", "price", "origin")):
                sheet.insert_text((72, 90 + 60 * line), f"The {part} of the {things} is fixed by the parties in May.")
        document.save(path)
    script = Script(quote_words="The price of the lamps")
    served = serve_script(script, word_s=0)
    entry = served.add(path)
    place = served.workspace.library.document(entry).text.index("The price of the lamps")
    passages = served.workspace.library.passages(entry)
    script.replies = [f"It is fixed [{next(passage.number for passage in passages if passage.start <= place < passage.end)}]."]
    page = visit().open(served.address)
    tick(page, "supply.pdf")
    ask(page, "Is the price of the lamps fixed?")
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-answer .ub-cite").click()
    box = page.locator(".ub-sheet[data-page='4'] .ub-box.ub-cited").first
    box.wait_for()
    expect(page.locator(".ub-page-box")).to_have_value("4")
    image = page.locator(".ub-sheet[data-page='4'] img")
    expect(image).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    assert _words_under(page, "4") == page.locator(".ub-sources .ub-quote").inner_text().strip("“”")


def _words_under(page: Page, sheet: str) -> str:
    """The text lines of a sheet whose middle lies in one of the boxes."""
    words: str = page.evaluate(
        """sheet => {
          const root = document.querySelector(`.ub-sheet[data-page='${sheet}']`);
          const boxes = [...root.querySelectorAll('.ub-box.ub-cited')].map(box => box.getBoundingClientRect());
          const inside = (x, y) => boxes.some(box => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom);
          return [...root.querySelectorAll('.ub-lines span')].filter(line => {
            const place = line.getBoundingClientRect();
            return inside((place.left + place.right) / 2, (place.top + place.bottom) / 2);
          }).map(line => line.textContent.trim()).join(' ');
        }""",
        sheet,
    )
    return words


def test_the_keyboard_is_enough(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["It is governed by Norway [3]."]), word_s=0)
    served.add(contract)
    page = visit().open(served.address)
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.type") != "checkbox":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="Read contract.txt")).to_be_focused()
    expect(page.locator(".ub-meter-words")).to_contain_text("tokens")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("Which law?")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".ub-receipt")
    page.evaluate("document.activeElement.blur()")
    page.locator(".ub-answer .ub-cite").focus()
    expect(page.locator("#ub-card blockquote")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("mark.ub-cited").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_a_chinese_browser_gets_a_chinese_page_errors_included(serve_script: Serve, visit: Visit, tmp_path: Path) -> None:
    served = serve_script(Script())
    page = visit(locale="zh-CN").open(served.address)
    assert page.evaluate("document.documentElement.lang") == "zh"
    expect(page.get_by_role("button", name="试用示例")).to_be_visible()
    labels = page.locator("#panel-library, #panel-chat").all_inner_texts()
    english = set(re.findall(r"[A-Za-z]{3,}", " ".join(labels))) - {"Word", "PDF", "Unabridged", "Enter"}
    assert english == set()
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 but no more")
    drop(page, broken)
    notice = page.locator(".ub-notice")
    expect(notice).to_contain_text("broken.pdf")
    said = notice.inner_text().replace("broken.pdf", "")
    assert re.search(r"[\u4e00-\u9fff]", said)
    assert re.findall(r"[A-Za-z]{3,}", said.replace("PDF", "")) == [], said
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**/en/**")
    expect(page.get_by_role("button", name="Try the sample")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_told_from_their_ground(serve_script: Serve, visit: Visit, contract: Path, scheme: str) -> None:
    served = serve_script(Script(replies=["Norway [3]."]), word_s=0)
    served.add(contract)
    page = visit(color_scheme=scheme).open(served.address)
    tick(page, "contract.txt")
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-answer .ub-cite").click()
    page.wait_for_selector("mark.ub-cited")
    page.mouse.move(5, 5)
    for selector in (".ub-bubble", ".ub-answer p", ".ub-receipt summary", ".ub-row-facts", "mark.ub-cited", ".ub-meter-words"):
        assert contrast(page, selector) >= 4.5, (scheme, selector)


def contrast(page: Page, selector: str) -> float:
    """WCAG 2.2 contrast ratio of an element's words and the nearest ground behind them."""
    front, ground = page.evaluate(
        """selector => {
          const element = document.querySelector(selector);
          let behind = element;
          while (behind && /, 0\\)$|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
          const numbers = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
          return [numbers(getComputedStyle(element).color), numbers(getComputedStyle(behind).backgroundColor)];
        }""",
        selector,
    )
    lighter, darker = sorted((_luminance(front), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[float]) -> float:
    linear = [value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_on_a_narrow_screen_the_panes_come_over_the_chat(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["Norway [3]."]), word_s=0)
    served.add(contract)
    page = visit(viewport={"width": 768, "height": 1024}).open(served.address)
    expect(page.locator("#panel-library")).to_be_hidden()
    page.locator("#panel-header").get_by_role("button", name="Library").click()
    tick(page, "contract.txt")
    page.locator("#panel-library").get_by_role("button", name="Library").click()
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-answer .ub-cite").click()
    expect(page.locator("mark.ub-cited").first).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


CONTROLS = 'button,input,select,textarea,summary,[role=button],[role=separator],[tabindex="0"]'
NAMELESS = """controls => [...document.querySelectorAll(controls)]
  .filter(element => element.checkVisibility() && !element.closest('#ub-settings-form .form'))
  .filter(element => ![element.getAttribute('aria-label'), element.labels?.[0]?.textContent, element.textContent, element.title]
    .some(name => name?.trim()))
  .map(element => element.outerHTML.slice(0, 120))"""


def test_every_control_has_a_name_for_who_cannot_see_it(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["Norway [3]."]), word_s=0)
    served.add(contract)
    page = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-answer .ub-cite").click()
    page.wait_for_selector("mark.ub-cited")
    page.locator(".ub-turn").hover()
    nameless = {"chat": page.evaluate(NAMELESS, CONTROLS)}
    for name in ("Characters", "Memories", "Settings"):
        page.locator("#panel-header").get_by_role("button", name=name).click()
        page.wait_for_timeout(300)
        nameless[name] = page.evaluate(NAMELESS, CONTROLS)
        page.keyboard.press("Escape")
    assert not any(nameless.values()), nameless
