"""The model that ships with the program: it finds and quotes; it cannot reason."""

import hashlib
from importlib.resources import files
from pathlib import Path


def starter_path() -> Path:
    """The packaged GGUF."""
    return Path(str(files(__name__).joinpath("starter.gguf")))


def starter_sha256() -> str:
    """The sha256, in hex, that the packaged GGUF was committed with (`starter.json`)."""
    import json

    recorded = json.loads(files(__name__).joinpath("starter.json").read_text(encoding="utf-8"))
    return str(recorded["sha256"])


def starter_is_intact() -> bool:
    """Whether the packaged file still has that sha256; reads it whole (some 30 MB)."""
    with starter_path().open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == starter_sha256()
