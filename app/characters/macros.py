"""The {{macros}} of cards and lorebooks. What is drawn by lot depends on the seed alone, so words once said never change.

Names as SillyTavern and the Character Card V3 specification have them; an unknown macro stays as it stands.
"""

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

_INNERMOST = re.compile(r"\{\{([^{}]*)\}\}")
_TRIM = re.compile(r"\n*\{\{trim\}\}\n*", re.IGNORECASE)
_OLD_NAMES = re.compile(r"<(user|bot|char)>", re.IGNORECASE)
_DICE = re.compile(r"\s*(\d{0,3})d(\d{1,6})\s*(?:([+-])\s*(\d{1,6}))?\s*|\s*(\d{1,6})\s*", re.IGNORECASE)
_DRAWN = ("random", "pick", "roll")
DEEPEST = 8  # macros inside macros
LONGEST = 1 << 20  # code points that macros may make of a text


@dataclass(frozen=True, slots=True)
class Values:
    """What the macros stand for. `seed` is the scene's, `moment` when it began: both stay the same through a scene.

    `others` are further macros by name in small letters: description, persona, lastmessage, …
    """

    user: str
    char: str
    group: str = ""
    seed: str = ""
    moment: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    others: Mapping[str, str] = field(default_factory=dict)


def expand(text: str, values: Values, *, turn: str = "", original: str = "") -> str:
    """The text with its macros put in. {{random}} and {{roll}} fall anew with another `turn`, {{pick}} never does.

    `original` is what a card's own prompt replaces. A text that would grow beyond LONGEST keeps its remaining macros.
    """
    if "{{" not in text and "<" not in text:
        return text
    text = _OLD_NAMES.sub(lambda match: values.user if match[1].lower() == "user" else values.char, text)
    drawn = 0

    def put_in(match: re.Match[str]) -> str:
        nonlocal drawn
        body = match[1]
        if _name(body) in _DRAWN:
            drawn += 1
            fixed = _name(body) == "pick"
            found = _draw(body, _lots(values.seed, "" if fixed else turn, str(drawn), body))
        else:
            found = _meaning(body, values, original)
        return match[0] if found is None else found

    for _ in range(DEEPEST):
        expanded = _INNERMOST.sub(put_in, text)
        if expanded == text or len(expanded) > LONGEST:
            break
        text = expanded
    return _TRIM.sub("", text)


def _name(body: str) -> str:
    return re.split(r"[:\s]", body.strip(), maxsplit=1)[0].lower()


def _meaning(body: str, values: Values, original: str) -> str | None:
    """None where nothing is known of it."""
    if body.lstrip().startswith("//"):
        return ""
    name = _name(body)
    with_rest: dict[str, Callable[[str], str]] = {
        "comment": _nothing,
        "hidden_key": _nothing,
        "reverse": lambda rest: rest[::-1],
    }
    if name in with_rest and ":" in body:
        return with_rest[name](body.split(":", 1)[1])
    if body.strip().lower() != name:
        return None
    moment = values.moment
    plain = {
        "user": values.user,
        "char": values.char,
        "charname": values.char,
        "bot": values.char,
        "group": values.group or values.char,
        "charifnotgroup": values.group or values.char,
        "newline": "\n",
        "space": " ",
        "noop": "",
        "original": original,
        "date": f"{moment.day} {moment:%B %Y}",
        "time": f"{moment:%H:%M}",
        "weekday": f"{moment:%A}",
        "isodate": f"{moment:%Y-%m-%d}",
        "isotime": f"{moment:%H:%M}",
    }
    return plain[name] if name in plain else values.others.get(name)


def _nothing(_: str) -> str:
    return ""


def _lots(*seeds: str) -> random.Random:
    return random.Random(hashlib.sha256("\0".join(seeds).encode("utf-8", "replace")).digest())  # noqa: S311 no secret


def _draw(body: str, lots: random.Random) -> str | None:
    """ "" where the macro is not written as it should be."""
    rest = re.sub(r"^\s*\w+\s*:?", "", body, count=1)
    if _name(body) == "roll":
        return _rolled(rest, lots)
    return lots.choice(_options(rest)) if rest else None


def _options(rest: str) -> Sequence[str]:
    """`a::b`, or `a,b` with `\\,` for a comma that divides nothing."""
    if "::" in rest or rest.startswith(":"):
        return [option.strip() for option in rest.removeprefix(":").split("::")]
    return [option.replace("\0", ",").strip() for option in rest.replace("\\,", "\0").split(",")]


def _rolled(rest: str, lots: random.Random) -> str | None:
    match = _DICE.fullmatch(rest)
    if match is None:
        return None
    count, sides = int(match[1] or 1), int(match[2] or match[5])
    added = int(f"{match[3]}{match[4]}") if match[3] else 0
    return str(sum(lots.randint(1, sides) for _ in range(count)) + added) if sides else None
