"""What this machine has, what is missing, what to do. Looks and measures; changes nothing."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from unabridged.errors import UnabridgedError
from unabridged.home import Home, open_home
from unabridged.settings import load_settings

LITTLE_SPACE_BYTES = 5 << 30
TESSDATA_HINT = "To read scans, install tesseract-ocr with the languages that you need (on Debian: tesseract-ocr-chi-sim)."


@dataclass(frozen=True, slots=True)
class Check:
    """`state` is ok, note (works, could be better) or bad (something cannot work)."""

    name: str
    state: str
    detail: str
    hint: str = ""


def examine() -> list[Check]:
    """All checks, in the order in which a person would look."""
    checks = [python()]
    try:
        home = open_home()
        settings = load_settings(home)
    except UnabridgedError as error:
        return [*checks, _failed("home folder", error)]
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("home folder", lambda: home_folder(home)),
        ("library", lambda: library(home)),
        ("engine and model", lambda: engine(home, settings)),
        ("OCR", ocr),
    )
    for name, look in looks:
        try:
            checks.append(look())
        except UnabridgedError as error:
            checks.append(_failed(name, error))
    return checks


def python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)} ({sys.executable})")


def home_folder(home: Home) -> Check:
    usage = shutil.disk_usage(home.folder)
    detail = f"{home.folder}, {usage.free / 2**30:,.1f} GiB free"
    if usage.free < LITTLE_SPACE_BYTES:
        return Check("home folder", "note", detail, "Readings are kept on disk: free some space, or set UNABRIDGED_HOME.")
    return Check("home folder", "ok", detail)


def _failed(name: str, error: UnabridgedError) -> Check:
    return Check(name, "bad", error.message, error.hint)
