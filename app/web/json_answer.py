"""One JSON answer of a search provider: second tries, the pauses it asks for, sizes, and a clear word when it is down.

Runs in the web child only. A provider says how long to wait by Retry-After (RFC 9110 §10.2.3, seconds or a date), Brave by
X-RateLimit-Remaining and X-RateLimit-Reset (one number for each of its windows). Who asks for a long pause is not asked again.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from unabridged.errors import WebFailed
from unabridged.web.certificates import trusted, untrusted
from unabridged.web.providers import Tell
from unabridged.web.safe_get import size_sent
from unabridged.web.words import one_line

TRIES = 3
TIMEOUT_S = 8.0
FIRST_WAIT_S = 0.5  # doubled with each try
LONGEST_WAIT_S = 4.0
ANSWER_BYTES = 4 << 20
_LATER = frozenset((429, 500, 502, 503, 504))
_ELSEWHERE = "Try again, or choose another provider."

Refusal = Callable[[int], WebFailed | None]


def json_answer(request: httpx.Request, name: str, refusal: Refusal, tell: Tell) -> dict[str, Any]:
    """The JSON object that `name` answers; tried again where it is busy or cannot be reached. Raises WebFailed.

    `refusal` tells what this provider alone means by an HTTP status, after which it is not asked again.
    """
    failed: WebFailed | None = None
    with httpx.Client(trust_env=False, verify=trusted(), follow_redirects=False, timeout=TIMEOUT_S) as client:
        for turn in range(TRIES):
            wait_s = FIRST_WAIT_S * 2**turn
            tell({"asked": {"host": request.url.host, "purpose": "search", "sent": size_sent(request)}})
            try:
                with client.stream(request.method, request.url, headers=request.headers, content=request.content) as response:
                    body = _limited(response, name)
                    tell({"answered": {"received": response.num_bytes_downloaded, "status": response.status_code}})
            except httpx.HTTPError as error:
                if refused := untrusted(request.url.host, error):
                    raise refused from error
                failed = WebFailed(f"{name} does not answer ({type(error).__name__}).", hint=_ELSEWHERE)
                failed.__cause__ = error
            else:
                if response.status_code == 200:
                    return _object(body, name)
                own = refusal(response.status_code)
                failed = _with_words(own or _refused(response, name), _said(body))
                asked_s = _asked_to_wait(response)
                wait_s = wait_s if asked_s is None else asked_s
                if own or response.status_code not in _LATER or wait_s > LONGEST_WAIT_S:
                    raise failed
            if turn + 1 < TRIES:
                time.sleep(wait_s)
    raise failed or WebFailed(f"{name} does not answer.", hint="Try again.")


def _refused(response: httpx.Response, name: str) -> WebFailed:
    status = response.status_code
    if response.has_redirect_location:
        return WebFailed(f"{name} sends on to another address (status {status}).", hint="Set web_address to where it ends.")
    if (wait_s := _asked_to_wait(response) or 0.0) > LONGEST_WAIT_S:
        return WebFailed(f"{name} asks to come again in {wait_s:,.0f} seconds.", hint="Wait, or choose another provider.")
    if status in _LATER:
        return WebFailed(f"{name} is down or busy (status {status}).", hint=_ELSEWHERE)
    return WebFailed(f"{name} refuses the search (status {status}).", hint="Try another query, or choose another provider.")


def _with_words(failed: WebFailed, said: str) -> WebFailed:
    return WebFailed(failed.message, hint=f"{failed.hint} It says: {said}") if said else failed


def _said(body: bytes) -> str:
    """The provider's own words for an error ({"error": {"detail": …}} of Brave, {"detail": {"error": …}} of Tavily) or ""."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    for outer, inner in (("error", "detail"), ("detail", "error")):
        part = found.get(outer) if isinstance(found, dict) else None
        if isinstance(part, dict) and isinstance(part.get(inner), str):
            return one_line(part[inner])[:160]
    return ""


def _asked_to_wait(response: httpx.Response) -> float | None:
    """Seconds; None where the provider does not say."""
    after = response.headers.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return float(after)
    if after:
        try:
            until = parsedate_to_datetime(after)
        except ValueError:
            return None
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    left, resets = (_numbers(response.headers.get(f"x-ratelimit-{name}", "")) for name in ("remaining", "reset"))
    return max((float(reset) for of, reset in zip(left, resets, strict=False) if of == 0), default=None)


def _numbers(value: str) -> list[int]:
    parts = [part.strip() for part in value.split(",")]
    return [int(part) for part in parts] if all(part.isascii() and part.isdigit() for part in parts) else []


def _limited(response: httpx.Response, name: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise WebFailed(f"{name} sends more than {ANSWER_BYTES >> 20} MB of results.", hint="Choose another provider.")
    return bytes(body)


def _object(body: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise WebFailed(f"{name} answers with something else than results.", hint="Check its address.") from error
    if not isinstance(found, dict):
        raise WebFailed(f"{name} answers with something else than results.", hint="Check its address.")
    return found
