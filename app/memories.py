"""What shall be kept in mind from one conversation to the next: written by the user, or proposed by a model and accepted.

A memory holds in its scope: one conversation, one character, every reading that has certain documents, or everything. It
reaches the model as a note (notes.py) and only while it is on; what is switched off or deleted leaves the prompt, earlier turns
too.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from unabridged.errors import UsageError
from unabridged.models.engine import Engine
from unabridged.notes import Note
from unabridged.store import Store

SCOPES = ("everything", "documents", "character", "conversation")
MEMORY = "memory:"  # begins the keys of their notes
LONGEST = 2000  # characters
_ASKED = re.compile(
    r"\s*(?:please\s+)?remember(?:\s+that\b|\s*[:：,，])\s*(.+)|\s*请?(?:你)?记住[：:，,\s]*(.+)", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Memory:
    """`state` is on, off or proposed; `scope_id` names the conversation, the character or the documents (sorted ids)."""

    id: str
    text: str
    scope: str
    scope_id: str
    state: str
    created_at: str
    changed_at: str

    @property
    def note(self) -> Note:
        """A memory in other words is another note."""
        return Note(f"{MEMORY}{self.id}:{self.changed_at}", self.text)


class Memories:
    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> Sequence[Memory]:
        """All of them, the oldest first."""
        return [Memory(**row) for row in self._store.rows("SELECT * FROM memories ORDER BY created_at, rowid")]

    def get(self, words: str) -> Memory:
        """The one memory with this id, or whose id begins so. Raises UsageError for none or several."""
        found = [memory for memory in self.list() if words and memory.id.startswith(words)]
        if len(found) != 1:
            many = "more than one" if found else "no"
            raise UsageError(f"There is {many} memory {words}.", hint="See unabridged memory list.")
        return found[0]

    def add(self, text: str, *, scope: str = "everything", scope_id: str = "", state: str = "on") -> Memory:
        """Raises UsageError for a text that is empty or too long."""
        if scope not in SCOPES or (scope == "everything") != (not scope_id):
            raise UsageError(f"A memory cannot hold for {scope} {scope_id}.", hint=f"Choose one of {', '.join(SCOPES)}.")
        now = _now()
        memory = Memory(uuid.uuid4().hex, _checked(text), scope, scope_id, state, now, now)
        with self._store.transaction() as db:
            db.table("memories").insert(asdict(memory))
        return memory

    def edit(self, memory_id: str, text: str) -> None:
        self._change(memory_id, text=_checked(text))

    def switch(self, memory_id: str, *, on: bool) -> None:
        """A proposed memory that is switched on is accepted."""
        self._change(memory_id, state="on" if on else "off")

    def remove(self, memory_id: str) -> None:
        """Really gone: from the notes of earlier turns too."""
        mine = f"{MEMORY}{memory_id}:"
        with self._store.transaction() as db:
            db.table("memories").delete_where("id = ?", [memory_id])
            for row in list(db.query("SELECT id, notes FROM turns WHERE notes LIKE ?", [f'%"{mine}%'])):
                notes = [note for note in json.loads(row["notes"]) if not note["key"].startswith(mine)]
                db.table("turns").update(row["id"], {"notes": json.dumps(notes, ensure_ascii=False)})
        self._store.overwrite_deleted()

    def wanted(self, document_ids: Sequence[str], *, conversation_id: str = "", character_id: str = "") -> Sequence[Memory]:
        """Those that hold for a question to these documents in this conversation, the oldest first."""
        places = {"everything": "", "conversation": conversation_id, "character": character_id}
        return [memory for memory in self.list() if memory.state == "on" and _holds(memory, document_ids, places)]

    def _change(self, memory_id: str, **values: str) -> None:
        memory = self.get(memory_id)
        with self._store.transaction() as db:
            db.table("memories").update(memory.id, {**values, "changed_at": _now()})


def within(engine: Engine, memories: Sequence[Memory], *, tokens: int) -> tuple[list[Memory], list[Memory]]:
    """Those for which there is room, the newest let in first, and those for which there is none; both the oldest first."""
    sizes = [len(ids) for ids in engine.tokenize([memory.text for memory in memories])]
    room, kept = tokens, set()
    for memory, size in reversed(list(zip(memories, sizes, strict=True))):
        if size <= room:
            room -= size
            kept.add(memory.id)
    return [memory for memory in memories if memory.id in kept], [memory for memory in memories if memory.id not in kept]


def asked_to_remember(question: str) -> str | None:
    """What the user wants remembered, where that is what the message asks: "Remember that …", "请记住：…"."""
    match = _ASKED.fullmatch(question)
    return next((text.strip() for text in match.groups() if text), None) if match else None


def documents_scope(document_ids: Sequence[str]) -> str:
    """The scope id of a set of documents, whatever their order."""
    return " ".join(sorted(document_ids))


def _holds(memory: Memory, document_ids: Sequence[str], places: Mapping[str, str]) -> bool:
    if memory.scope == "documents":
        return set(memory.scope_id.split()) <= set(document_ids)
    return memory.scope_id == places[memory.scope]


def _checked(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise UsageError("There is nothing to remember.", hint='Write a sentence: unabridged memory add "Answer briefly."')
    if len(text) > LONGEST:
        raise UsageError(f"A memory has at most {LONGEST:,} characters.", hint="Add longer texts as documents.")
    return text


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
