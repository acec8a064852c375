"""An error that nobody foresaw: where it happened is written down, what it was about (text, perhaps) is not."""

import tempfile
import time
import traceback
from pathlib import Path

from unabridged.errors import HomeError
from unabridged.home import open_home, write_whole


def report(error: Exception) -> str:
    """Write the places of the traceback into the home folder; returns what to tell the user."""
    lines = [f"{time.strftime('%Y-%m-%d %H:%M:%S')} {type(error).__module__}.{type(error).__qualname__}"]
    step: BaseException | None = error
    while step is not None:
        lines.append(type(step).__qualname__)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(step.__traceback__)]
        step = step.__cause__ or step.__context__
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06}.txt"
    try:
        path = open_home().reports / name
    except HomeError:
        path = Path(tempfile.gettempdir()) / f"unabridged-{name}"
    write_whole(path, ("\n".join(lines) + "\n").encode())
    return (
        f"unabridged: This is a fault of the program ({type(error).__qualname__}); nothing that was kept is lost.\n"
        f"Please report it with {path}, which holds no text of your documents.\n"
    )
