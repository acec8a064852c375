"""A branch of a conversation as Markdown, its citations as footnotes. Knows no files.

A quotation that does not stand in a document of the library (any more) is marked as unplaced: nothing looks proven that is not.
"""

import re
from collections.abc import Callable, Sequence

from unabridged.citations import Citation
from unabridged.marks import ends_in_code, without_thoughts
from unabridged.turns import Conversation, Turn

Placed = Callable[[Citation], bool]
MARKER = re.compile(r"\[(\d{1,4})\]")
UNPLACED = "not placed: these words are not in the library's text at this place"


def to_markdown(conversation: Conversation, turns: Sequence[Turn], *, placed: Placed) -> str:
    lines = [f"# {_line(conversation.title)}", ""]
    if conversation.documents:
        lines += [f"Documents: {', '.join(_line(name) for _, name in conversation.documents)}", ""]
    notes: list[str] = []
    for turn in turns:
        lines += [f"## {_line(turn.question)}", "", f"*{turn.created_at[:16].replace('T', ' ')} · {_line(turn.model)}*", ""]
        lines += [footnoted(turn, first=len(notes) + 1, mark=lambda n: f"[^{n}]"), ""]
        if turn.state != "finished":
            lines += [f"*({turn.state})*", ""]
        notes += [f"[^{len(notes) + at}]: {_line(note_text(item, placed(item)))}" for at, item in enumerate(turn.citations, 1)]
    return "\n".join([*lines, *notes]).rstrip() + "\n"


def footnoted(turn: Turn, *, first: int, mark: Callable[[int], str]) -> str:
    """The answer with its markers as the footnotes from `first` on; sources without a marker follow the text."""
    order = {citation.n: first + at for at, citation in enumerate(turn.citations)}
    used: set[int] = set()

    def replaced(match: re.Match[str]) -> str:
        n = int(match[1])
        if n not in order or ends_in_code(said[: match.start()]):
            return match[0]
        used.add(n)
        return mark(order[n])

    said = without_thoughts(turn.answer)
    text = MARKER.sub(replaced, said)
    return text + "".join(mark(number) for n, number in order.items() if n not in used)


def note_text(citation: Citation, placed: bool) -> str:
    page = None
    if citation.page is not None:
        printed = citation.page_label if citation.page_label not in (None, "", str(citation.page)) else None
        page = f"page {citation.page}" + (f" (printed {printed})" if printed else "")
    where = ", ".join(part for part in (citation.document, page, citation.path) if part)
    return f"{where}: “{citation.quote}”" + ("" if placed else f" [{UNPLACED}]")


def _line(text: str) -> str:
    return " ".join(text.split())
