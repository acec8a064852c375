"""Adding a file to the library as a stream of events: the readers report by callback, the callers want an iterator to close."""

import threading
from collections.abc import Generator
from pathlib import Path
from queue import SimpleQueue

from unabridged.events import Ingesting
from unabridged.ingest.document import Document
from unabridged.library import Library


class _Stopped(Exception):
    """Whoever wanted the file has gone; raised inside the reader's callback, which ends the reader."""


def adding(
    library: Library, path: Path, *, password: str | None = None, again: bool = False
) -> Generator[Ingesting, None, Document]:
    """Yields progress, returns the Document. Closing it stops the reader. Raises what `Library.add` raises."""
    events: SimpleQueue[Ingesting | Document | BaseException] = SimpleQueue()
    stop = threading.Event()

    def progress(done: int, total: int) -> None:
        if stop.is_set():
            raise _Stopped
        events.put(Ingesting(path.name, done, total))

    def work() -> None:
        try:
            events.put(library.add(path, password=password, progress=progress, again=again))
        except BaseException as error:  # noqa: BLE001 passed on to the thread that asked, which raises it
            events.put(error)

    thread = threading.Thread(target=work, name="ingest", daemon=True)
    thread.start()
    try:
        while isinstance(event := events.get(), Ingesting):
            yield event
    finally:
        stop.set()
        thread.join()
    if isinstance(event, BaseException):
        raise event
    return event
