"""What a process that handles a hostile file gives up before it begins: life without its parent, resources, the network.

Each function changes the process that calls it, for good.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_NETWORK_EVENTS = frozenset(("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind"))


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when its parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def lower_limit(kind: int, most: int) -> None:
    """Set a resource limit of this process, never above what it already has."""
    _, hard = resource.getrlimit(kind)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:  # the hard processor limit kills; the soft one, a second before, says why
        resource.setrlimit(
            kind, (value, value + 1 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else value)
        )
    except ValueError:  # macOS refuses RLIMIT_AS; time and size limits still hold there
        if kind != resource.RLIMIT_AS:
            raise


def forbid_network() -> None:
    """From here on no code of this process can look up a host or connect: what a document refers to is never fetched."""

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event in _NETWORK_EVENTS:
            raise PermissionError("A reader must not use the network.")

    sys.addaudithook(refuse)


def leave_network() -> bool:
    """Move to an empty network namespace; False where the system has none or, as many containers do, forbids it."""
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(content)
    return True
