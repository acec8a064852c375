"""Fetches one model file from the hub: with progress, from where an earlier try stopped, checked against the hub's own sha256.

A connection to another machine is opened only because the user asked for this file. A part that was fetched stays beside the
file, under the name of its checksum, so that the next try goes on from there.
"""

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO
from urllib.parse import urlsplit

from unabridged.errors import HomeError, ModelFileError
from unabridged.home import Home
from unabridged.offered_models import OfferedModel
from unabridged.web.network_log import NetworkLog

METADATA_TIMEOUT_S = 15.0
STEP_BYTES = 1 << 20  # between two words of progress; the most that a broken connection makes us fetch again
_SHA256 = re.compile(r"[0-9a-f]{64}")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Downloading:
    """`done` of `total` bytes are on this machine; `checking` while their checksum is computed."""

    name: str
    done: int
    total: int
    checking: bool = False


Tell = Callable[[Downloading], None]


class _Stopped(Exception):
    """Whoever wanted the file has gone; raised where bytes arrive, which ends the transfer."""


def download(
    model: OfferedModel, home: Home, log: NetworkLog, *, endpoint: str | None = None
) -> Generator[Downloading, None, Path]:
    """Yields progress, returns the file's path in the home folder. Closing it stops; what was fetched is kept for the next try.

    Each request is written into the network log. `endpoint` is another hub than huggingface.co (or than HF_ENDPOINT).
    Raises ModelFileError, HomeError.
    """
    events: SimpleQueue[Downloading | Path | BaseException] = SimpleQueue()
    stop = threading.Event()

    def tell(event: Downloading) -> None:
        if stop.is_set():
            raise _Stopped
        events.put(event)

    def work() -> None:
        try:
            events.put(_Transfer(model, home, log, endpoint, tell).run())
        except BaseException as error:  # noqa: BLE001 passed on to the thread that asked, which raises it
            events.put(error)

    thread = threading.Thread(target=work, name="download", daemon=True)
    thread.start()
    try:
        while isinstance(event := events.get(), Downloading):
            yield event
    finally:
        stop.set()
        thread.join()  # the next try must find the part as this one leaves it
    if isinstance(event, BaseException):
        raise event
    return event


class _Transfer:
    def __init__(self, model: OfferedModel, home: Home, log: NetworkLog, endpoint: str | None, tell: Tell) -> None:
        self._model = model
        self._folder = home.models
        self._log = log
        self._endpoint = endpoint or os.environ.get("HF_ENDPOINT")
        self._tell = tell

    def run(self) -> Path:
        path = self._folder / self._model.file
        if path.is_file():
            return path
        try:
            return self._fetched(path)
        except OSError as error:
            raise _disk_error(self._folder, error) from error

    def _fetched(self, path: Path) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        address, checksum, size = self._promised()
        part = self._folder / f"{self._model.file}.{checksum[:12]}.part"
        have = part.stat().st_size if part.exists() else 0
        missing, free = size - have, shutil.disk_usage(self._folder).free
        if missing > free:
            raise HomeError(
                f"{path.name} needs {missing / 1e9:.1f} GB more, and {free / 1e9:.1f} GB are free in {self._folder}.",
                hint="Free some disk space, or set UNABRIDGED_HOME to a larger disk.",
            )
        if have < size:
            with part.open("ab") as file:
                self._receive(address, _Watched(file, have, size, self._progress), have, size)
        self._check(part, checksum, size)
        part.replace(path)
        return path

    def _promised(self) -> tuple[str, str, int]:
        """Where the file lies, its sha256 and its size in bytes, as the hub says."""
        from httpx2 import HTTPError  # what the hub's client is built on, and raises
        from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
        from huggingface_hub.errors import OfflineModeIsEnabled

        constants.HF_HUB_DISABLE_TELEMETRY = True  # no word on this machine, and no other request than these
        constants.DOWNLOAD_CHUNK_SIZE = STEP_BYTES
        url = hf_hub_url(self._model.repository, self._model.file, endpoint=self._endpoint)
        try:
            with self._logged(url):
                metadata = get_hf_file_metadata(url, token=False, timeout=METADATA_TIMEOUT_S, endpoint=self._endpoint)
        except OfflineModeIsEnabled as error:
            raise ModelFileError("HF_HUB_OFFLINE forbids fetching models.", hint="Unset it and start again.") from error
        except HTTPError as error:
            raise self._unreachable(error) from error
        if metadata.size is None or not _SHA256.fullmatch(metadata.etag or ""):
            raise ModelFileError(
                f"The hub gives no checksum for {self._model.file}.", hint="Fetch the file by hand and choose it by its path."
            )
        return metadata.location, str(metadata.etag), metadata.size

    def _receive(self, address: str, file: "_Watched", have: int, size: int) -> None:
        from httpx2 import HTTPError
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils.tqdm import silent_tqdm

        try:
            with self._logged(address, file):
                http_get(address, file, resume_size=have, expected_size=size, tqdm_class=silent_tqdm)  # type: ignore[arg-type]
        except HTTPError as error:
            raise self._unreachable(error) from error

    @contextmanager
    def _logged(self, address: str, file: "_Watched | None" = None) -> Generator[None]:
        before = file.tell() if file else 0
        number = self._log.begin(host=urlsplit(address).hostname or "", purpose="model", sent=None)
        try:
            yield
        finally:
            self._log.complete(number, received=file.tell() - before if file else None, status=None)

    def _check(self, part: Path, checksum: str, size: int) -> None:
        digest = hashlib.sha256()
        with part.open("rb") as file:
            while block := file.read(STEP_BYTES):
                digest.update(block)
                self._tell(Downloading(self._model.name, file.tell(), size, checking=True))
        if digest.hexdigest() == checksum:
            return
        part.unlink()
        raise ModelFileError(
            f"{self._model.file} did not arrive as the hub has it: its checksum differs.",
            hint="The damaged file was deleted; fetch it again.",
        )

    def _progress(self, done: int, total: int) -> None:
        self._tell(Downloading(self._model.name, done, total))

    def _unreachable(self, error: Exception) -> ModelFileError:
        response = getattr(error, "response", None)
        if response is None:
            return ModelFileError(
                "The hub cannot be reached.", hint="Check the connection; what was fetched is kept, and the next try goes on."
            )
        return ModelFileError(
            f"The hub refused {self._model.file} (HTTP {response.status_code}).",
            hint="Try again later, or fetch the file by hand and choose it by its path.",
        )


class _Watched:
    """A file that tells how much was written to it: what the hub's client asks of a file is here."""

    def __init__(self, file: BinaryIO, done: int, total: int, progress: Progress) -> None:
        self._file = file
        self._told = done
        self._total = total
        self._progress = progress

    def write(self, block: bytes) -> int:
        written = self._file.write(block)
        done = self._file.tell()
        if done - self._told >= STEP_BYTES or done == self._total:
            self._told = done
            self._progress(done, self._total)
        return written

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int) -> int:
        self._told = position
        return self._file.seek(position)

    def truncate(self) -> int:
        return self._file.truncate()


def _disk_error(folder: Path, error: OSError) -> HomeError | ModelFileError:
    if error.errno is None:  # the hub's client: fewer bytes came than were promised
        return ModelFileError("The transfer ended early.", hint="Try again: it goes on from where it stopped.")
    return HomeError(
        f"The model cannot be kept in {folder}: {error.strerror}.",
        hint="Free some disk space, or set UNABRIDGED_HOME to a larger disk.",
    )
