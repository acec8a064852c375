"""A real Chromium at a real server: every request that the page makes is kept, and none may leave the page's own host."""

import base64
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from unabridged.events import drained
from unabridged.home import Home
from unabridged.ui.server import Server, build_app
from unabridged.workspace import Workspace

from tests.browser.slow_engine import WORD_S, SlowEngine
from tests.fakes import Script

CHROMIUM = Path(os.environ.get("UNABRIDGED_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
GRADIO_WARNS = (  # of pandas, which Gradio asks for statistics of its queue
    "ignore:.*no_silent_downcasting",
    "ignore:The copy keyword is deprecated",
)
DESK = {"width": 1440, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.filterwarnings(*GRADIO_WARNS))
            if not CHROMIUM.is_file():
                item.add_marker(pytest.mark.skip(reason=f"no Chromium at {CHROMIUM}"))


class Served:
    """The app on a free port of this machine, in a thread; `stop` and `start` again keep the port."""

    def __init__(self, workspace: Callable[[], Workspace], *, password: str | None = None) -> None:
        self._open = workspace
        self._password = password
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.workspace = self._open()
        ending = threading.Event()
        app = build_app(self.workspace, password=self._password, ending=ending)
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1)
        self._server = Server(config, ending=ending)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def add(self, path: Path) -> str:
        """Put a file into the library beforehand; its id."""
        return drained(self.workspace.add(path)).id

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self._server.should_exit = True
        self._thread.join()
        self.workspace.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=30_000)  # a busy machine
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def served(home: Home) -> Iterator[Served]:
    """With the starter model and the real engine."""
    server = Served(lambda: Workspace(home))
    yield server
    server.stop()


@pytest.fixture
def serve_script(home: Home) -> Iterator[Callable[..., Served]]:
    """`serve_script(Script(…), word_s=…)`: the app over an engine that slowly says what the script says."""
    servers: list[Served] = []
    model = home.folder / "scripted.gguf"
    model.write_bytes(b"GGUF")

    def start(script: Script, *, word_s: float = WORD_S) -> Served:
        start_engine = lambda path, options: SlowEngine(script, word_s=word_s)  # noqa: E731
        server = Served(lambda: Workspace(home, model=str(model), start_engine=start_engine))
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


class Visitor:
    """Opens pages in a browser profile of its own, and keeps what they asked for and what went wrong in them."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.requested: list[str] = []
        self.faults: list[str] = []
        context.on("request", lambda request: self.requested.append(request.url))
        context.on("weberror", lambda error: self.faults.append(str(error.error)))

    def open(self, address: str) -> Page:
        """The page in a new tab, as soon as it can be used."""
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        page.wait_for_selector("body.ub-ready")
        return page

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.requested if urlsplit(url).scheme not in ("data", "blob")}


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """`visit(locale="zh-CN", viewport=…)`: another visitor; the options are those of a browser context."""
    contexts: list[BrowserContext] = []

    def new(**options: object) -> Visitor:
        context = chromium.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
        contexts.append(context)
        return Visitor(context)

    yield new
    for context in contexts:
        context.close()


def drop(page: Page, *paths: Path) -> None:
    """As when files are let go over the page."""
    files = [{"name": path.name, "bytes": base64.b64encode(path.read_bytes()).decode()} for path in paths]
    page.evaluate(
        """files => {
          const transfer = new DataTransfer();
          for (const file of files)
            transfer.items.add(new File([Uint8Array.from(atob(file.bytes), letter => letter.charCodeAt(0))], file.name));
          for (const kind of ['dragenter', 'dragover', 'drop'])
            document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }""",
        files,
    )
