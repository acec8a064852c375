"""The SQLite database of a home: opening, migrating, transactions. Knows no tables; library.py and conversations.py do."""

import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from unabridged.conversation_search import spaced
from unabridged.errors import HomeError
from unabridged.migrations import known_steps, migrations

BUSY_TIMEOUT_S = 30.0


class Store:
    """One connection for all threads of this process; other processes may have the same file open.

    Every method raises HomeError for what SQLite refuses (disk full, locked for too long, damaged, made by a newer version).
    """

    def __init__(self, path: Path | str) -> None:
        """`path` may be ":memory:", for what shall never touch the disk."""
        self.path = path
        self._lock = threading.RLock()
        with self._wrapped():
            connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
            self._db = Database(connection, execute_plugins=False)
            try:
                self._prepare()
            except BaseException:
                connection.close()
                raise

    @contextmanager
    def transaction(self) -> Generator[Database]:
        """All of it or nothing. The write lock is taken at once, so that two processes queue instead of failing half way."""
        with self._lock, self._wrapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()

    def rows(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[dict[str, Any]]:
        with self._lock, self._wrapped():
            return list(self._db.query(sql, values if isinstance(values, dict) else list(values)))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def overwrite_deleted(self) -> None:
        """Let nothing that was deleted linger in the search index or in the log of the database. Best after a deletion."""
        with self._lock, self._wrapped():
            for index in ("said", "documents_fts"):
                self._db.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")  # noqa: S608 the names stand above
            self._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _prepare(self) -> None:
        self._db.register_function(spaced, deterministic=True)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
            self._db.conn.execute(f"PRAGMA {pragma}").fetchall()
        with self.transaction() as db:
            unknown = {step.name for step in migrations.applied(db)} - known_steps()
            if unknown:
                raise HomeError(f"The library {self.path} was written by a newer version.", hint="Update unabridged.")
            migrations.apply(db)

    @contextmanager
    def _wrapped(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise HomeError(f"The library {self.path} cannot be used: {error}.", hint=_hint(error)) from error


def _hint(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text:
        return "Free some disk space and try again; nothing was lost."
    if "locked" in text or "busy" in text:
        return "Another instance is writing to it; try again in a moment."
    if "not a database" in text or "malformed" in text:
        return "Move the file away and start again, or put a copy back."
    return "Check the rights and the free space of the home folder, or set UNABRIDGED_HOME to another one."
