"""Off means off: not one packet leaves this machine, over a whole session and in every process of it.

The commands run under a seccomp filter: the kernel ends any process that makes an internet socket, whatever code asks for
one, Python, llama.cpp or a library in Rust. Every child inherits the filter. A session that comes to its end has made none,
so not even a name was looked up. The page has to listen on loopback: its filter ends whoever connects or sends to an address.
"""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import CONTRACT, written
from tests.filtered import LISTENING, SILENT, why_not
from tests.unit.web.conftest import page

ONE_AFTER_ANOTHER = """
import json, sys
from unabridged.cli import main
sys.exit(next((f"{command}: {status}" for command in json.loads(sys.argv[1]) if (status := main(command))), 0))
"""


@pytest.fixture
def filtered() -> None:
    if reason := why_not():
        pytest.skip(reason)


@pytest.mark.usefixtures("filtered")
@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "import ctypes; ctypes.CDLL(None).socket(2, 1, 0)",
        "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', 'import socket; socket.socket()']).returncode)",
        "import primp; primp.Client(timeout=2).get('http://1.1.1.1/')",
    ],
)
def test_the_filter_ends_whoever_makes_an_internet_socket(attempt: str) -> None:
    assert SILENT.run("-c", attempt).returncode in (-signal.SIGSYS, 256 - signal.SIGSYS)


@pytest.mark.usefixtures("filtered")
def test_a_whole_session_without_the_switch_makes_no_internet_socket(tmp_path: Path) -> None:
    contract = written(tmp_path / "contract.txt", CONTRACT)
    html = written(tmp_path / "page.html", page("Fees", "Forty crowns.", extra="<img src='http://1.1.1.1/x.png'>"))
    session: list[Sequence[str]] = [
        ("inspect", str(html)),
        ("ask", str(contract), "By the laws of which country is this agreement governed?", "--json"),
        ("ask", str(contract), str(html), "Who is the mayor of Oslo?"),
        ("find", "Norway"),
        ("models", "list"),
        ("doctor",),
        ("network", "log", "--json"),
    ]
    done = SILENT.run("-c", ONE_AFTER_ANOTHER, json.dumps(session))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"answer"') == 1
    assert json.loads(done.stdout[done.stdout.rindex("{") :]) == {"requests": []}


@pytest.mark.usefixtures("filtered")
def test_with_the_switch_and_a_folder_of_saved_pages_nothing_leaves_either(tmp_path: Path) -> None:
    contract = written(tmp_path / "contract.txt", CONTRACT)
    saved = tmp_path / "saved"
    saved.mkdir()
    written(saved / "mayors.html", page("Mayors", "Marianne Borgen was mayor of the city in that year."))
    written(
        Path(os.environ["UNABRIDGED_HOME"]) / "settings.json",
        json.dumps({"web_provider": "folder", "web_folder": str(saved)}),
    )
    done = SILENT.run("-m", "unabridged", "ask", str(contract), "Which mayor was Marianne Borgen?", "--web", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["citations"][0]["url"].startswith("file://")


@pytest.mark.usefixtures("filtered")
def test_with_the_switch_on_a_search_engine_the_filter_would_notice(tmp_path: Path) -> None:
    """What the tests above rest on: had anything been asked, the session would not have come through."""
    contract = written(tmp_path / "contract.txt", CONTRACT)
    written(
        Path(os.environ["UNABRIDGED_HOME"]) / "settings.json",
        json.dumps({"web_provider": "searxng", "web_address": "http://127.0.0.1:9"}),
    )
    done = SILENT.run("-m", "unabridged", "ask", str(contract), "Who is mayor?", "--query", "mayor of Oslo")
    assert done.returncode == 5
    assert "web child ended early" in done.stderr


@pytest.mark.usefixtures("filtered")
@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket().connect(('127.0.0.1', 9))",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import subprocess, sys; connect = 'import socket; socket.create_connection((chr(49) + chr(46) + chr(49), 80))'; "
        "sys.exit(subprocess.run([sys.executable, '-c', connect]).returncode)",
        "import primp; primp.Client(timeout=2).get('http://1.1.1.1/')",
    ],
)
def test_the_filter_of_the_page_ends_whoever_connects_sends_or_looks_up_a_name(attempt: str) -> None:
    assert LISTENING.run("-c", attempt).returncode in (-signal.SIGSYS, 256 - signal.SIGSYS)
    answers = (
        "import socket; a, b = socket.socketpair(); a.sendall(b'x'); socket.create_server(('127.0.0.1', 0)); print(b.recv(1))"
    )
    assert LISTENING.run("-c", answers).stdout == "b'x'\n"


@pytest.mark.usefixtures("filtered")
def test_the_page_answers_and_connects_to_nobody() -> None:
    """See tests/browser/test_nothing_leaves.py for a whole session in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = LISTENING.start("-m", "unabridged", "serve", "--no-browser", "--port", str(port), environment=os.environ)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert server.poll() is None, "the kernel ended the page"
            assert time.monotonic() < deadline, "the page did not start"
            try:
                with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.1)
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_only_the_web_child_and_the_fetching_of_models_know_how_to_connect() -> None:
    """Whoever else wants something of the network has to pass through them, and through the network log."""
    root = Path(__file__).parents[3]
    network = re.compile(
        r"^\s*(?:import|from)\s+(socket|ssl|http\.client|httpx|requests|aiohttp|ddgs|huggingface_hub|urllib3|urllib\.request)\b"
    )
    found = {
        str(path.relative_to(root))
        for folder in ("app", "ingest", "models", "ui")
        for path in (root / folder).rglob("*.py")
        if any(network.match(line) for line in path.read_text("utf-8").splitlines())
    }
    child = {
        f"app/web/{name}.py" for name in ("addresses", "certificates", "json_answer", "safe_get", "search_ddgs", "search_json")
    }
    switched_off_there = {"app/web/main_text.py"}  # socket.has_ipv6
    listening = {"ui/server.py"}
    assert found <= child | switched_off_there | listening | {"app/model_downloads.py"}
