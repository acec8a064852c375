"""What was measured, kept from run to run: a stopped report goes on, and readers that have not changed are not asked again.

A line of JSON for every measurement. Its key holds what it depends on: for our reader the sources of ingest/, for others their
version, for all how words are compared. Delete the file to measure anew.
"""

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Kept:
    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._values: dict[str, Any] = dict(json.loads(line) for line in lines)

    def value(self, *key: str, measure: Callable[[], Any]) -> Any:  # noqa: ANN401  (what JSON can hold)
        """What was measured under this key before, else what `measure` gives."""
        name = " | ".join(key)
        if name not in self._values:
            self._values[name] = measure()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, self._values[name]], ensure_ascii=False) + "\n")
        return self._values[name]


def edition_of(tool: str) -> str:
    """A tool and what its results depend on: its version or our sources, and how words are compared."""
    ours = sorted((ROOT / "ingest").glob("*.py")) if tool.startswith("unabridged") else []
    sources = b"".join(path.read_bytes() for path in [*ours, ROOT / "tests" / "corpus" / "truth.py"])
    found = f"{tool} {hashlib.sha256(sources).hexdigest()[:12]}"
    return found if ours else f"{found} {version(tool)}"
