"""Word files: numbers that exist only as the format of lists and headings are text, and the path of their paragraph."""
# ruff: noqa: E501

from pathlib import Path

import pytest
from unabridged.ingest.document import BlockKind
from unabridged.ingest.docx_numbering import written

from tests.unit.ingest.test_read_docx import W, levels, numbered, numbering, p, read, texts


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
    gone = numbered('<w:del w:id="1"><w:r><w:delText>Gone</w:delText></w:r></w:del>', 1).replace(
        "</w:numPr>", '</w:numPr><w:rPr><w:del w:id="2"/></w:rPr>'
    )
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
