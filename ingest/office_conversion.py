"""Office files from before 2007 (.doc, .xls, .ppt) made into today's formats by LibreOffice, where that is installed.

LibreOffice runs as a process of its own under limits (`office_launcher`), with a profile made for this one file and thrown away
with everything it wrote. What it makes is read like any other hostile file. Knows which formats are meant, not what is in them.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from unabridged.errors import DocumentDamaged, DocumentTooCostly
from unabridged.ingest.limits import Limits
from unabridged.ingest.old_office import kind_of

_TARGETS = {"doc": "docx", "xls": "xlsx", "ppt": "pptx"}
_POLL_S = 0.2
# No macros, nothing that a document links to, and a proxy that nobody listens on where the system gives no network namespace.
_SETTINGS = {
    "/org.openoffice.Office.Common/Security/Scripting": {
        "DisableMacrosExecution": "true",
        "BlockUntrustedRefererLinks": "true",
        "MacroSecurityLevel": "3",
    },
    "/org.openoffice.Inet/Settings": {
        "ooInetProxyType": "2",
        "ooInetHTTPProxyName": "127.0.0.1",
        "ooInetHTTPProxyPort": "9",
        "ooInetHTTPSProxyName": "127.0.0.1",
        "ooInetHTTPSProxyPort": "9",
    },
}


def find_office() -> str | None:
    """The program, or None where LibreOffice is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


@contextmanager
def readable(path: Path, *, limits: Limits, progress: Callable[[int, int], None] | None) -> Iterator[Path]:
    """The file itself or, for an old Office file, its conversion, which is deleted afterwards.

    Without LibreOffice it is the file itself, too: the reader refuses it with a hint. Raises DocumentDamaged where nothing
    comes out, DocumentTooCostly past the limits; `progress(0, 1)` is called while LibreOffice works and may raise to cancel.
    """
    office, kind = find_office(), kind_of(path)
    if office is None or kind not in _TARGETS:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="unabridged-office-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        copy = folder / f"document.{kind}"
        shutil.copyfile(path, copy)
        _write_settings(folder / "profile" / "user")
        yield _converted(office, copy, path.name, limits, progress)


def _converted(office: str, copy: Path, name: str, limits: Limits, progress: Callable[[int, int], None] | None) -> Path:
    """Run LibreOffice over `copy`; the file it made."""
    result = copy.with_suffix("." + _TARGETS[copy.suffix[1:]])
    command = [
        office, "--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck",
        f"-env:UserInstallation={(copy.parent / 'profile').as_uri()}",
        "--convert-to", result.suffix[1:], "--outdir", str(copy.parent), str(copy),
    ]  # fmt: skip
    launcher = [sys.executable, "-P", "-m", "unabridged.ingest.office_launcher", str(os.getpid()), json.dumps(asdict(limits))]
    folder = str(copy.parent)
    process = subprocess.Popen(  # noqa: S603  (no shell; only `office` is looked up, and the arguments are ours)
        launcher + command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"},
    )
    deadline = time.monotonic() + limits.silence_s
    try:
        while _is_running(process):
            if time.monotonic() > deadline:
                raise DocumentTooCostly(
                    f"LibreOffice worked more than {limits.silence_s:,.0f} seconds on {name}, so it was stopped.",
                    hint="Open it in Word or LibreOffice and save it in today's format.",
                )
            if progress is not None:
                progress(0, 1)
    finally:
        _end(process)
    if not result.is_file():
        raise DocumentDamaged(
            f"LibreOffice could not convert {name}.",
            hint="It may be damaged or have a password; open it in Word or LibreOffice and save it in today's format.",
        )
    return result


def _is_running(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """With everything that it started: `soffice` is a script around the program."""
    with suppress(ProcessLookupError):  # all of them have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _write_settings(user: Path) -> None:
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, properties in _SETTINGS.items()
        for name, value in properties.items()
    )
    user.mkdir(parents=True)
    (user / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<oor:items xmlns:oor="http://openoffice.org/2001/registry">{items}</oor:items>\n',
        encoding="utf-8",
    )
