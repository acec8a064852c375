"""Pandoc's `.native` files as Python values: the text that `show` of Haskell gives of its document tree.

A constructor with its arguments is `Node(name, arguments)`; lists, tuples, strings and numbers are Python's own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|([A-Z][A-Za-z0-9]*)|([\[\](),])|(\{[^}]*\}))', re.DOTALL)
_CHARACTER = re.compile(r"\\(\d+)(?:\\&)?")


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    arguments: tuple[Any, ...]


def parsed(text: str) -> Any:  # noqa: ANN401  (a list of blocks, or the Node of a whole document)
    tokens = list(_TOKEN.finditer(text))
    value, _ = _value(tokens, 0)
    return value


def _value(tokens: list[re.Match[str]], at: int) -> tuple[Any, int]:
    """A value, with its arguments where it is a constructor, and the index after it."""
    if not tokens[at][3]:
        return _atom(tokens, at)
    name, at = tokens[at][3], at + 1
    arguments = []
    while at < len(tokens) and tokens[at][4] not in ("]", ")", ","):
        argument, at = _atom(tokens, at)
        arguments.append(argument)
    return Node(name, tuple(arguments)), at


def _atom(tokens: list[re.Match[str]], at: int) -> tuple[Any, int]:
    string, number, name, sign, record = tokens[at].groups()
    if string:
        return unquoted(string), at + 1
    if number:
        return float(number), at + 1
    if name:
        return Node(name, ()), at + 1
    if record:
        return record, at + 1
    items, at = [], at + 1
    while tokens[at][4] not in ("]", ")"):
        if tokens[at][4] == ",":
            at += 1
            continue
        item, at = _value(tokens, at)
        items.append(item)
    if sign == "[":
        return items, at + 1
    return (items[0] if len(items) == 1 else tuple(items)), at + 1


def unquoted(quoted: str) -> str:
    escaped = _CHARACTER.sub(lambda match: chr(int(match[1])), quoted[1:-1])
    return escaped.replace('\\"', '"').replace("\\n", "\n").replace("\\&", "").replace("\\\\", "\\")


def nodes(value: Any, *names: str) -> Iterator[Node]:  # noqa: ANN401  (any part of a tree)
    """Every node of these names, in the order of the text."""
    if isinstance(value, Node):
        if value.name in names:
            yield value
        value = value.arguments
    if isinstance(value, list | tuple):
        for item in value:
            yield from nodes(item, *names)


def words(value: Any, *, without: tuple[str, ...] = ("Note",)) -> str:  # noqa: ANN401  (any part of a tree)
    """What its inlines print, with single spaces; constructors named in `without` are left out."""
    return " ".join("".join(_printed(value, without)).split())


def _printed(value: Any, without: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, list):
        for item in value:
            yield from _printed(item, without)
    elif isinstance(value, Node) and value.name not in without:
        if value.name == "Str":
            yield value.arguments[0]
        elif value.name in ("Space", "SoftBreak", "LineBreak"):
            yield " "
        elif value.name in ("Code", "Math"):
            yield value.arguments[-1]
        else:
            for argument in value.arguments:
                yield from _printed(argument, without)
            if value.name in ("Para", "Plain", "Header"):
                yield " "
