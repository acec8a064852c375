"""Runs Python under a seccomp filter: the kernel ends any process, and any child of it, that does what the filter forbids.

`SILENT` forbids internet sockets. `LISTENING` is for who only answers: it forbids to connect, and to send to an address.
"""

import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

# By architecture: AUDIT_ARCH of linux/audit.h, and the numbers of socket, connect, sendto and sendmmsg.
_CALLS = {"x86_64": (0xC000003E, 41, 42, 44, 307), "aarch64": (0xC00000B7, 198, 203, 206, 269)}
_LOAD, _EQUAL, _RETURN, _KILL, _ALLOW = 0x20, 0x15, 0x06, 0x80000000, 0x7FFF0000
_NUMBER, _ARCHITECTURE, _FAMILY, _ADDRESS = 0, 4, 16, 16 + 4 * 8  # offsets in struct seccomp_data: arguments 0 and 4
_AF_INET, _AF_INET6 = 2, 10
_REFUSED = 77

_UNDER = """
import ctypes, json, os, sys
class Step(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("true", ctypes.c_ubyte), ("false", ctypes.c_ubyte), ("value", ctypes.c_uint)]
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Step))]
steps = json.loads(sys.argv[1])
program = Program(len(steps), (Step * len(steps))(*(Step(*step) for step in steps)))
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Steps of classic BPF: (code, steps to skip where true, where false, value)."""

    steps: tuple[tuple[int, int, int, int], ...]

    def command(self, *arguments: str) -> list[str]:
        import json

        return [sys.executable, "-c", _UNDER, json.dumps(self.steps), *arguments]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Python with these arguments."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120)

    def start(self, *arguments: str, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self.command(*arguments), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _calls() -> tuple[int, ...]:
    return _CALLS.get(platform.machine(), _CALLS["x86_64"])


def _silent() -> Filter:
    architecture, socket, *_ = _calls()
    return Filter(
        (
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 0, 5, architecture),
            (_LOAD, 0, 0, _NUMBER),
            (_EQUAL, 0, 4, socket),
            (_LOAD, 0, 0, _FAMILY),
            (_EQUAL, 1, 0, _AF_INET),
            (_EQUAL, 0, 1, _AF_INET6),
            (_RETURN, 0, 0, _KILL),
            (_RETURN, 0, 0, _ALLOW),
        )
    )


def _listening() -> Filter:
    architecture, _, connect, sendto, sendmmsg = _calls()
    return Filter(
        (
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 0, 8, architecture),
            (_LOAD, 0, 0, _NUMBER),
            (_EQUAL, 5, 0, connect),
            (_EQUAL, 4, 0, sendmmsg),
            (_EQUAL, 0, 4, sendto),
            (_LOAD, 0, 0, _ADDRESS),
            (_EQUAL, 0, 1, 0),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _KILL),
            (_RETURN, 0, 0, _ALLOW),
        )
    )


SILENT, LISTENING = _silent(), _listening()


def why_not() -> str:
    """Why there are no filters here; "" where there are."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return "seccomp is Linux's, and its numbers are known here for x86_64 and aarch64"
    return "this system allows no seccomp filters" if SILENT.run("-c", "pass").returncode == _REFUSED else ""
