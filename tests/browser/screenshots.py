"""Pictures of the main screens, made with the starter model: python -m tests.browser.screenshots [FOLDER]

Everything in them is our own: the samples, and a PDF and a Word file made from them here.
"""

import html
import sys
import tempfile
from pathlib import Path

import docx
import pymupdf
from playwright.sync_api import Browser, Page, sync_playwright
from unabridged.characters.card import new_card
from unabridged.characters.card_files import CardFile
from unabridged.home import open_home
from unabridged.ui.sample import SAMPLES
from unabridged.workspace import Workspace

from tests.browser.conftest import CHROMIUM, FLAGS, Served, Visitor

FOLDER = Path(__file__).parents[2] / "ui" / "screenshots"
SIZE = {"width": 1280, "height": 800}
QUESTION = "Who pays for repairs to the roof?"
LAMP = {
    "keys": ["lamp", "light"],
    "content": "The lamp burns herring oil.",
    "enabled": True,
    "insertion_order": 10,
    "extensions": {},
}
PEOPLE: dict[str, dict[str, object]] = {
    "Ada": {
        "description": "Keeps the lighthouse of Skarv.",
        "first_mes": "You are wet. Come in.",
        "tags": ["sea", "storm"],
        "character_book": {"entries": [{**LAMP, "comment": "The lamp"}], "extensions": {}},
    },
    "The harbour master": {"description": "Knows every berth.", "first_mes": "Which boat?", "tags": ["harbour"]},
}


def pdf_of(text: str, path: Path) -> Path:
    """The lease set on A4 sheets, with page numbers."""
    parts = [part.strip() for part in text.split("\n\n") if part.strip()]
    body = "".join(
        f"<h{part.count('#', 0, 3) + 1}>{html.escape(part.lstrip('# '))}</h{part.count('#', 0, 3) + 1}>"
        if part.startswith("#")
        else f"<p>{html.escape(part)}</p>"
        for part in parts
    )
    story = pymupdf.Story(body, user_css="body {font-family: serif; font-size: 11.5px; line-height: 1.45}")
    writer = pymupdf.DocumentWriter(str(path))
    sheet, number, more = pymupdf.paper_rect("a4"), 0, 1
    while more:
        number += 1
        device = writer.begin_page(sheet)
        more, _ = story.place(pymupdf.Rect(72, 72, sheet.width - 72, sheet.height - 72))
        story.draw(device)
        writer.end_page()
    writer.close()
    return path


def word_of(text: str, path: Path) -> Path:
    document = docx.Document()
    for part in text.split("\n\n"):
        if part.startswith("#"):
            document.add_heading(part.lstrip("# "), part.count("#", 0, 3))
        else:
            document.add_paragraph(part.strip())
    document.save(str(path))
    return path


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        home = open_home(Path(scratch) / "home")
        served = Served(lambda: Workspace(home))
        try:
            _take(browser, served, Path(scratch), folder)
        finally:
            served.stop()
            browser.close()


def _take(browser: Browser, served: Served, scratch: Path, folder: Path) -> None:
    english, chinese = (SAMPLES[language].path.read_text("utf-8") for language in ("en", "zh"))

    def shot(page: Page, name: str) -> None:
        page.wait_for_timeout(600)
        page.screenshot(path=folder / f"{name}.png")
        print(folder / f"{name}.png", (folder / f"{name}.png").stat().st_size // 1000, "kB")

    def visit(**options: object) -> Visitor:
        return Visitor(browser.new_context(**{"viewport": SIZE, **options}))  # type: ignore[arg-type]

    page = visit().open(served.address)
    shot(page, "first-visit")

    served.add(word_of(chinese, scratch / "北码头船库租赁合同.docx"))
    served.add(pdf_of(english, scratch / "North Quay lease, signed copy.pdf"))
    page.reload()
    page.get_by_role("checkbox", name="Read North Quay").check()
    _ask(page, QUESTION)
    _ask(page, "How can the tenant end the lease early?")
    page.locator(".ub-turn").first.locator(".ub-answer .ub-cite").click()
    page.locator(".ub-box.ub-cited").first.wait_for()
    page.wait_for_function("[...document.querySelectorAll('.ub-sheet img')].every(image => image.complete)")
    page.locator(".ub-transcript").evaluate("element => { element.scrollTop = 0; }")
    shot(page, "answer-and-source")
    page.locator(".ub-turn").first.locator(".ub-answer .ub-cite").hover()
    page.locator(".ub-turn").first.locator(".ub-receipt summary").click()
    page.locator(".ub-turn").first.locator(".ub-answer .ub-cite").hover()
    shot(page, "quotation-and-receipt")
    page.get_by_role("button", name="Settings").click()
    shot(page, "settings")

    for name, fields in PEOPLE.items():
        served.workspace.characters.add(CardFile(new_card(name, **fields)))
    page = visit().open(served.address)
    page.get_by_role("button", name="Characters", exact=True).click()
    page.get_by_role("article", name="Ada").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit the lorebook").click()
    page.locator(".ub-lore-entry > summary").first.click()
    page.mouse.move(5, 5)
    shot(page, "characters")

    page = visit(locale="zh-CN", color_scheme="dark").open(served.address)
    page.get_by_role("button", name="试用示例").click()
    page.get_by_role("button", name=SAMPLES["zh"].questions[0]).click()
    page.wait_for_selector(".ub-receipt")
    page.locator(".ub-answer .ub-cite").click()
    page.locator("mark.ub-cited").first.wait_for()
    page.get_by_role("button", name="目录").click()
    shot(page, "chinese-dark")

    page = visit(viewport={"width": 820, "height": 1100}).open(served.address)
    page.locator("#panel-header").get_by_role("button", name="Library").click()
    page.locator(".ub-conversations .ub-row-main").last.click()
    page.wait_for_selector(".ub-receipt")
    shot(page, "tablet")


def _ask(page: Page, question: str) -> None:
    receipts = page.locator(".ub-receipt").count()
    page.locator("#ub-question").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_function("count => document.querySelectorAll('.ub-receipt').length > count", arg=receipts)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
