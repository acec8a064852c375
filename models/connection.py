"""One life of the engine process as its parent sees it: start, requests and replies by number, heartbeat, death.

The thread that starts the process also reads its replies: Linux ties a child's fate to the thread that started it.
"""

import contextlib
import itertools
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any, BinaryIO

from unabridged import errors
from unabridged.errors import DoesNotFit, EngineFailed, UnabridgedError
from unabridged.models.messages import HUNG_STATUS, BrokenMessage, Part, read_message, write_message

SILENCE_S = 60.0  # without a heartbeat the process counts as hung
WORKER = "unabridged.models.worker"


_ENVIRONMENT = {
    "GGML_NO_BACKTRACE": "1",
    # Threads of OpenMP spin at every barrier for milliseconds before they sleep; on a machine that has other work to do
    # a prefill was seen to take 28 times longer for it.
    "GOMP_SPINCOUNT": "3000",
}


class Connection:
    """`known` are the readings this process was asked for."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self._numbers = itertools.count(1)
        self._queues: dict[int, queue.SimpleQueue[tuple[dict[str, Any], list[Any]]]] = {}
        self._sending, self._started = threading.Lock(), threading.Event()
        self._death: str | None = None
        self._last_seen = time.monotonic()
        self._is_silent = False
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: BinaryIO | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        self._thread.start()
        self._started.wait()

    @property
    def alive(self) -> bool:
        return self._death is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def _live(self) -> None:
        child_in, self_out = os.pipe()
        self_in, child_out = os.pipe()
        command = [sys.executable, "-m", WORKER, str(child_in), str(child_out)]
        with os.fdopen(self_in, "rb") as replies, os.fdopen(self_out, "wb") as self._requests:
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own module
                    command,
                    pass_fds=(child_in, child_out),
                    stdin=subprocess.DEVNULL,
                    stdout=self._complaints,
                    stderr=self._complaints,
                    env={**_ENVIRONMENT, **os.environ},
                )
            except OSError as error:
                self._death = f"The engine process could not be started: {error.strerror}."
            finally:
                os.close(child_in)
                os.close(child_out)
                self._started.set()
            if self._process:
                self._receive(replies)
                self._bury(self._process)
        for waiting in list(self._queues.values()):
            waiting.put(({"death": True}, []))

    def _receive(self, replies: BinaryIO) -> None:
        try:
            while (message := read_message(replies)) is not None:
                self._last_seen = time.monotonic()
                waiting = self._queues.get(message[0].get("id", 0))
                if waiting:
                    waiting.put(message)
        except (BrokenMessage, OSError):
            pass  # death in the middle of a message

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        with self._sending:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._death = _HUNG if self._is_silent else _cause(process.returncode, self._complaints)
            self._complaints.close()

    def call(self, header: Mapping[str, Any], parts: Sequence[Part] = ()) -> Generator[Any, None, tuple[Any, list[Any]]]:
        """Yields events, returns (value, arrays); raises the errors of the other side. Closing it cancels there."""
        number, waiting = next(self._numbers), queue.SimpleQueue[tuple[dict[str, Any], list[Any]]]()
        self._queues[number] = waiting
        over = False
        try:
            self._send({**header, "id": number}, parts)
            while True:
                reply, arrays = self._next(waiting)
                over = _ends(reply)
                if "event" in reply:
                    yield reply["event"]
                elif "result" in reply:
                    return reply["result"], arrays
                elif "error" in reply:
                    raise _as_error(reply["error"])
                else:
                    raise EngineFailed(self._death or "The call was cancelled.", hint=_AFTER_DEATH)
        finally:
            if not over and self.alive:
                self._cancel(number, waiting)
            del self._queues[number]

    def ask(self, header: Mapping[str, Any], parts: Sequence[Part] = ()) -> tuple[Any, list[Any]]:
        """A call that has no events."""
        calling = self.call(header, parts)
        while True:
            try:
                next(calling)
            except StopIteration as stop:
                result: tuple[Any, list[Any]] = stop.value
                return result

    def _cancel(self, number: int, waiting: "queue.SimpleQueue[tuple[dict[str, Any], list[Any]]]") -> None:
        """Returns when the other side has let go, so that whatever is called next finds it idle."""
        try:
            self._send({"call": "cancel", "id": number})
            while not _ends(self._next(waiting)[0]):
                pass
        except EngineFailed:
            pass  # it died meanwhile: as cancelled as can be

    def _send(self, header: Mapping[str, Any], parts: Sequence[Part] = ()) -> None:
        with self._sending:
            if self._death is not None or self._requests is None:
                raise EngineFailed(self._death or "The engine process has ended.", hint=_AFTER_DEATH)
            try:
                write_message(self._requests, header, parts)
            except OSError as error:
                raise EngineFailed("The engine process has ended.", hint=_AFTER_DEATH) from error

    def _next(self, waiting: "queue.SimpleQueue[tuple[dict[str, Any], list[Any]]]") -> tuple[dict[str, Any], list[Any]]:
        while True:
            try:
                return waiting.get(timeout=1.0)
            except queue.Empty:
                if not self._thread.is_alive() and waiting.empty():
                    return {"death": True}, []
                if time.monotonic() - self._last_seen > SILENCE_S and self._process:
                    self._is_silent = True
                    self._process.kill()

    def close(self) -> None:
        """Ask it to stop, then make it."""
        with contextlib.suppress(EngineFailed):
            self._send({"call": "stop", "id": 0})
        self._thread.join(timeout=3)
        if self._thread.is_alive() and self._process:
            self._process.kill()
            self._thread.join()


_HUNG = "The engine stopped answering and was ended."
_AFTER_DEATH = "Ask again: it is restarted and goes on from what was read."


def _ends(reply: Mapping[str, Any]) -> bool:
    return not {"result", "error", "cancelled", "death"}.isdisjoint(reply)


def _cause(code: int, complaints: BinaryIO) -> str:
    """What the process said last about itself; llama.cpp and Python put no document text there."""
    complaints.seek(0)
    text = complaints.read().decode("utf-8", "replace")
    assertion = re.findall(r"GGML_ASSERT\(.*?\) failed|GGML_ABORT.*|ggml_abort.*", text)
    if assertion:
        return f"The engine crashed: {assertion[-1]}."
    raised = re.findall(r"^(\w+Error)\b", text, re.MULTILINE)
    if code == HUNG_STATUS:
        return _HUNG
    if code == -signal.SIGKILL:
        return "The engine was killed, perhaps because memory ran out."
    if code < 0:
        place = re.search(r'File ".*?(\w+)\.py", line (\d+) in (\w+)', text)  # where Python was, by its fault handler
        where = f" in {place[1]}.{place[3]}, line {place[2]}" if place else ""
        return f"The engine crashed ({signal.Signals(-code).name}{where})."
    return f"The engine stopped ({raised[-1] if raised else f'status {code}'})."


def _as_error(fields: Mapping[str, Any]) -> UnabridgedError:
    if fields["kind"] == "DoesNotFit":
        return DoesNotFit(
            needed_tokens=fields["needed_tokens"], window_tokens=fields["window_tokens"], choices=fields["choices"]
        )
    kind = getattr(errors, fields["kind"], EngineFailed)
    error: UnabridgedError = kind(fields["message"], hint=fields["hint"])
    return error
