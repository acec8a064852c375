"""A branch of a conversation as a Word file (DOCX) whose citations are real footnotes. Knows no files.

The parts and names are those of Office Open XML, ISO/IEC 29500-1, in the least form that Word and LibreOffice accept.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace

from lxml import etree
from lxml.builder import ElementMaker
from markdown_it import MarkdownIt
from markdown_it.token import Token
from unabridged.export_markdown import Placed, footnoted, note_text
from unabridged.turns import Conversation, Turn

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MEDIA = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_PARTS = {"document": "document.main", "styles": "styles", "footnotes": "footnotes"}
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold
_CALL = re.compile("\ue000([0-9]+)\ue001")  # a footnote's place, in characters that mean nothing else

w = ElementMaker(namespace=_W, nsmap={"w": _W})


def to_word(conversation: Conversation, turns: Sequence[Turn], *, placed: Placed) -> bytes:
    body: list[etree._Element] = [_paragraph([_run(conversation.title)], style="Title")]
    if conversation.documents:
        body.append(_paragraph([_run("Documents: " + ", ".join(name for _, name in conversation.documents))]))
    notes: list[str] = []
    for turn in turns:
        body.append(_paragraph([_run(turn.question)], style="Heading1"))
        body.append(_paragraph([_run(f"{turn.created_at[:16].replace('T', ' ')} · {turn.model}", "i")]))
        text = re.sub("[\ue000\ue001]", "", turn.answer)
        body += _blocks(footnoted(replace(turn, answer=text), first=len(notes) + 1, mark=lambda n: f"\ue000{n}\ue001"))
        if turn.state != "finished":
            body.append(_paragraph([_run(f"({turn.state})", "i")]))
        notes += [note_text(citation, placed(citation)) for citation in turn.citations]
    return _file({"document": w.document(w.body(*body)), "styles": _styles(), "footnotes": _footnotes(notes)})


def _blocks(markdown: str) -> list[etree._Element]:
    """Markdown as paragraphs and tables; what Word has no simple form for stands as it was written."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["link", "image", "autolink", "html_inline", "html_block", "reference", "entity"])
    blocks: list[etree._Element] = []
    lists: list[int | None] = []  # for each open list the next number, None where it has bullets
    rows: list[list[etree._Element]] = []
    style: str | None = None
    lead, in_table = "", False
    for token in parser.parse(markdown):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1) if token.type[0] == "o" else None)
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                lead = "•\t" if lists[-1] is None else f"{lists[-1]}.\t"
                if lists[-1] is not None:
                    lists[-1] += 1
            case "heading_open":
                style = f"Heading{min(int(token.tag[1]) + 1, 4)}"
            case "table_open":
                in_table, rows = True, []
            case "tr_open":
                rows.append([])
            case "inline" if in_table:
                rows[-1].append(w.tc(_paragraph(_runs(token.children or []))))
            case "inline":
                blocks.append(_paragraph([*([_run(lead)] if lead else []), *_runs(token.children or [])], style, len(lists)))
                lead, style = "", None
            case "table_close":
                in_table = False
                blocks += [w.tbl(w.tblPr(w.tblStyle(_val("TableGrid"))), *(w.tr(*cells) for cells in rows)), _paragraph([])]
            case "fence" | "code_block":
                blocks += [_paragraph([_run(line, "code")]) for line in token.content.rstrip("\n").split("\n")]
    return blocks


def _runs(tokens: Sequence[Token]) -> list[etree._Element]:
    runs: list[etree._Element] = []
    marks: list[str] = []
    for token in tokens:
        name = {"strong": "b", "em": "i", "s": "strike"}.get(token.type.rsplit("_", 1)[0])
        if name:
            marks = [*marks, name] if token.nesting == 1 else [mark for mark in marks if mark != name]
        elif token.type in ("softbreak", "hardbreak"):
            runs.append(w.r(w.br()))
        else:
            runs += _pieces(token.content, *marks, *(["code"] if token.type == "code_inline" else []))
    return runs


def _pieces(text: str, *marks: str) -> list[etree._Element]:
    """Text with its footnote calls."""
    runs = []
    for at, piece in enumerate(_CALL.split(text)):
        if at % 2:
            runs.append(w.r(w.rPr(w.vertAlign(_val("superscript"))), w.footnoteReference({f"{{{_W}}}id": piece})))
        elif piece:
            runs.append(_run(piece, *marks))
    return runs


