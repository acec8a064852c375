"""What the command line writes: results to stdout, progress and errors to stderr. Knows events, not how they come about."""

import json
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from getpass import getpass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from unabridged.errors import DocumentEncrypted
from unabridged.events import Deciding, Event, Ingesting, Loading, PageFetched, Reading, Searching, Unsaved, Waiting
from unabridged.ingest.document import Document
from unabridged.model_downloads import Downloading
from unabridged.workspace import Workspace

Result = TypeVar("Result")
Shown = TypeVar("Shown", bound=Event | Downloading)

PASSWORD_VARIABLE = "UNABRIDGED_PDF_PASSWORD"  # noqa: S105 the name, not the password
LINE_EVERY_S = 5.0  # where progress cannot be rewritten in place


def print_json(value: Mapping[str, Any]) -> None:
    """One object; escaped where the output cannot hold every character."""
    every_character = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(value, ensure_ascii=not every_character, indent=2) + "\n")
    sys.stdout.flush()


def counted(number: int, noun: str) -> str:
    """ "1 page", "2,000 pages"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


class Progress:
    """The one line of progress on stderr: rewritten in place on a terminal, a line every few seconds elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._shown_at = float("-inf")
        self._kind: type | None = None
        self._width = 0
        self.last: Reading | None = None

    def show(self, event: Event | Downloading) -> None:
        if isinstance(event, Reading):
            self.last = event
        if isinstance(event, Unsaved):
            self.clear()
            self._stream.write(f"What is read cannot be kept on disk: {event.reason}\n")
        elif isinstance(event, PageFetched):
            self.clear()
            fate = event.problem or f"{event.characters:,} characters"
            self._stream.write(f"{event.name} {event.url}: {fate}\n")
        elif text := describe(event):
            ends = isinstance(event, Reading | Ingesting | Downloading) and event.done == event.total
            if self._terminal:
                self._stream.write("\r" + text.ljust(self._width))
                self._width = len(text)
                self._stream.flush()
            elif ends or type(event) is not self._kind or time.monotonic() - self._shown_at >= LINE_EVERY_S:
                self._shown_at, self._kind = time.monotonic(), type(event)
                self._stream.write(text + "\n")
                self._stream.flush()

    def clear(self) -> None:
        """Make room for other words."""
        if self._terminal and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._width = 0

    def follow(self, work: Generator[Shown, None, Result], also: Callable[[Shown], None] = lambda event: None) -> Result:
        """Run the work to its end, showing where it is; `also` gets each event as well."""
        with closing(work):
            while True:
                try:
                    event = next(work)
                except StopIteration as stop:
                    self.clear()
                    result: Result = stop.value
                    return result
                self.show(event)
                also(event)


def describe(event: Event | Downloading) -> str:
    """The event as a line of progress; empty for events that are not progress."""
    match event:
        case Waiting(ahead=ahead):
            return f"Waiting: {ahead} ahead"
        case Ingesting(name=name, done=done, total=total):
            return f"{name}: part {done:,} of {total:,}"
        case Loading(model=model):
            return f"Loading {model}"
        case Reading(done=done, total=total) if total:
            text = f"Reading {done * 100 // total}% · {done:,} of {total:,} tokens"
            if event.tokens_per_s:
                text += f" · {event.tokens_per_s:,.0f} tokens/s · {_duration(event.seconds_left)} left"
            return text + (f" · {event.reused:,} from before" if event.reused else "")
        case Downloading(name=name, done=done, total=total):
            verb = "Checking" if event.checking else "Fetching"
            return f"{verb} {name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        case Searching(query=query, provider=provider):
            return f"Searching {provider}: {query}"
        case Deciding(step=step, limit=limit):
            return f"Looking at what was found: step {step} of {limit}"
        case _:
            return ""


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02} min" if whole < 3600 else f"{whole // 3600}:{whole // 60 % 60:02} h"


def add_file(workspace: Workspace, file: Path, progress: Progress, *, again: bool = False) -> Document:
    """Add a file to the library. The password that it wants is the one in the environment, or is asked for on a terminal."""
    try:
        return progress.follow(workspace.add(file, again=again))
    except DocumentEncrypted:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        if file.suffix.lower() != ".pdf" or not (password or sys.stdin.isatty()):  # other formats take no password
            raise
        password = password or getpass(f"Password of {file.name}: ", stream=sys.stderr)
        return progress.follow(workspace.add(file, password=password, again=again))
