"""The library: files that were added, understood once and kept with their passages. Knows no models and no conversations."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unabridged.citations import Citation
from unabridged.errors import HomeError, UsageError
from unabridged.home import Home, copy_whole
from unabridged.ingest.document import Document, Passage
from unabridged.ingest.edition import edition
from unabridged.ingest.limits import Limits
from unabridged.ingest.passages import passages
from unabridged.ingest.reading import ingest, sha256
from unabridged.layout import pack, pack_anchor, unpack, unpack_anchor
from unabridged.store import Store

Progress = Callable[[int, int], None]

SNIPPET = 60  # characters shown on each side of what was found
SHORTEST_INDEXED = 3  # a trigram index knows nothing shorter


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the library. `problems` counts them; `find`, `document` and `original` give the rest."""

    id: str
    name: str
    media_type: str
    characters: int
    pages: int
    problems: int
    size_bytes: int
    added_at: str


@dataclass(frozen=True, slots=True)
class Found:
    """`document.text[start:end]` is what was found; `before` and `after` are the words around it."""

    document_id: str
    document: str
    page: int | None
    page_label: str | None
    path: str
    start: int
    end: int
    before: str
    words: str
    after: str


class Library:
    def __init__(self, home: Home, store: Store) -> None:
        self._home = home
        self._store = store

    def add(
        self,
        path: Path,
        *,
        password: str | None = None,
        progress: Progress | None = None,
        again: bool = False,
        limits: Limits = Limits(),  # noqa: B008  (a frozen value)
    ) -> Document:
        """Read a file, or find that its very bytes were read before (`again` reads anyway). Raises DocumentError, HomeError.

        The document, its passages and its place in the search index are kept in one transaction, with a copy of the file.
        """
        known = self._row(sha256(path)) if path.is_file() and os.access(path, os.R_OK) else None
        if known and known["edition"] == edition() and not again:
            self._name(known, path.name)
            return self.document(known["id"])
        document = ingest(path, password=password, progress=progress, limits=limits)
        original = self._home.originals / document.id
        if not original.exists():
            copy_whole(path, original)
        try:
            self._keep(document, size_bytes=original.stat().st_size)
        except HomeError:
            if known is None:
                original.unlink(missing_ok=True)
            raise
        return document

    def entries(self) -> list[Entry]:
        """All documents, the last added first."""
        columns = ", ".join(Entry.__slots__)
        rows = self._store.rows(f"SELECT {columns} FROM documents ORDER BY added_at DESC, name")  # noqa: S608 our own names
        return [Entry(**row) for row in rows]

    def document(self, document_id: str) -> Document:
        """Raises UsageError when the library has no such document."""
        row = self._row(document_id)
        if row is None:
            raise UsageError(f"The library has no document {document_id[:12]}.", hint="See unabridged library list.")
        return _document(row)

    def passages(self, document_id: str) -> list[Passage]:
        rows = self._store.rows("SELECT * FROM passages WHERE document_id = ? ORDER BY number", [document_id])
        return [Passage(row["number"], row["start"], row["end"], unpack_anchor(row["anchor"])) for row in rows]

    def original(self, document_id: str) -> Path:
        """The copy of the file as it was added. Raises HomeError when it is gone."""
        path = self._home.originals / document_id
        if not path.is_file():
            raise HomeError("The copy of the original file is gone from the home folder.", hint="Add the file again.")
        return path

    def resolve(self, words: str) -> Entry:
        """The one document meant by an id, the beginning of one, or a name. Raises UsageError for none or several."""
        entries = self.entries()
        matches = [entry for entry in entries if entry.name == words] or [
            entry for entry in entries if len(words) >= 4 and entry.id.startswith(words.lower())
        ]
        if len(matches) != 1:
            many = "several documents" if matches else "no document"
            raise UsageError(f"The library has {many} called {words}.", hint="Give the id that unabridged library list shows.")
        return matches[0]

    def rename(self, document_id: str, name: str) -> None:
        if not name.strip():
            raise UsageError("A document needs a name.", hint="Give it a name of one or more letters.")
        with self._store.transaction() as db:
            db.table("documents").update(document_id, {"name": name.strip()})

    def remove(self, document_id: str) -> None:
        """Forget a document, its passages and its copy. Conversations keep their quotations, which carry their own words."""
        with self._store.transaction() as db:
            db.table("documents").delete_where("id = ?", [document_id])
        try:
            (self._home.originals / document_id).unlink(missing_ok=True)
        except OSError as error:
            raise HomeError(f"The copy of the file cannot be deleted: {error.strerror}.", hint="Check its rights.") from error

    def find(self, words: str, *, document_ids: Sequence[str] | None = None, limit: int = 200) -> list[Found]:
        """Where the library has these very words; case, and how wide white space is, do not matter. `limit` per document."""
        if not words.strip():
            raise UsageError("There is nothing to look for.", hint='Give the words in quotes: unabridged find "governing law".')
        pattern = re.compile(r"\s+".join(re.escape(word) for word in words.split()), re.IGNORECASE)
        found: list[Found] = []
        for row in self._holding(words.split()):
            if document_ids is None or row["id"] in document_ids:
                found += _search(_document(row), pattern, limit)
        return found

    def locate(self, citation: Citation) -> Document:
        """The document of a citation whose words still stand at its span. Raises UsageError if it was removed or read anew."""
        document = self.document(citation.document_id)
        if document.text[citation.start : citation.end] != citation.quote:
            raise UsageError(f"{citation.document} was read anew since.", hint="Ask again to cite what it says now.")
        return document

    def has(self, citation: Citation) -> bool:
        """Whether its words stand at its span in a document of the library."""
        rows = self._store.rows("SELECT text FROM documents WHERE id = ?", [citation.document_id])
        return any(row["text"][citation.start : citation.end] == citation.quote for row in rows)

    def _holding(self, words: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of the documents that can hold all of the words: asked of the index where it knows words that long."""
        indexed = [word for word in words if len(word) >= SHORTEST_INDEXED]
        if not indexed:
            return self._store.rows("SELECT * FROM documents ORDER BY added_at DESC, name")
        query = " AND ".join('text : "{}"'.format(word.replace('"', '""')) for word in indexed)
        return self._store.rows(
            "SELECT * FROM documents WHERE rowid IN (SELECT rowid FROM documents_fts WHERE documents_fts MATCH ?) "
            "ORDER BY added_at DESC, name",
            [query],
        )

    def _row(self, document_id: str) -> dict[str, Any] | None:
        return next(iter(self._store.rows("SELECT * FROM documents WHERE id = ?", [document_id])), None)

    def _name(self, row: dict[str, Any], name: str) -> None:
        """The same bytes under another name: the newest name is the one people look for."""
        if row["name"] != name:
            self.rename(row["id"], name)

    def _keep(self, document: Document, *, size_bytes: int) -> None:
        row = {
            "id": document.id,
            "name": document.name,
            "media_type": document.media_type,
            "text": document.text,
            "layout": pack(document),
            "characters": len(document.text),
            "pages": len(document.pages),
            "problems": len(document.problems),
            "edition": edition(),
            "size_bytes": size_bytes,
            "added_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        tiles = [
            {
                "document_id": document.id,
                "number": passage.number,
                "start": passage.start,
                "end": passage.end,
                "anchor": pack_anchor(passage.anchor),
            }
            for passage in passages(document)
        ]
        with self._store.transaction() as db:
            db.table("documents").delete_where("id = ?", [document.id])
            db.table("documents").insert(row)
            db.table("passages").insert_all(tiles)


def _document(row: dict[str, Any]) -> Document:
    return unpack(row["layout"], **{name: row[name] for name in ("id", "name", "media_type", "text")})


def _search(document: Document, pattern: re.Pattern[str], limit: int) -> list[Found]:
    found: list[Found] = []
    for match in pattern.finditer(document.text):
        if len(found) == limit:
            break
        start, end = match.span()
        block = next((block for block in document.blocks if block.start <= start < block.end), None)
        page = next((page for page in document.pages if page.start <= start < page.end), None)
        found.append(
            Found(
                document_id=document.id,
                document=document.name,
                page=page.number if page else None,
                page_label=page.label if page else None,
                path=block.anchor.path if block else "",
                start=start,
                end=end,
                before=document.text[max(0, start - SNIPPET) : start],
                words=match.group(),
                after=document.text[end : end + SNIPPET],
            )
        )
    return found
