"""The local web server: Gradio's page in each language, a few routes of our own beside it, and the gate before all of them."""

import json
import os
import shutil
import socket
import tempfile
import threading
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from unabridged.errors import DocumentEncrypted, DocumentTooCostly, UnabridgedError, UsageError
from unabridged.ui.character_files import add_character_files
from unabridged.ui.conversation_files import add_conversation_files
from unabridged.ui.gate import LOOPBACK_NAMES, Gate, is_loopback
from unabridged.ui.handlers import Handlers
from unabridged.ui.handlers_characters import CharacterHandlers
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_keeping import KeepingHandlers
from unabridged.ui.handlers_library import LibraryHandlers
from unabridged.ui.handlers_memories import MemoryHandlers
from unabridged.ui.handlers_models import ModelHandlers
from unabridged.ui.handlers_scenes import SceneHandlers
from unabridged.ui.handlers_settings import SettingsHandlers
from unabridged.ui.handlers_source import SourceHandlers
from unabridged.ui.handlers_web import WebHandlers
from unabridged.ui.jobs import Jobs
from unabridged.ui.live import live
from unabridged.ui.login import Login
from unabridged.ui.opening import Opening
from unabridged.ui.page_images import PageImages
from unabridged.ui.sample import SAMPLES
from unabridged.ui.strings import LANGUAGES, language_of, texts
from unabridged.ui.translated import told
from unabridged.workspace import Workspace

STATIC = Path(__file__).parent / "static"
UPLOAD_BYTES = 256 << 20
STOPPING_S = 10.0  # for running work at the end
ABANDONED_S = 24 * 3600
IMAGE_WIDTHS = range(100, 3001)


def serve(
    workspace: Workspace, *, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = True, password: str | None = None
) -> None:
    """Serve the app until it is interrupted. Raises UsageError for a host that others can reach without a password."""
    password = password or os.environ.get("UNABRIDGED_PASSWORD") or None
    if not is_loopback(host) and password is None:
        raise UsageError(
            f"On {host} other machines can reach the app, so it needs a password.",
            hint="Set UNABRIDGED_PASSWORD, or leave out --host to serve this machine only.",
        )
    ending = threading.Event()
    host_names = LOOPBACK_NAMES if is_loopback(host) else None
    login = Login(password) if password is not None else None
    opening = Opening(lambda: _app(workspace, login, ending), failing=lambda: setattr(server, "should_exit", True))
    app = Gate(opening, host_names=host_names, login=login)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    server = Server(config, ending=ending)
    if open_browser:
        threading.Thread(target=_open_when_up, args=(server, address), daemon=True).start()
    print(f"Unabridged is at {address} (Ctrl+C ends it)", flush=True)  # noqa: T201 the one line that the terminal shows
    server.run()
    if opening.failed is not None:
        raise opening.failed


class Server(uvicorn.Server):
    """Sets `ending` when it is told to end, so that the streams of news end too and nobody waits for them."""

    def __init__(self, config: uvicorn.Config, *, ending: threading.Event) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending.set()
        await super().shutdown(sockets)


def build_app(
    workspace: Workspace,
    *,
    password: str | None = None,
    host_names: frozenset[str] | None = LOOPBACK_NAMES,
    ending: threading.Event | None = None,
) -> ASGIApp:
    """Everything that is served, gate included. Work that was started goes on until the server ends."""
    login = Login(password) if password is not None else None
    return Gate(_app(workspace, login, ending or threading.Event()), host_names=host_names, login=login)


def _app(workspace: Workspace, login: Login | None, ending: threading.Event) -> FastAPI:
    jobs, images = Jobs(), PageImages()
    uploads = _uploads_folder(workspace.home.folder)
    handlers = Handlers(
        library=LibraryHandlers(workspace, jobs, uploads, images),
        chat=ChatHandlers(workspace, jobs),
        source=SourceHandlers(workspace, images),
        settings=SettingsHandlers(workspace, jobs),
        models=ModelHandlers(workspace, jobs),
        keeping=KeepingHandlers(workspace, jobs),
        memories=MemoryHandlers(workspace, jobs),
        web=WebHandlers(workspace, jobs),
        characters=CharacterHandlers(workspace, jobs),
        scenes=SceneHandlers(workspace, jobs),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(jobs.stop_all, timeout_s=STOPPING_S)
        images.close()
        shutil.rmtree(uploads, ignore_errors=True)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_front_door(app, workspace, login)
    _add_page_parts(app, workspace, images)
    _add_news(app, jobs, ending)
    _add_upload(app, handlers.library)
    add_conversation_files(app, workspace, jobs)
    add_character_files(app, workspace, jobs)
    from unabridged.ui.mounting import mount_pages  # Gradio comes with it, which takes longer to import than all the rest

    mount_pages(app, handlers, max_upload_bytes=UPLOAD_BYTES)
    return app


def _uploads_folder(home: Path) -> Path:
    """A fresh folder for this server; what a killed one left behind a day ago goes."""
    for left in home.glob("uploads-*"):
        if time.time() - left.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="uploads-", dir=home))


