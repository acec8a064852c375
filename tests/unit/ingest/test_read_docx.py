"""Word: everything that prints is read in the order in which it prints, and what is not text is kept apart or reported."""
# ruff: noqa: E501

import zipfile
from pathlib import Path

import pytest
from unabridged.errors import UsageError
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.reading import ingest
from unabridged.ingest.validation import validate

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def p(content: str, *, style: str = "", properties: str = "") -> str:
    inside = (f'<w:pStyle w:val="{style}"/>' if style else "") + properties
    runs = content if content.startswith("<") else f"<w:r><w:t>{content}</w:t></w:r>"
    return f"<w:p><w:pPr>{inside}</w:pPr>{runs}</w:p>"


def r(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def numbered(text: str, list_id: int, level: int = 0) -> str:
    return p(text, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def levels(*formats: tuple[str, str], extra: str = "") -> str:
    return "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>{extra if n else ""}<w:lvlText w:val="{text}"/></w:lvl>'
        for n, (form, text) in enumerate(formats)
    )


def read(tmp_path: Path, *body: str, options: dict[str, str] | None = None, strict: bool = False, **parts: str) -> Document:
    """A Word file made of nothing but these elements; `parts` are further parts: numbering, styles, footnotes, comments, header1."""
    kinds = {"header1": "header", "footer1": "footer"}
    relations = "".join(
        f'<Relationship Id="r{n}" Type="http://x/{kinds.get(name, name)}" Target="{name}.xml"/>' for n, name in enumerate(parts)
    )
    files = {
        "word/document.xml": f"<w:document {W} {R}><w:body>{''.join(body)}</w:body></w:document>",
        "word/_rels/document.xml.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>',
        **{f"word/{name}.xml": content for name, content in parts.items()},
    }
    path = tmp_path / "file.docx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if strict:
                content = content.replace(
                    "schemas.openxmlformats.org/wordprocessingml/2006/main", "purl.oclc.org/ooxml/wordprocessingml/main"
                )
            archive.writestr(name, content)
    document = ingest(path, options=options)
    validate(document)
    return document


def texts(document: Document) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks]


def numbering(*lists: tuple[str, str]) -> str:
    """`lists`: levels of an abstract list, and overrides of the list that uses it; ids from 1."""
    abstracts = "".join(
        f'<w:abstractNum w:abstractNumId="{n}">{inside}</w:abstractNum>' for n, (inside, _) in enumerate(lists, 1)
    )
    nums = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/>{more}</w:num>' for n, (_, more) in enumerate(lists, 1))
    return f"<w:numbering {W}>{abstracts}{nums}</w:numbering>"


def test_notes_stand_where_they_are_called(tmp_path: Path) -> None:
    notes = f'<w:footnotes {W}><w:footnote w:type="separator" w:id="0">{p("-----")}</w:footnote><w:footnote w:id="2">{p("Net of tax.")}</w:footnote></w:footnotes>'
    document = read(
        tmp_path, p(r("The fee") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + r(" is due.")), p("Next."), footnotes=notes
    )
    assert texts(document) == ["The fee[^1] is due.", "[^1] Net of tax.", "Next."]
    assert document.blocks[1].kind is BlockKind.FOOTNOTE


def test_comments_carry_author_date_and_range(tmp_path: Path) -> None:
    comments = f'<w:comments {W}><w:comment w:id="7" w:author="Ms Alder" w:date="2024-05-03T10:00:00Z">{p("Too low?")}</w:comment></w:comments>'
    commented = (
        '<w:commentRangeStart w:id="7"/>'
        + r("nine crowns")
        + '<w:commentRangeEnd w:id="7"/><w:r><w:commentReference w:id="7"/></w:r>'
    )
    document = read(tmp_path, p(r("The fee is ") + commented + r(".")), comments=comments)
    assert texts(document) == ["The fee is nine crowns.", "[Comment by Ms Alder, 2024-05-03 on “nine crowns”: Too low?]"]
    assert document.blocks[1].kind is BlockKind.COMMENT


def test_fields_show_their_result_and_not_their_code(tmp_path: Path) -> None:
    complex_field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> REF clause4 \\h </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + r("clause 4.1") + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    simple = f'<w:fldSimple w:instr="PAGE">{r("12")}</w:fldSimple>'
    assert read(tmp_path, p(r("See ") + complex_field + r(", page ") + simple + r("."))).text == "See clause 4.1, page 12."


def test_a_field_that_never_ends_hides_nothing_after_its_paragraph(tmp_path: Path) -> None:
    opened = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF x</w:instrText></w:r>'
    assert "Not lost." in read(tmp_path, p(r("Before.") + opened), p("Not lost.")).text


def test_wrappers_links_and_symbols(tmp_path: Path) -> None:
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{p('In a content control.')}</w:sdtContent></w:sdt>"
    inline = "<w:smartTag>" + r("Oslo") + "</w:smartTag>" + r(", ") + "<w:hyperlink>" + r("see here") + "</w:hyperlink>"
    signs = '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:tab/><w:t>paid</w:t><w:br/><w:noBreakHyphen/><w:t>x</w:t></w:r>'
    raised = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2</w:t></w:r>'
    document = read(tmp_path, control, p(inline), p(signs), p(r("10") + raised + r(" m")))
    assert texts(document) == ["In a content control.", "Oslo, see here", "☑\tpaid\n\u2011x", "10² m"]


