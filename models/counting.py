"""How many tokens texts have in a model's vocabulary, without its weights: for a file that is only being considered."""

from collections.abc import Sequence
from pathlib import Path

from unabridged.models.connection import Connection


def count_tokens(path: Path, texts: Sequence[str]) -> list[int]:
    """In a process of its own, because the file may be damaged. Raises ModelFileError or EngineFailed."""
    connection = Connection()
    try:
        value, _ = connection.ask({"call": "count", "path": str(path)}, list(texts))
        return [int(count) for count in value]
    finally:
        connection.close()
