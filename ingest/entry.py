"""A block on its way to its place: what a reader knows of it, before `outline` gives it a path."""

import re
from dataclasses import dataclass

from unabridged.ingest.document import BlockKind, Box

_MARKDOWN_HEADING = re.compile(r"#{1,6}\s+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A block before it has its place. `label`: its number in the file's markup; `path`: given by the reader, kept."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    label: str = ""
    path: str = ""
    page: int | None = None
    page_label: str | None = None
    box: Box | None = None


def body_of(text: str, entry: Entry) -> str:
    """Its text without the white space and the Markdown sign before it."""
    body = text[entry.start : entry.end].lstrip()
    marker = _MARKDOWN_HEADING.match(body) if entry.kind is BlockKind.HEADING else None
    return body[marker.end() :] if marker else body
