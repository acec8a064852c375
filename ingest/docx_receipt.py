"""What a reader of a Word file says about it beside its text: how many changes are tracked, and what was not read."""

from collections.abc import Sequence

from lxml import etree
from unabridged.ingest.document import ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.ooxml import W

_INSERTIONS, _DELETIONS, _MOVES = ("ins", "cellIns"), ("del", "cellDel"), ("moveFrom",)
_FORMATTING = (
    "rPrChange", "pPrChange", "sectPrChange", "tblPrChange", "tblPrExChange", "trPrChange", "tcPrChange", "numberingChange",
)  # fmt: skip


def report_revisions(draft: Draft, roots: Sequence[etree._Element], view: str) -> None:
    """Counts over the body and the notes; changes of formatting are counted apart, since they change no words."""

    def count(kinds: Sequence[str]) -> int:
        return sum(1 for root in roots for _ in root.iter(*(W + kind for kind in kinds)))

    insertions, deletions, moves = count(_INSERTIONS), count(_DELETIONS), count(_MOVES)
    formatting = count(_FORMATTING)
    if formatting:
        draft.details["formatting revisions"] = str(formatting)
    if not insertions + deletions + moves:
        return
    draft.details["revisions"] = str(insertions + deletions + moves)
    draft.details["revisions view"] = view
    draft.problem(
        ProblemKind.REVISIONS,
        "the whole file",
        f"{insertions:,} insertions, {deletions:,} deletions and {moves:,} moves are tracked; the {view} text was read.",
    )


def report_dropped(draft: Draft, *, pictures: Sequence[str], objects: int, hidden: int, symbols: int) -> None:
    """`pictures`: their descriptions, "" for none; the others are counts."""
    named = [picture for picture in pictures if picture]
    if pictures:
        draft.details["pictures"] = str(len(pictures))
        about = f" ({'; '.join(named[:5])})" if named else ""
        draft.problem(
            ProblemKind.DROPPED_OBJECT,
            f"{len(pictures):,} pictures{about}",
            "Text inside pictures was not read; if it matters, save the file as PDF and attach that.",
        )
    if objects:
        draft.problem(
            ProblemKind.DROPPED_OBJECT,
            f"{objects:,} embedded objects",
            "Open the file, save the objects as files and attach them.",
        )
    if hidden:
        draft.problem(
            ProblemKind.DROPPED_OBJECT,
            f"{hidden:,} characters of hidden text",
            "Word neither shows nor prints them, and they were not read; unhide them in Word if they matter.",
        )
    if symbols:
        draft.problem(
            ProblemKind.DROPPED_OBJECT, f"{symbols:,} symbols of a picture font", "They stand as \ufffd in the text."
        )
