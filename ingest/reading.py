"""A file becomes a Document: checks the path, has it read in a process of its own, and checks what comes back.

Knows no format, and keeps nothing: no temporary file, no process is left behind.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from unabridged import errors
from unabridged.ingest.document import Document
from unabridged.ingest.limits import Limits
from unabridged.ingest.office_conversion import readable
from unabridged.ingest.reader_process import read_in_process
from unabridged.ingest.validation import validate
from unabridged.ingest.wire import decode

_EMPTY_HINT = "Choose a file with text in it, or export it again from the program that wrote it."


def ingest(
    path: Path,
    *,
    password: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = Limits(),  # noqa: B008  (a frozen value)
    options: dict[str, str] | None = None,
) -> Document:
    """Read a file. `progress(done, total)` counts pages, or parts of the work where a format has no pages.

    `options` are the reader's own: {"encoding": "gb18030"} for text.
    Raises the DocumentError that fits. An exception from `progress` stops the reader and passes through: that is how to cancel.
    A document whose pages are all without text (scans) is returned with its problems, so that the user sees which.
    """
    size_bytes = _size(path, limits)
    if size_bytes == 0:
        raise errors.DocumentEmpty(f"{path.name} is empty (0 bytes).", hint=_EMPTY_HINT)
    with readable(path, limits=limits, progress=progress) as found:
        request: dict[str, object] = {
            "path": str(found.resolve()),
            "name": path.name,
            "password": password,
            "options": options or {},
            "limits": asdict(limits),
            "parent": os.getpid(),
        }
        answer = read_in_process(request, name=path.name, limits=limits, progress=progress)
    document = decode(answer, id=sha256(path), name=path.name)
    if found != path:
        document = replace(document, details={**document.details, "converted by": "LibreOffice"})
    validate(document)
    if not document.text.strip() and not document.pages:
        raise errors.DocumentEmpty(f"{path.name} holds no text.", hint=_EMPTY_HINT)
    return document


def sha256(path: Path) -> str:
    """Of the file's bytes, in hex: the document's identity."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path, limits: Limits) -> int:
    """The size of a regular file that may be opened and is not too large, in bytes."""
    try:
        if path.is_dir():
            raise errors.DocumentMissing(
                f"{path} is a folder, not a file.", hint="Name the files inside it, for example with *.pdf."
            )
        if path.exists() and not path.is_file():
            raise errors.DocumentMissing(f"{path} is not a regular file.", hint="Save its content as a file first.")
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise errors.DocumentMissing(
            f"There is no file {path}.", hint="Check the path and the spelling of the name."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise errors.DocumentMissing(
            f"{path} cannot be opened ({reason}).", hint="Check that you may read the file."
        ) from error
    if size_bytes > limits.size_bytes:
        raise errors.DocumentTooCostly(
            f"{path.name} has {size_bytes / 2**20:,.0f} MB; files up to {limits.size_bytes / 2**20:,.0f} MB are read.",
            hint="Split it into parts, or save it anew with smaller pictures.",
        )
    return size_bytes
