"""A branch of a conversation as Markdown, its citations as footnotes. Knows no files.

A quotation that does not stand in a document of the library (any more) is marked as unplaced: nothing looks proven that is not.
"""

import re
from collections.abc import Callable, Sequence

from unabridged.citations import Citation
from unabridged.marks import QUOTATION_MARKS, ends_in_code, without_thoughts
from unabridged.turns import Conversation, Turn

Placed = Callable[[Citation], bool]
MARKER = re.compile(r"\[(\d{1,4})\]")
_SIGNS = re.compile(r"[\\`*_\[\]<>|~$]")
_BULLET, _NUMBER = re.compile(r"^[#+=-]"), re.compile(r"^(\d{1,9})([.)])")  # that would begin a list or a heading
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
        for citation in turn.citations:
            notes.append(f"[^{len(notes) + 1}]: {_line(_plain(note_text(citation, placed(citation))))}")
    return "\n".join([*lines, *notes]).rstrip() + "\n"


def footnoted(turn: Turn, *, first: int, mark: Callable[[int], str]) -> str:
    """The answer with its markers as the footnotes from `first` on; sources without a marker follow the text."""
    order = {citation.n: first + at for at, citation in enumerate(turn.citations)}
    used: set[int] = set()

    def replaced(match: re.Match[str]) -> str:
        n = int(match[1])
        if n not in order or ends_in_code(said[: match.start()].replace(r"\`", "")):
            return match[0]
        used.add(n)
        return mark(order[n])

    said = without_thoughts(turn.answer)
    for citation in turn.citations:
        for opening, closing in QUOTATION_MARKS:
            said = said.replace(f"{opening}{citation.shown}{closing}", f"{opening}{_verbatim(citation.shown)}{closing}")
    text = MARKER.sub(replaced, said)
    return text + "".join(mark(number) for n, number in order.items() if n not in used)


def note_text(citation: Citation, placed: bool) -> str:
    page = None
    if citation.page is not None:
        printed = citation.page_label if citation.page_label not in (None, "", str(citation.page)) else None
        page = f"page {citation.page}" + (f" (printed {printed})" if printed else "")
    where = ", ".join(part for part in (citation.document, page, citation.path) if part)
    return f"{where}: “{citation.quote}”" + ("" if placed else f" [{UNPLACED}]")


def _verbatim(quote: str) -> str:
    """Markdown that shows a quotation as it is in the source: a document's own stars and numbers are no Markdown."""
    lines = [_plain(line.strip()) for line in quote.splitlines() if line.strip()]
    return "\n".join(_NUMBER.sub(r"\1\\\2", _BULLET.sub(r"\\\g<0>", line)) for line in lines)


def _plain(text: str) -> str:
    return _SIGNS.sub(r"\\\g<0>", text)


def _line(text: str) -> str:
    return " ".join(text.split())
