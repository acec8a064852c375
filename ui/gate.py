"""What stands before every request: the right host name, the same site, the routes this page needs, a password, safe headers.

An ASGI middleware around the whole server, Gradio included. Knows no documents and no models.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from unabridged.ui.login import Login

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

# The browser itself then refuses to fetch anything from another host. Gradio compiles its templates, hence 'unsafe-eval'.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SAFE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all, browsers send our own forms as from nowhere
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

# Of Gradio's own routes only those that our page uses; among the rest are a file server and a proxy that fetches any address.
GRADIO_ROUTES = re.compile(
    r"/(en|zh)(/|/config/?|/theme\.css|/favicon\.ico|/(assets|static|svelte)/[\w@./+-]*"
    r"|/gradio_api/(startup-events|component_server|reset|cancel|queue/(join|data)|heartbeat/\w+)/?)?"
)
OUR_ROUTES = re.compile(
    r"/(favicon\.ico|manifest\.json|robots\.txt|login|logout|live|upload|conversations|characters"
    r"|(static|strings|pages|conversations|characters)/[\w./-]+)?"
)
OPEN_ROUTES = frozenset({"/login", "/static/login.css", "/favicon.ico", "/robots.txt"})


def is_loopback(host: str) -> bool:
    """Whether listening on `host` (a name or an address) can be reached from this machine only."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Gate:
    """`host_names` are the names the page may be asked under; None lets every name pass (the password guards it then)."""

    def __init__(self, app: ASGIApp, *, host_names: Iterable[str] | None, login: Login | None = None) -> None:
        self._app = app
        self._host_names = None if host_names is None else frozenset(host_names)
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # the page opens no websocket
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers[name] = value
                for name in [key for key in headers if key.startswith("access-control-")]:
                    del headers[name]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if self._host_names is not None and name not in self._host_names:
            return PlainTextResponse("This page answers only under the name of its own machine.", 403)
        if not _same_site(headers, host=host, method=scope["method"]):
            return PlainTextResponse("Requests from other sites are refused.", 403)
        if ".." in path or not (GRADIO_ROUTES.fullmatch(path) or OUR_ROUTES.fullmatch(path)):
            return PlainTextResponse("Not here.", 404)
        if self._login is None or path in OPEN_ROUTES or self._login.knows(headers.get("cookie", "")):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return PlainTextResponse("Log in first.", 401)


def _same_site(headers: Headers, *, host: str, method: str) -> bool:
    """A link from elsewhere may open the page; nothing else from elsewhere may reach it."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return False
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return method == "GET" and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
