"""The web child: the only process of this program that opens connections to the outside. Started by `outside`, never by hand.

stdin: one JSON object, what is wanted. stdout: JSON lines, {"asked": …} before each request and {"answered": …} after it,
then one {"results": …}, {"page": …} or {"error": …}. A page's bytes go into the file that was named, unseen.
"""

import json
import os
import resource
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from unabridged.errors import WebFailed
from unabridged.ingest.confinement import die_with_parent, forbid_network, lower_limit
from unabridged.web.addresses import Resolver, looked_up
from unabridged.web.providers import Chosen, Tell, provider

if TYPE_CHECKING:
    from unabridged.web.safe_get import Got

MEMORY_BYTES = 2 << 30
CPU_S = 60
FILE_BYTES = 17 << 20  # a page, which `safe_get` limits


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    wanted = json.loads(sys.stdin.buffer.readline())
    die_with_parent(wanted["parent"])
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
    ):
        lower_limit(kind, most)

    def tell(message: dict[str, object]) -> None:
        _write(answers, message)

    try:
        _write(answers, work(wanted, tell))
    except WebFailed as error:
        _write(answers, {"error": [error.message, error.hint]})
    os._exit(0)


def work(wanted: dict[str, Any], tell: Tell, *, resolver: Resolver = looked_up) -> dict[str, object]:
    """The answer to what is wanted. Raises WebFailed."""
    if wanted["kind"] == "search":
        chosen = Chosen(**wanted["provider"])
        if chosen.name == "folder":
            forbid_network()
        return {
            "results": [asdict(result) for result in provider(chosen).search(wanted["query"], limit=wanted["limit"], tell=tell)]
        }
    if wanted["file"]:
        forbid_network()
        from unabridged.web.saved_pages import copied

        return {"page": {"url": wanted["url"], "media_type": copied(Path(wanted["file"]), Path(wanted["into"])), "charset": ""}}
    got = page(wanted["url"], tell, resolver=resolver, private=wanted["private"])
    Path(wanted["into"]).write_bytes(got.body)
    return {"page": {"url": got.url, "media_type": got.media_type, "charset": got.charset}}


def page(url: str, tell: Tell, *, resolver: Resolver = looked_up, private: list[str] | None = None) -> "Got":
    """A page whose site lets programs read it. Raises WebFailed."""
    from unabridged.web import robots  # here, since most searches need neither, and a start is waited for
    from unabridged.web.safe_get import get

    excepted = private or []
    robots.check(url, lambda at: get(at, purpose="robots.txt", tell=tell, kinds=(), resolver=resolver, private=excepted))
    got = get(url, purpose="page", tell=tell, resolver=resolver, private=excepted)
    if got.status != 200:
        raise WebFailed(f"The page is not there (status {got.status}).", hint="Choose another page.")
    return got


def _write(answers: BinaryIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _end_with_stdin() -> None:
    """End when stdin closes, which the parent holds open as long as it lives."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
