"""The source pane: tables and notes of a text, jumping, finding, selecting, and files with a password."""

from collections.abc import Callable
from pathlib import Path

import docx
import pymupdf
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, Visitor
from tests.browser.test_journeys import ask, tick
from tests.fakes import Script

Serve = Callable[..., Served]
Visit = Callable[..., Visitor]
CELLS = [["Berth", "Rate"], ["North quay", "1,200 crowns a day"], ["South quay", "800 crowns a day"]]
MARKDOWN = """\
# Rates

The rates stand below.[^1]

| Berth | Rate |
| --- | --- |
| North quay | 1,200 crowns |

[^1]: Of 2024.
"""


def shown(page: Page, name: str) -> None:
    page.locator(".ub-row-main", has_text=name).click()


def rates(path: Path) -> Path:
    document = docx.Document()
    document.add_paragraph("The rates of the berths.")
    table = document.add_table(rows=3, cols=2)
    for line, words in enumerate(CELLS):
        for column, cell in enumerate(words):
            table.cell(line, column).text = cell
    document.add_paragraph("They hold for one year 😀 from May.")
    document.save(str(path))
    return path


def test_a_table_is_a_table_and_its_cited_words_are_marked_exactly(serve_script: Serve, visit: Visit, tmp_path: Path) -> None:
    script = Script(quote_words="South quay | 800 crowns a day")
    served = serve_script(script, word_s=0)
    entry = served.add(rates(tmp_path / "rates.docx"))
    text = served.workspace.library.document(entry).text
    [number] = [p.number for p in served.workspace.library.passages(entry) if "South quay" in text[p.start : p.end]][:1]
    script.replies = [f"Eight hundred [{number}]."]
    page = visit().open(served.address)
    tick(page, "rates.docx")
    ask(page, "How much is the south quay?")
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-answer .ub-cite").click()
    page.wait_for_selector(".ub-text td mark.ub-cited")
    cells = page.locator(".ub-text tr").nth(2).locator("td").all_inner_texts()
    assert [cell.split(" |")[0].strip() for cell in cells] == CELLS[2]
    marked = page.evaluate("[...document.querySelectorAll('.ub-text mark.ub-cited')].map(mark => mark.textContent).join('')")
    [conversation] = served.workspace.conversations.list()
    [turn] = served.workspace.conversations.turns(conversation.id)
    assert marked == turn.citations[0].quote
    whole = page.evaluate("[...document.querySelectorAll('.ub-text .ub-block')].map(block => block.textContent)")
    blocks = served.workspace.library.document(entry).blocks
    assert whole == [text[block.start : block.end] for block in blocks], "every character stands there once"


def test_the_bars_of_a_markdown_table_are_hidden_but_there(serve_script: Serve, visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "rates.md"
    path.write_text(MARKDOWN)
    served = serve_script(Script(), word_s=0)
    entry = served.add(path)
    page = visit().open(served.address)
    shown(page, "rates.md")
    page.wait_for_selector(".ub-text table")
    assert page.locator(".ub-text th").count() == 2
    document = served.workspace.library.document(entry)
    whole = page.evaluate("[...document.querySelectorAll('.ub-text .ub-block')].map(block => block.textContent)")
    assert whole == [document.text[block.start : block.end] for block in document.blocks]
    expect(page.locator(".ub-note-reference").first).to_have_text("[^1]")


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    path = tmp_path / "book.pdf"
    with pymupdf.open() as document:
        for number in range(1, 41):
            sheet = document.new_page()
            for line, thing in enumerate(("Ropes", "Bolts", "Planks", "Sails")[number % 3 :]):  # not alike: no running heads
                sheet.insert_text((72, 90 + 60 * line), f"{thing} are counted on sheet {number}.")
            sheet.insert_text((72, 400 + 7 * number), f"On sheet {number} the word lantern{number} stands.")
        roman, arabic = {"startpage": 0, "style": "r", "firstpagenum": 1}, {"startpage": 4, "style": "D", "firstpagenum": 1}
        document.set_page_labels([roman, arabic])
        document.save(path)
    return path


def test_a_page_is_reached_by_its_sheet_and_by_its_printed_number(serve_script: Serve, visit: Visit, sheets: Path) -> None:
    served = serve_script(Script(), word_s=0)
    served.add(sheets)
    page = visit().open(served.address)
    shown(page, "book.pdf")
    box = page.locator(".ub-page-box")
    for wanted, sheet in (("30", 30), ("p. 7", 11), ("iii", 3)):
        box.fill(wanted)
        box.press("Enter")
        expect(page.locator(f".ub-sheet[data-page='{sheet}'] img")).to_be_in_viewport()
    box.fill("nowhere")
    box.press("Enter")
    expect(box).to_have_class("ub-page-box ub-wrong")


def test_words_are_found_on_sheets_and_in_text_and_can_be_asked_about(serve_script: Serve, visit: Visit, sheets: Path) -> None:
    served = serve_script(Script(), word_s=0)
    served.add(sheets)
    page = visit().open(served.address)
    shown(page, "book.pdf")
    page.locator(".ub-sheet[data-page='1'] img").wait_for()
    page.keyboard.press("Control+f")
    page.keyboard.type("lantern37")
    expect(page.locator(".ub-sheet[data-page='37'] .ub-box.ub-found")).to_be_in_viewport()
    expect(page.locator(".ub-find-count")).to_have_text("1 of 1")
    page.get_by_role("button", name="As text").click()
    line = page.locator(".ub-text .ub-block", has_text="lantern37 ")
    line.scroll_into_view_if_needed()
    line.click(click_count=3)
    page.get_by_role("button", name="Ask about this").click()
    assert "> On sheet 37 the word lantern37 stands." in page.locator("#ub-question").input_value()


def test_the_sheets_of_a_locked_file_are_shown_once_its_password_is_given(
    serve_script: Serve, visit: Visit, tmp_path: Path
) -> None:
    path = tmp_path / "locked.pdf"
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 90), "The hidden clause.")
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="swordfish", owner_pw="swordfish")
    served = serve_script(Script(), word_s=0)
    page = visit().open(served.address)
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Add files").first.click()
    chosen.value.set_files(path)
    page.get_by_role("dialog").get_by_label("Password").fill("swordfish")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Read locked.pdf")).to_be_checked()
    shown(page, "locked.pdf")
    page.wait_for_function("document.querySelector('.ub-sheet img')?.naturalWidth > 0")

    served.stop()
    served.start()
    page = visit().open(served.address)  # another browser, which has no pictures of it
    shown(page, "locked.pdf")
    page.get_by_role("button", name="Show the pages").click()
    page.get_by_role("dialog").get_by_label("Password").fill("swordfish")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.ub-sheet img')?.naturalWidth > 0")
    assert not any(b"swordfish" in file.read_bytes() for file in served.workspace.home.folder.rglob("*") if file.is_file())


def test_reasoning_is_folded_away_and_code_keeps_its_numbers(serve_script: Serve, visit: Visit, contract: Path) -> None:
    served = serve_script(Script(replies=["<think>Clause two it is.</think>Norway [3]. See `rows[2]`."]), word_s=0)
    served.add(contract)
    page = visit().open(served.address)
    tick(page, "contract.txt")
    ask(page, "Which law?")
    page.wait_for_selector(".ub-receipt")
    expect(page.get_by_text("Clause two it is.")).to_be_hidden()
    page.get_by_text("Reasoning").click()
    expect(page.get_by_text("Clause two it is.")).to_be_visible()
    expect(page.locator(".ub-answer code")).to_have_text("rows[2]")
