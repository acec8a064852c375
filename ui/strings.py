"""Every word of the page, from languages/*.json. `{name}` stands for a value that is put in on the page;
`one|many` are two forms, of which `{count}` chooses.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

LANGUAGES = ("en", "zh")

_FOLDER = Path(__file__).parent / "languages"


@cache
def texts(language: str) -> Mapping[str, str]:
    """All strings of one of LANGUAGES by key."""
    kept: dict[str, Any] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return MappingProxyType(kept)


def language_of(accept_language: str) -> str:
    """The language of ours that a browser's Accept-Language header likes best (RFC 9110, section 12.5.4); English if none."""
    best, best_weight = "en", 0.0
    for item in accept_language.split(","):
        tag, _, weight_text = item.partition(";")
        language = tag.strip().lower().split("-")[0]
        try:
            weight = float(weight_text.partition("=")[2]) if weight_text else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
