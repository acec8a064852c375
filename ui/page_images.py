"""Sheets of a PDF as PNG, drawn in a process of its own with limits: a hostile file can end that process, not this one.

A process keeps its file open, so that turning pages is quick. Passwords are kept in memory only, until this program ends.
"""

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from unabridged.errors import DocumentDamaged, DocumentEncrypted

PROCESSES_AT_HAND = 3
PAGE_TIMEOUT_S = 20.0


class PageImages:
    """`png(path, page, width)`; safe to use from several threads. Raises DocumentDamaged, DocumentEncrypted."""

    def __init__(self) -> None:
        self._passwords: dict[Path, str] = {}
        self._painters: OrderedDict[Path, _Painter] = OrderedDict()
        self._lock = threading.Lock()

    def png(self, path: Path, *, page: int, width: int) -> bytes:
        """Sheet `page` (from 1) of the PDF at `path`, `width` pixels wide."""
        return self._painter(path).png(page, width)

    def prepare(self, path: Path) -> None:
        """Start the process for a file whose sheets will be asked for in a moment."""
        self._painter(path)

    def unlock(self, path: Path, password: str) -> None:
        """From now on the file is opened with this password."""
        with self._lock:
            self._passwords[path] = password
            painter = self._painters.pop(path, None)
        if painter is not None:
            painter.end()

    def close(self) -> None:
        with self._lock:
            painters, self._painters = list(self._painters.values()), OrderedDict()
        for painter in painters:
            painter.end()

    def _painter(self, path: Path) -> "_Painter":
        with self._lock:
            painter = self._painters.get(path)
            if painter is not None and painter.ended:  # by itself, or for taking too long: its pipes are still open
                painter.end()
                painter = None
            if painter is None:
                painter = self._painters[path] = _Painter(path, self._passwords.get(path))
            self._painters.move_to_end(path)
            surplus = [self._painters.popitem(last=False)[1] for _ in range(len(self._painters) - PROCESSES_AT_HAND)]
        for old in surplus:
            old.end()
        return painter


class _Painter:
    def __init__(self, path: Path, password: str | None) -> None:
        self._first_line = json.dumps(password).encode() + b"\n"
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 our own module, run by our own interpreter
            [sys.executable, "-m", "unabridged.ui.page_painter", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def png(self, page: int, width: int) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise _undrawable(page)
        with self._lock:
            watch = threading.Timer(PAGE_TIMEOUT_S, self._process.kill)
            watch.start()
            try:
                stdin.write(self._first_line + json.dumps({"page": page, "width": width}).encode() + b"\n")
                stdin.flush()
                self._first_line = b""
                length = int(stdout.readline() or b"0")
                content = stdout.read(max(0, length))
            except (OSError, ValueError) as error:
                raise _undrawable(page) from error
            finally:
                watch.cancel()
        if length < 0:
            raise DocumentEncrypted("The pages are protected with a password.", hint="Give the password to see them.")
        if not content:
            raise _undrawable(page)
        return content

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a request on its way goes with the process
                    pipe.close()


def _undrawable(page: int) -> DocumentDamaged:
    return DocumentDamaged(f"Page {page} cannot be drawn.", hint="Its text can still be read: switch the source to text.")
