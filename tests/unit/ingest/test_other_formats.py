"""Web pages, books, sheets, slides, mail, RTF: words in order, each in its place, what is not read reported."""
# ruff: noqa: E501

import copy
import zipfile
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import openpyxl.chart
import pytest
from openpyxl.comments import Comment
from unabridged.errors import DocumentEncrypted
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.read_xlsx import read_xlsx
from unabridged.ingest.reader import Source
from unabridged.ingest.reading import ingest
from unabridged.ingest.validation import validate


def read(path: Path, content: str | bytes) -> Document:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return checked(path)


def checked(path: Path) -> Document:
    document = ingest(path)
    validate(document)
    return document


def blocks(document: Document) -> list[tuple[BlockKind, str]]:
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return path


def test_html(tmp_path: Path) -> None:
    page = """<!DOCTYPE html><html><head><title>Terms</title><style>p{}</style><script>var secret = 1</script></head><body>
    <nav><a href="/">Home</a></nav><h1>Terms of use</h1><p>You   agree<br>to <b>all</b> of 10<sup>2</sup> and H<sub>2</sub>O<sup>th</sup>.</p>
    <ol start="3" type="a"><li>third</li><li>fourth<ul><li>below</li></ul></li></ol>
    <table><tr><th>Fee</th><th>Due</th></tr><tr><td>9</td><td>monthly</td></tr></table><p style="display: none">hidden</p><pre>a
  b</pre></body></html>"""
    document = read(tmp_path / "page.html", page)
    assert blocks(document) == [
        (BlockKind.HEADING, "Terms of use"),
        (BlockKind.PARAGRAPH, "You agree\nto all of 10² and H₂Oth."),
        (BlockKind.LIST_ITEM, "c. third"),
        (BlockKind.LIST_ITEM, "d. fourth"),
        (BlockKind.LIST_ITEM, "• below"),
        (BlockKind.TABLE, "Fee | Due\n9 | monthly"),
        (BlockKind.PARAGRAPH, "a\n  b"),
    ]
    assert [f.text for f in document.furniture] == ["Home"]
    assert document.details["title"] == "Terms"


def test_what_a_web_page_puts_around_its_main_text_is_kept_apart(tmp_path: Path) -> None:
    words = "The tenant pays the rent on the first day of each month, without any deduction. " * 4
    page = (
        f"<html><body><header><h1>Lease</h1></header><header>Log in</header><main><header>1 May</header><p>{words}</p><aside>See 4.</aside></main>"
        "<p>Between.</p><aside>Buy a mill!</aside><div role='search'>Search</div><footer>All rights reserved</footer></body></html>"
    )
    document = read(tmp_path / "page.html", page)
    assert [text for _, text in blocks(document)] == ["Lease", "1 May", words.strip(), "See 4.", "Between."]
    assert [f.text for f in document.furniture] == ["Log in", "Buy a mill!", "Search", "All rights reserved"]


def test_a_web_page_that_marks_no_main_text_is_read_whole(tmp_path: Path) -> None:
    page = "<html><body><header>Log in</header><main></main><p>Words.</p><footer>Printed in Oslo</footer></body></html>"
    document = read(tmp_path / "page.html", page)
    assert [text for _, text in blocks(document)] == ["Log in", "Words.", "Printed in Oslo"]


def test_a_web_page_says_its_own_encoding(tmp_path: Path) -> None:
    page = '<html><head><meta charset="gb2312"></head><body><p>第一条 为了保证刑法的正确实施。</p></body></html>'
    assert "第一条 为了保证" in read(tmp_path / "page.htm", page.encode("gb18030")).text


def test_a_web_page_without_a_suffix_is_known_by_its_content(tmp_path: Path) -> None:
    assert read(tmp_path / "page", "<html><body><p>Words.</p></body></html>").media_type == "text/html"


