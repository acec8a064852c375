"""Characters as files that come and go: a card or a lorebook taken in, a card handed out, and the picture to show."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from unabridged.characters.card import clean
from unabridged.characters.card_files import LARGEST_FILE_BYTES, read_card
from unabridged.characters.hostile_json import read_object
from unabridged.errors import UnabridgedError
from unabridged.ui.conversation_files import harmless
from unabridged.ui.jobs import Jobs
from unabridged.ui.translated import told
from unabridged.workspace import Workspace

MEDIA_TYPES = {"png": "image/png", "json": "application/json", "charx": "application/zip"}
LARGEST_PICTURE_BYTES = 16 << 20


def add_character_files(app: FastAPI, workspace: Workspace, jobs: Jobs) -> None:
    @app.get("/characters/{character_id}/picture")
    def picture(character_id: str) -> Response:
        """Raster pictures only, told by their first bytes: see CardFile.avatar."""
        try:
            avatar = workspace.characters.get(character_id).file.avatar
        except UnabridgedError as error:
            return PlainTextResponse(error.message, 404)
        if avatar is None or len(avatar[1]) > LARGEST_PICTURE_BYTES:
            return Response(status_code=404)
        return Response(avatar[1], media_type=avatar[0], headers={"cache-control": "private, max-age=3600"})

    @app.get("/characters/{character_id}.{suffix}")
    def export(character_id: str, suffix: str) -> Response:
        if suffix not in MEDIA_TYPES:
            return Response(status_code=404)
        try:
            content = workspace.characters.export(character_id, suffix)
            name = workspace.characters.get(character_id).card.name
        except UnabridgedError as error:
            return PlainTextResponse(error.message, 404)
        named = f"attachment; filename=\"character.{suffix}\"; filename*=UTF-8''{quote(f'{harmless(name)}.{suffix}')}"
        return Response(
            content, media_type=MEDIA_TYPES[suffix], headers={"content-disposition": named, "cache-control": "no-store"}
        )

    @app.post("/characters")
    async def take_in(request: Request, name: str, language: str = "en") -> Response:
        """The body is the file; answers with the `character`, or the `book`, that it became, and its name."""
        content = bytearray()
        try:
            async for chunk in request.stream():
                content += chunk
                if len(content) > LARGEST_FILE_BYTES:  # read_card says so, with a hint
                    break
            taken = await run_in_threadpool(_taken, workspace, bytes(content), name[:200])
        except ClientDisconnect:
            return Response(status_code=400)
        except UnabridgedError as error:
            return JSONResponse(told(error.message, error.hint, language=language), 422)
        jobs.announce()
        return JSONResponse(taken)


def _taken(workspace: Workspace, content: bytes, name: str) -> dict[str, str]:
    if len(content) <= LARGEST_FILE_BYTES and content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raw = read_object(content, name)
        is_bare = raw.get("spec") is None and isinstance(raw.get("entries"), dict | list)
        if is_bare or raw.get("spec") == "lorebook_v3":
            book = workspace.characters.add_book(raw, name=name.removesuffix(".json"))
            return {"book": book.id, "name": clean(book.book.name)}
    character = workspace.characters.add(read_card(content, name))
    return {"character": character.id, "name": character.card.name}
