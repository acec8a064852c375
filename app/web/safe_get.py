"""One page from the network: every hop checked before it is taken, everything limited. Runs in the web child only.

Size limits hold for the bytes on the wire and for what they unpack to; a page that exceeds one is refused, not cut.
"""

import time
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import httpx
from unabridged.errors import WebFailed
from unabridged.web.addresses import Resolver, checked, looked_up
from unabridged.web.certificates import trusted, untrusted

USER_AGENT = "Unabridged/0.1 (reads single pages for its user; not a crawler)"
ROBOT = "Unabridged"
PAGES = frozenset(("text/html", "application/xhtml+xml", "text/plain", "application/pdf"))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))

Tell = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Limits:
    size_bytes: int = 16 << 20
    time_s: float = 25.0  # for all hops of one page together
    step_s: float = 8.0  # for a connection, and between two pieces of an answer
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Got:
    """`charset` is the server's word for it, "" where it gave none."""

    url: str
    status: int
    media_type: str
    charset: str
    body: bytes


def get(
    address: str,
    *,
    purpose: str,
    tell: Tell,
    limits: Limits = Limits(),
    kinds: Collection[str] = PAGES,
    resolver: Resolver = looked_up,
    private: Collection[str] = (),
) -> Got:
    """Fetch over http or https, redirects followed by hand. `tell` hears of every request before it is made and after it.

    Raises WebFailed for what is refused (address, port, content type, size, time, too many redirects) and what does not answer.
    An answer other than 200 is returned without looking at its content type.
    """
    deadline = time.monotonic() + limits.time_s
    url = _parsed(address)
    with httpx.Client(
        trust_env=False, verify=trusted(), follow_redirects=False, timeout=httpx.Timeout(limits.step_s)
    ) as client:
        for _ in range(limits.redirects + 1):
            got = _hop(client, url, purpose, tell, limits, kinds, resolver, private, deadline)
            if isinstance(got, Got):
                return got
            if url.scheme == "https" and got.scheme == "http":
                raise WebFailed(f"{url.host} sends on from https to http.", hint="Such a page could be changed on its way.")
            url = got
    raise WebFailed(f"{url.host} sends on more than {limits.redirects} times.", hint="Open the page in a browser and save it.")


def _hop(
    client: httpx.Client,
    url: httpx.URL,
    purpose: str,
    tell: Tell,
    limits: Limits,
    kinds: Collection[str],
    resolver: Resolver,
    private: Collection[str],
    deadline: float,
) -> Got | httpx.URL:
    port = url.port or (443 if url.scheme == "https" else 80)
    failed: httpx.HTTPError | None = None
    for pinned in checked(url.host, port, resolver=resolver, private=private)[:2]:
        request = client.build_request(
            "GET",
            url.copy_with(host=pinned),  # connects to the address that was checked, whatever the name says by now
            headers={
                "Host": url.netloc.decode("ascii"),
                "User-Agent": USER_AGENT,
                "Accept": ", ".join(kinds) if kinds else "*/*",
                "Accept-Encoding": "gzip, deflate",
            },
            extensions={"sni_hostname": url.raw_host.decode("ascii")},  # the certificate must be the name's
        )
        tell({"asked": {"host": url.host, "purpose": purpose, "sent": size_sent(request)}})
        received = 0
        try:
            response = client.send(request, stream=True)
            try:
                received = _head_bytes(response)
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    return _parsed(str(url.join(response.headers["location"])))
                media_type, charset = _kind(response)
                if response.status_code == 200 and kinds and media_type not in kinds:
                    raise WebFailed(
                        f"{url.host} sends {media_type or 'something'}, which is no page.", hint="Pages and PDFs are read."
                    )
                body = _body(response, limits, deadline, url.host)
                return Got(str(url), response.status_code, media_type, charset, body)
            finally:
                received += response.num_bytes_downloaded
                response.close()
                tell({"answered": {"received": received, "status": response.status_code}})
        except httpx.ConnectError as error:
            if refused := untrusted(url.host, error):
                raise refused from error
            failed = error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebFailed(
                f"{url.host} did not answer ({type(error).__name__}).", hint="Try again, or choose another page."
            ) from error
    raise WebFailed(f"{url.host} cannot be reached.", hint="Check the connection.") from failed


def size_sent(request: httpx.Request) -> int:
    """Bytes of a request as HTTP/1.1 writes it; what TLS adds is not counted."""
    head = len(request.method) + len(request.url.raw_path) + 12
    return head + sum(len(name) + len(value) + 4 for name, value in request.headers.raw) + 2 + len(request.content)


def _head_bytes(response: httpx.Response) -> int:
    return 17 + sum(len(name) + len(value) + 4 for name, value in response.headers.raw)


def _parsed(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise WebFailed("That is not an address of a page.", hint="Addresses begin with https://.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise WebFailed(f"An address with {url.scheme or 'nothing'} before its colon is no page.", hint="Take https addresses.")
    if url.userinfo:
        raise WebFailed(f"The address of {url.host} holds a name and password.", hint="Such addresses are not opened.")
    return url.copy_with(fragment=None)


def _kind(response: httpx.Response) -> tuple[str, str]:
    """Media type and charset as the server states them."""
    value = response.headers.get("content-type", "")
    media_type, _, rest = value.partition(";")
    _, _, charset = rest.lower().partition("charset=")
    return media_type.strip().lower(), charset.split(";")[0].strip(" \"'")[:40]


def _body(response: httpx.Response, limits: Limits, deadline: float, host: str) -> bytes:
    """All bytes of the answer, unpacked no further than the limit."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    unpacker = _unpacker(coding, host)
    body = bytearray()
    for chunk in response.iter_raw():
        if time.monotonic() > deadline:
            raise WebFailed(
                f"{host} takes longer than {limits.time_s:,.0f} seconds.", hint="Try again, or choose another page."
            )
        if unpacker is None:
            body += chunk
        else:
            try:
                body += unpacker.decompress(chunk, limits.size_bytes + 1 - len(body))
            except zlib.error as error:
                raise WebFailed(f"{host} sends a page that is damaged.", hint="Try again, or choose another page.") from error
        if len(body) > limits.size_bytes or response.num_bytes_downloaded > limits.size_bytes:
            raise WebFailed(
                f"{host} sends more than {limits.size_bytes >> 20:,} MB.", hint="Save the page and attach it as a file."
            )
    if unpacker is not None and not unpacker.eof:
        raise WebFailed(f"{host} sends a page that breaks off.", hint="Try again, or choose another page.")
    return bytes(body)


def _unpacker(coding: str, host: str) -> "zlib._Decompress | None":
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)  # tells gzip from zlib by itself
    raise WebFailed(f"{host} sends a page packed as {coding[:20]}.", hint="It was asked for gzip; choose another page.")
