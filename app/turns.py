"""A conversation and a turn as values, and as rows of their tables. Knows columns, no database."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from unabridged.answers import Seconds
from unabridged.citations import Citation
from unabridged.notes import Note
from unabridged.receipts import DocumentReceipt, Receipt
from unabridged.web.retrieved import PageRead

INCOGNITO = "incognito-"  # begins the ids of what is kept in memory only


@dataclass(frozen=True, slots=True)
class Conversation:
    """`documents` are (id, name) in the order of the reading."""

    id: str
    title: str
    documents: tuple[tuple[str, str], ...]
    created_at: str
    changed_at: str
    archived: bool = False

    @property
    def incognito(self) -> bool:
        return self.id.startswith(INCOGNITO)


@dataclass(frozen=True, slots=True)
class Turn:
    """`state` is answering, finished, stopped or failed; `receipt` and `seconds` are there when it is finished.

    `notes` are what it took along beside the documents, `pages` what it read of the web. A `forgotten`
    turn is kept and shown, but the model no longer reads it.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    question: str
    answer: str
    state: str
    follows: bool
    model: str
    fingerprint: str
    citations: tuple[Citation, ...]
    receipt: Receipt | None
    seconds: Seconds | None
    reply_tokens: tuple[int, ...]
    created_at: str
    notes: tuple[Note, ...] = ()
    forgotten: bool = False
    pages: tuple[PageRead, ...] = ()


def turn_row(turn: Turn) -> dict[str, Any]:
    """A turn as its table has it, without its citations."""
    row = asdict(turn)
    del row["citations"]
    for name in ("notes", "receipt", "seconds", "pages"):
        row[name] = None if row[name] is None else json.dumps(row[name], ensure_ascii=False)
    return row | {"follows": int(turn.follows), "reply_tokens": np.array(turn.reply_tokens, np.int32).tobytes()}


def turn_of(row: dict[str, Any], citations: Sequence[Citation]) -> Turn:
    return Turn(
        **{
            **{name: value for name, value in row.items() if name != "owner"},
            "follows": bool(row["follows"]),
            "forgotten": bool(row["forgotten"]),
            "notes": tuple(Note(**note) for note in json.loads(row["notes"])),
            "pages": tuple(PageRead(**page) for page in json.loads(row["pages"])),
            "citations": tuple(citations),
            "receipt": _receipt(json.loads(row["receipt"])) if row["receipt"] else None,
            "seconds": Seconds(**json.loads(row["seconds"])) if row["seconds"] else None,
            "reply_tokens": tuple(np.frombuffer(row["reply_tokens"] or b"", np.int32).tolist()),
        }
    )


def _receipt(kept: dict[str, Any]) -> Receipt:
    return Receipt(**{**kept, "documents": tuple(DocumentReceipt(**document) for document in kept["documents"])})
