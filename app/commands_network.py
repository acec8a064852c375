"""The commands about the network: network log, network clear, network key."""

import argparse
import sys
from dataclasses import asdict
from getpass import getpass

from unabridged.console import print_json
from unabridged.home import open_home
from unabridged.store import Store
from unabridged.web.keys import keep_key
from unabridged.web.network_log import NetworkLog


def log(options: argparse.Namespace) -> int:
    """Every request that left, the newest first."""
    store = Store(open_home().database)
    try:
        requests = NetworkLog(store).requests(limit=options.limit)
    finally:
        store.close()
    if options.json:
        print_json({"requests": [asdict(request) for request in requests]})
        return 0
    for request in requests:
        answer = "no answer" if request.status is None else f"{request.status}"
        sys.stdout.write(
            f"{request.at[:19]}Z  {request.purpose:<10}  {_bytes(request.sent):>10} out  {_bytes(request.received):>12} in"
            f"  {answer:<9}  {request.host}\n"
        )
    if not requests:
        sys.stdout.write("No request has left this program.\n")
    return 0


def clear(options: argparse.Namespace) -> int:
    store = Store(open_home().database)
    try:
        NetworkLog(store).clear()
    finally:
        store.close()
    sys.stdout.write("The network log is empty.\n")
    return 0


def key(options: argparse.Namespace) -> int:
    """Asks for the key, so that it stands in no history of a shell; reads it from stdin where that is no terminal."""
    given = getpass(f"Key of {options.provider}: ", stream=sys.stderr) if sys.stdin.isatty() else sys.stdin.readline()
    keep_key(options.provider, given.strip())
    sys.stdout.write("The key is kept in the system's keyring.\n" if given.strip() else "The key is gone.\n")
    return 0


def _bytes(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
