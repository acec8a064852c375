"""Conversations as trees of turns: editing or asking again makes a branch, nothing is overwritten. Knows no models.

A turn is a question and its answer; its parent is the turn before it. An answer is written down while it streams, so that a
crash loses nothing that was seen. Citations carry their own words: they stay true when the document is removed. Incognito
conversations live in a database in memory and are gone with the program.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from unabridged.answers import Answer
from unabridged.citations import Citation
from unabridged.conversation_search import Hit, query, surroundings
from unabridged.errors import UsageError
from unabridged.notes import Note
from unabridged.store import Store
from unabridged.turns import INCOGNITO, Conversation, Turn, turn_of, turn_row
from unabridged.web.retrieved import PageRead

TITLE_CHARACTERS = 60


class Conversations:
    def __init__(self, store: Store, *, owner: str = "") -> None:
        """`owner` is the program that answers the turns which begin here: see instances.py."""
        self._kept = store
        self._incognito = Store(":memory:")
        self._owner = owner

    def close(self) -> None:
        """The incognito conversations are gone after this."""
        self._incognito.close()

    def start(self, documents: Sequence[tuple[str, str]], *, title: str, incognito: bool = False) -> Conversation:
        """A new conversation about documents, given as (id, name)."""
        conversation_id = (INCOGNITO if incognito else "") + uuid.uuid4().hex
        with self._store(conversation_id).transaction() as db:
            db.table("conversations").insert({"id": conversation_id, "title": _title(title), "created_at": _now()})
        self.use_documents(conversation_id, documents)
        return self.get(conversation_id)

    def use_documents(self, conversation_id: str, documents: Sequence[tuple[str, str]]) -> None:
        """What the conversation is about from now on, in the order of the reading."""
        with self._store(conversation_id).transaction() as db:
            db.table("conversation_documents").delete_where("conversation_id = ?", [conversation_id])
            db.table("conversation_documents").insert_all(_documents(conversation_id, documents))

    def list(self, *, archived: bool = False) -> Sequence[Conversation]:
        """All conversations, the last changed first; with `archived` those that were put away instead."""
        stores = (self._kept, self._incognito)
        found = [item for store in stores for item in _conversations(store, "c.archived = ?", int(archived))]
        return sorted(found, key=lambda conversation: conversation.changed_at, reverse=True)

    def get(self, conversation_id: str) -> Conversation:
        """Raises UsageError when there is none."""
        for conversation in _conversations(self._store(conversation_id), "c.id = ?", conversation_id):
            return conversation
        raise UsageError("There is no such conversation.", hint="It may have been deleted in another window.")

    def search(self, words: str, *, limit: int = 200) -> Sequence[Hit]:
        """Turns and titles that have all of the words, the last said first; Chinese is found from one character on."""
        if not (sought := query(words)):
            return []
        values = {"words": sought, "limit": limit}
        found = [row for store in (self._kept, self._incognito) for row in store.rows(_SEARCH, values)]
        hits = sorted(found, key=lambda row: row.pop("created_at"), reverse=True)[:limit]
        return [_hit(words, **row) for row in hits]

    def rename(self, conversation_id: str, title: str) -> None:
        with self._store(conversation_id).transaction() as db:
            db.table("conversations").update(conversation_id, {"title": _title(title)})

    def archive(self, conversation_id: str, *, archived: bool = True) -> None:
        """Put it away (or take it out again): it is still searched, exported and continued."""
        with self._store(conversation_id).transaction() as db:
            db.table("conversations").update(conversation_id, {"archived": int(archived)})

    def delete(self, conversation_id: str) -> None:
        """Really gone: the database overwrites what it deletes."""
        store = self._store(conversation_id)
        with store.transaction() as db:
            db.table("conversations").delete_where("id = ?", [conversation_id])
        store.overwrite_deleted()

    def begin(
        self,
        conversation_id: str,
        question: str,
        *,
        parent_id: str | None,
        follows: bool,
        model: str,
        fingerprint: str,
        notes: Sequence[Note] = (),
    ) -> str:
        """A turn whose answer is to come; returns its id. A sibling of other turns with the same parent is a branch."""
        turn_id = (INCOGNITO if conversation_id.startswith(INCOGNITO) else "") + uuid.uuid4().hex
        with self._store(conversation_id).transaction() as db:
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
                    "notes": json.dumps([asdict(note) for note in notes], ensure_ascii=False),
                    "created_at": _now(),
                }
            )
        return turn_id

    def extend(self, turn_id: str, text: str) -> None:
        with self._store(turn_id).transaction() as db:
            db.execute("UPDATE turns SET answer = answer || ? WHERE id = ?", [text, turn_id])

    def answer_again(self, turn_id: str, pages: Sequence[PageRead]) -> None:
        """The answer begins anew, with these pages of the web: see Turn.pages."""
        with self._store(turn_id).transaction() as db:
            db.table("turns").update(turn_id, {"answer": "", "pages": json.dumps([asdict(page) for page in pages])})

    def finish(self, turn_id: str, answer: Answer) -> None:
        """The final text, citations and receipt, in one transaction."""
        with self._store(turn_id).transaction() as db:
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

    def restore(self, title: str, documents: Sequence[tuple[str, str]], turns: Sequence[Turn]) -> Conversation:
        """A new conversation with copies of these turns, parents before children; all of it or nothing."""
        conversation_id = uuid.uuid4().hex
        ids: dict[str | None, str | None] = {None: None, **{turn.id: uuid.uuid4().hex for turn in turns}}
        with self._kept.transaction() as db:
            db.table("conversations").insert({"id": conversation_id, "title": _title(title), "created_at": _now()})
            db.table("conversation_documents").insert_all(_documents(conversation_id, documents))
            for turn in turns:
                row = turn_row(turn) | {"id": ids[turn.id], "parent_id": ids[turn.parent_id]}
                db.table("turns").insert(row | {"conversation_id": conversation_id})
                db.table("citations").insert_all({"turn_id": row["id"], **asdict(item)} for item in turn.citations)
        return self.get(conversation_id)

    def leave(self, turn_id: str, *, failed: bool) -> None:
        """The answer ends where it stands: stopped by the user, or by an error."""
        with self._store(turn_id).transaction() as db:
            state = "failed" if failed else "stopped"
            db.execute("UPDATE turns SET state = ? WHERE id = ? AND state = 'answering'", [state, turn_id])

    def leave_orphans(self, is_alive: Callable[[str], bool]) -> None:
        """Turns whose program died in mid-answer are stopped: what it had said is kept."""
        owners = self._kept.rows("SELECT DISTINCT owner FROM turns WHERE state = 'answering'")
        for dead in [row["owner"] for row in owners if not is_alive(row["owner"])]:
            with self._kept.transaction() as db:
                db.execute("UPDATE turns SET state = 'stopped' WHERE state = 'answering' AND owner = ?", [dead])

    def delete_turn(self, turn_id: str) -> None:
        """A turn with all turns that follow it, really gone."""
        store = self._store(turn_id)
        with store.transaction() as db:
            db.table("turns").delete_where("id = ?", [turn_id])
        store.overwrite_deleted()

    def forget_turn(self, turn_id: str, *, forgotten: bool = True) -> None:
        """The model no longer reads this turn (or reads it again); it stays in the conversation and is shown."""
        with self._store(turn_id).transaction() as db:
            db.table("turns").update(turn_id, {"forgotten": int(forgotten)})

    def turn(self, turn_id: str) -> Turn:
        """Raises UsageError when there is none."""
        turns = _turns(self._store(turn_id), "id = ?", turn_id)
        if not turns:
            raise UsageError("There is no such turn.", hint="Its conversation may have been deleted in another window.")
        return turns[0]

    def turns(self, conversation_id: str) -> Sequence[Turn]:
        """Every turn of the tree in the order of asking; `parent_id` gives the branches."""
        return _turns(self._store(conversation_id), "conversation_id = ?", conversation_id)

    def path(self, turn_id: str) -> Sequence[Turn]:
        """From the first question down to this turn."""
        by_id = {turn.id: turn for turn in self.turns(self.turn(turn_id).conversation_id)}
        path: list[Turn] = []
        step: str | None = turn_id
        while step is not None:
            path.append(by_id[step])
            step = by_id[step].parent_id
        return path[::-1]

    def _store(self, some_id: str) -> Store:
        return self._incognito if some_id.startswith(INCOGNITO) else self._kept


_SEARCH = """
    SELECT t.conversation_id, c.title, t.id AS turn_id, t.question || char(10) || t.answer AS text, t.created_at
    FROM said JOIN turns t ON t.rowid = said.rowid JOIN conversations c ON c.id = t.conversation_id WHERE said MATCH :words
    UNION ALL
    SELECT c.id, c.title, NULL, c.title, c.created_at
    FROM said JOIN conversations c ON c.rowid = -said.rowid WHERE said MATCH :words
    ORDER BY 5 DESC LIMIT :limit
