"""RTF: its words as plain paragraphs, through striprtf.

Numbering that Word computes, the places of notes and the cells of tables are not kept apart; the user is told so.
"""

from striprtf.striprtf import rtf_to_text
from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.document import Document, ProblemKind
from unabridged.ingest.draft import Draft, usable
from unabridged.ingest.read_text import mark_blocks
from unabridged.ingest.reader import Source


def read_rtf(source: Source) -> Document:
    try:
        text = rtf_to_text(source.path.read_bytes().decode("latin-1"), encoding="cp1252", errors="replace")
    except (ValueError, IndexError, KeyError, LookupError, UnicodeError) as error:
        raise DocumentDamaged(f"{source.name} cannot be read as RTF.", hint="Open it in Word and save it as .docx.") from error
    draft = Draft(text=usable(text).strip("\n"))
    if not draft.text.strip():
        raise DocumentEmpty(f"{source.name} holds no text.", hint="Open it in Word and save it as .docx.")
    mark_blocks(draft, markdown=False)
    draft.problem(
        ProblemKind.DROPPED_OBJECT,
        "numbers of lists, places of notes, pictures",
        "RTF is read as plain text. If these matter, save the file as .docx and attach that.",
    )
    return draft.finish(media_type="application/rtf", name=source.name)
