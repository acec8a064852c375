"""Lines like `@@depth 5` at the head of a lorebook entry: rules of Character Card V3. What is not known here is left out.

`@@@name` stands in for the line before it where that one is not known. Source: character-card-spec-v3, "Decorators".
"""

import re
from dataclasses import dataclass

_LINE = re.compile(r"(@{2,3})([a-z_]+)[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Decorators:
    depth: int | None = None
    scan_depth: int | None = None
    after_messages: int = 0
    always: bool = False
    never: bool = False
    more_keys: tuple[str, ...] = ()
    excluding_keys: tuple[str, ...] = ()


def decorators_of(content: str) -> tuple[Decorators, str]:
    """The rules at the head of an entry, and its words without them."""
    lines = content.split("\n")
    found: dict[str, object] = {}
    known = True
    count = 0
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            break
        count += 1
        if match[1] == "@@@" and known:
            continue
        rule = _rule(match[2], match[3].strip())
        known = rule is not None
        found.update(rule or {})
    return Decorators(**found), "\n".join(lines[count:])  # type: ignore[arg-type]  # _rule gives each field its type


def _rule(name: str, value: str) -> dict[str, object] | None:
    number = int(value) if re.fullmatch(r"\d{1,4}", value) else None
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    match name:
        case "depth" | "scan_depth" if number is not None:
            return {name: number}
        case "activate_only_after" if number is not None:
            return {"after_messages": number}
        case "activate" | "constant":
            return {"always": True}
        case "dont_activate":
            return {"never": True}
        case "additional_keys":
            return {"more_keys": keys}
        case "exclude_keys":
            return {"excluding_keys": keys}
        case "keep_activate_after_match" | "dont_activate_after_match":
            return {}  # what is told once stays, and is not told again
        case _:
            return None
