"""What is fetched and what is refused: addresses, redirects, names that change their mind, sizes, times, kinds, robots."""

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.errors import WebFailed
from unabridged.web.addresses import checked, is_public
from unabridged.web.child import page as fetched
from unabridged.web.safe_get import Got, Limits, get

from tests.unit.web.conftest import Site, page

HERE = ("127.0.0.1",)
INSIDE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200", "198.18.0.1", "192.0.2.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1", "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "fec0::1", "64:ff9b:1::7f00:1", "3fff::1", "5f00::1", "2001:20::1", "100::1",
    "::ffff:0:127.0.0.1", "192.0.0.8", "192.0.0.170", "192.88.99.1", "168.63.129.16", "169.254.170.2", "0.1.2.3",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


def told(message: dict[str, object]) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_of_this_machine_and_of_private_networks_are_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(WebFailed, match="not on the public internet"):
        checked("example.org", 443, resolver=lambda host, port: [address])


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_taken_on_the_ports_of_the_web_only(address: str) -> None:
    assert checked("example.org", 443, resolver=lambda host, port: [address]) == [address]
    with pytest.raises(WebFailed, match="port 22"):
        checked("example.org", 22, resolver=lambda host, port: [address])


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(WebFailed):
        checked("example.org", 443, resolver=lambda host, port: ["1.1.1.1", "10.0.0.1"])


@settings(deadline=None)
@given(
    st.ip_addresses(v=4, network="10.0.0.0/8")
    | st.ip_addresses(v=4, network="127.0.0.0/8")
    | st.ip_addresses(v=6, network="fc00::/7")
)
def test_no_address_of_a_private_network_is_public(address: object) -> None:
    assert not is_public(str(address))
    if "." in str(address):
        assert not is_public(f"::ffff:{address}")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "localhost",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_every_spelling_of_this_machine_is_refused_before_anything_is_sent(site: Site, host: str) -> None:
    site.serve("/", page("Secret", "Inside."))
    asked: list[dict[str, object]] = []
    with pytest.raises(WebFailed):
        get(f"http://{host}:{site.port}/", purpose="page", tell=asked.append)
    assert site.asked == []
    assert asked == []


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "javascript:alert(1)", "data:text/html,x", "//x", ""],
)
def test_only_http_and_https_are_opened(address: str) -> None:
    with pytest.raises(WebFailed):
        get(address, purpose="page", tell=told)


def test_an_address_with_a_password_is_not_opened() -> None:
    with pytest.raises(WebFailed, match="name and password"):
        get("http://user:secret@example.org/", purpose="page", tell=told)


def test_a_page_is_fetched_and_both_ends_of_the_request_are_told(site: Site) -> None:
    address = site.serve("/fees", page("Fees", "Forty crowns."))
    said: list[dict[str, object]] = []
    got = get(address, purpose="page", tell=said.append, private=HERE)
    assert (got.url, got.status, got.media_type, got.charset) == (address, 200, "text/html", "utf-8")
    assert b"Forty crowns." in got.body
    asked, answered = said
    assert asked["asked"]["host"] == "127.0.0.1"
    assert asked["asked"]["sent"] > 80
    assert answered["answered"]["received"] > len(got.body)


def test_the_checked_address_is_connected_to_under_the_name_of_the_host(site: Site) -> None:
    """A name that would be another machine the next time it is looked up is looked up once."""
    site.serve("/", page("Fees", "Forty crowns."))
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    got = get(f"http://fees.example.org:{site.port}/", purpose="page", tell=told, resolver=rebinding, private=HERE)
    assert got.status == 200
    assert lookups == ["fees.example.org"]
    assert site.headers[0]["Host"] == f"fees.example.org:{site.port}"


def test_a_redirect_to_a_name_that_has_been_rebound_to_a_private_network_is_refused(site: Site) -> None:
    site.redirect("/", "/inside")
    site.serve("/inside", page("Secret", "Inside."))
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    with pytest.raises(WebFailed, match=r"127\.0\.0\.2"):
        get(f"http://fees.example.org:{site.port}/", purpose="page", tell=told, resolver=rebinding, private=HERE)
    assert site.asked == ["/"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://10.0.0.1:22/",
        "http://a:b@127.0.0.1/",
    ],
)
def test_a_redirect_away_from_the_public_internet_is_refused(site: Site, target: str) -> None:
    address = site.redirect("/", target)
    with pytest.raises(WebFailed):
        get(address, purpose="page", tell=told, private=HERE)
    assert len(site.asked) == 1


def test_a_loop_of_redirects_ends(site: Site) -> None:
    site.redirect("/a", "/b")
    address = site.redirect("/b", "/a")
    with pytest.raises(WebFailed, match="sends on more than 5 times"):
        get(address, purpose="page", tell=told, private=HERE)
    assert len(site.asked) == 6