def _add_front_door(app: FastAPI, workspace: Workspace, login: Login | None) -> None:
    @app.get("/")
    def front_door(request: Request) -> Response:
        chosen = request.cookies.get("unabridged_language") or workspace.settings.language
        language = chosen if chosen in LANGUAGES else language_of(request.headers.get("accept-language", ""))
        return RedirectResponse(f"/{language}/", 303)

    if login is None:
        return
    guard = login

    @app.get("/login")
    def login_page() -> Response:
        return guard.page()

    @app.post("/login")
    async def log_in(request: Request) -> Response:
        return await guard.answer(request)

    @app.post("/logout")
    def log_out(request: Request) -> Response:
        guard.close(request.headers.get("cookie", ""))
        return RedirectResponse("/login", 303)


def _add_page_parts(app: FastAPI, workspace: Workspace, images: PageImages) -> None:
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get("/strings/{language}.js")
    def strings(language: str) -> Response:
        if language not in LANGUAGES:
            return Response(status_code=404)
        kept = {
            "language": language,
            "other": next(other for other in LANGUAGES if other != language),
            "texts": dict(texts(language)),
            "limits": {"upload_bytes": UPLOAD_BYTES},
            "samples": {sample.path.name: sample.questions for sample in SAMPLES.values()},
        }
        return Response(f"window.unabridgedStrings = {json.dumps(kept)};", media_type="text/javascript")

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/manifest.json")
    def manifest() -> Response:  # Gradio's page asks for one
        return JSONResponse({"name": "Unabridged", "icons": [{"src": "/static/icon.svg", "sizes": "any"}]})

    @app.get("/pages/{document_id}/{number}/{width}.png")
    def page_image(document_id: str, number: int, width: int) -> Response:
        if width not in IMAGE_WIDTHS:
            return Response(status_code=404)
        try:
            entry = workspace.library.resolve(document_id)
            content = images.png(workspace.library.original(entry.id), page=number, width=width)
        except DocumentEncrypted as error:
            return PlainTextResponse(error.message, 423)
        except UnabridgedError as error:
            return PlainTextResponse(error.message, 404)
        return Response(content, media_type="image/png", headers={"cache-control": "private, max-age=86400, immutable"})


def _add_news(app: FastAPI, jobs: Jobs, ending: threading.Event) -> None:
    @app.get("/live")
    def news(request: Request, language: str = "en") -> Response:
        async def gone() -> bool:
            return ending.is_set() or await request.is_disconnected()

        pictures = live(jobs, language=language if language in LANGUAGES else "en", gone=gone)
        return StreamingResponse(pictures, media_type="text/event-stream", headers={"cache-control": "no-store"})


def _add_upload(app: FastAPI, library: LibraryHandlers) -> None:
    @app.post("/upload")
    async def upload(request: Request, name: str, language: str = "en") -> Response:
        """The bytes of one file are the body; it is read into the library in the background."""
        path = await run_in_threadpool(library.new_upload, name)
        try:
            with path.open("wb") as file:
                received = 0
                async for chunk in request.stream():
                    received += len(chunk)
                    if received > UPLOAD_BYTES:
                        raise DocumentTooCostly(
                            f"{path.name} is larger than the {UPLOAD_BYTES >> 20} MB that can be added here.",
                            hint="Split it into parts, or save it anew with smaller pictures.",
                        )
                    await run_in_threadpool(file.write, chunk)
        except DocumentTooCostly as error:
            shutil.rmtree(path.parent)
            return JSONResponse(told(error.message, error.hint, language=language), 413)
        except (ClientDisconnect, OSError) as error:
            shutil.rmtree(path.parent)
            reason = error.strerror if isinstance(error, OSError) else "the connection ended"
            message = f"{path.name} could not be received: {reason}."
            return JSONResponse(told(message, "Try again.", language=language), 507)
        return JSONResponse({"job": library.start_reading_file(path)})


def _open_when_up(server: uvicorn.Server, address: str) -> None:
    while not server.started:
        if server.should_exit:
            return
        threading.Event().wait(0.05)
    webbrowser.open(address)
