"""One password for a page that other machines can reach: kept as a hash, tried slowly, remembered in a cookie.

Sessions live in this process only: a restart asks again.
"""

import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from unabridged.errors import UsageError

COOKIE = "unabridged_session"
SESSION_S = 12 * 3600
FREE_TRIES = 5
LONGEST_WAIT_S = 300.0
SHORTEST_PASSWORD = 8

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Unabridged</title><link rel="stylesheet" href="/static/login.css">
<main><h1>Unabridged</h1><form method="post" action="/login">
<label for="password">Password · 密码</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Open · 打开</button><p role="alert">{notice}</p></form>
<small>Everyone with this password shares one library: documents, conversations and settings are seen and changed by all.<br>
<span lang="zh">知道此密码的人共用同一个文库：文档、对话和设置对所有人可见，也可由所有人更改。</span></small></main></html>"""


class Login:
    """Checks the password with scrypt (RFC 7914); raises UsageError when it is too short to keep anyone out."""

    def __init__(self, password: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        if len(password) < SHORTEST_PASSWORD:
            raise UsageError(
                f"The password has {len(password)} characters; at least {SHORTEST_PASSWORD} are needed.",
                hint="Choose a longer one: whoever knows it reads your documents.",
            )
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        self._hash = self._hashed(password)
        self._sessions: dict[str, float] = {}  # token: when it ends, in seconds of the monotonic clock
        self._failures: dict[str, tuple[int, float]] = {}  # address: failed tries, no further try before

    def knows(self, cookie_header: str) -> bool:
        """Whether the request's cookies hold a session that has not ended."""
        try:
            morsel = SimpleCookie(cookie_header).get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and self._sessions.get(morsel.value, 0.0) > self._clock()

    def seconds_to_wait(self, address: str) -> float:
        return max(0.0, self._failures.get(address, (0, 0.0))[1] - self._clock())

    def open(self, password: str, *, address: str) -> str | None:
        """A new session's token, or None: wrong, or tried too soon. Each failure past the free ones doubles the wait."""
        if self.seconds_to_wait(address) > 0:
            return None
        if not hmac.compare_digest(self._hashed(password), self._hash):
            failures = self._failures.get(address, (0, 0.0))[0] + 1
            wait_s = 0.0 if failures < FREE_TRIES else min(LONGEST_WAIT_S, 2.0 ** (failures - FREE_TRIES))
            self._failures[address] = (failures, self._clock() + wait_s)
            return None
        self._failures.pop(address, None)
        now = self._clock()
        self._sessions = {token: end for token, end in self._sessions.items() if end > now}
        token = secrets.token_urlsafe(32)
        self._sessions[token] = now + SESSION_S
        return token

    def close(self, cookie_header: str) -> None:
        morsel = SimpleCookie(cookie_header).get(COOKIE)
        if morsel is not None:
            self._sessions.pop(morsel.value, None)

    def page(self, notice: str = "", *, status: int = 200) -> HTMLResponse:
        return HTMLResponse(PAGE.format(notice=html.escape(notice)), status)

    async def answer(self, request: Request) -> Response:
        """The form was sent: into the page with a cookie, or back to the form with the reason."""
        address = request.client.host if request.client else ""
        wait_s = self.seconds_to_wait(address)
        if wait_s > 0:
            return self.page(f"Too many tries. Wait {wait_s:.0f} s. · 尝试过多，请等待 {wait_s:.0f} 秒。", status=429)
        async with request.form(max_files=0, max_fields=1, max_part_size=1024) as form:
            password = form.get("password")
        token = self.open(password if isinstance(password, str) else "", address=address)
        if token is None:
            return self.page("That is not the password. · 密码不对。", status=403)
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, token, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
        return response

    def _hashed(self, password: str) -> bytes:
        return hashlib.scrypt(password.encode(), salt=self._salt, n=1 << 14, r=8, p=1)
