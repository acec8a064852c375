"""Pages over TLS, in the real web child: the address is pinned, the name stays, and a certificate must be the name's own.

An authority that a test makes vouches for a server on loopback; the child hears of it by SSL_CERT_FILE, as OpenSSL does.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from unabridged.errors import WebFailed
from unabridged.home import Home
from unabridged.store import Store
from unabridged.web.network_log import NetworkLog
from unabridged.web.outside import Outside
from unabridged.web.providers import Chosen, Result
from unabridged.web.safe_get import get
from unabridged.web.search_json import SearXNG

from tests.unit.web.conftest import page

AUTHORITY = trustme.CA()
TODAY = datetime.now(UTC)
HERE = ("127.0.0.1", "::1")
ROBOTS = b"User-agent: *\nAllow: /\n"
BODY = page("Fees", "Forty crowns a night.").encode()


@dataclass
class SecureSite:
    """A TLS server on 127.0.0.1 that shows one certificate; `names` are what clients asked to be connected to (SNI)."""

    certificate: trustme.LeafCert
    names: list[str | None] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    def serve(self, listening: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.configure_cert(context)
        context.sni_callback = lambda socket, name, context: self.names.append(name)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                request = secure.recv(65536)
                self.asked.append(request.partition(b"\r\n")[0])
                body = ROBOTS if b" /robots.txt " in request else BODY
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                secure.sendall(head.encode() + body)
            connection.close()


@contextlib.contextmanager
def serving(certificate: trustme.LeafCert) -> Iterator[SecureSite]:
    made = SecureSite(certificate)
    listening = socket.create_server(("127.0.0.1", 0))
    made.port = listening.getsockname()[1]
    thread = threading.Thread(target=made.serve, args=[listening], daemon=True)
    thread.start()
    yield made
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.fixture
def outside(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    store = Store(home.database)
    yield Outside(Chosen("searxng", address="https://localhost"), NetworkLog(store), private=HERE)
    store.close()


def told(message: dict[str, object]) -> None:
    """Nobody listens."""


def test_a_page_comes_over_tls_under_its_own_name(outside: Outside) -> None:
    with serving(AUTHORITY.issue_cert("localhost")) as site:
        address = f"https://localhost:{site.port}/fees"
        with outside.page(Result("Fees", address, "")) as fetched:
            assert fetched.file.read_bytes() == BODY
            assert fetched.url == address
    assert site.names == ["localhost", "localhost"], "for robots.txt and for the page"
    assert site.asked == [b"GET /robots.txt HTTP/1.1", b"GET /fees HTTP/1.1"]
    assert [(line.host, line.status) for line in outside._log.requests()] == [("localhost", 200)] * 2


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        (AUTHORITY.issue_cert("elsewhere.example.org"), "certificate is not valid for 'localhost'"),
        (AUTHORITY.issue_cert("*.localhost"), "certificate is not valid for 'localhost'"),
        (AUTHORITY.issue_cert("127.0.0.1"), "certificate is not valid for 'localhost'"),
        (trustme.CA().issue_cert("localhost"), "unable to get local issuer certificate"),
        (
            AUTHORITY.issue_cert("localhost", not_before=TODAY - timedelta(days=9), not_after=TODAY - timedelta(days=1)),
            "certificate has expired",
        ),
        (
            AUTHORITY.issue_cert("localhost", not_before=TODAY + timedelta(days=1), not_after=TODAY + timedelta(days=9)),
            "certificate is not yet valid",
        ),
    ],
    ids=["another name", "a wildcard below it", "the pinned address", "another authority", "expired", "not yet valid"],
)
def test_a_certificate_that_does_not_hold_ends_it_in_one_sentence(
    outside: Outside, certificate: trustme.LeafCert, says: str
) -> None:
    with (
        serving(certificate) as site,
        pytest.raises(WebFailed) as refused,
        outside.page(Result("Fees", f"https://localhost:{site.port}/fees", "")),
    ):
        pass
    assert refused.value.message.startswith("localhost does not prove that it is localhost (")
    assert says in refused.value.message
    assert "SSL_CERT_FILE" in refused.value.hint
    assert site.asked == [], "nothing was asked of it"
    assert [line.status for line in outside._log.requests()] == [None], "and the attempt is in the log"


def test_the_name_is_looked_up_once_and_the_certificate_must_be_the_names(outside: Outside) -> None:
    """As for a name that would lead to another machine the next time: connected by the address that was checked."""
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    with serving(AUTHORITY.issue_cert("fees.example.org")) as site:
        address = f"https://fees.example.org:{site.port}/fees"
        assert get(address, purpose="page", tell=told, resolver=rebinding, private=HERE).body == BODY
    assert lookups == ["fees.example.org"]
    assert site.names == ["fees.example.org"]


def test_a_search_provider_is_held_to_its_certificate_too(outside: Outside) -> None:
    searxng = trustme.CA().issue_cert("localhost")
    with serving(searxng) as site, pytest.raises(WebFailed, match="localhost does not prove that it is localhost"):
        SearXNG(f"https://localhost:{site.port}").search("mooring fee", limit=3, tell=told)
    assert site.asked == []
