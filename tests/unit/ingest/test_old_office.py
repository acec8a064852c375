"""Office files from before 2007 are converted by LibreOffice where it is installed, without network and without leftovers."""
# ruff: noqa: E501

import socket
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import docx
import pytest
from unabridged.errors import DocumentDamaged, DocumentError, DocumentTooCostly, DocumentUnsupported
from unabridged.ingest.limits import Limits
from unabridged.ingest.office_conversion import find_office, readable
from unabridged.ingest.reading import ingest

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
needs_office = pytest.mark.skipif(find_office() is None, reason="LibreOffice is not installed")


def old_file(folder: Path, stream: str = "WordDocument", name: str = "lease.doc") -> Path:
    """What an Office file from before 2007 begins with, and the name of the stream that tells its program."""
    path = folder / name
    path.write_bytes(OLE + bytes(500) + stream.encode("utf-16-le") + bytes(500))
    return path


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a `soffice` that does what the test wants is looked for first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return folder / "soffice"


def behaves(office: Path, script: str) -> None:
    office.write_text(f"#!/bin/sh\n{script}\n")
    office.chmod(office.stat().st_mode | stat.S_IXUSR)


def leftovers(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "temporary").iterdir())


def test_an_old_word_file_is_read_through_its_conversion(tmp_path: Path, office: Path) -> None:
    made = docx.Document()
    made.add_paragraph("The rent is due.")
    made.save(str(tmp_path / "made.docx"))
    behaves(office, f'echo "$@" > {tmp_path}/arguments; cp {tmp_path}/made.docx document.docx')
    document = ingest(old_file(tmp_path))
    assert document.text == "The rent is due."
    assert document.name == "lease.doc"
    assert document.details["converted by"] == "LibreOffice"
    arguments = (tmp_path / "arguments").read_text()
    assert "--headless" in arguments
    assert "-env:UserInstallation=file://" in arguments
    assert "--convert-to docx" in arguments
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("stream", "name", "target"), [("Workbook", "a.xls", "xlsx"), ("Book", "b.xls", "xlsx"), ("PowerPoint Document", "c.ppt", "pptx")]
)
def test_old_sheets_and_slides_are_converted_too(tmp_path: Path, office: Path, stream: str, name: str, target: str) -> None:
    behaves(office, f'echo "$@" > {tmp_path}/arguments')
    with pytest.raises(DocumentDamaged, match="could not convert"):
        ingest(old_file(tmp_path, stream, name))
    assert f"--convert-to {target}" in (tmp_path / "arguments").read_text()


def test_libreoffice_that_hangs_is_stopped_with_all_that_it_started(tmp_path: Path, office: Path) -> None:
    behaves(office, f"sleep 61 & echo $! > {tmp_path}/pid; wait")
    started = time.monotonic()
    with pytest.raises(DocumentTooCostly, match="LibreOffice worked more than"):
        ingest(old_file(tmp_path), limits=Limits(silence_s=1))
    assert time.monotonic() - started < 20
    assert not alive(tmp_path / "pid")
    assert leftovers(tmp_path) == []


def alive(pid_file: Path) -> bool:
    status = Path(f"/proc/{pid_file.read_text().strip()}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_a_conversion_can_be_cancelled(tmp_path: Path, office: Path) -> None:
    behaves(office, "sleep 61")

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        ingest(old_file(tmp_path), progress=cancel)
    assert leftovers(tmp_path) == []


def test_what_libreoffice_writes_is_limited(tmp_path: Path, office: Path) -> None:
    behaves(office, "head -c 3000000 /dev/zero > document.docx")
    with pytest.raises(DocumentError):
        ingest(old_file(tmp_path), limits=Limits(unpacked_bytes=1 << 20))
    assert leftovers(tmp_path) == []


def test_without_libreoffice_the_hint_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DocumentUnsupported) as caught:
        ingest(old_file(tmp_path))
    assert "before 2007" in caught.value.message
    assert "LibreOffice" in caught.value.hint


def test_an_outlook_mail_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnsupported) as caught:
        ingest(old_file(tmp_path, "__substg1.0_0037001F", "letter.msg"))
    assert ".eml" in caught.value.hint


def converted(source: Path, suffix: str) -> Path:
    """What LibreOffice makes of a file when nobody keeps it from anything."""
    profile = (source.parent / "own").as_uri()
    subprocess.run(
        [find_office() or "", "--headless", f"-env:UserInstallation={profile}", "--convert-to", suffix, "--outdir", str(source.parent), str(source)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return source.with_suffix(f".{suffix.partition(':')[0]}")


@needs_office
def test_a_real_old_word_file_keeps_its_numbers_and_clauses(tmp_path: Path) -> None:
    lease = docx.Document()
    lease.add_heading("Lease", 1)
    lease.add_paragraph("第一条 甲方应当支付租金。")
    lease.add_paragraph("The roof is repaired.", style="List Number")
    lease.add_table(1, 2).cell(0, 0).text = "Fee"
    lease.tables[0].cell(0, 1).text = "nine"
    lease.add_paragraph("Signed.")
    lease.save(str(tmp_path / "lease.docx"))
    path = converted(tmp_path / "lease.docx", "doc")
    assert path.read_bytes().startswith(OLE)
    document = ingest(path)
    assert document.text == "Lease\n\n第一条 甲方应当支付租金。\n\n1. The roof is repaired.\n\nFee | nine\n\nSigned."
    assert document.blocks[1].anchor.path.endswith("第一条")


@needs_office
def test_libreoffice_fetches_nothing_that_the_file_links_to(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        requests: list[bytes] = []
        threading.Thread(target=answer, args=(server, requests), daemon=True).start()
        page = f'<p>Words.</p><img src="http://127.0.0.1:{server.getsockname()[1]}/picture.png" width="9" height="9">'
        (tmp_path / "linked.html").write_text(page)
        path = converted(tmp_path / "linked.html", "doc:MS Word 97")
        requests.clear()
        converted(path, "odt")
        assert requests  # left alone, it does fetch what this file links to
        requests.clear()
        assert ingest(path).text == "Words."
        assert requests == []


def answer(server: socket.socket, requests: list[bytes]) -> None:
    with suppress(OSError):  # the test has ended
        while True:
            connection, _ = server.accept()
            requests.append(connection.recv(200))
            connection.close()


def test_other_files_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("Words.")
    with readable(path, limits=Limits(), progress=None) as found:
        assert found == path
