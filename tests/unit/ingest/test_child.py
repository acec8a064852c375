"""The reader's process: nothing it does reaches the network, nothing it says is believed, nothing of it stays behind."""

import subprocess
import sys
import time
from pathlib import Path

import pymupdf
import pytest
from unabridged.errors import DocumentDamaged
from unabridged.ingest.reading import ingest
from unabridged.ingest.wire import decode

CONNECT = (
    "from unabridged.ingest.confinement import forbid_network; {}"
    "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
)


def test_the_network_is_out_of_reach() -> None:
    allowed = subprocess.run([sys.executable, "-c", CONNECT.format("")], capture_output=True, text=True, check=False)
    refused = subprocess.run(
        [sys.executable, "-c", CONNECT.format("forbid_network(); ")], capture_output=True, text=True, check=False
    )
    assert "ConnectionRefusedError" in allowed.stderr
    assert "PermissionError: A reader must not use the network." in refused.stderr


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"media_type": "x", "text": 1, "blocks": [], "problems": [], "pages": [], "lines": [], "furniture": [], "details": {}},
        {
            "media_type": "x",
            "text": "",
            "blocks": [[1]],
            "problems": [],
            "pages": [],
            "lines": [],
            "furniture": [],
            "details": {},
        },
        {
            "media_type": "x",
            "text": "",
            "blocks": [],
            "problems": [["no such kind", "", ""]],
            "pages": [],
            "lines": [],
            "furniture": [],
            "details": {},
        },
    ],
)
def test_an_answer_that_describes_no_document_is_refused(answer: object) -> None:
    with pytest.raises(DocumentDamaged):
        decode(answer, id="", name="file")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_cancelled_reading_leaves_no_process(tmp_path: Path) -> None:
    seen: list[str] = []

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        seen.append(children())
        raise Cancelled

    pdf = tmp_path / "file.pdf"
    document = pymupdf.open()
    for _ in range(30):
        document.new_page().insert_text((72, 72), "Words.")
    document.save(pdf)
    with pytest.raises(Cancelled):
        ingest(pdf, progress=cancel)
    time.sleep(0.1)
    assert "unabridged.ingest.child" in seen[0]
    assert "unabridged.ingest.child" not in children()


def children() -> str:
    """Command lines of this process's children."""
    here = str(Path("/proc/self").resolve().name)
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if status.read_text().rpartition(")")[2].split()[1] == here:
                found.append((status.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return "\n".join(found)
