"""Spreadsheets: sheet after sheet, row after row, with the range of cells as the place ("Prices!A5:F12"). Also CSV.

Values as last calculated; dates in ISO form, percentages as percentages. Hidden sheets are read and said to be hidden. Cell
comments and the figures of charts follow the rows of their sheet. Pictures are reported.
"""

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.archive import Archive
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.encodings import detect
from unabridged.ingest.ooxml import R, Relationship, main_part, part, relationships
from unabridged.ingest.ooxml_chart import chart_text
from unabridged.ingest.reader import Source

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What openpyxl, zipfile and the XML parser below it raise over damaged files.
_FAILURES = (
    LookupError, ValueError, TypeError, AttributeError, OSError, EOFError, RuntimeError, NotImplementedError,
    SyntaxError, zipfile.BadZipFile, zlib.error, InvalidFileException,
)  # fmt: skip
_BLOCK_CHARACTERS = 400  # of rows in one block, so that a citation names a small range
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

Row = tuple[int, list[str]]  # its number from 1, and its cells as text


def read_xlsx(source: Source) -> Document:
    draft = Draft()
    with Archive.open(source) as archive:
        extras = _extras(archive)
        dropped = [name for name in archive.names if name.startswith(("xl/media/", "xl/embeddings/"))]
    with warnings.catch_warnings(action="ignore"):  # openpyxl remarks on every extension that it does not know
        sheets = _sheets(source)
        names = list(dict.fromkeys([*extras, *sheets]))  # sheets that hold nothing but a chart are in the first only
        for done, name in enumerate(names, 1):
            sheet = sheets.get(name)
            hidden = "" if sheet is None or sheet.sheet_state == "visible" else " (hidden sheet)"
            draft.add(BlockKind.HEADING, f"{name}{hidden}", level=1, path=name)
            if sheet is not None:
                rows = ((n, [_shown(*cell) for cell in cells]) for n, cells in enumerate(_cells(sheet, source), 1))
                _add_rows(draft, rows, name)
            for kind, place, text in extras.get(name, ()):
                draft.add(kind, text, path=f"{name}{place}")
            source.progress(done, len(names))
    if all(entry.kind is BlockKind.HEADING for entry in draft.entries):
        raise DocumentEmpty(f"{source.name} holds no cells with a value.", hint="If it holds pictures only, attach their data.")
    if dropped:
        draft.problem(
            ProblemKind.DROPPED_OBJECT, f"{len(dropped):,} pictures or embedded files", "Attach what they show as text."
        )
    return draft.finish(media_type=MEDIA_TYPE, name=source.name)


def _sheets(source: Source) -> dict[str, Any]:
    """openpyxl's worksheets by name, in their order."""
    try:
        book = openpyxl.load_workbook(source.path, read_only=True, data_only=True)
        return {sheet.title: sheet for sheet in book.worksheets}
    except _FAILURES as error:
        raise _damaged(source) from error


def _cells(sheet: Any, source: Source) -> Iterator[list[tuple[object, str]]]:  # noqa: ANN401  (openpyxl's worksheet)
    """The value and number format of every cell, row by row. Only what openpyxl raises here is the file's fault."""
    try:
        sheet.reset_dimensions()
        for row in sheet.iter_rows():
            yield [(cell.value, cell.number_format) for cell in row]
    except _FAILURES as error:
        raise _damaged(source) from error


def _damaged(source: Source) -> DocumentDamaged:
    return DocumentDamaged(f"{source.name} cannot be read as an Excel file.", hint="Open it in Excel and save it anew.")


def read_csv(source: Source) -> Document:
    data = source.path.read_bytes()
    encoding = source.options.get("encoding") or detect(data).name
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    draft = Draft()
    draft.details["encoding"] = encoding
    csv.field_size_limit(source.limits.characters)
    try:
        rows = [
            (n, [" ".join(cell.split()) for cell in row])
            for n, row in enumerate(csv.reader(io.StringIO(text, newline=""), dialect), 1)
        ]
    except csv.Error as error:
        raise DocumentDamaged(
            f"{source.name} cannot be read as a table.", hint="Open it in a spreadsheet and save it anew as CSV."
        ) from error
    _add_rows(draft, iter(rows), "")
    if not draft.length:
        raise DocumentEmpty(f"{source.name} holds no cells with a value.", hint="Choose a file with text in it.")
    return draft.finish(media_type="text/csv", name=source.name)


def _add_rows(draft: Draft, rows: Iterator[Row], sheet: str) -> None:
    """Blocks of some rows each, named by the cells that they cover."""
    held: list[tuple[int, int, str]] = []  # row, number of columns, text
    for number, cells in rows:
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        line = " | ".join(cells)
        if held and sum(len(text) for _, _, text in held) + len(line) > _BLOCK_CHARACTERS:
            _add_block(draft, held, sheet)
            held = []
        held.append((number, len(cells), line))
    if held:
        _add_block(draft, held, sheet)


def _add_block(draft: Draft, held: Sequence[tuple[int, int, str]], sheet: str) -> None:
    last_column = get_column_letter(max(1, max(columns for _, columns, _ in held)))
    place = f"A{held[0][0]}:{last_column}{held[-1][0]}"
    separator = "\n" if draft.entries and draft.entries[-1].kind is BlockKind.TABLE else "\n\n"
    text = "\n".join(line for _, _, line in held)
    draft.add(
        BlockKind.TABLE, text, separator=separator, path=f"{sheet}!{place}" if sheet else f"rows {held[0][0]}–{held[-1][0]}"
    )


def _shown(value: object, number_format: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ", "minutes")
        case date() | time():
            return value.isoformat()
        case float() if "%" in number_format:
            return f"{value * 100:.10g}%"
        case float():
            return f"{value:.15g}"
    return " ".join(str(value).split())


def _extras(archive: Archive) -> dict[str, list[tuple[BlockKind, str, str]]]:
    """By sheet name, in the order of the book: kind, place and words of what lies over the cells: comments and charts."""
    name = main_part(archive, "xl/workbook.xml")
    if name not in archive:
        return {}
    related = relationships(archive, name)
    found: dict[str, list[tuple[BlockKind, str, str]]] = {}
    for sheet in part(archive, name).iter(_S + "sheet"):
        link = related.get(sheet.get(R + "id") or "")
        held = found.setdefault(sheet.get("name") or "", [])
        for relationship in _related(archive, link.target) if link else ():
            if relationship.kind == "comments":
                for comment in part(archive, relationship.target).iter(_S + "comment"):
                    words = " ".join("".join(e.text or "" for e in comment.iter(_S + "t")).split())
                    place = comment.get("ref") or ""
                    held.append((BlockKind.COMMENT, f"!{place}", f"[Comment on {place}: {words}]"))
            elif relationship.kind == "drawing":
                charts = (chart for chart in _related(archive, relationship.target) if chart.kind == "chart")
                held += ((BlockKind.TABLE, ", chart", chart_text(part(archive, chart.target))) for chart in charts)
    return found


def _related(archive: Archive, name: str) -> list[Relationship]:
    """What a part refers to inside the file."""
    links = relationships(archive, name).values() if name in archive else ()
    return [link for link in links if not link.external and link.target in archive]
