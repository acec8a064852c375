"""JSON from strangers: read with limits on size and nesting, written so that every string survives, half a character too."""

import json
import re
from typing import Any, NoReturn

from unabridged.errors import DocumentDamaged, DocumentTooCostly

LARGEST_BYTES = 8 << 20
DEEPEST = 64  # levels of nesting; cards need about eight
_MARK = re.compile(
    rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL
)  # a string without an end is passed in one go, too


def read_object(data: bytes, name: str) -> dict[str, Any]:
    """The JSON object in `data`; `name` is the file's, for messages. Raises DocumentTooCostly, DocumentDamaged."""
    if len(data) > LARGEST_BYTES:
        raise DocumentTooCostly(
            f"The text of {name} has {len(data) / 2**20:,.0f} MB; up to {LARGEST_BYTES >> 20} MB are read.",
            hint="Remove what is not text from it, and attach pictures as a CHARX file.",
        )
    if _depth(data) > DEEPEST:
        raise DocumentTooCostly(
            f"{name} nests its values more than {DEEPEST} deep.", hint="No card needs that; fetch another copy."
        )
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise DocumentDamaged(
            f"{name} does not hold valid JSON in UTF-8.", hint="Export the card again from the program that made it."
        ) from error
    if not isinstance(value, dict):
        raise DocumentDamaged(
            f"{name} holds JSON, but no object.", hint="A character card is one JSON object; fetch another copy."
        )
    return value


def write_object(value: dict[str, Any]) -> bytes:
    """UTF-8; where a text holds half a character, ASCII with escapes."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for match in _MARK.finditer(data):
        mark = match.group()[:1]
        depth += (mark in b"[{") - (mark in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number beyond every range")
    return number
