"""A waiting page at once, and the app as soon as it is built: importing Gradio takes longer than anybody likes to wait.

The app is built in a thread while the server already answers. Knows an ASGI app that can be built, not what it does.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WAITING = "x-unabridged-waiting"  # a header of the waiting page, which it looks for itself
PAGE = Path(__file__).parent / "static" / "opening.html"


class Opening:
    """Is the app that `build` returns, and before it is there a page that says so. `failed` holds what `build` raised."""

    def __init__(self, build: Callable[[], ASGIApp], *, failing: Callable[[], None]) -> None:
        self._build = build
        self._failing = failing  # ends the server
        self._app: ASGIApp | None = None
        self.failed: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        else:
            await _waiting(scope)(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The server hears at once that it may serve; the app's own start and end follow when it is there."""
        await receive()
        inbox: asyncio.Queue[Message] = asyncio.Queue()
        life = asyncio.create_task(self._open(scope, inbox))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await inbox.put({"type": "lifespan.shutdown"})
        await life
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self, scope: Scope, inbox: asyncio.Queue[Message]) -> None:
        try:
            app = await run_in_threadpool(self._build)
        except Exception as error:  # noqa: BLE001 kept for the thread that serves, which raises it
            self.failed = error
            self._failing()
            return
        started = asyncio.Queue[Message]()
        start: list[Message] = [{"type": "lifespan.startup"}]

        async def receive() -> Message:
            return start.pop() if start else await inbox.get()

        life = asyncio.ensure_future(app(scope, receive, started.put))
        await started.get()
        self._app = app
        await life


def _waiting(scope: Scope) -> Response:
    headers = {WAITING: "1", "cache-control": "no-store"}
    if scope["method"] in ("GET", "HEAD") and not scope["path"].startswith(("/static", "/live")):
        return HTMLResponse(PAGE.read_text("utf-8"), headers=headers)
    return PlainTextResponse("Starting.", 503, headers=headers)
