"""Conversations as trees of turns: editing or asking again makes a branch, nothing is overwritten. Knows no models.

A turn is a question and its answer; its parent is the turn before it. An answer is written down while it streams, so that a
crash loses nothing that was seen. Citations carry their own words: they stay true when the document is removed.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from unabridged.answers import Answer, Seconds
from unabridged.citations import Citation
from unabridged.errors import UsageError
from unabridged.models.engine import Tokens
from unabridged.receipts import DocumentReceipt, Receipt
from unabridged.store import Store

TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Conversation:
    """`documents` are (id, name) in the order of the reading."""

    id: str
    title: str
    documents: tuple[tuple[str, str], ...]
    created_at: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class Turn:
    """`state` is answering, finished, stopped or failed; `receipt` and `seconds` are there when it is finished."""

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


class Conversations:
    def __init__(self, store: Store, *, owner: str = "") -> None:
        """`owner` is the program that answers the turns which begin here: see instances.py."""
        self._store = store
        self._owner = owner

    def start(self, documents: Sequence[tuple[str, str]], *, title: str) -> Conversation:
        """A new conversation about documents, given as (id, name)."""
        conversation_id = uuid.uuid4().hex
        with self._store.transaction() as db:
            db.table("conversations").insert({"id": conversation_id, "title": _title(title), "created_at": _now()})
        self.use_documents(conversation_id, documents)
        return self.get(conversation_id)

    def use_documents(self, conversation_id: str, documents: Sequence[tuple[str, str]]) -> None:
        """What the conversation is about from now on, in the order of the reading."""
        with self._store.transaction() as db:
            db.table("conversation_documents").delete_where("conversation_id = ?", [conversation_id])
            db.table("conversation_documents").insert_all(
                {"conversation_id": conversation_id, "position": position, "document_id": document_id, "name": name}
                for position, (document_id, name) in enumerate(documents)
            )

    def list(self) -> Sequence[Conversation]:
        """All conversations, the last changed first."""
        rows = self._store.rows(
            "SELECT c.*, coalesce((SELECT max(t.created_at) FROM turns t WHERE t.conversation_id = c.id), c.created_at) "
            "AS changed_at FROM conversations c ORDER BY changed_at DESC"
        )
        return [self._conversation(row) for row in rows]

    def get(self, conversation_id: str) -> Conversation:
        """Raises UsageError when there is none."""
        for conversation in self.list():
            if conversation.id == conversation_id:
                return conversation
        raise UsageError("There is no such conversation.", hint="It may have been deleted in another window.")

    def rename(self, conversation_id: str, title: str) -> None:
        with self._store.transaction() as db:
            db.table("conversations").update(conversation_id, {"title": _title(title)})

    def delete(self, conversation_id: str) -> None:
        """Really gone: the database overwrites what it deletes."""
        with self._store.transaction() as db:
            db.table("conversations").delete_where("id = ?", [conversation_id])

    def begin(
        self, conversation_id: str, question: str, *, parent_id: str | None, follows: bool, model: str, fingerprint: str
    ) -> str:
        """A turn whose answer is to come; returns its id. A sibling of other turns with the same parent is a branch."""
        turn_id = uuid.uuid4().hex
        with self._store.transaction() as db:
            db.table("turns").insert(
                {
                    "id": turn_id,
                    "conversation_id": conversation_id,
                    "parent_id": parent_id,
                    "question": question,
                    "state": "answering",
                    "follows": int(follows),
                    "model": model,
                    "fingerprint": fingerprint,
                    "owner": self._owner,
                    "created_at": _now(),
                }
            )
        return turn_id

    def extend(self, turn_id: str, text: str) -> None:
        with self._store.transaction() as db:
            db.execute("UPDATE turns SET answer = answer || ? WHERE id = ?", [text, turn_id])

    def finish(self, turn_id: str, answer: Answer) -> None:
        """The final text, citations and receipt, in one transaction."""
        with self._store.transaction() as db:
            db.table("turns").update(
                turn_id,
                {
                    "answer": answer.text,
                    "state": "finished",
                    "reply_tokens": np.array(answer.reply_tokens, np.int32).tobytes(),
                    "receipt": json.dumps(asdict(answer.receipt), ensure_ascii=False),
                    "seconds": json.dumps(asdict(answer.seconds)),
                },
            )
            db.table("citations").insert_all({"turn_id": turn_id, **asdict(citation)} for citation in answer.citations)

    def leave(self, turn_id: str, *, failed: bool) -> None:
        """The answer ends where it stands: stopped by the user, or by an error."""
        with self._store.transaction() as db:
            state = "failed" if failed else "stopped"
            db.execute("UPDATE turns SET state = ? WHERE id = ? AND state = 'answering'", [state, turn_id])

    def leave_orphans(self, is_alive: Callable[[str], bool]) -> None:
        """Turns whose program died in mid-answer are stopped: what it had said is kept."""
        owners = self._store.rows("SELECT DISTINCT owner FROM turns WHERE state = 'answering'")
        for dead in [row["owner"] for row in owners if not is_alive(row["owner"])]:
            with self._store.transaction() as db:
                db.execute("UPDATE turns SET state = 'stopped' WHERE state = 'answering' AND owner = ?", [dead])

    def delete_turn(self, turn_id: str) -> None:
        """A turn with all turns that follow it."""
        with self._store.transaction() as db:
            db.table("turns").delete_where("id = ?", [turn_id])

    def turn(self, turn_id: str) -> Turn:
        """Raises UsageError when there is none."""
        turns = self._turns("WHERE id = ?", [turn_id])
        if not turns:
            raise UsageError("There is no such turn.", hint="Its conversation may have been deleted in another window.")
        return turns[0]

    def turns(self, conversation_id: str) -> Sequence[Turn]:
        """Every turn of the tree in the order of asking; `parent_id` gives the branches."""
        return self._turns("WHERE conversation_id = ?", [conversation_id])

    def path(self, turn_id: str) -> Sequence[Turn]:
        """From the first question down to this turn."""
        by_id = {turn.id: turn for turn in self.turns(self.turn(turn_id).conversation_id)}
        path: list[Turn] = []
        step: str | None = turn_id
        while step is not None:
            path.append(by_id[step])
            step = by_id[step].parent_id
        return path[::-1]

    def _turns(self, where: str, values: Sequence[str]) -> Sequence[Turn]:
        rows = self._store.rows(f"SELECT * FROM turns {where} ORDER BY created_at, rowid", values)  # noqa: S608 `where` is ours
        cited = self._store.rows(
            f"SELECT * FROM citations WHERE turn_id IN (SELECT id FROM turns {where}) ORDER BY turn_id, n",  # noqa: S608
            values,
        )
        citations: dict[str, list[Citation]] = {}
        for row in cited:
            citations.setdefault(row.pop("turn_id"), []).append(Citation(**row))
        return [_turn(row, citations.get(row["id"], [])) for row in rows]

    def _conversation(self, row: dict[str, Any]) -> Conversation:
        documents = self._store.rows(
            "SELECT document_id, name FROM conversation_documents WHERE conversation_id = ? ORDER BY position", [row["id"]]
        )
        return Conversation(documents=tuple((item["document_id"], item["name"]) for item in documents), **row)


def reply_tokens(turn: Turn) -> Tokens:
    return np.array(turn.reply_tokens, np.int32)


def _turn(row: dict[str, Any], citations: Sequence[Citation]) -> Turn:
    return Turn(
        **{
            **{name: value for name, value in row.items() if name != "owner"},
            "follows": bool(row["follows"]),
            "citations": tuple(citations),
            "receipt": _receipt(json.loads(row["receipt"])) if row["receipt"] else None,
            "seconds": Seconds(**json.loads(row["seconds"])) if row["seconds"] else None,
            "reply_tokens": tuple(np.frombuffer(row["reply_tokens"] or b"", np.int32).tolist()),
        }
    )


def _receipt(kept: dict[str, Any]) -> Receipt:
    return Receipt(**{**kept, "documents": tuple(DocumentReceipt(**document) for document in kept["documents"])})


def _title(words: str) -> str:
    title = " ".join(words.split())
    return title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 1] + "…"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
