"""The engine process: `python -m unabridged.models.worker REQUESTS REPLIES` (two inherited pipe ends).

The main thread reads requests and answers what needs no KV cache (tokenising, template, window), so that a token count
never waits for a reading. One other thread owns the session. A third says every second that the process is alive, and ends
it when a call into llama.cpp does not come back.
The process ends when its parent does. It writes no document text anywhere but into its replies.
"""

import ctypes
import faulthandler
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

from unabridged.errors import DoesNotFit, EngineFailed, UnabridgedError
from unabridged.models import inspection
from unabridged.models.engine import DocumentSpan, EngineOptions, Sampling
from unabridged.models.messages import HUNG_STATUS, PROTOCOL, Part, read_message, write_message
from unabridged.models.open_model import OpenModel, open_model
from unabridged.models.scheduler import Event, Job, Ticket

BEAT_S = 1.0


def main() -> None:
    requests, replies = (int(number) for number in sys.argv[1:3])
    _die_with_parent()
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which then closes this process
    with os.fdopen(requests, "rb") as source, os.fdopen(replies, "wb") as sink:
        Worker(source, sink).serve()


def _die_with_parent() -> None:
    """Linux: a kill even where the end of the pipe would be noticed late."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Worker:
    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests, self._replies = requests, replies
        self._sending = threading.Lock()
        self._work: queue.SimpleQueue[tuple[dict[str, Any], list[Any]]] = queue.SimpleQueue()
        self._tickets: dict[int, Ticket] = {}
        self._model: OpenModel | None = None

    def serve(self) -> None:
        threading.excepthook = _end_with_traceback
        threading.Thread(target=self._beat, daemon=True).start()
        while (message := read_message(self._requests)) is not None:
            header, parts = message
            if header["call"] == "stop":
                break
            if header["call"] == "open":
                self._answer(header, parts)
                threading.Thread(target=self._own_session, daemon=True).start()
            elif header["call"] in ("tokenize", "frame", "window_for", *inspection.CALLS):
                self._answer(header, parts)
            else:
                self._work.put((header, parts))
                if header["call"] == "cancel" and self._model:
                    self._model.session.abort()
        os._exit(0)  # the session's thread may be inside llama.cpp; the kernel frees everything

    def _send(self, header: Mapping[str, Any], parts: tuple[Part, ...] = ()) -> None:
        with self._sending:
            write_message(self._replies, header, parts)

    def _beat(self) -> None:
        while True:
            self._send({"beat": os.getpid()})
            if self._model and self._model.session.scheduler.watch.is_overdue:
                faulthandler.dump_traceback()  # names of functions, no values
                os._exit(HUNG_STATUS)
            time.sleep(BEAT_S)

    def _answer(self, header: dict[str, Any], parts: list[Any]) -> None:
        """A call that is over at once."""
        try:
            value, arrays = self._at_once(header, parts)
            self._send({"id": header["id"], "result": value}, arrays)
        except UnabridgedError as error:
            self._send({"id": header["id"], "error": _as_json(error)})

    def _at_once(self, header: dict[str, Any], parts: list[Any]) -> tuple[Any, tuple[Part, ...]]:
        if header["call"] == "open":
            if header["protocol"] != PROTOCOL:
                raise EngineFailed("Program and engine process differ in version.", hint="Install Unabridged again.")
            options = EngineOptions(**{**header["options"], "segments_folder": Path(header["options"]["segments_folder"])})
            self._model = open_model(Path(header["path"]), options)
            return asdict(replace(self._model.info, path=str(self._model.info.path))), ()  # type: ignore[arg-type]
        if header["call"] in inspection.CALLS:
            return inspection.CALLS[header["call"]](header, parts), ()
        model = self._opened
        if header["call"] == "tokenize":
            return None, tuple(model.tokenizer.tokenize(parts))
        if header["call"] == "frame":
            frame = model.frame(parts[0])
            return None, (frame.head, frame.answer, frame.next_question)
        return model.session.window_for(header["tokens"]), ()

    @property
    def _opened(self) -> OpenModel:
        if self._model is None:
            raise EngineFailed("No model is open.", hint="Report this as a bug.")
        return self._model

    def _own_session(self) -> None:
        if self._model is None:
            return
        scheduler = self._model.session.scheduler
        while True:
            while not scheduler.busy or not self._work.empty():
                while self._work.empty() and self._model.session.idle():
                    pass
                self._take(*self._work.get())
            scheduler.step()

    def _take(self, header: dict[str, Any], parts: list[Any]) -> None:
        scheduler, number = self._opened.session.scheduler, header["id"]
        if header["call"] == "cancel":
            ticket = self._tickets.pop(number, None)
            if ticket:
                scheduler.cancel(ticket)
                self._send({"id": number, "cancelled": True})
            return

        def on_event(event: Event) -> None:
            self._send({"id": number, "event": asdict(event)})

        def on_end(result: Event, error: UnabridgedError | None) -> None:
            self._tickets.pop(number, None)
            self._send({"id": number, "error": _as_json(error)} if error else {"id": number, "result": asdict(result)})

        self._tickets[number] = scheduler.start(self._job(header, parts), on_event, on_end)

    def _job(self, header: dict[str, Any], parts: list[Any]) -> Job:
        session, key = self._opened.session, header.get("reading")
        if header["call"] == "read":
            spans = [DocumentSpan(*span) for span in header["documents"]]
            return session.read(parts[0], reserve=header["reserve"], fresh=header["fresh"], documents=spans)
        if header["call"] == "generate":
            sampling = Sampling(**header["sampling"])
            return session.generate(key, parts[0], limit=header["limit"], sampling=sampling, stop=header["stop"])
        if header["call"] == "choose":
            return session.choose(key, parts[0], parts[1:])
        return session.quote(key, parts[0], parts[1], starts=header["starts"], ends=header["ends"], limit=header["limit"])


def _end_with_traceback(failure: threading.ExceptHookArgs) -> None:
    """A thread that fails takes the process along: half a process would let its parent wait for ever."""
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    sys.stderr.flush()
    os._exit(70)


def _as_json(error: UnabridgedError) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    if isinstance(error, DoesNotFit):
        fields |= {"needed_tokens": error.needed_tokens, "window_tokens": error.window_tokens, "choices": list(error.choices)}
    return fields


if __name__ == "__main__":
    main()
