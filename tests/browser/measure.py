"""How quick the page is, in Chromium on this machine: python -m tests.browser.measure

Prints: start of the program to first paint and to the app, share of the browser's main thread while an answer streams at 30
words a second under 400 messages, how long a frame takes when these are scrolled, and how long a PDF of 600 pages takes to
open at page 500.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pymupdf
from playwright.sync_api import Browser, Page, sync_playwright
from unabridged.home import open_home
from unabridged.workspace import Workspace

from tests.browser.conftest import CHROMIUM, DESK, FLAGS, Served
from tests.browser.slow_engine import SlowEngine
from tests.fakes import Script

PORT = 7987
TURNS = 200  # two messages each
ANSWER = "It is governed by the laws of Norway, *as agreed* on page 3. " * 12 + "\n\n- one\n- two\n\n|a|b|\n|-|-|\n|1|2|\n"
STREAM_S = 10.0
PAGES = 600
SCROLL = """async () => {
  const root = document.querySelector('.ub-transcript'), took = [];
  let before = performance.now();
  while (root.scrollTop > 0) {
    root.scrollTop -= 400;
    await new Promise(requestAnimationFrame);
    took.push(performance.now() - before);
    before = performance.now();
  }
  return took;
}"""


def main() -> None:
    print(f"load of the machine (1 minute): {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        start(browser, Path(scratch) / "first")
        home = open_home(Path(scratch) / "home")
        script = Script(replies=["The agreement is governed by the laws of Norway. " * 100], window=10**7)
        served = Served(lambda: Workspace(home, start_engine=lambda path, options: SlowEngine(script, word_s=1 / 30)))
        try:
            stream(browser, served, Path(scratch))
            sheets(browser, served, Path(scratch))
        finally:
            served.stop()
            browser.close()


def start(browser: Browser, home: Path) -> None:
    began = time.perf_counter()
    command = [sys.executable, "-m", "unabridged", "serve", "--no-browser", "--port", str(PORT)]
    program = subprocess.Popen(command, env={**os.environ, "UNABRIDGED_HOME": str(home)}, stdout=subprocess.DEVNULL)
    page = browser.new_page()
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/").close()
            break
        except urllib.error.URLError:
            time.sleep(0.02)
    page.goto(f"http://127.0.0.1:{PORT}/")
    page.wait_for_selector("h1")
    painted_s = time.perf_counter() - began
    page.wait_for_selector(".ub-welcome h2")
    print(f"start: first paint after {painted_s:.2f} s, the app after {time.perf_counter() - began:.2f} s")
    page.close()
    program.terminate()
    program.wait()


def stream(browser: Browser, served: Served, scratch: Path) -> None:
    source = scratch / "contract.txt"
    source.write_text("This agreement is governed by the laws of Norway. " * 200)
    document = served.add(source)
    conversations = served.workspace.conversations
    talk = conversations.start([(document, source.name)], title="long")
    parent = None
    for number in range(TURNS):
        turn = conversations.begin(talk.id, f"Clause {number}?", parent_id=parent, follows=False, model="m", fingerprint="f")
        conversations.extend(turn, ANSWER)
        conversations.leave(turn, failed=False)
        parent = turn
    page = browser.new_page(viewport=DESK)
    began = time.perf_counter()
    page.goto(f"{served.address}#c={talk.id}&d={document}")
    page.locator(".ub-turn").nth(TURNS - 1).wait_for(state="attached")
    print(f"{2 * TURNS} messages: drawn after {time.perf_counter() - began:.2f} s")
    page.locator("#ub-question").fill("Go?")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.ub-turn:last-child .ub-answer').textContent.length > 60")
    share = busy(page, STREAM_S)
    print(f"{2 * TURNS} messages and a stream of 30 words/s: main thread {share:.0%} busy")
    page.keyboard.press("Escape")
    frames_ms = sorted(page.evaluate(SCROLL))
    middle, worst = frames_ms[len(frames_ms) // 2], frames_ms[-1]
    print(f"{2 * TURNS} messages scrolled from end to start: a frame takes {middle:.0f} ms, the longest {worst:.0f} ms")
    page.close()


def busy(page: Page, seconds: float) -> float:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def task_s() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    before = task_s()
    page.wait_for_timeout(seconds * 1000)
    return (task_s() - before) / seconds


def sheets(browser: Browser, served: Served, scratch: Path) -> None:
    path = scratch / "six hundred pages.pdf"
    with pymupdf.open() as document:
        for number in range(1, PAGES + 1):
            sheet = document.new_page()
            for line in range(45):
                words = f"Sheet {number} line {line}: the supplier shall deliver part {line} in May."
                sheet.insert_text((60, 70 + line * 15), words)
        document.save(path)
    began = time.perf_counter()
    served.add(path)
    print(f"{PAGES} pages: in the library after {time.perf_counter() - began:.1f} s")
    page = browser.new_page(viewport=DESK)
    page.goto(served.address)
    began = time.perf_counter()
    page.locator(".ub-row-main", has_text="six hundred").click()
    page.locator(".ub-sheet[data-page='1'] img").wait_for()
    opened_s = time.perf_counter() - began
    began = time.perf_counter()
    page.locator(".ub-page-box").fill("500")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector(\".ub-sheet[data-page='500'] img\")?.naturalWidth > 0")
    print(f"{PAGES} pages: opened after {opened_s:.2f} s, page 500 drawn after {time.perf_counter() - began:.2f} s")
    page.close()
    page = browser.new_page(viewport=DESK)
    page.goto(served.address)
    page.get_by_role("searchbox", name="Search everything").fill("Sheet 500 line 7:")
    page.locator(".ub-place").wait_for()
    began = time.perf_counter()
    page.locator(".ub-place").click()
    page.wait_for_function("document.querySelector(\".ub-sheet[data-page='500'] img\")?.naturalWidth > 0")
    print(f"{PAGES} pages: opened at page 500 after {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
