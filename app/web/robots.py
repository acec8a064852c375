"""Whether a site lets programs read a page: its robots.txt, read as RFC 9309 says. Runs in the web child only."""

from collections.abc import Callable

from protego import Protego
from unabridged.errors import WebFailed
from unabridged.web.safe_get import ROBOT, Got

_READ_BYTES = 512 << 10  # RFC 9309 §2.5: at least this much must be read


def check(url: str, fetch: Callable[[str], Got]) -> None:
    """`fetch` gets the robots.txt of the site. Raises WebFailed where the site refuses programs, or cannot say (§2.3.1.4)."""
    scheme, _, rest = url.partition("://")
    host = rest.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    got = fetch(f"{scheme}://{host}/robots.txt")
    if 400 <= got.status < 500:
        return
    if got.status != 200:
        raise WebFailed(f"{host} cannot say now whether programs may read it.", hint="Try again later.")
    rules = Protego.parse(got.body[:_READ_BYTES].decode("utf-8", "replace"))
    if not rules.can_fetch(url, ROBOT):
        raise WebFailed(
            f"{host} asks programs not to read this page.", hint="Open it in a browser, save it, and attach the file."
        )
