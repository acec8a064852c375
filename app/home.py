"""The home folder: where everything this program keeps stands, and nothing else. Knows paths and rights, not contents.

`UNABRIDGED_HOME` overrides the platform's own place. Several instances may share one home: the database is in WAL mode,
every file is written beside its place and renamed into it, and segments are named by their content.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from platformdirs import user_data_path
from unabridged.errors import HomeError

HINT = "Set UNABRIDGED_HOME to a folder that you can write, with some gigabytes free."


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "library.db"

    @property
    def settings(self) -> Path:
        return self.folder / "settings.json"

    @property
    def originals(self) -> Path:
        """The files that were added, each under its sha256, so that a page can be shown when the source has moved."""
        return self.folder / "originals"

    @property
    def segments(self) -> Path:
        """The KV cache of what was read; may be deleted at any time, the price is reading again."""
        return self.folder / "segments"

    @property
    def models(self) -> Path:
        """Model files that were fetched; made when the first one is."""
        return self.folder / "models"

    @property
    def instances(self) -> Path:
        """A locked file for each program that runs on this home."""
        return self.folder / "instances"

    @property
    def reports(self) -> Path:
        """Internal errors: where in the program, never with text of a document."""
        return self.folder / "reports"


def open_home(folder: Path | None = None) -> Home:
    """The home folder, made where it is missing. Raises HomeError where it cannot be made or written."""
    home = Home((folder or _chosen()).expanduser().absolute())
    try:
        for part in (home.folder, home.originals, home.segments, home.instances, home.reports):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home.folder) as probe:
            probe.write(b"\0")
    except OSError as error:
        raise HomeError(f"The home folder {home.folder} cannot be written: {error.strerror}.", hint=HINT) from error
    return home


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step: after a crash the old or the new content stands there, never a part. Raises HomeError."""
    with _replacing(path) as file:
        file.write(content)


def copy_whole(source: Path, path: Path) -> None:
    """The same with the bytes of another file."""
    with source.open("rb") as reading, _replacing(path) as file:
        shutil.copyfileobj(reading, file)


@contextmanager
def _replacing(path: Path) -> Generator[BinaryIO]:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HomeError(f"{path} cannot be written: {error.strerror}.", hint=HINT) from error


def _chosen() -> Path:
    chosen = os.environ.get("UNABRIDGED_HOME")
    return Path(chosen) if chosen else user_data_path("unabridged", appauthor=False)
