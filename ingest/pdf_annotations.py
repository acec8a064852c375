"""What lies on a PDF page without being part of its printed text: comments, form fields, links that lead out of the file.

Fields that are ticked have no text of their own: they give runs of one sign, at their place. Boxes are those of the page as it
is shown. Nothing is followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pymupdf
from unabridged.ingest.document import Box

# Annotations whose words are no part of the printed page (PDF 1.7, table 169): sticky notes and marked text.
_STICKY_NOTE = "Text"
_COMMENTS = (_STICKY_NOTE, "Highlight", "Underline", "Squiggly", "StrikeOut", "Caret")
# MuPDF's numbers of field types (enum pdf_widget_type), which PyMuPDF binds at run time only.
_CHECKBOX, _COMBOBOX, _LISTBOX, _RADIOBUTTON, _SIGNATURE, _TEXT = range(2, 8)
_TICKED, _WRITTEN = (_CHECKBOX, _RADIOBUTTON), (_TEXT, _COMBOBOX, _LISTBOX)
_MOST_ANNOTATIONS = 2000
_OFF = ("", "Off", "False", "None")


@dataclass(frozen=True, slots=True)
class Field:
    """A form field: what to read at `box`. For a tick the page's own text there is only its picture."""

    box: Box
    text: str
    is_tick: bool


def comments(page: "pymupdf.Page") -> tuple[str, ...]:
    found = []
    for annotation in page.annots() or ():
        words = annotation.info.get("content", "").strip()
        if words and annotation.type[1] in _COMMENTS:
            who = annotation.info.get("title", "").strip()
            marked = "" if annotation.type[1] == _STICKY_NOTE else " ".join(page.get_textbox(annotation.rect).split())
            found.append(f"[Comment{f' by {who}' if who else ''}{f' on “{marked}”' if marked else ''}: {words}]")
    return tuple(found)


def fields(page: "pymupdf.Page") -> list[Field]:
    """Ticks, written values, and where an empty signature field lies; buttons have nothing to read."""
    found = []
    for widget in page.widgets():
        box = Box(*(widget.rect * page.rotation_matrix))
        value = str(widget.field_value)
        if widget.field_type in _TICKED:
            found.append(Field(box, "☐" if value in _OFF else "☑", is_tick=True))
        elif widget.field_type == _SIGNATURE and not widget.is_signed:
            found.append(Field(box, "", is_tick=False))
        elif widget.field_type in _WRITTEN and value.strip() and value != "None":
            found.append(Field(box, value, is_tick=False))
    return found


def asides(page: "pymupdf.Page") -> tuple[str, ...]:
    """Addresses that the printed words do not show, and signature fields."""
    if page.parent.is_pdf and (count := len(page.annot_xrefs())) > _MOST_ANNOTATIONS:
        return (f"{count:,} links and other annotations, too many to list",)  # PyMuPDF's time grows with their square
    found = []
    links = [(link["from"], link.get("uri") or link.get("file") or "") for link in page.get_links()]
    words_of_page = page.get_text("words") if any(address for _, address in links) else []
    for box, address in links:
        words = _printed(page, box, words_of_page) if address else ""
        if address and address.removeprefix("mailto:").rstrip("/") not in words:
            found.append(f"Link on “{words}”: {address}")
    for widget in page.widgets(types=[_SIGNATURE]):
        found.append(f"Signature field {widget.field_name or ''}: {'signed' if widget.is_signed else 'not signed'}")
    return tuple(dict.fromkeys(found))


def _printed(page: "pymupdf.Page", box: "pymupdf.Rect", words_of_page: Sequence[tuple[Any, ...]]) -> str:
    """The words in a box; looked for by characters, which takes PyMuPDF long, only where no whole word lies in it."""
    inside = [word for x0, y0, x1, y1, word, *_ in words_of_page if pymupdf.Point((x0 + x1) / 2, (y0 + y1) / 2) in box]
    return " ".join(inside or page.get_textbox(box).split())