def _run(text: str, *marks: str) -> etree._Element:
    properties = w.rPr()
    if "code" in marks:
        properties.append(w.rFonts({f"{{{_W}}}ascii": "Courier New", f"{{{_W}}}hAnsi": "Courier New"}))
    for mark in ("b", "i", "strike"):
        if mark in marks:
            properties.append(w(mark))
    words = w.t(_UNPRINTABLE.sub("\ufffd", text))
    words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return w.r(properties, words)


def _paragraph(runs: Sequence[etree._Element], style: str | None = None, depth: int = 0) -> etree._Element:
    properties = w.pPr()
    if style:
        properties.append(w.pStyle(_val(style)))
    if depth:
        properties.append(w.ind({f"{{{_W}}}left": str(360 * depth), f"{{{_W}}}hanging": "360"}))
    return w.p(properties, *runs)


def _footnotes(notes: Sequence[str]) -> etree._Element:
    def note(number: int, inside: etree._Element, **kind: str) -> etree._Element:
        return w.footnote({f"{{{_W}}}id": str(number), **{f"{{{_W}}}{key}": value for key, value in kind.items()}}, inside)

    raised = w.r(w.rPr(w.vertAlign(_val("superscript"))), w.footnoteRef())
    return w.footnotes(
        note(-1, w.p(w.r(w.separator())), type="separator"),
        note(0, w.p(w.r(w.continuationSeparator())), type="continuationSeparator"),
        *(
            note(number, _paragraph([etree.fromstring(etree.tostring(raised)), _run(f" {text}")]))
            for number, text in enumerate(notes, 1)
        ),
    )


def _styles() -> etree._Element:
    def style(name: str, label: str, half_points: int, kind: str = "paragraph") -> etree._Element:
        identity = {f"{{{_W}}}type": kind, f"{{{_W}}}styleId": name}
        looks = [w.rPr(w.b(), w.sz(_val(str(half_points))))] if half_points else []
        return w.style(identity, w.name(_val(label)), *looks)

    headings = [style(f"Heading{level}", f"heading {level}", 34 - 4 * level) for level in range(1, 5)]
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    lines = [w(side, {f"{{{_W}}}val": "single", f"{{{_W}}}sz": "4"}) for side in sides]
    grid = style("TableGrid", "Table Grid", 0, "table")
    grid.append(w.tblPr(w.tblBorders(*lines)))
    normal = style("Normal", "Normal", 0)
    normal.set(f"{{{_W}}}default", "1")
    return w.styles(normal, style("Title", "Title", 36), *headings, grid)


def _val(value: str) -> dict[str, str]:
    return {f"{{{_W}}}val": value}


def _file(parts: dict[str, etree._Element]) -> bytes:
    types = ElementMaker(namespace=f"{_PACKAGE}/content-types", nsmap={None: f"{_PACKAGE}/content-types"})
    relations = ElementMaker(namespace=f"{_PACKAGE}/relationships", nsmap={None: f"{_PACKAGE}/relationships"})

    def relation(number: int, kind: str, target: str) -> etree._Element:
        return relations.Relationship(Id=f"rId{number}", Type=f"{_OFFICE}/{kind}", Target=target)

    members = {
        "[Content_Types].xml": types.Types(
            types.Default(Extension="rels", ContentType="application/vnd.openxmlformats-package.relationships+xml"),
            *(
                types.Override(PartName=f"/word/{name}.xml", ContentType=f"{_MEDIA}.{kind}+xml")
                for name, kind in _PARTS.items()
            ),
        ),
        "_rels/.rels": relations.Relationships(relation(1, "officeDocument", "word/document.xml")),
        "word/_rels/document.xml.rels": relations.Relationships(
            relation(1, "styles", "styles.xml"), relation(2, "footnotes", "footnotes.xml")
        ),
        **{f"word/{name}.xml": part for name, part in parts.items()},
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in members.items():
            archive.writestr(name, etree.tostring(part, xml_declaration=True, encoding="UTF-8", standalone=True))
    return content.getvalue()
