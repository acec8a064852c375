"""The reader's process: reads one hostile file under limits and answers in JSON lines. Started by `reading`, never by hand.

stdin: one JSON object, the request. stdout: {"progress": [done, total]} …, then one {"document": …} or {"error": …}.
An unexpected exception is not caught: its traceback goes to stderr and the parent says that the reader stopped.
It does not know the library, the models or the network.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from unabridged import errors
from unabridged.ingest.limits import Limits
from unabridged.ingest.reader import Source, reader_for
from unabridged.ingest.validation import validate
from unabridged.ingest.wire import dumps, encode

_PROGRESS_INTERVAL_S = 0.1
_PR_SET_PDEATHSIG = 1
_NETWORK_EVENTS = frozenset(("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind"))


def main() -> None:
    answers = _own_stdout()
    request = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**request["limits"])
    _die_with(request["parent"])
    _limit(limits)
    forbid_network()
    answers.write(dumps(_answer(request, limits, answers)))
    answers.flush()
    os._exit(0)  # nothing to tidy up, and libraries' destructors cost seconds on large files


def _answer(request: dict[str, Any], limits: Limits, answers: BinaryIO) -> dict[str, object]:
    source = Source(
        path=Path(request["path"]),
        name=request["name"],
        limits=limits,
        password=request.get("password"),
        options=dict(request.get("options") or {}),
        progress=_Progress(answers),
    )
    try:
        document = reader_for(source)(source)
        if len(document.text) > limits.characters:
            raise errors.DocumentTooCostly(
                f"{source.name} holds {len(document.text):,} characters of text; the limit is {limits.characters:,}.",
                hint="Split it into parts.",
            )
        validate(document)
        return {"document": encode(document)}
    except (errors.DocumentError, errors.UsageError) as error:
        return {"error": [type(error).__name__, error.message, error.hint]}
    except MemoryError:
        return {"error": ["DocumentTooCostly", *too_costly(source.name, f"{limits.memory_bytes >> 20:,} MB of memory")]}
    except RecursionError:
        return {"error": ["DocumentDamaged", f"{source.name} nests its parts deeper than any real document.", "Save it anew."]}


def too_costly(name: str, what: str) -> tuple[str, str]:
    return f"Reading {name} took more than {what}, so it was stopped.", "Split the file, or save it anew without its pictures."


class _Progress:
    """Sends at most ten messages a second, and always the last one."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._sent_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._sent_at >= _PROGRESS_INTERVAL_S:
            self._sent_at = now
            self._answers.write(dumps({"progress": [done, total]}))
            self._answers.flush()


def _own_stdout() -> BinaryIO:
    """The pipe to the parent, kept for answers alone: what libraries print goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _die_with(parent: int) -> None:
    """End when the parent ends: by the kernel's word on Linux, else when stdin, which the parent holds open, closes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    def watch() -> None:
        while os.read(0, 1024):  # the file descriptor: a lock on sys.stdin would abort the interpreter's own end
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def forbid_network() -> None:
    """From here on no code of this process can look up a host or connect: what a document refers to is never fetched."""

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event in _NETWORK_EVENTS:
            raise PermissionError("A reader must not use the network.")

    sys.addaudithook(refuse)


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:  # the hard processor limit kills; the soft one, a second before, says why
            resource.setrlimit(
                kind, (value, value + 1 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else value)
            )
        except ValueError:  # macOS refuses RLIMIT_AS; time and size limits still hold there
            if kind != resource.RLIMIT_AS:
                raise


if __name__ == "__main__":
    main()