"""


def _hit(sought: str, text: str, **row: str) -> Hit:
    before, words, after = surroundings(text, sought)
    return Hit(before=before, words=words, after=after, **row)


def _conversations(store: Store, where: str, value: object) -> list[Conversation]:
    rows = store.rows(
        "SELECT c.*, coalesce((SELECT max(t.created_at) FROM turns t WHERE t.conversation_id = c.id), c.created_at) "  # noqa: S608
        f"AS changed_at FROM conversations c WHERE {where} ORDER BY changed_at DESC",
        [value],
    )
    documents: dict[str, list[tuple[str, str]]] = {}
    for row in store.rows("SELECT conversation_id, document_id, name FROM conversation_documents ORDER BY position"):
        documents.setdefault(row["conversation_id"], []).append((row["document_id"], row["name"]))
    return [
        Conversation(**{**row, "archived": bool(row["archived"]), "documents": tuple(documents.get(row["id"], ()))})
        for row in rows
    ]


def _documents(conversation_id: str, documents: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"conversation_id": conversation_id, "position": position, "document_id": document_id, "name": name}
        for position, (document_id, name) in enumerate(documents)
    ]


def _turns(store: Store, where: str, value: str) -> Sequence[Turn]:
    rows = store.rows(f"SELECT * FROM turns WHERE {where} ORDER BY created_at, rowid", [value])  # noqa: S608 `where` is ours
    cited = store.rows(
        f"SELECT * FROM citations WHERE turn_id IN (SELECT id FROM turns WHERE {where}) ORDER BY turn_id, n",  # noqa: S608
        [value],
    )
    citations: dict[str, list[Citation]] = {}
    for row in cited:
        citations.setdefault(row.pop("turn_id"), []).append(Citation(**row))
    return [turn_of(row, citations.get(row["id"], [])) for row in rows]


def _title(words: str) -> str:
    title = " ".join(words.split())
    return title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 1] + "…"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
