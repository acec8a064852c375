"""What this machine has, what is missing, what to do. Looks and measures; changes nothing."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from unabridged.errors import ModelFileError, UnabridgedError
from unabridged.home import Home, open_home
from unabridged.library import Library
from unabridged.models.starter import starter_is_intact, starter_path
from unabridged.settings import load_settings
from unabridged.store import Store
from unabridged.workspace import Workspace

LITTLE_SPACE_BYTES = 5 << 30
REINSTALL_HINT = "Install Unabridged again."
STARTER_HINT = "The starter finds and quotes. For answers that reason: unabridged models use FILE.gguf"
OCR_HINT = 'To read scans: pip install "unabridged[ocr]"'


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
        load_settings(home)
    except UnabridgedError as error:
        return [*checks, _failed("home folder", error)]
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("home folder", lambda: home_folder(home)),
        ("library", lambda: library(home)),
        ("starter", starter),
        ("engine and model", lambda: engine(home)),
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


def library(home: Home) -> Check:
    store = Store(home.database)
    try:
        count = len(Library(home, store).entries())
    finally:
        store.close()
    return Check("library", "ok", f"{count:,} documents in {home.database}")


def starter() -> Check:
    path = starter_path()
    try:
        intact = starter_is_intact()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}.", hint=REINSTALL_HINT) from error
    if not intact:
        return Check("starter", "bad", f"{path} is not the file that was shipped", REINSTALL_HINT)
    return Check("starter", "ok", f"{path}, checksum right")


def engine(home: Home) -> Check:
    """Loads the chosen model, as the next question would."""
    with Workspace(home) as workspace:
        info = workspace.model.info()
    size = f"{info.parameters / 1e6:,.1f} M parameters"
    detail = f"{info.name} ({info.architecture}, {size}) on {info.device}, tokens by {info.tokenizer}"
    if info.finder is None:
        return Check("engine and model", "ok", detail)
    return Check("engine and model", "note", detail, STARTER_HINT)


def ocr() -> Check:
    from unabridged.ingest.ocr import is_available

    if is_available():
        return Check("OCR", "ok", "RapidOCR is installed")
    return Check("OCR", "note", "no text recognition is installed; scanned pages stay without text", OCR_HINT)


def _failed(name: str, error: UnabridgedError) -> Check:
    return Check(name, "bad", error.message, error.hint)
