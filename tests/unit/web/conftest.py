"""Web servers on loopback that serve what a test says, and a SearXNG among them. Nothing else of the network is reachable."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from unabridged.web.child import work
from unabridged.web.outside import Outside

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A web server on 127.0.0.1; `pages` are by path. What it was asked for stands in `asked`."""

    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    server: Any = None

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(
        self, path: str, body: str | bytes, *, kind: str = "text/html; charset=utf-8", status: int = 200, **headers: str
    ) -> str:
        """Serve a page; returns its address."""
        data = body.encode() if isinstance(body, str) else body

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Type", kind)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        self.pages[path] = answer
        return self.address + path

    def redirect(self, path: str, target: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        self.pages[path] = answer
        return self.address + path

    def searxng(self, results: list[dict[str, str]]) -> str:
        """Answer searches as a SearXNG does; returns its address."""
        self.serve("/search", json.dumps({"query": "", "results": results}), kind="application/json")
        return self.address

    @property
    def queries(self) -> list[str]:
        return [parse_qs(urlsplit(path).query)["q"][0] for path in self.asked if path.startswith("/search?")]


class Beside(Outside):
    """Does the web child's work in this process: the same code, without the time that a process takes to start."""

    def _asked(self, wanted: dict[str, object], answer: str, *, time_s: float) -> Any:  # noqa: ANN401 parsed JSON
        open_request = 0

        def tell(message: dict[str, Any]) -> None:
            nonlocal open_request
            if "asked" in message:
                open_request = self._log.begin(**message["asked"])
            else:
                self._log.complete(open_request, **message["answered"])

        return json.loads(json.dumps(work(wanted, tell)))[answer]


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            made.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.do_GET()

        def do_GET(self) -> None:
            made.asked.append(self.path)
            made.headers.append(dict(self.headers))
            answer = made.pages.get(urlsplit(self.path).path)
            try:
                if answer is None:
                    self.send_error(404)
                else:
                    answer(self)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the other side has had enough, which some tests are about

        def log_message(self, *arguments: object) -> None:
            pass

    made.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.server.daemon_threads = True
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def page(title: str, *paragraphs: str, extra: str = "") -> str:
    """A small web page with a menu around its text."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><nav><a href='/'>Home</a> | <a href='/x'>News</a></nav>"
        f"<main><h1>{title}</h1>\n{text}</main>{extra}<footer>All rights reserved</footer></body></html>"
    )
