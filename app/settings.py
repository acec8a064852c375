"""What the user chose, kept as JSON in the home folder. Knows names and ranges; what a value does stands where it is used."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unabridged.errors import HomeError, UsageError
from unabridged.home import Home, write_whole
from unabridged.web.providers import PROVIDERS

KV_TYPES = ("auto", "f16", "q8_0", "q4_0")
LANGUAGES = ("auto", "en", "zh")
THEMES = ("auto", "light", "dark")
WEB = ("off", "ask", "allow")
LARGEST_FACTOR = 8.0  # of a stretched window: the engine refuses more


@dataclass(frozen=True, slots=True)
class Settings:
    model: str = "starter"
    """The model that answers: a name from `unabridged models list`, or the path of a GGUF file."""

    local_models: tuple[str, ...] = ()
    """Paths of GGUF files that were used before, newest first; they are listed beside the starter."""

    window: int = 0
    """Tokens of the window; 0 takes what the reading needs, as far as memory allows."""

    window_factor: float = 1.0
    """How many times the trained window may be used, by YaRN, at some cost in accuracy; 1 keeps to the trained one."""

    kv_type: str = "auto"
    """Number format of the KV cache; auto is q8_0 on a GPU and f16 on a CPU."""

    gpu_layers: int = -1
    """Layers of the model on the GPU; -1 puts as many there as fit, where there is one."""

    threads: int = 0
    """CPU threads of the engine; 0 takes one for each core."""

    temperature: float = 0.0
    """0 answers with the most probable words, the same each time; higher is freer."""

    answer_tokens: int = 1024
    """The longest answer, in tokens; kept free in the window."""

    memory_tokens: int = 1024
    """Room for what shall be kept in mind, in tokens; 0 keeps all memories out of the prompt."""

    segments_quota_gib: float = 20.0
    """Disk space for readings; the least recently used ones go first."""

    web: str = "off"
    """May a question look at the web? off; ask: each query is shown first; allow: sent where the documents lack the answer."""

    web_provider: str = "duckduckgo"
    """Who searches: duckduckgo, searxng, brave, tavily, or folder for a folder of saved pages."""

    web_address: str = ""
    """The address of a SearXNG server, for that provider."""

    web_folder: str = ""
    """The folder of saved pages, for that provider."""

    web_pages: int = 4
    """The most pages that are opened after a search."""

    web_tokens: int = 12_288
    """Room for web pages in the window, in tokens; the documents and the conversation go first."""

    web_steps: int = 6
    """How often a model that can use tools may open a page or search again; 0 always takes the first results."""

    web_private_addresses: tuple[str, ...] = ()
    """Addresses of this machine and of private networks that pages may be fetched from all the same; none unless listed."""

    language: str = "auto"
    """Language of the app: en, zh, or auto for the browser's."""

    theme: str = "auto"
    """light, dark, or auto for the system's."""

    def __post_init__(self) -> None:
        for name, allowed in (
            ("kv_type", KV_TYPES),
            ("language", LANGUAGES),
            ("theme", THEMES),
            ("web", WEB),
            ("web_provider", PROVIDERS),
        ):
            if getattr(self, name) not in allowed:
                raise _refused(name, f"one of {', '.join(allowed)}")
        for name, low, high in (
            ("window", 0, 1 << 24),
            ("window_factor", 1.0, LARGEST_FACTOR),
            ("gpu_layers", -1, 10_000),
            ("threads", 0, 1024),
            ("temperature", 0.0, 5.0),
            ("answer_tokens", 16, 1 << 20),
            ("memory_tokens", 0, 1 << 16),
            ("web_pages", 1, 20),
            ("web_tokens", 512, 1 << 20),
            ("web_steps", 0, 30),
            ("segments_quota_gib", 0.0, 1 << 20),
        ):
            if not low <= getattr(self, name) <= high:
                raise _refused(name, f"between {low} and {high}")


def load_settings(home: Home) -> Settings:
    """The kept settings, defaults for what is not kept; settings of a newer version that are unknown here are passed over."""
    path = home.settings
    if not path.exists():
        return Settings()
    try:
        kept = json.loads(path.read_text("utf-8"))
        return Settings(**_checked(kept))
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path) from error
    except UsageError as error:
        raise HomeError(f"{path} cannot be used: {error.message}", hint=f"{error.hint} Or delete the file.") from error


def save_settings(home: Home, settings: Settings) -> None:
    write_whole(home.settings, (json.dumps(dataclasses.asdict(settings), indent=2, ensure_ascii=False) + "\n").encode())


def _checked(kept: object) -> dict[str, Any]:
    if not isinstance(kept, dict):
        raise TypeError("not an object")
    known: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        if field.name not in kept:
            continue
        value, default = kept[field.name], field.default
        if isinstance(default, tuple):
            value = tuple(str(item) for item in value)
        elif isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise TypeError(field.name)
        known[field.name] = value
    return known


def _refused(name: str, wanted: str) -> UsageError:
    return UsageError(f"The setting {name} must be {wanted}.", hint=f"Choose {name} {wanted}.")


def _unreadable(path: Path) -> HomeError:
    return HomeError(f"{path} cannot be read as settings.", hint="Mend the file, or delete it to start from the defaults.")
