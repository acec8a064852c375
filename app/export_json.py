"""A conversation as one JSON file, whole: every branch, citation and receipt. What is imported becomes a new conversation.

The format: {"unabridged_conversation": 1, "title", "created_at", "documents": [{"id", "name"}], "turns": [...]}, the turns as
turns.py has them, parents before children; a scene with characters has "scene" beside them. A file from elsewhere is hostile
input: every field is checked.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from unabridged.answers import Seconds
from unabridged.citations import Citation
from unabridged.conversations import Conversations
from unabridged.errors import UsageError
from unabridged.notes import Note
from unabridged.receipts import DocumentReceipt, Receipt
from unabridged.turns import Turn
from unabridged.web.retrieved import PageRead

FORMAT = 1
LARGEST_BYTES = 64 << 20
Value = TypeVar("Value")

_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "int | None": (int, type(None)),
    "str | None": (str, type(None)),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds, checked; `scene` is for characters/scenes.py to check."""

    title: str
    documents: tuple[tuple[str, str], ...]
    turns: tuple[Turn, ...]
    scene: Mapping[str, Any] | None


def to_json(conversations: Conversations, conversation_id: str, *, scene: Mapping[str, Any] | None = None) -> bytes:
    conversation = conversations.get(conversation_id)
    turns = [asdict(turn) for turn in conversations.turns(conversation_id)]
    for turn in turns:
        del turn["conversation_id"]
    whole = {
        "unabridged_conversation": FORMAT,
        "title": conversation.title,
        "created_at": conversation.created_at,
        "documents": [{"id": document_id, "name": name} for document_id, name in conversation.documents],
        "turns": turns,
        **({"scene": scene} if scene else {}),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def from_json(content: bytes) -> Imported:
    """All of the file, for Conversations.restore. Raises UsageError."""
    if len(content) > LARGEST_BYTES:
        raise _refused(f"it is larger than {LARGEST_BYTES >> 20} MiB")
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refused("it is not JSON") from error
    if not isinstance(whole, dict) or whole.get("unabridged_conversation") != FORMAT:
        raise _refused("it has another format")
    documents = [(_text(item, "id"), _text(item, "name")) for item in _list(whole, "documents")]
    turns = [_turn(item) for item in _list(whole, "turns")]
    known: set[str | None] = {None}
    for turn in turns:
        if turn.parent_id not in known or turn.id in known:
            raise _refused("its turns do not make a tree")
        known.add(turn.id)
    scene = _mapping(whole["scene"]) if whole.get("scene") is not None else None
    return Imported(_text(whole, "title"), tuple(documents), tuple(turns), scene)


def _turn(item: object) -> Turn:
    kept = dict(_mapping(item))
    if kept.get("state") not in ("finished", "stopped", "failed", "answering"):
        raise _refused("a turn has an unknown state")
    if kept["state"] == "answering":
        kept["state"] = "stopped"
    tokens = _list(kept, "reply_tokens")
    if not all(type(token) is int and 0 <= token < 1 << 31 for token in tokens):
        raise _refused("reply_tokens are not token ids")
    receipt, seconds = kept.get("receipt"), kept.get("seconds")
    return _value(
        Turn,
        kept,
        conversation_id="",
        citations=tuple(_value(Citation, item) for item in _list(kept, "citations")),
        notes=tuple(_value(Note, item) for item in _list(kept, "notes")),
        pages=tuple(_value(PageRead, item) for item in _list({"pages": [], **kept}, "pages")),
        reply_tokens=tuple(tokens),
        receipt=None if receipt is None else _receipt(receipt),
        seconds=None if seconds is None else _value(Seconds, seconds),
    )


def _receipt(item: object) -> Receipt:
    documents = tuple(_value(DocumentReceipt, document) for document in _list(_mapping(item), "documents"))
    return _value(Receipt, item, documents=documents)


def _value(kind: type[Value], item: object, **made: object) -> Value:
    """An instance from the fields of an object, those of simple types checked; `made` are the others."""
    given = _mapping(item)
    values: dict[str, Any] = dict(made)
    for field in fields(kind):  # type: ignore[arg-type]  # every kind here is a dataclass
        if field.name in made or field.name not in given:
            continue
        value = given[field.name]
        allowed = _KINDS[str(getattr(field.type, "__name__", field.type))]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise _refused(f"{field.name} has another type")
        values[field.name] = value
    try:
        return kind(**values)
    except TypeError as error:
        raise _refused(f"a {kind.__name__.lower()} lacks a field") from error


def _mapping(item: object) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise _refused("something in it is no object")
    return item


def _list(item: object, name: str) -> list[Any]:
    value = _mapping(item).get(name)
    if not isinstance(value, list):
        raise _refused(f"{name} is no list")
    return value


def _text(item: object, name: str) -> str:
    value = _mapping(item).get(name)
    if not isinstance(value, str):
        raise _refused(f"{name} is no text")
    return value


def _refused(reason: str) -> UsageError:
    return UsageError(
        f"This is no conversation that Unabridged exported: {reason}.", hint="Nothing was imported; try another file."
    )
