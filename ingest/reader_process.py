"""Our end of the reader's process: start it, talk JSON lines with it, stop it with everything it started.

Believes nothing it is told: sizes are capped, kinds of errors are looked up, a silent or talkative child is stopped in time.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from unabridged import errors
from unabridged.ingest.limits import Limits

_CHUNK_BYTES = 1 << 18
_STDERR_KEPT_BYTES = 4096
_DAMAGED_HINT = "The file may be damaged; open it with the program that wrote it and save it anew."

Message = dict[str, object]


def read_in_process(request: Message, *, name: str, limits: Limits, progress: Callable[[int, int], None] | None) -> object:
    """The document that the child answers with, as parsed JSON. Raises DocumentErrors; `progress` may raise to cancel."""
    with _started() as process:
        for message in _messages(process, request, name, limits):
            if "progress" in message:
                done, total = _two_numbers(message["progress"], name)
                if progress is not None:
                    progress(done, total)
            elif "document" in message:
                return message["document"]
            elif "error" in message:
                raise _error(message["error"], name)
            else:
                raise _stopped(name, "its answer makes no sense")
    raise _stopped(name, "it ended without an answer")


@contextmanager
def _started() -> Iterator["subprocess.Popen[bytes]"]:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("UNABRIDGED_")}  # keys and passwords
    environment = {key: value for key, value in ours.items() if not key.lower().endswith("_proxy")}
    environment |= {"PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "unabridged.ingest.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=environment,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _messages(process: "subprocess.Popen[bytes]", request: Message, name: str, limits: Limits) -> Iterator[Message]:
    """Every line of the child as parsed JSON; when it ends without being asked to, the DocumentError that says how."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("the reader's process was started without pipes")
    deadline = time.monotonic() + limits.silence_s
    pending, received, complaints = bytearray(), 0, b""
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it ended at once; its exit status, read below, says why
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            remaining = deadline - time.monotonic()
            ready = selector.select(remaining) if remaining > 0 else []
            if not ready and time.monotonic() >= deadline:
                raise _too_costly(name, f"{limits.silence_s:,.0f} seconds for one step")
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    complaints = (complaints + chunk)[-_STDERR_KEPT_BYTES:]
                else:
                    received += len(chunk)
                    if received > limits.answer_bytes:
                        raise _too_costly(name, f"{limits.answer_bytes >> 20:,} MB for its text")
                    deadline = time.monotonic() + limits.silence_s
                    yield from _lines(pending, chunk, name)
    raise _ended(process.wait(), complaints, name, limits)


def _lines(pending: bytearray, chunk: bytes, name: str) -> Iterator[Message]:
    first, *rest = chunk.split(b"\n")
    pending += first
    for following in rest:
        try:
            message = json.loads(pending)
        except ValueError as error:
            raise _stopped(name, "its answer makes no sense") from error
        if not isinstance(message, dict):
            raise _stopped(name, "its answer makes no sense")
        yield message
        pending[:] = following


def _ended(status: int, complaints: bytes, name: str, limits: Limits) -> errors.DocumentError:
    if status == -signal.SIGXCPU:
        return _too_costly(name, f"{limits.cpu_s:,} seconds of processor time")
    if status < 0:
        return _stopped(name, f"it was ended by {signal.Signals(-status).name}")
    if b"MemoryError" in complaints or b"bad_alloc" in complaints:
        return _too_costly(name, f"{limits.memory_bytes >> 20:,} MB of memory")
    return _stopped(name, _exception_name(complaints))


def _exception_name(complaints: bytes) -> str:
    """The class of the exception at the end of a traceback; never its message, which may hold text of the document."""
    last = complaints.decode("utf-8", "replace").strip().rpartition("\n")[2]
    kind = last.partition(":")[0].rpartition(".")[2]
    return kind if kind.isidentifier() else "it ended without an answer"


def _error(fields: object, name: str) -> errors.DocumentError | errors.UsageError:
    kind, message, hint = fields if isinstance(fields, list) and len(fields) == 3 else ("", "", "")
    found = getattr(errors, str(kind), None)
    if not (isinstance(found, type) and issubclass(found, (errors.DocumentError, errors.UsageError))):
        return _stopped(name, "its answer makes no sense")
    return found(str(message), hint=str(hint))


def _two_numbers(value: object, name: str) -> tuple[int, int]:
    match value:
        case [int(done), int(total)]:
            return done, total
    raise _stopped(name, "its answer makes no sense")


def _too_costly(name: str, what: str) -> errors.DocumentTooCostly:
    return errors.DocumentTooCostly(
        f"Reading {name} took more than {what}, so it was stopped.",
        hint="Split the file, or save it anew without its pictures.",
    )


def _stopped(name: str, why: str) -> errors.DocumentDamaged:
    return errors.DocumentDamaged(f"{name} could not be read: the reader stopped ({why}).", hint=_DAMAGED_HINT)
