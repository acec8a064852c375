"""Which running programs share this home. Each holds a lock on a file of its own, which the system lets go when it dies.

So a turn whose program was killed in mid-answer can be told from one that another program is still answering.
"""

import fcntl
import os
import uuid
from pathlib import Path

from unabridged.errors import HomeError


class Instance:
    """This program, for as long as it holds its lock. Raises HomeError where the lock cannot be made."""

    def __init__(self, folder: Path) -> None:
        self.id = uuid.uuid4().hex
        self._path = folder / f"{self.id}.lock"
        try:
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HomeError(f"{folder} cannot hold locks: {error.strerror}.", hint="Put the home on a local disk.") from error

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def is_alive(folder: Path, instance_id: str) -> bool:
    """Whether the program of that id still runs; the file of one that does not is removed."""
    path = folder / f"{instance_id}.lock"
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(file)