def test_epub(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "book.epub",
        mimetype="application/epub+zip",
        **{
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            '<dc:title>A Book</dc:title></metadata><manifest><item id="n" href="nav.xhtml" properties="nav"/><item id="b" href="b.xhtml"/>'
            '<item id="a" href="a%20a.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OPS/nav.xhtml": '<html xmlns:epub="x"><body><nav epub:type="toc"><a href="a%20a.xhtml">First</a></nav></body></html>',
            "OPS/a a.xhtml": '<html xmlns:epub="x"><body><p>One.</p><p>Two <span epub:type="pagebreak" title="7"/>goes on.</p></body></html>',
            "OPS/b.xhtml": "<html><body><h2>Second</h2><p>Three.</p></body></html>",
        },
    )
    document = checked(path)
    assert [text for _, text in blocks(document)] == ["One.", "Two goes on.", "Second", "Three."]
    assert [b.anchor.path for b in document.blocks] == ["First", "First", "Second", "Second"]
    assert document.details["title"] == "A Book"
    assert [(p.label, document.text[p.start : p.start + 8]) for p in document.pages] == [("", "One.\n\nTw"), ("7", "goes on.")]


def test_printed_pages_and_notes_of_a_book(tmp_path: Path) -> None:
    pages = '<nav epub:type="page-list"><a href="a.xhtml#p8">8</a><a href="a.xhtml#p9">9</a></nav>'
    path = archive(
        tmp_path / "book.epub",
        mimetype="application/epub+zip",
        **{
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>',
            "book.opf": '<package><manifest><item id="n" href="nav.xhtml" properties="nav"/><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
            "nav.xhtml": f'<html xmlns:epub="x"><body>{pages}</body></html>',
            "a.xhtml": '<html xmlns:epub="x"><body><p>Before <a id="p8"/>after.</p><p id="p9">Next.<a epub:type="noteref" href="#f">1</a></p>'
            '<aside epub:type="footnote" id="f"><p>See the register.</p></aside></body></html>',
        },
    )
    document = checked(path)
    assert [(p.label, document.text[p.start : p.end].strip()) for p in document.pages] == [
        ("", "Before"),
        ("8", "after."),
        ("9", "Next.1\n\nSee the register."),
    ]
    assert [b.anchor.page_label for b in document.blocks] == [None, "9", "9"]
    assert blocks(document)[-1] == (BlockKind.FOOTNOTE, "See the register.")


def test_a_protected_book(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "locked.epub",
        mimetype="application/epub+zip",
        **{
            "META-INF/encryption.xml": '<encryption xmlns="x"><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>'
        },
    )
    with pytest.raises(DocumentEncrypted):
        ingest(path)


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


def test_mail(tmp_path: Path) -> None:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "birch@example.org", "The first letter"
    inner.set_content("I offer nine thousand.")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Alder <alder@example.org>", "birch@example.org", "Re: 合同 the lease"
    mail.set_content("I accept.\n\nYours, Alder")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="lease.pdf")
    mail.add_attachment(inner)
    document = read(tmp_path / "letter", bytes(mail))
    assert document.media_type == "message/rfc822"
    texts = [text for _, text in blocks(document)]
    assert texts[0] == "Re: 合同 the lease"
    assert "From: Alder <alder@example.org>\nTo: birch@example.org" in texts[1]
    assert texts[2:4] == ["I accept.", "Yours, Alder"]
    assert "I offer nine thousand." in texts
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.DROPPED_OBJECT, "attachment lease.pdf")]


def test_rtf(tmp_path: Path) -> None:
    document = read(
        tmp_path / "lease.rtf",
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset134 SimSun;}}{\*\unknown lost}The rent{\footnote Net.} is caf\'e9 due.\par"
        rb"\uc1\u31532?\u19968?\f1\'cc\'f5\f0\par {\v hidden}{\deleted gone}Plain \{braces\}.\par"
        rb"\trowd a\cell b\cell\row\trowd c\cell d\cell\row\pard End.\par}",
    )
    assert blocks(document) == [
        (BlockKind.PARAGRAPH, "The rent[^1] is café due."),
        (BlockKind.FOOTNOTE, "[^1] Net."),
        (BlockKind.HEADING, "第一条"),
        (BlockKind.PARAGRAPH, "Plain {braces}."),
        (BlockKind.TABLE, "a | b\nc | d"),
        (BlockKind.PARAGRAPH, "End."),
    ]
    assert [p.where for p in document.problems] == ["2 places"]
