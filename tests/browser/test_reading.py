"""Files are dropped, read, cancelled and read on. With the starter model and the real engine."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import docx
import pymupdf
from playwright.sync_api import expect

from tests.browser.conftest import Served, Visitor, drop

CLAUSES = 260


def clauses(subject: str) -> list[str]:
    return [
        f"{number}. The {subject} number {number} shall be delivered before the end of week {number % 52 + 1}, at a price of "
        f"{number * 37 % 900 + 100} crowns, and kept in a dry place until then."
        for number in range(1, CLAUSES + 1)
    ]


def word_file(path: Path) -> Path:
    document = docx.Document()
    document.add_heading("Supply of bolts", 1)
    for clause in clauses("bolt"):
        document.add_paragraph(clause)
    document.save(str(path))
    return path


def pdf_file(path: Path) -> Path:
    with pymupdf.open() as document:
        for start in range(0, 40, 10):
            sheet = document.new_page()
            for row, clause in enumerate(clauses("rope")[start : start + 10]):
                sheet.insert_textbox((72, 72 + row * 60, 520, 130 + row * 60), clause)
        document.save(path)
    return path


def test_dropped_files_are_read_cancelled_and_read_on(served: Served, visit: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.open(served.address)
    drop(page, word_file(tmp_path / "bolts.docx"), pdf_file(tmp_path / "ropes.pdf"))
    for name in ("bolts.docx", "ropes.pdf"):
        expect(page.get_by_role("checkbox", name=f"Read {name}")).to_be_checked(timeout=60_000)
    expect(page.locator(".ub-row[data-document]").filter(has_text="ropes.pdf")).to_contain_text("4 pages")

    page.get_by_role("button", name="Read now").click()
    line = page.locator(".ub-reading-words")
    expect(line).to_contain_text(re.compile(r"Reading [3-9]\d%.*tokens/s.*left"), timeout=120_000)
    page.get_by_role("button", name="Stop; what was read is kept").click()
    expect(page.locator(".ub-reading")).to_have_count(0)
    expect(page.locator(".ub-stored")).to_have_text(re.compile(r"^[1-9]\d?% read$"))

    page.get_by_role("button", name="Read now").click()
    expect(line).to_contain_text(re.compile(r"[\d,]+ from disk"), timeout=120_000)
    reused = int(re.search(r"([\d,]+) from disk", line.inner_text())[1].replace(",", ""))  # type: ignore[index]
    assert reused > 0
    expect(page.locator(".ub-reading")).to_have_count(0, timeout=120_000)
    expect(page.locator(".ub-stored")).to_have_text("read, on disk")
    expect(page.get_by_role("button", name="Read now")).to_be_hidden()

    page.locator("#ub-question").fill("Where shall bolt number 17 be kept?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ub-receipt", timeout=120_000)
    [conversation] = served.workspace.conversations.list()
    [turn] = served.workspace.conversations.turns(conversation.id)
    assert turn.receipt is not None
    assert turn.receipt.reused_tokens > 0.9 * turn.receipt.prompt_tokens, "the documents were not read again"
    assert [document.characters_read == document.characters for document in turn.receipt.documents] == [True, True]
    assert visitor.hosts == {urlsplit(served.address).netloc}


def test_a_file_that_cannot_be_read_says_why(served: Served, visit: Callable[..., Visitor], tmp_path: Path) -> None:
    path = tmp_path / "broken.docx"
    path.write_bytes(b"this is no Word file at all" * 10)
    page = visit().open(served.address)
    drop(page, path)
    notice = page.locator(".ub-notice")
    expect(notice).to_contain_text("broken.docx", timeout=30_000)
    assert len(notice.inner_text().splitlines()) >= 2, "one sentence and one hint"
    assert served.workspace.library.entries() == []
