"""The routes beside Gradio's page: uploads, page images, strings, news; and which host needs a password."""

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from starlette.testclient import TestClient
from unabridged.errors import DocumentDamaged, UsageError
from unabridged.home import Home
from unabridged.ui import server
from unabridged.ui.page_images import PageImages
from unabridged.ui.server import build_app, serve
from unabridged.workspace import Workspace

from tests.fakes import FakeEngines

PNG = b"\x89PNG\r\n\x1a\n"
LOCAL = "http://127.0.0.1:7860"


@pytest.fixture
def workspace(home: Home, engines: FakeEngines) -> Iterator[Workspace]:
    with Workspace(home, start_engine=engines.start) as opened:
        yield opened


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    with TestClient(build_app(workspace), base_url=LOCAL, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "two pages.pdf"
    with pymupdf.open() as document:
        for words in ("The first page is about apples.", "The second page is about pears."):
            document.new_page(width=300, height=200).insert_text((40, 60), words)
        document.save(path)
    return path


def upload(client: TestClient, workspace: Workspace, path: Path) -> str:
    """Send a file and wait until it is in the library; its id."""
    answer = client.post("/upload", params={"name": path.name}, content=path.read_bytes())
    assert answer.status_code == 200
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for entry in workspace.library.entries():
            if entry.name == path.name:
                return entry.id
        time.sleep(0.05)
    raise AssertionError("the file did not arrive")


def test_a_sent_file_is_read_and_its_pages_are_drawn(client: TestClient, workspace: Workspace, pdf: Path) -> None:
    document = upload(client, workspace, pdf)
    first, second = (client.get(f"/pages/{document}/{number}/600.png") for number in (1, 2))
    assert first.content.startswith(PNG)
    assert second.content.startswith(PNG)
    assert first.content != second.content
    assert client.get(f"/pages/{document}/3/600.png").status_code == 404
    assert client.get(f"/pages/{document}/1/60000.png").status_code == 404
    assert client.get("/pages/ffffffff/1/600.png").status_code == 404
    assert not list(workspace.home.folder.glob("uploads-*/*"))


def test_what_a_killed_server_left_behind_goes(workspace: Workspace) -> None:
    old, new = workspace.home.folder / "uploads-old", workspace.home.folder / "uploads-new"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    build_app(workspace)
    assert not old.exists()
    assert new.exists(), "another server may be using it"


def test_a_file_that_is_too_large_is_refused_in_words(
    client: TestClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UPLOAD_BYTES", 1 << 20)
    answer = client.post("/upload", params={"name": "large.txt"}, content=b"x" * (2 << 20))
    assert answer.status_code == 413
    assert "large.txt is larger than the 1 MB" in answer.json()["error"]
    assert workspace.library.entries() == []
    assert not list(workspace.home.folder.glob("uploads-*/*"))


def test_the_front_door_leads_to_the_language_of_the_browser(client: TestClient, workspace: Workspace) -> None:
    assert client.get("/", headers={"accept-language": "zh-CN"}).headers["location"] == "/zh/"
    assert client.get("/", headers={"accept-language": "de"}).headers["location"] == "/en/"
    workspace.change_settings(language="zh")
    assert client.get("/", headers={"accept-language": "de"}).headers["location"] == "/zh/"
    assert client.get("/", headers={"cookie": "unabridged_language=en"}).headers["location"] == "/en/"


def test_the_strings_of_a_language_come_as_a_script(client: TestClient) -> None:
    script = client.get("/strings/zh.js").text
    kept = json.loads(script.removeprefix("window.unabridgedStrings = ").removesuffix(";"))
    assert kept["texts"]["documents"] == "文档"
    assert client.get("/strings/xx.js").status_code == 404


def test_the_page_names_no_other_host(client: TestClient) -> None:
    elsewhere = re.compile(r"""(src|href)=["']https?:|url\(["']?https?:|@import|fonts\.googleapis""")
    for path in ("/en/", "/en/theme.css", "/static/unabridged.css"):
        assert not elsewhere.search(client.get(path).text), path


def test_files_of_the_machine_are_not_served(client: TestClient, home: Home) -> None:
    for path in ("/etc/passwd", str(home.database)):
        assert client.get(f"/en/gradio_api/file={path}").status_code == 404
        assert client.get(f"/static/..{path}").status_code == 404


def test_a_host_that_others_can_reach_demands_a_password(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNABRIDGED_PASSWORD", raising=False)
    with pytest.raises(UsageError) as refusal:
        serve(workspace, host="0.0.0.0", open_browser=False)
    assert "password" in refusal.value.message


def test_the_password_opens_the_page(workspace: Workspace) -> None:
    with TestClient(build_app(workspace, password="correct horse"), base_url=LOCAL, follow_redirects=False) as guarded:
        assert guarded.get("/", headers={"accept": "text/html"}).headers["location"] == "/login"
        assert "password" in guarded.get("/login").text
        assert guarded.post("/login", data={"password": "wrong"}).status_code == 403
        entered = guarded.post("/login", data={"password": "correct horse"})
        assert entered.status_code == 303
        assert "httponly" in entered.headers["set-cookie"].lower()
        assert guarded.get("/en/").status_code == 200
        guarded.post("/logout")
        assert guarded.get("/en/", headers={"accept": "*/*"}).status_code == 401


def test_a_hostile_pdf_ends_its_painter_only(tmp_path: Path, pdf: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + b"\0" * 2000)
    images = PageImages()
    with pytest.raises(DocumentDamaged):
        images.png(broken, page=1, width=600)
    assert images.png(pdf, page=1, width=600).startswith(PNG)
    images.close()


def test_pages_are_drawn_for_several_threads_at_once(pdf: Path) -> None:
    images = PageImages()
    made: list[bytes] = []

    def draw(page: int) -> None:
        made.append(images.png(pdf, page=page, width=600))

    threads = [threading.Thread(target=draw, args=(page,)) for page in (1, 2, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    images.close()
    assert len(set(made)) == 2
    assert len(made) == 4


def test_a_page_that_is_being_asked_for_does_not_hinder_the_end(tmp_path: Path) -> None:
    images = PageImages()
    painter = images._painter(tmp_path / "none.pdf")
    assert painter._process.stdin is not None
    painter._process.kill()
    painter._process.wait()
    painter._process.stdin.write(b"half a request")  # still in this process's buffer
    images.close()
    assert painter._process.stdout is not None
    assert painter._process.stdout.closed