def test_relative_redirects_are_followed_and_the_last_address_is_the_pages(site: Site) -> None:
    site.serve("/new", page("Fees", "Forty."))
    address = site.redirect("/old", "new#part")
    assert get(address, purpose="page", tell=told, private=HERE).url == f"{site.address}/new"


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "application/octet-stream", "video/mp4", ""])
def test_what_is_no_page_is_refused(site: Site, kind: str) -> None:
    address = site.serve("/", b"\x89PNG", kind=kind)
    with pytest.raises(WebFailed, match="no page"):
        get(address, purpose="page", tell=told, private=HERE)


def test_a_page_that_is_too_large_is_refused_not_cut(site: Site) -> None:
    limits = Limits(size_bytes=1000)
    address = site.serve("/", "x" * 1001)
    with pytest.raises(WebFailed, match="more than"):
        get(address, purpose="page", tell=told, private=HERE, limits=limits)
    address = site.serve("/", "x" * 1000)
    assert len(get(address, purpose="page", tell=told, private=HERE, limits=limits).body) == 1000


def test_a_packed_page_is_unpacked_no_further_than_the_limit(site: Site) -> None:
    small = site.serve("/small", gzip.compress(b"Forty crowns."), Content_Encoding="gzip")
    assert get(small, purpose="page", tell=told, private=HERE).body == b"Forty crowns."
    bomb = site.serve("/bomb", gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(WebFailed, match="more than"):
        get(bomb, purpose="page", tell=told, private=HERE)
    broken = site.serve("/broken", gzip.compress(b"Forty crowns." * 99)[:-20], Content_Encoding="gzip")
    with pytest.raises(WebFailed, match="breaks off"):
        get(broken, purpose="page", tell=told, private=HERE)
    unpacks_to_nothing = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 300
    nothing = site.serve("/nothing", unpacks_to_nothing, Content_Encoding="gzip")
    with pytest.raises(WebFailed, match="more than"):
        get(nothing, purpose="page", tell=told, private=HERE, limits=Limits(size_bytes=1000))
    odd = site.serve("/odd", b"...", Content_Encoding="br")
    with pytest.raises(WebFailed, match="packed as br"):
        get(odd, purpose="page", tell=told, private=HERE)


def test_a_page_that_breaks_off_is_refused_not_cut(site: Site) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"<p>Half of")

    site.pages["/"] = answer
    with pytest.raises(WebFailed, match="did not answer"):
        get(site.address + "/", purpose="page", tell=told, private=HERE)


def test_an_endless_page_ends_at_the_time_limit(site: Site) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        while True:
            handler.wfile.write(b"<p>more</p>")
            handler.wfile.flush()
            time.sleep(0.02)

    site.pages["/"] = answer
    begun = time.monotonic()
    with pytest.raises(WebFailed, match="takes longer"):
        get(site.address + "/", purpose="page", tell=told, private=HERE, limits=Limits(time_s=0.4))
    assert time.monotonic() - begun < 5


def test_a_server_that_says_nothing_is_given_up(site: Site) -> None:
    enough = threading.Event()
    site.pages["/"] = lambda handler: enough.wait(5) and None
    with pytest.raises(WebFailed, match="ReadTimeout"):
        get(site.address + "/", purpose="page", tell=told, private=HERE, limits=Limits(step_s=0.2))
    enough.set()


def test_a_machine_that_does_not_listen_cannot_be_reached(site: Site) -> None:
    said: list[dict[str, object]] = []
    with pytest.raises(WebFailed, match="cannot be reached"):
        get("http://127.0.0.1:9/", purpose="page", tell=said.append, private=HERE)
    assert [list(line) for line in said] == [["asked"]], "what was tried is told even if no answer came"


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /private", True),
        ("User-agent: Unabridged\nDisallow: /fees", False),
        ("User-agent: *\nDisallow: /*es$", False),
        ("User-agent: OtherBot\nDisallow: /", True),
        ("\0\xff garbage <html>", True),
    ],
)
def test_robots_txt_is_respected(site: Site, robots: str, allowed: bool) -> None:
    site.serve("/robots.txt", robots, kind="text/plain")
    address = site.serve("/fees", page("Fees", "Forty."))
    if allowed:
        assert isinstance(fetched(address, told, private=list(HERE)), Got)
    else:
        with pytest.raises(WebFailed, match="asks programs not to read"):
            fetched(address, told, private=list(HERE))
        assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False), (503, False)])
def test_a_missing_robots_txt_allows_and_a_broken_one_does_not(site: Site, status: int, allowed: bool) -> None:
    site.serve("/robots.txt", "", status=status)
    address = site.serve("/fees", page("Fees", "Forty."))
    if allowed:
        assert fetched(address, told, private=list(HERE)).status == 200
    else:
        with pytest.raises(WebFailed, match="cannot say now"):
            fetched(address, told, private=list(HERE))


def test_a_page_that_is_gone_is_no_page(site: Site) -> None:
    address = site.serve("/fees", page("Not found", "Sorry."), status=410)
    with pytest.raises(WebFailed, match="410"):
        fetched(address, told, private=list(HERE))
