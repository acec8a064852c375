"""Word: everything that prints is read in the order in which it prints, and what is not text is kept apart or reported."""
# ruff: noqa: E501

import zipfile
from pathlib import Path

import pytest
from unabridged.errors import UsageError
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.docx_numbering import written
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


def test_numbers_of_several_levels_are_text_and_path(tmp_path: Path) -> None:
    lists = numbering((levels(("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)")), ""))
    body = [
        numbered("Term", 1),
        numbered("Length", 1, 1),
        numbered("one;", 1, 2),
        numbered("two.", 1, 2),
        numbered("End", 1, 1),
    ]
    document = read(tmp_path, *body, numbered("Law", 1), numbered("Place", 1, 1), numbering=lists)
    assert texts(document) == ["1. Term", "1.1 Length", "(a) one;", "(b) two.", "1.2 End", "2. Law", "2.1 Place"]
    assert [b.anchor.path for b in document.blocks] == ["1", "1.1", "1.1(a)", "1.1(b)", "1.2", "2", "2.1"]


def test_a_number_without_text_is_printed_and_counts(tmp_path: Path) -> None:
    lists = numbering((levels(("decimal", "%1.")), ""), (levels(("bullet", "•")), ""))
    body = [numbered("Term", 1), numbered("<w:r/>", 1), numbered("Law", 1), numbered("<w:r/>", 2)]
    assert texts(read(tmp_path, *body, numbering=lists)) == ["1. Term", "2.", "3. Law"]


def test_a_numbered_paragraph_that_was_deleted_does_not_count(tmp_path: Path) -> None:
    lists = numbering((levels(("decimal", "%1.")), ""))
    gone = numbered('<w:del w:id="1"><w:r><w:delText>Gone</w:delText></w:r></w:del>', 1).replace("</w:numPr>", '</w:numPr><w:rPr><w:del w:id="2"/></w:rPr>')
    body = [numbered("Term", 1), gone, numbered("Law", 1)]
    assert texts(read(tmp_path, *body, numbering=lists)) == ["1. Term", "2. Law"]
    assert texts(read(tmp_path, *body, numbering=lists, options={"revisions": "original"})) == ["1. Term", "2. Gone", "3. Law"]


def test_chinese_articles_numbered_by_word(tmp_path: Path) -> None:
    lists = numbering((levels(("chineseCountingThousand", "第%1章"), ("chineseCountingThousand", "第%2条")), ""))
    body = [numbered("总则", 1), numbered("甲。", 1, 1), numbered("乙。", 1, 1)]
    document = read(tmp_path, *body, numbering=lists)
    assert texts(document) == ["第一章 总则", "第一条 甲。", "第二条 乙。"]
    assert [b.anchor.path for b in document.blocks] == ["第一章", "第一章 第一条", "第一章 第二条"]


def test_a_level_that_never_restarts(tmp_path: Path) -> None:
    lists = numbering((levels(("decimal", "第%1章"), ("decimal", "第%2条"), extra='<w:lvlRestart w:val="0"/>'), ""))
    body = [numbered("甲", 1), numbered("子。", 1, 1), numbered("乙", 1), numbered("丑。", 1, 1)]
    assert texts(read(tmp_path, *body, numbering=lists)) == ["第1章 甲", "第1条 子。", "第2章 乙", "第2条 丑。"]


def test_an_override_begins_a_list_anew_and_another_list_counts_by_itself(tmp_path: Path) -> None:
    one = levels(("upperRoman", "%1)"))
    lists = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="1">{one}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="3"><w:abstractNumId w:val="1"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num></w:numbering>'
    )
    body = [numbered(word, n) for word, n in (("a", 1), ("b", 1), ("c", 2), ("d", 3), ("e", 3))]
    assert texts(read(tmp_path, *body, numbering=lists)) == ["I) a", "II) b", "III) c", "V) d", "VI) e"]


def test_a_heading_style_brings_level_and_number(tmp_path: Path) -> None:
    styles = (
        f'<w:styles {W}><w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/><w:pPr><w:numPr><w:ilvl w:val="0"/>'
        '<w:numId w:val="1"/></w:numPr></w:pPr></w:style><w:style w:type="paragraph" w:styleId="Own"><w:name w:val="Own"/>'
        '<w:basedOn w:val="H2"/></w:style></w:styles>'
    )
    lists = numbering((levels(("decimal", "Article %1")), ""))
    document = read(
        tmp_path, p("Term", style="H2"), p("It is five years."), p("Law", style="Own"), styles=styles, numbering=lists
    )
    assert texts(document) == ["Article 1 Term", "It is five years.", "Article 2 Law"]
    assert [(b.kind, b.level, b.anchor.path) for b in document.blocks] == [
        (BlockKind.HEADING, 2, "Article 1"),
        (BlockKind.PARAGRAPH, 0, "Article 1"),
        (BlockKind.HEADING, 2, "Article 2"),
    ]


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (128, "chineseCounting", "一百二十八"), (10, "chineseCountingThousand", "十"), (12, "ideographDigital", "一二"), (3, "upperRoman", "III"),
        (28, "lowerLetter", "bb"), (7, "decimalZero", "07"), (3, "decimalEnclosedCircle", "③"), (2, "ideographTraditional", "乙"),
        (25, "chineseLegalSimplified", "贰拾伍"), (22, "ordinal", "22nd"), (11, "ordinal", "11th"), (4, "cardinalText", "Four"), (9, "unheardOf", "9"),
    ],
)  # fmt: skip
def test_number_formats(value: int, style: str, shown: str) -> None:
    assert written(value, style) == shown


