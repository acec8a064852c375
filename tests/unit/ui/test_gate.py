"""What may reach the server: the right name, the same site, the routes that the page needs, the password."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from unabridged.errors import UsageError
from unabridged.ui.gate import LOOPBACK_NAMES, Gate, is_loopback
from unabridged.ui.login import FREE_TRIES, Login

PASSWORD = "a long password"


async def reached(request: Request) -> PlainTextResponse:
    return PlainTextResponse("reached", headers={"access-control-allow-origin": "*"})


def client(login: Login | None = None, *, host: str = "127.0.0.1:7860") -> TestClient:
    app = Starlette(routes=[Route("/{path:path}", reached, methods=["GET", "POST"])])
    gate = Gate(app, host_names=LOOPBACK_NAMES, login=login)
    return TestClient(gate, base_url=f"http://{host}", follow_redirects=False)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:80", "[::1]:7860"])
def test_the_page_answers_under_the_names_of_its_own_machine(host: str) -> None:
    assert client(host=host).get("/en/").text == "reached"


@pytest.mark.parametrize("host", ["evil.example:7860", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_name_that_was_bent_to_this_machine_is_refused(host: str) -> None:
    assert client(host=host).get("/en/").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
)
def test_another_site_reaches_nothing(headers: dict[str, str]) -> None:
    for path in ("/en/", "/upload", "/live", "/en/gradio_api/component_server"):
        assert client().get(path, headers=headers).status_code == 403
        assert client().post(path, headers=headers).status_code == 403


def test_a_link_from_another_site_opens_the_page() -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client().get("/en/", headers=headers).text == "reached"
    assert client().post("/upload", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/en/gradio_api/file=/etc/passwd",
        "/en/gradio_api/file=https://example.org/",
        "/en/gradio_api/file/etc/passwd",
        "/en/gradio_api/proxy=https://example.org/",
        "/en/gradio_api/deep_link",
        "/en/gradio_api/upload",
        "/en/gradio_api/info",
        "/en/gradio_api/runs",
        "/en/monitoring",
        "/en/gradio_api/vibe-edit/",
        "/docs",
        "/static/../server.py",
        "/pages/..%2f..%2fetc/passwd",
    ],
)
def test_routes_that_the_page_does_not_need_are_not_there(path: str) -> None:
    assert client().get(path).status_code == 404


def test_answers_forbid_the_browser_to_fetch_from_elsewhere() -> None:
    answer = client().get("/en/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_these_hosts_stay_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "example.org"])
def test_these_hosts_can_be_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


def test_with_a_password_nothing_is_reached_before_it() -> None:
    guarded = client(Login(PASSWORD))
    assert guarded.get("/en/", headers={"accept": "text/html"}).headers["location"] == "/login"
    for path in ("/en/gradio_api/component_server", "/live", "/pages/x/1/600.png", "/strings/en.js"):
        assert guarded.get(path).status_code == 401
    assert guarded.post("/upload").status_code == 401


def test_the_password_opens_a_session_that_ends() -> None:
    login = Login(PASSWORD)
    token = login.open(PASSWORD, address="a")
    assert login.knows(f"unabridged_session={token}")
    assert not login.knows("unabridged_session=guess")
    assert not login.knows("")
    login.close(f"unabridged_session={token}")
    assert not login.knows(f"unabridged_session={token}")


def test_wrong_tries_make_the_next_one_wait() -> None:
    now = [1000.0]
    login = Login(PASSWORD, clock=lambda: now[0])
    for _ in range(FREE_TRIES):
        assert login.open("wrong", address="a") is None
    assert login.open(PASSWORD, address="a") is None, "even the right password waits"
    assert login.open(PASSWORD, address="b") is not None, "another address does not"
    now[0] += login.seconds_to_wait("a") + 0.01
    assert login.open(PASSWORD, address="a") is not None


def test_a_session_ends_after_a_day() -> None:
    now = [1000.0]
    login = Login(PASSWORD, clock=lambda: now[0])
    token = login.open(PASSWORD, address="a")
    now[0] += 24 * 3600
    assert not login.knows(f"unabridged_session={token}")


def test_a_short_password_is_refused() -> None:
    with pytest.raises(UsageError):
        Login("short")