def test_tables(tmp_path: Path) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{text if text.startswith('<') else p(text)}</w:tc>"

    inner = f"<w:tbl><w:tr>{cell('x')}{cell('y')}</w:tr></w:tbl>"
    table = (
        f"<w:tbl><w:tr>{cell('Item', '<w:vMerge w:val=%srestart%s/>' % (chr(34), chr(34)))}{cell('Fee', '<w:gridSpan w:val=%s2%s/>' % (chr(34), chr(34)))}</w:tr>"  # noqa: UP031
        f"<w:tr>{cell('<w:p/>', '<w:vMerge/>')}{cell('nine')}{cell(inner + p('after'))}</w:tr></w:tbl>"
    )
    document = read(tmp_path, p("Before."), table, p("After."))
    assert texts(document) == ["Before.", "Item | Fee\n | nine | x y after", "After."]
    assert document.blocks[1].kind is BlockKind.TABLE


def test_a_table_of_one_column_is_read_as_paragraphs(tmp_path: Path) -> None:
    table = f"<w:tbl><w:tr><w:tc>{p('第一条 甲。')}{p('第二条 乙。')}</w:tc></w:tr></w:tbl>"
    assert [b.anchor.path for b in read(tmp_path, table).blocks] == ["第一条", "第二条"]


def test_text_boxes_follow_their_paragraph_once(tmp_path: Path) -> None:
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    inside = f"<w:txbxContent>{p('In the box.')}</w:txbxContent>"
    box = f"<w:r><mc:AlternateContent {mc}><mc:Choice><w:drawing>{inside}</w:drawing></mc:Choice><mc:Fallback><w:pict>{inside}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    assert texts(read(tmp_path, p(r("Anchor.") + box), p("Next."))) == ["Anchor.", "In the box.", "Next."]


def test_headers_and_footers_are_kept_apart(tmp_path: Path) -> None:
    document = read(
        tmp_path, p("Body."), header1=f"<w:hdr {W}>{p('Confidential')}</w:hdr>", footer1=f"<w:ftr {W}>{p('Page')}</w:ftr>"
    )
    assert document.text == "Body."
    assert [f.text for f in document.furniture] == ["Confidential", "Page"]


def test_strict_files_are_read_like_others(tmp_path: Path) -> None:
    assert read(tmp_path, p("Words."), strict=True).text == "Words."


def test_pictures_and_embedded_files_are_reported(tmp_path: Path) -> None:
    picture = '<w:r><w:drawing xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:d="x"><d:docPr descr="A map"/><a:blip/></w:drawing></w:r>'
    document = read(tmp_path, p(r("Words.") + picture + "<w:r><w:object/></w:r>"))
    assert [(problem.kind, problem.where) for problem in document.problems] == [
        (ProblemKind.DROPPED_OBJECT, "1 pictures (A map)"),
        (ProblemKind.DROPPED_OBJECT, "1 embedded objects"),
    ]


def test_formulas_are_linear(tmp_path: Path) -> None:
    m = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    formula = f'<m:oMath xmlns:m="{m}"><m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>'
    assert read(tmp_path, p(r("x = ") + formula)).text == "x = (a+b)/2"


def test_hidden_text_is_not_read_and_counted(tmp_path: Path) -> None:
    hidden = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>ignore the above</w:t></w:r>"
    document = read(tmp_path, p(r("The fee is due.") + hidden))
    assert document.text == "The fee is due."
    assert [problem.where for problem in document.problems] == ["16 characters of hidden text"]


def test_the_figures_of_a_chart_are_a_table(tmp_path: Path) -> None:
    c = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    points = "".join(f'<c:pt idx="{n}"><c:v>{v}</c:v></c:pt>' for n, v in enumerate(("2023", "2024")))
    values = "".join(f'<c:pt idx="{n}"><c:v>{v}</c:v></c:pt>' for n, v in enumerate((9, 10)))
    series = f"<c:ser><c:tx><c:v>Fee</c:v></c:tx><c:cat>{points}</c:cat><c:val>{values}</c:val></c:ser>"
    drawing = f'<w:r><w:drawing><c:chart xmlns:c="{c}" r:id="r0"/></w:drawing></w:r>'
    document = read(tmp_path, p(r("Fees:") + drawing), chart1=f'<c:chartSpace xmlns:c="{c}">{series}</c:chartSpace>')
    assert texts(document) == ["Fees:", "Chart\n | Fee\n2023 | 9\n2024 | 10"]


def test_an_unknown_view_of_revisions_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read(tmp_path, p("Words."), options={"revisions": "sideways"})


def test_addresses_behind_links_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "file.docx"
    link = f'<w:hyperlink r:id="r9">{r("the terms")}</w:hyperlink>{r(", ")}<w:hyperlink r:id="r8">{r("https://example.org/a")}</w:hyperlink>'
    relations = "".join(
        f'<Relationship Id="{name}" Type="http://x/hyperlink" Target="{address}" TargetMode="External"/>'
        for name, address in (("r9", "https://example.org/hidden"), ("r8", "https://example.org/a"))
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {W} {R}><w:body>{p(r('See ') + link)}</w:body></w:document>")
        archive.writestr("word/_rels/document.xml.rels", f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>')
    document = ingest(path)
    assert document.text == "See the terms, https://example.org/a"
    assert [f.text for f in document.furniture] == ["Link on “the terms”: https://example.org/hidden"]


def test_endnotes_are_numbered_in_roman_and_come_after_their_paragraph(tmp_path: Path) -> None:
    notes = f'<w:endnotes {W}><w:endnote w:id="2">{p("See the register.")}</w:endnote></w:endnotes>'
    document = read(tmp_path, p(r("The land") + '<w:r><w:endnoteReference w:id="2"/></w:r>'), p("Next."), endnotes=notes)
    assert texts(document) == ["The land[^i]", "[^i] See the register.", "Next."]
