"""The page's scripts speak to each other by the names of events: whoever calls is heard, whoever listens is called."""

import re

from unabridged.ui import server
from unabridged.ui.panel import SCRIPTS

FROM_KEYS = re.compile(r'act = "([\w-]+)"|: "([\w-]+)"')  # keys.js emits what a key stands for
STEPS = {"next", "previous", "left", "right"}  # keys that emit another event, with a value


def test_every_script_is_loaded_and_every_event_has_a_caller_and_a_listener() -> None:
    assert {path.stem for path in server.STATIC.glob("*.js")} == set(SCRIPTS)
    sources = {name: (server.STATIC / f"{name}.js").read_text("utf-8") for name in SCRIPTS}
    emitted = {name for source in sources.values() for name in re.findall(r'\bemit\("([\w-]+)"', source)}
    emitted |= {name for pair in FROM_KEYS.findall(sources["keys"]) for name in pair if name} - STEPS
    emitted |= set(re.findall(r"unabridged\.emit\('([\w-]+)'", (server.STATIC.parent / "settings_panel.py").read_text("utf-8")))
    heard = {name for source in sources.values() for name in re.findall(r'(?<![\w.])on\("([\w-]+)"', source)}
    assert emitted - heard == set(), "nobody listens"
    assert heard - emitted == set(), "nobody calls"