REVISED = p(
    r("The fee is ")
    + '<w:del w:id="1"><w:r><w:delText>nine</w:delText></w:r></w:del><w:ins w:id="2">'
    + r("ten")
    + "</w:ins>"
    + r(" crowns.")
)


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("final", "The fee is ten crowns."),
        ("original", "The fee is nine crowns."),
        ("marked", "The fee is {-nine-}{+ten+} crowns."),
    ],
)
def test_tracked_changes_in_three_views(tmp_path: Path, view: str, text: str) -> None:
    document = read(tmp_path, REVISED, options={"revisions": view})
    assert document.text == text
    assert document.details["revisions"] == "2"
    assert document.problems[0].kind is ProblemKind.REVISIONS


def test_moved_text_stands_in_one_place(tmp_path: Path) -> None:
    body = (
        p('<w:moveFrom w:id="1">' + r("Moved.") + "</w:moveFrom>"),
        p("Middle."),
        p('<w:moveTo w:id="2">' + r("Moved.") + "</w:moveTo>"),
    )
    assert texts(read(tmp_path, *body)) == ["Middle.", "Moved."]
    assert texts(read(tmp_path, *body, options={"revisions": "original"})) == ["Moved.", "Middle."]


def test_a_deleted_paragraph_end_joins_two_paragraphs(tmp_path: Path) -> None:
    body = p(r("One "), properties='<w:rPr><w:del w:id="1"/></w:rPr>'), p("sentence.")
    assert texts(read(tmp_path, *body)) == ["One sentence."]
    assert texts(read(tmp_path, *body, options={"revisions": "original"})) == ["One", "sentence."]


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


def test_a_move_is_one_revision_and_read_where_it_went_in_the_marked_view(tmp_path: Path) -> None:
    body = p('<w:moveFrom w:id="1">' + r("Moved.") + "</w:moveFrom>"), p("Middle."), p('<w:moveTo w:id="2">' + r("Moved.") + "</w:moveTo>")
    document = read(tmp_path, *body, options={"revisions": "marked"})
    assert texts(document) == ["{-Moved.-}", "Middle.", "{+Moved.+}"]
    assert document.details["revisions"] == "1"
    assert "1 moves" in document.problems[0].hint


def test_an_unknown_view_of_revisions_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read(tmp_path, p("Words."), options={"revisions": "sideways"})


def test_changes_of_formatting_are_counted_apart(tmp_path: Path) -> None:
    bold = '<w:r><w:rPr><w:b/><w:rPrChange w:id="1"><w:rPr/></w:rPrChange></w:rPr><w:t>Now bold.</w:t></w:r>'
    centred = p(bold, properties='<w:jc w:val="center"/><w:pPrChange w:id="2"><w:pPr/></w:pPrChange>')
    document = read(tmp_path, centred)
    assert document.text == "Now bold."
    assert document.details == {"formatting revisions": "2"}


def test_changes_inside_notes_are_counted(tmp_path: Path) -> None:
    inserted = p('<w:ins w:id="9">' + r("Net of tax.") + "</w:ins>")
    notes = f'<w:footnotes {W}><w:footnote w:id="2">{inserted}</w:footnote></w:footnotes>'
    document = read(tmp_path, p(r("The fee") + '<w:r><w:footnoteReference w:id="2"/></w:r>'), footnotes=notes)
    assert document.details["revisions"] == "1"
    assert texts(document)[1] == "[^1] Net of tax."


def test_rows_and_cells_that_were_put_in_or_taken_out(tmp_path: Path) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"

    rows = (
        f'<w:tr>{cell("a")}{cell("b")}{cell("gone", "<w:cellDel/>")}</w:tr>'
        + f'<w:tr><w:trPr><w:ins w:id="2"/></w:trPr>{cell("new")}{cell("row")}</w:tr>'
        + f'<w:tr><w:trPr><w:del w:id="3"/></w:trPr>{cell("old")}{cell("row")}</w:tr>'
    )
    table = f"<w:tbl>{rows}</w:tbl>"
    assert read(tmp_path, table).text == "a | b\nnew | row"
    assert read(tmp_path, table, options={"revisions": "original"}).text == "a | b | gone\nold | row"


