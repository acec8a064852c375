"""The network log: every request that this program made, with time, host, purpose and bytes; never what was asked.

A line is written before the request leaves and completed when its answer is there, so a crash hides nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from unabridged.store import Store


@dataclass(frozen=True, slots=True)
class Logged:
    """`sent`, `received`: bytes without what TLS adds, None where a library does not say. `status`: HTTP's, None: no answer."""

    at: str
    host: str
    purpose: str
    sent: int | None
    received: int | None
    status: int | None


class NetworkLog:
    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, *, host: str, purpose: str, sent: int | None) -> int:
        """A request that is about to be made; returns its number."""
        with self._store.transaction() as db:
            row = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "host": host, "purpose": purpose, "sent": sent}
            number: int = db.table("network_log").insert(row).last_pk  # type: ignore[assignment]  # of its INTEGER PRIMARY KEY
            return number

    def complete(self, number: int, *, received: int | None, status: int | None) -> None:
        with self._store.transaction() as db:
            db.table("network_log").update(number, {"received": received, "status": status})

    def requests(self, *, limit: int = 1000) -> list[Logged]:
        """The last ones, the newest first."""
        rows = self._store.rows(
            "SELECT at, host, purpose, sent, received, status FROM network_log ORDER BY number DESC LIMIT ?", [limit]
        )
        return [Logged(**row) for row in rows]

    def clear(self) -> None:
        with self._store.transaction() as db:
            db.table("network_log").delete_where()
