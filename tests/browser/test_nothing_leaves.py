"""A whole session in the page, web switch off: server, reader, engine and all their children under a filter of the kernel.

Whoever of them connects to anything, sends to an address or looks up a name is ended, and with it the session; see
tests/filtered.py, and tests/unit/web/test_zero_packets.py for what the filter is known to end.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, drop
from tests.filtered import LISTENING, why_not


@pytest.fixture
def filtered_page() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    if reason := why_not():
        pytest.skip(reason)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = LISTENING.start("-m", "unabridged", "serve", "--no-browser", "--port", str(port), environment=os.environ)
    address = f"http://127.0.0.1:{port}/"
    deadline = time.monotonic() + 90
    while True:
        assert server.poll() is None
        assert time.monotonic() < deadline, "the page did not start"
        try:
            urlopen(address, timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    yield address, server
    server.terminate()
    server.wait(timeout=20)


def test_a_whole_session_connects_to_nobody(
    filtered_page: tuple[str, "subprocess.Popen[bytes]"], visit: Callable[..., Visitor], contract: Path
) -> None:
    address, server = filtered_page
    visitor = visit()
    page = visitor.open(address)
    drop(page, contract)
    expect(page.get_by_role("checkbox", name="Read contract.txt")).to_be_checked()
    page.locator("#ub-question").fill("By the laws of which country is this agreement governed?")
    page.keyboard.press("Enter")
    page.locator(".ub-answer .ub-cite").first.click(timeout=120_000)
    expect(page.locator("mark.ub-cited").first).to_contain_text("Norway")
    assert server.poll() is None, "the kernel ended the page"
    assert visitor.hosts == {address.split("/")[2]}
    assert visitor.faults == []
