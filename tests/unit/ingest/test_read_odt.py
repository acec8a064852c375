"""OpenDocument text: lists with their signs, also in cells, notes, charts and formulas; what is not read is reported."""
# ruff: noqa: E501

from pathlib import Path

import pytest
from unabridged.errors import DocumentDamaged
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.reading import ingest

from tests.unit.ingest.test_other_formats import archive, blocks, checked

ODT = """<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:b="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:s="urn:oasis:names:tc:opendocument:xmlns:style:1.0">
 <t:list-style s:name="L"><t:list-level-style-number t:level="1" s:num-format="1" s:num-suffix="."/>
 <t:list-level-style-number t:level="2" s:num-format="a" s:num-prefix="(" s:num-suffix=")"/></t:list-style><o:body><o:text>
 <t:h t:outline-level="1">Lease</t:h><t:p>The rent<t:note><t:note-citation>1</t:note-citation><t:note-body><t:p>Net.</t:p></t:note-body></t:note>
is<t:s t:c="2"/>due.</t:p><t:list t:style-name="L"><t:list-item><t:p>one</t:p><t:list><t:list-item><t:p>below</t:p></t:list-item></t:list>
</t:list-item><t:list-item><t:p>two</t:p></t:list-item></t:list>
<b:table><b:table-row><b:table-cell><t:p>a</t:p></b:table-cell><b:table-cell><t:p>b</t:p></b:table-cell></b:table-row></b:table>
</o:text></o:body></o:document-content>"""


def test_odt(tmp_path: Path) -> None:
    document = checked(
        archive(tmp_path / "lease.odt", mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": ODT})
    )
    assert blocks(document) == [
        (BlockKind.HEADING, "Lease"),
        (BlockKind.PARAGRAPH, "The rent[^1]\nis  due."),
        (BlockKind.FOOTNOTE, "[^1] Net."),
        (BlockKind.LIST_ITEM, "1. one"),
        (BlockKind.LIST_ITEM, "(a) below"),
        (BlockKind.LIST_ITEM, "2. two"),
        (BlockKind.TABLE, "a | b"),
    ]


SPACES = ODT[: ODT.index("<t:list-style")].replace(
    "<o:document-content", '<o:document-content xmlns:d="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:x="http://www.w3.org/1999/xlink"'
)
LIST_STYLE = ODT[ODT.index("<t:list-style") : ODT.index("<o:body>")]


def text_file(path: Path, body: str, **objects: str) -> Document:
    content = f"{SPACES}{LIST_STYLE}<o:body><o:text>{body}</o:text></o:body></o:document-content>"
    parts = {f"{name}/content.xml": inside for name, inside in objects.items()}
    return checked(archive(path, mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": content}, **parts))


def frame(name: str) -> str:
    return f'<d:frame><d:object x:href="./{name}"/><d:image/></d:frame>'


CHART = """<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:c="urn:oasis:names:tc:opendocument:xmlns:chart:1.0"
 xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:b="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><o:body><o:chart><c:chart>
<c:title><t:p>Rent by year</t:p></c:title><b:table><b:table-row><b:table-cell/><b:table-cell><t:p>Net</t:p></b:table-cell></b:table-row>
<b:table-row><b:table-cell><t:p>2024</t:p></b:table-cell><b:table-cell><t:p>9000</t:p></b:table-cell></b:table-row></b:table>
</c:chart></o:chart></o:body></o:document-content>"""
FORMULA = '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>a</mi><annotation encoding="StarMath 5.0">a over b</annotation></semantics></math>'


def test_charts_give_their_figures_and_formulas_their_words(tmp_path: Path) -> None:
    document = text_file(tmp_path / "a.odt", f"<t:p>As shown:{frame('One')}</t:p><t:p>So {frame('Two')}.</t:p>", One=CHART, Two=FORMULA)
    assert blocks(document) == [
        (BlockKind.PARAGRAPH, "As shown:"),
        (BlockKind.TABLE, "Chart: Rent by year\n | Net\n2024 | 9000"),
        (BlockKind.PARAGRAPH, "So a over b."),
    ]
    assert not document.problems


def test_other_objects_are_reported(tmp_path: Path) -> None:
    document = text_file(tmp_path / "a.odt", f"<t:p>See{frame('Missing')}</t:p>")
    assert [(problem.kind, problem.where) for problem in document.problems] == [(ProblemKind.DROPPED_OBJECT, "1 embedded objects")]


def test_lists_in_cells_keep_their_signs(tmp_path: Path) -> None:
    items = "".join(f"<t:list-item><t:p>{word}</t:p></t:list-item>" for word in ("one", "two"))
    cell = f'<b:table-cell><t:list t:style-name="L">{items}</t:list></b:table-cell>'
    document = text_file(tmp_path / "a.odt", f"<b:table><b:table-row>{cell}<b:table-cell><t:p>b</t:p></b:table-cell></b:table-row></b:table>")
    assert blocks(document) == [(BlockKind.TABLE, "1. one 2. two | b")]


def test_broken_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentDamaged, match=r"content\.xml"):
        ingest(
            archive(tmp_path / "lease.odt", mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": "<a><b></a>"})
        )
