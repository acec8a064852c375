"""The engine process: it may die in any way, and it never outlives or takes along the program."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.errors import EngineFailed
from unabridged.models.connection import Connection
from unabridged.models.engine import EngineOptions, Sampling, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.messages import BrokenMessage, read_message, write_message

from tests.unit.models.conftest import drained

Document = Callable[[int], Tokens]


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int, within_s: float = 10) -> bool:
    end = time.monotonic() + within_s
    while exists(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not exists(pid)


def test_closing_leaves_no_process(tiny_model: Path, options: EngineOptions) -> None:
    engine = EngineProcess(tiny_model, options)
    engine.close()
    engine.close()
    assert gone(engine.pid)
    with pytest.raises(EngineFailed):
        engine.tokenize(["a"])


def test_the_process_ends_when_its_parent_is_killed(tiny_model: Path, options: EngineOptions) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from unabridged.models.engine import EngineOptions; from unabridged.models.engine_process import EngineProcess\n"
        "print(EngineProcess(Path(sys.argv[1]), EngineOptions(Path(sys.argv[2]))).pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tiny_model), str(options.segments_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert exists(child)
        parent.kill()
    assert gone(child)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_any_death_is_an_error_with_a_hint_and_the_next_call_works(
    engine: EngineProcess, document: Document, end: signal.Signals
) -> None:
    reading = drained(engine.read(document(600), reserve=4000))
    stream = engine.generate(reading, document(9), limit=4000, sampling=Sampling(grammar='root ::= "a" root'))  # has no end
    next(stream)
    dead = engine.pid
    os.kill(dead, end)
    with pytest.raises(EngineFailed, match="killed" if end == signal.SIGKILL else f"crashed .{end.name}") as failure:
        drained(stream)
    assert failure.value.hint
    assert drained(engine.generate(reading, document(9), limit=3)).reused == 600
    assert not Path(f"/proc/{dead}").exists()  # not even as a zombie


def test_a_frozen_process_is_found_out(
    tiny_model: Path, options: EngineOptions, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unabridged.models.connection.SILENCE_S", 2.0)
    with EngineProcess(tiny_model, options) as engine:
        os.kill(engine.pid, signal.SIGSTOP)
        with pytest.raises(EngineFailed):
            drained(engine.read(document(600)))
        assert drained(engine.read(document(600))).tokens == 600


def test_a_call_into_llama_cpp_that_never_returns_is_found_out(
    tiny_model: Path, options: EngineOptions, document: Document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The heartbeat goes on there: another thread sends it. Only the watch over the batch can tell."""
    monkeypatch.setattr("unabridged.models.connection.WORKER", "tests.unit.models.hanging_worker")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("HANG_ONCE", str(tmp_path / "hung"))
    with EngineProcess(tiny_model, options) as engine:
        reading = engine.read(document(1500))
        with pytest.raises(EngineFailed, match="stopped answering"):
            drained(reading)
        assert (tmp_path / "hung").exists()
        again = drained(engine.read(document(1500)))
        assert again.reused >= 256
        assert again.reused + again.evaluated == 1500


def test_a_program_and_an_engine_process_of_different_versions_do_not_talk(tiny_model: Path) -> None:
    connection = Connection()
    with pytest.raises(EngineFailed, match="version"):
        connection.ask({"call": "open", "protocol": 0, "path": str(tiny_model), "options": {}})
    connection.close()


def test_what_the_engine_refuses_does_not_end_it(engine: EngineProcess, document: Document) -> None:
    reading = drained(engine.read(document(300)))
    pid = engine.pid
    with pytest.raises(EngineFailed):
        drained(engine.generate(reading, np.array([10**6], np.int32), limit=3))
    with pytest.raises(EngineFailed):
        drained(engine.read(np.array([5, -1], np.int32)))
    assert drained(engine.generate(reading, document(9), limit=3)).tokens
    assert engine.pid == pid


def test_nothing_of_a_document_is_written_but_into_segments(
    tiny_model: Path, options: EngineOptions, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret = "Xylophone-Quagmire-77"
    with EngineProcess(tiny_model, options) as engine:
        tokens = engine.tokenize([secret * 50])[0]
        drained(engine.generate(drained(engine.read(tokens)), tokens[:5], limit=4))
        assert "ylophone" not in Path(f"/proc/{engine.pid}/cmdline").read_text()
    out, err = capfd.readouterr()
    assert "ylophone" not in out + err
    for path in options.segments_folder.rglob("*"):
        assert path.is_dir() or b"ylophone" not in path.read_bytes()


@given(st.dictionaries(st.text(max_size=5), st.integers()), st.lists(st.text(max_size=9)), st.data())
def test_messages_arrive_whole_or_not_at_all(header: dict[str, int], texts: list[str], data: st.DataObject) -> None:
    pipe = BytesIO()
    write_message(pipe, header, [*texts, np.arange(7, dtype=np.int32)])
    raw = pipe.getvalue()
    message = read_message(BytesIO(raw))
    assert message is not None
    assert message[0] == header
    assert message[1][:-1] == texts
    assert message[1][-1].tolist() == list(range(7))
    cut = data.draw(st.integers(1, len(raw) - 1))
    with pytest.raises(BrokenMessage):
        read_message(BytesIO(raw[:cut]))
    assert read_message(BytesIO(b"")) is None
