"""A hub of models on this machine: what the real one answers when a file is fetched, and what can go wrong with it."""

import hashlib
import re
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from unabridged.model_downloads import STEP_BYTES

CONTENT = b"GGUF" + bytes(range(256)) * (5 * STEP_BYTES // 256)


class Hub:
    """Answers as the hub does: HEAD of a file gives size and sha256 and sends on to where the bytes lie, in ranges."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []  # method, path, Range
        self.agents: set[str] = set()
        self.content = CONTENT
        self.checksum = hashlib.sha256(CONTENT).hexdigest()
        self.status = 200
        self.breaks_after: int | None = None
        self.pause_s = 0.0  # after each step of bytes
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub._head(self)

            def do_GET(self) -> None:
                hub._get(self)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def _note(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.command, request.path, request.headers.get("Range")))
        self.agents.add(request.headers.get("User-Agent", ""))

    def _head(self, request: BaseHTTPRequestHandler) -> None:
        self._note(request)
        request.send_response(302 if self.status == 200 else self.status)
        request.send_header("Location", f"http://localhost:{self.server.server_address[1]}/bytes")  # another host
        request.send_header("X-Repo-Commit", "0" * 40)
        request.send_header("X-Linked-Size", str(len(self.content)))
        request.send_header("X-Linked-ETag", f'"{self.checksum}"')
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        self._note(request)
        start = int(re.match(r"bytes=(\d+)-", request.headers.get("Range") or "bytes=0-")[1])  # type: ignore[index]
        rest = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        for at in range(0, len(rest[: self.breaks_after]), STEP_BYTES):
            try:
                request.wfile.write(rest[: self.breaks_after][at : at + STEP_BYTES])
            except OSError:  # whoever asked has gone
                return
            time.sleep(self.pause_s)
        if self.breaks_after is not None:
            self.breaks_after = None
            request.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
