"""The reader's process: reads one hostile file under limits and answers in JSON lines. Started by `reading`, never by hand.

stdin: one JSON object, the request. stdout: {"progress": [done, total]} …, then one {"document": …} or {"error": …}.
An unexpected exception is not caught: its traceback goes to stderr and the parent says that the reader stopped.
It does not know the library, the models or the network.
"""

import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from unabridged import errors
from unabridged.ingest.confinement import die_with_parent, forbid_network, lower_limit
from unabridged.ingest.limits import Limits
from unabridged.ingest.reader import Source, reader_for
from unabridged.ingest.validation import validate
from unabridged.ingest.wire import dumps, encode

_PROGRESS_INTERVAL_S = 0.1


def main() -> None:
    answers = _own_stdout()
    request = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**request["limits"])
    die_with_parent(request["parent"])
    _end_with_stdin()
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


def _end_with_stdin() -> None:
    """End when stdin closes, which the parent holds open as long as it lives."""

    def watch() -> None:
        while os.read(0, 1024):  # the file descriptor: a lock on sys.stdin would abort the interpreter's own end
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        lower_limit(kind, most)


if __name__ == "__main__":
    main()