def section(properties: str) -> str:
    return f"<w:sectPr>{properties}</w:sectPr>"


BREAK = "<w:r><w:lastRenderedPageBreak/></w:r>"


def test_pages_begin_where_word_last_laid_them_out_and_are_numbered_as_sections_say(tmp_path: Path) -> None:
    roman = section('<w:pgNumType w:fmt="lowerRoman"/>')
    body = [
        p("Preface."),
        p(BREAK + r("More preface."), properties=roman),
        p(BREAK + r("The lease begins here and goes ") + BREAK + r("on.")),
        p("Last words."),
    ]
    document = read(tmp_path, *body, section('<w:pgSz w:w="11900" w:h="16840"/><w:pgNumType w:start="1"/>'))
    assert texts(document) == ["Preface.", "More preface.", "The lease begins here and goes on.", "Last words."]
    assert [page.label for page in document.pages] == ["i", "ii", "1", "2"]
    assert [(b.anchor.page, b.anchor.page_label) for b in document.blocks] == [(1, "i"), (2, "ii"), (3, "1"), (4, "2")]
    assert document.text[document.pages[3].start :] == "on.\n\nLast words."
    assert (document.pages[2].width, document.pages[2].height) == (595, 842)
    assert document.details == {"page numbers": "as the file was last laid out", "sections": "2"}


def test_a_page_that_begins_in_a_numbered_paragraph_or_a_table(tmp_path: Path) -> None:
    lists = numbering((levels(("decimal", "%1.")), ""))
    cells = "".join(f"<w:tr><w:tc>{p(words)}</w:tc><w:tc>{p('x')}</w:tc></w:tr>" for words in ("one", BREAK + r("two")))
    second = numbered("Law", 1).replace("<w:r>", f"{BREAK}<w:r>", 1)
    document = read(tmp_path, numbered("Term", 1), second, f"<w:tbl>{cells}</w:tbl>", numbering=lists)
    assert texts(document) == ["1. Term", "2. Law", "one | x\ntwo | x"]
    assert [document.text[page.start : page.end].strip() for page in document.pages] == ["1. Term", "2. Law\n\none | x", "two | x"]


def test_a_file_that_notes_no_pages_has_none(tmp_path: Path) -> None:
    document = read(tmp_path, p('<w:r><w:br w:type="page"/></w:r>' + r("Words.")))
    assert document.text == "Words."
    assert document.pages == ()
    assert document.details["page breaks"] == "1"


TURN = '<w:r><w:br w:type="page"/></w:r>'


def pages(document: Document) -> list[str]:
    return [document.text[page.start : page.end].strip() for page in document.pages]


def test_a_page_that_the_author_ended_begins_once_whether_word_noted_it_or_not(tmp_path: Path) -> None:
    noted = p(TURN) + p(BREAK + r("Two."))
    later = p(r("Three") + TURN + r("and four.")) + p("Five.", properties="<w:pageBreakBefore/>")
    document = read(tmp_path, p("One."), noted, p(BREAK + r("Still")), later)
    assert pages(document) == ["One.", "Two.", "Still\n\nThree", "and four.", "Five."]
    assert texts(document)[3:] == ["Three\nand four.", "Five."]


def test_pages_begin_with_sections_and_with_headings_whose_style_says_so(tmp_path: Path) -> None:
    styles = f'<w:styles {W}><w:style w:styleId="H"><w:name w:val="heading 1"/><w:pPr><w:pageBreakBefore/></w:pPr></w:style></w:styles>'
    body = [
        p(BREAK + r("One.")),
        p("Two.", style="H"),
        p("Still.", properties=section("")),
        p("On the same page.", properties=section('<w:type w:val="continuous"/>')),
        p("Three."),
        p("No break.", style="H", properties='<w:pageBreakBefore w:val="0"/>'),
    ]
    document = read(tmp_path, *body, section('<w:type w:val="nextPage"/>'), styles=styles)
    assert pages(document)[1:] == ["One.", "Two.\n\nStill.\n\nOn the same page.", "Three.\n\nNo break."]


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


@pytest.mark.parametrize(
    ("form", "text", "shown"),
    [
        ("chineseCounting", "%1、", "二、"), ("chineseCounting", "（%1）", "（二）"), ("upperRoman", "%1.", "II."), ("lowerRoman", "(%1)", "(ii)"),
        ("upperLetter", "%1)", "B)"), ("lowerLetter", "%1.", "b."), ("decimalEnclosedCircle", "%1", "②"), ("bullet", "•", "•"),
    ],
)  # fmt: skip
def test_signs_of_lists(tmp_path: Path, form: str, text: str, shown: str) -> None:
    document = read(tmp_path, numbered("one", 1), numbered("two", 1), numbering=numbering((levels((form, text)), "")))
    assert texts(document)[1] == f"{shown} two"
