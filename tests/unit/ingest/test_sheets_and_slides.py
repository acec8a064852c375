"""Sheets and slides: cells, figures of charts, notes and bullets, each in its place."""
# ruff: noqa: E501

import copy
import zipfile
from pathlib import Path

import openpyxl
import openpyxl.chart
import pytest
from openpyxl.comments import Comment
from unabridged.ingest.document import BlockKind
from unabridged.ingest.read_xlsx import read_xlsx
from unabridged.ingest.reader import Source

from tests.unit.ingest.test_other_formats import archive, blocks, checked, read


def test_xlsx(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet.append(["Item", "Price", "Share"])
    sheet.append(["Oak", 12.5, 0.25])
    sheet["C2"].number_format = "0%"
    sheet["A2"].comment = Comment("Ask Birch", "Alder")
    book.create_sheet("Notes").sheet_state = "hidden"
    book["Notes"]["B7"] = "below"
    book.save(tmp_path / "book.xlsx")
    document = checked(tmp_path / "book.xlsx")
    assert blocks(document) == [
        (BlockKind.HEADING, "Prices"),
        (BlockKind.TABLE, "Item | Price | Share\nOak | 12.5 | 25%"),
        (BlockKind.COMMENT, "[Comment on A2: Ask Birch]"),
        (BlockKind.HEADING, "Notes (hidden sheet)"),
        (BlockKind.TABLE, " | below"),
    ]
    assert [b.anchor.path for b in document.blocks] == ["Prices", "Prices!A1:C2", "Prices!A2", "Notes", "Notes!A7:B7"]


def test_the_figures_of_charts_are_read_with_their_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Rents"
    for row in (("Year", "Rent"), (2023, 9), (2024, 10)):
        book.active.append(row)
    chart = openpyxl.chart.BarChart()
    chart.title = "Rent by year"
    chart.add_data(openpyxl.chart.Reference(book.active, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    book.active.add_chart(chart, "D2")
    book.create_chartsheet("Picture").add_chart(copy.deepcopy(chart))
    book.save(tmp_path / "book.xlsx")
    with_values(tmp_path / "book.xlsx")
    document = checked(tmp_path / "book.xlsx")
    figures = "Chart: Rent by year\n | Rent\n1 | 9\n2 | 10"
    assert [text for _, text in blocks(document)] == ["Rents", "Year | Rent\n2023 | 9\n2024 | 10", figures, "Picture", figures]
    assert [b.anchor.path for b in document.blocks][2:] == ["Rents, chart", "Picture", "Picture, chart"]


def with_values(path: Path) -> None:
    """Put the values into the charts that Excel keeps there and openpyxl leaves out."""
    cache = '<c:strCache><c:pt idx="0"><c:v>Rent</c:v></c:pt></c:strCache>', '<c:numCache><c:pt idx="0"><c:v>9</c:v></c:pt><c:pt idx="1"><c:v>10</c:v></c:pt></c:numCache>'
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            if name.startswith("xl/charts/"):
                text = content.decode()
                prefix = "c:" if "<c:ser>" in text else ""
                for kind, values in zip(("strRef", "numRef"), cache, strict=True):
                    text = text.replace(f"</{prefix}{kind}>", values.replace("c:", prefix) + f"</{prefix}{kind}>")
                content = text.encode()
            new.writestr(name, content)


def test_a_fault_of_this_reader_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    openpyxl.Workbook().save(path)

    def progress(done: int, total: int) -> None:
        raise TypeError("a fault of the caller")

    with pytest.raises(TypeError):
        read_xlsx(Source(path, path.name, progress=progress))


def test_a_long_sheet_is_cut_into_ranges_and_no_row_is_lost(tmp_path: Path) -> None:
    text = "number;square\n" + "".join(f"{n};{n * n}\n" for n in range(1, 500))
    document = read(tmp_path / "squares.csv", text)
    assert document.text.splitlines() == [line.replace(";", " | ") for line in text.splitlines()]
    assert document.blocks[0].anchor.path.startswith("rows 1–")
    assert len(document.blocks) > 5


def test_pptx(tmp_path: Path) -> None:
    slide = """<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"
      xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:cSld><p:spTree>
      <p:sp><p:nvSpPr><p:nvPr/></p:nvSpPr><p:txBody><a:p><a:pPr><a:buAutoNum type="arabicPeriod"/></a:pPr><a:r><a:t>one</a:t></a:r></a:p>
      <a:p><a:pPr><a:buAutoNum type="arabicPeriod"/></a:pPr><a:r><a:t>two</a:t></a:r></a:p></p:txBody></p:sp>
      <p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>The title</a:t></a:r></a:p></p:txBody></p:sp>
      <p:grpSp><p:sp><p:txBody><a:p><a:r><a:t>in a group</a:t></a:r></a:p></p:txBody></p:sp></p:grpSp>
      <p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></a:txBody></a:tc>
      <a:tc><a:txBody><a:p><a:r><a:t>b</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame><p:pic/></p:spTree></p:cSld></p:sld>"""
    relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="x/slide" Target="slides/slide1.xml"/></Relationships>'
    path = archive(
        tmp_path / "slides.pptx",
        **{
            "ppt/presentation.xml": '<p:presentation xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><p:sldIdLst><p:sldId r:id="r1"/></p:sldIdLst>'
            '<p:sldSz cx="9144000" cy="6858000"/></p:presentation>',
            "ppt/_rels/presentation.xml.rels": relations,
            "ppt/slides/slide1.xml": slide,
        },
    )
    document = checked(path)
    assert [text for _, text in blocks(document)] == ["The title", "1. one", "2. two", "in a group", "a | b"]
    assert [p.where for p in document.problems] == ["slide 1: a picture"]
    assert document.pages[0].width == 720


def test_bullets_that_a_slide_inherits(tmp_path: Path) -> None:
    names = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'

    def shape(kind: str, paragraphs: str, style: str = "") -> str:
        return f"<p:sp><p:nvSpPr><p:nvPr><p:ph {kind}/></p:nvPr></p:nvSpPr><p:txBody><a:lstStyle>{style}</a:lstStyle>{paragraphs}</p:txBody></p:sp>"

    def paragraph(words: str, properties: str = "") -> str:
        return f"<a:p>{properties}<a:r><a:t>{words}</a:t></a:r></a:p>"

    def slide(root: str, shapes: str, more: str = "") -> str:
        return f"<p:{root} {names}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>{more}</p:{root}>"

    def relations(kind: str, target: str) -> str:
        return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="x/{kind}" Target="{target}"/></Relationships>'

    numbers = '<a:lvl1pPr><a:buAutoNum type="romanLcParenBoth"/></a:lvl1pPr>'
    dots = '<p:txStyles><p:bodyStyle><a:lvl1pPr><a:buChar char="•"/></a:lvl1pPr><a:lvl2pPr><a:buChar char="–"/></a:lvl2pPr></p:bodyStyle></p:txStyles>'
    shapes = (
        shape('type="title"', paragraph("Rent"))
        + shape('idx="1"', paragraph("one") + paragraph("two", '<a:pPr lvl="1"/>') + paragraph("three", "<a:pPr><a:buNone/></a:pPr>"))
        + shape('idx="2"', paragraph("first") + paragraph("second"))
        + shape('type="subTitle" idx="3"', paragraph("plain"))
    )
    path = archive(
        tmp_path / "slides.pptx",
        **{
            "ppt/presentation.xml": f'<p:presentation {names}><p:sldIdLst><p:sldId r:id="r1"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": relations("slide", "slides/s.xml"),
            "ppt/slides/s.xml": slide("sld", shapes),
            "ppt/slides/_rels/s.xml.rels": relations("slideLayout", "../layouts/l.xml"),
            "ppt/layouts/l.xml": slide("sldLayout", shape('idx="2"', "", numbers) + shape('type="subTitle" idx="3"', "", "<a:lvl1pPr><a:buNone/></a:lvl1pPr>")),
            "ppt/layouts/_rels/l.xml.rels": relations("slideMaster", "../masters/m.xml"),
            "ppt/masters/m.xml": slide("sldMaster", shape('type="body" idx="1"', ""), dots),
        },
    )
    assert [text for _, text in blocks(checked(path))] == ["Rent", "• one", "• two", "three", "(i) first", "(ii) second", "plain"]
