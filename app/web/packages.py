"""Whether what the web switch needs is installed: the packages of the extra `web`, which are loaded only while it is on."""

from collections.abc import Sequence
from importlib.util import find_spec

from unabridged.errors import UsageError

NEEDED = ("certifi", "ddgs", "httpx", "keyring", "opencc", "protego", "trafilatura")


def check(names: Sequence[str] = NEEDED) -> None:
    """Raises UsageError where one is missing."""
    if missing := [name for name in names if find_spec(name) is None]:
        raise UsageError(
            f"The web switch needs packages that are not installed ({', '.join(missing)}).",
            hint='Install them: pip install "unabridged[web]"',
        )
