"""Our end of the web child: what is asked of the outside goes through here and into the network log."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unabridged.errors import WebFailed
from unabridged.web.network_log import NetworkLog
from unabridged.web.providers import LONGEST_QUERY, Chosen, Result

SEARCH_S = 40.0  # all tries of one search
PAGE_S = 60.0  # robots.txt and all hops of one page
LINE_BYTES = 4 << 20
BETWEEN_SEARCHES_S = 1.0  # what providers without a paid plan ask for


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes of a page in a file that is gone when the block ends; `charset` is the server's word."""

    file: Path
    url: str
    media_type: str
    charset: str
    retrieved_at: str


class Outside:
    """`private` addresses may be fetched from all the same: see the setting web_private_addresses.

    `pause_s` is kept between two searches.
    """

    def __init__(
        self, chosen: Chosen, log: NetworkLog, *, private: Sequence[str] = (), pause_s: float = BETWEEN_SEARCHES_S
    ) -> None:
        self.provider = chosen.name
        self._chosen = chosen
        self._log = log
        self._private = list(private)
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._searched_at = float("-inf")
        self._running: set[subprocess.Popen[bytes]] = set()

    def search(self, query: str, *, limit: int) -> list[Result]:
        """Raises WebFailed."""
        with self._lock:
            time.sleep(max(0.0, min(self._pause_s, self._searched_at + self._pause_s - time.monotonic())))
            try:
                wanted = {"kind": "search", "provider": asdict(self._chosen), "query": query[:LONGEST_QUERY], "limit": limit}
                found = self._asked(wanted, "results", time_s=SEARCH_S)
            finally:
                self._searched_at = time.monotonic()
        return [Result(**item) for item in found]

    @contextmanager
    def page(self, result: Result) -> Generator[Fetched]:
        """The page behind a result. Raises WebFailed."""
        with tempfile.TemporaryDirectory(prefix="unabridged-") as folder:
            into = Path(folder) / "page"
            wanted: dict[str, object] = {"kind": "page", "url": result.url, "file": result.file, "into": str(into)}
            wanted["private"] = self._private
            found = self._asked(wanted, "page", time_s=PAGE_S)
            now = datetime.fromtimestamp(Path(result.file).stat().st_mtime, UTC) if result.file else datetime.now(UTC)
            yield Fetched(into, found["url"], found["media_type"], found["charset"], now.isoformat(timespec="seconds"))

    def stop(self) -> None:
        """End what is under way: whoever waits for it gets WebFailed."""
        for process in tuple(self._running):
            process.kill()

    def _asked(self, wanted: dict[str, object], answer: str, *, time_s: float) -> Any:  # noqa: ANN401 parsed JSON
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "unabridged.web.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the web child was started without pipes")
        self._running.add(process)
        begun = time.monotonic()
        late = threading.Timer(time_s, process.kill)
        late.start()
        open_request: int | None = None
        try:
            process.stdin.write(json.dumps({**wanted, "parent": os.getpid()}).encode() + b"\n")
            process.stdin.flush()
            while line := process.stdout.readline(LINE_BYTES):
                message = json.loads(line)
                if "asked" in message:
                    open_request = self._log.begin(**message["asked"])
                elif "answered" in message and open_request is not None:
                    self._log.complete(open_request, **message["answered"])
                    open_request = None
                elif "error" in message:
                    raise WebFailed(message["error"][0], hint=message["error"][1])
                elif answer in message:
                    return message[answer]
        except (ValueError, BrokenPipeError) as error:
            raise WebFailed("The web child speaks nonsense.", hint="Try again.") from error
        finally:
            late.cancel()
            self._running.discard(process)
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        over = time.monotonic() - begun >= time_s
        raise WebFailed(
            f"No answer came within {time_s:,.0f} seconds." if over else "The web child ended early.",
            hint="Try again, or choose another provider or page.",
        )
