"""Conversations as files that come and go: a download in one of three formats, and an upload of what was exported as JSON."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from unabridged.errors import UnabridgedError
from unabridged.export_json import LARGEST_BYTES
from unabridged.exporting import export_conversation, import_conversation
from unabridged.ui.jobs import Jobs
from unabridged.ui.translated import told
from unabridged.workspace import Workspace

KINDS = {
    "json": ("json", "application/json"),
    "md": ("markdown", "text/markdown; charset=utf-8"),
    "docx": ("word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}


def add_conversation_files(app: FastAPI, workspace: Workspace, jobs: Jobs) -> None:
    @app.get("/conversations/{conversation_id}.{suffix}")
    def export(conversation_id: str, suffix: str, turn: str | None = None) -> Response:
        """`turn` is the last one of the branch that Markdown and Word hold."""
        if suffix not in KINDS:
            return Response(status_code=404)
        kind, media_type = KINDS[suffix]
        try:
            content = export_conversation(workspace, conversation_id, kind, turn_id=turn)
            title = workspace.conversations.get(conversation_id).title
        except UnabridgedError as error:
            return PlainTextResponse(error.message, 404)
        named = f"attachment; filename=\"conversation.{suffix}\"; filename*=UTF-8''{quote(f'{harmless(title)}.{suffix}')}"
        return Response(content, media_type=media_type, headers={"content-disposition": named, "cache-control": "no-store"})

    @app.post("/conversations")
    async def take_in(request: Request, language: str = "en") -> Response:
        """The body is the file; answers with the id of the new conversation."""
        content = bytearray()
        try:
            async for chunk in request.stream():
                content += chunk
                if len(content) > LARGEST_BYTES:  # from_json says the same, with a hint
                    break
            conversation = await run_in_threadpool(import_conversation, workspace, bytes(content))
        except ClientDisconnect:
            return Response(status_code=400)
        except UnabridgedError as error:
            return JSONResponse(told(error.message, error.hint, language=language), 422)
        jobs.announce()
        return JSONResponse({"conversation": conversation.id})


def harmless(title: str) -> str:
    """A title as the name of a file, on every system."""
    kept = "".join(letter for letter in title if letter.isprintable() and letter not in '/\\:*?"<>|').strip(" .")
    return kept[:80] or "conversation"
