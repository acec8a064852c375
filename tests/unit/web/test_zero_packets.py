"""Off means off: not one packet leaves this machine, over a whole session and in every process of it.

The commands run under a seccomp filter: the kernel ends any process that makes an internet socket, whatever code asks for
one, Python, llama.cpp or a library in Rust. Every child inherits the filter. A session that comes to its end has made none,
so not even a name was looked up. The page cannot run under it, for it listens on loopback: there an audit hook, passed on
to every Python process through the environment, writes down each address that is connected or sent to, and each name that
is looked up.
"""

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import CONTRACT, written
from tests.unit.web.conftest import page

# socket(2) by architecture: AUDIT_ARCH of linux/audit.h, and the number of the call.
SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}

UNDER_FILTER = """
import ctypes, os, sys
arch, number = int(sys.argv[1]), int(sys.argv[2])
class Step(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("true", ctypes.c_ubyte), ("false", ctypes.c_ubyte), ("value", ctypes.c_uint)]
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Step))]
LOAD, EQUAL, RETURN, KILL, ALLOW = 0x20, 0x15, 0x06, 0x80000000, 0x7FFF0000
steps = [
    (LOAD, 0, 0, 4), (EQUAL, 0, 5, arch), (LOAD, 0, 0, 0), (EQUAL, 0, 4, number),
    (LOAD, 0, 0, 16), (EQUAL, 1, 0, 2), (EQUAL, 0, 1, 10), (RETURN, 0, 0, KILL), (RETURN, 0, 0, ALLOW),
]
made = (Step * len(steps))(*(Step(*step) for step in steps))
program = Program(len(steps), made)
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""

WATCH = """
import os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["UNABRIDGED_TEST_WATCH"], "a") as file:
            place = arguments[0] if event.startswith("socket.get") else arguments[1]
            file.write(repr((event, place)) + "\\n")
sys.addaudithook(watch)
"""


def under_filter(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments where an internet socket is death."""
    arch, number = SOCKET_CALLS[platform.machine()]
    return subprocess.run(
        [sys.executable, "-c", UNDER_FILTER, str(arch), str(number), *command], capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def filtered() -> None:
    if sys.platform != "linux" or platform.machine() not in SOCKET_CALLS:
        pytest.skip("seccomp is Linux's, and its numbers are known here for x86_64 and aarch64")
    if under_filter("-c", "pass").returncode == 77:
        pytest.skip("this system allows no seccomp filters")


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
    assert under_filter("-c", attempt).returncode in (-signal.SIGSYS, 256 - signal.SIGSYS)


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
    for command in session:
        done = under_filter("-m", "unabridged", *command)
        assert done.returncode == 0, (command, done.stderr)
    assert json.loads(done.stdout) == {"requests": []}


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
    done = under_filter("-m", "unabridged", "ask", str(contract), "Which mayor was Marianne Borgen?", "--web", "--json")
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
    done = under_filter("-m", "unabridged", "ask", str(contract), "Who is mayor?", "--query", "mayor of Oslo")
    assert done.returncode == 5
    assert "web child ended early" in done.stderr


def test_the_page_reaches_nothing_but_loopback(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "watching").mkdir()
    written(tmp_path / "watching" / "sitecustomize.py", WATCH)
    watched = tmp_path / "watched"
    watched.touch()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "watching"), "UNABRIDGED_TEST_WATCH": str(watched)}
    server = subprocess.Popen(
        [sys.executable, "-m", "unabridged", "serve", "--no-browser", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.2)
        else:
            pytest.fail("the page did not start")
        contract = written(tmp_path / "contract.txt", CONTRACT)
        done = subprocess.run(
            [sys.executable, "-m", "unabridged", "ask", str(contract), "Who governs?"],
            env=environment,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0
    finally:
        server.terminate()
        server.wait(timeout=20)
    places = [line for line in watched.read_text().splitlines() if line]
    assert [line for line in places if not any(own in line for own in ("127.0.0.1", "localhost", "::1"))] == []


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
