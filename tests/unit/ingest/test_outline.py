"""Clauses and chapters get their path from how they are numbered, in Chinese and in English."""

import pytest
from unabridged.ingest.document import BlockKind
from unabridged.ingest.draft import Draft

from tests.unit.ingest.test_passages import document


def paths(*paragraphs: str) -> list[str]:
    return [block.anchor.path for block in document("\n\n".join(paragraphs)).blocks]


def test_a_law() -> None:
    assert paths("第一编 总则", "第二章 管辖", "第三十条 审判人员。", "违反前款的。", "第二编 侦查", "第一章 立案") == [
        "第一编", "第一编 第二章", "第一编 第二章 第三十条", "第一编 第二章 第三十条第二款", "第二编", "第二编 第一章",
    ]  # fmt: skip


def test_an_article_typeset_with_a_space_inside_its_number_or_none_after_it() -> None:
    found = paths("第一百二十七条 甲。", "第一百二十八 条侦查人员询问证人。", "第一百二十九条侦查人员乙。")
    assert found == ["第一百二十七条", "第一百二十八条", "第一百二十九条"]


def test_a_sentence_that_begins_with_another_article_is_no_article() -> None:
    assert paths("第五条 甲。", "第一百条规定的情形，适用前款。", "第六条 乙。") == ["第五条", "第五条第二款", "第六条"]


def test_items_belong_to_their_article_and_a_paragraph_after_them_to_the_article_again() -> None:
    found = paths(
        "第一条 有下列情形：", "（一）甲；", "⒈子；", "⒉丑；", "（二）乙。", "前款规定适用。", "（三）丙。", "第二条 丁。"
    )
    assert found == [
        "第一条",
        "第一条（一）",
        "第一条（一）⒈",
        "第一条（一）⒉",
        "第一条（二）",
        "第一条第二款",
        "第一条（三）",
        "第二条",
    ]


def test_the_paragraphs_of_an_article_are_counted() -> None:
    found = paths(
        "第三条 甲应当支付租金。", "乙应当交付房屋。", "有下列情形之一的，合同终止：", "（一）子；", "（二）丑。",
        "前款规定不影响赔偿。", "（签字）", "第四条 【期限】", "租期五年。", "期满续租。",
    )  # fmt: skip
    assert found == [
        "第三条", "第三条第二款", "第三条第三款", "第三条第三款（一）", "第三条第三款（二）", "第三条第四款", "第三条第四款",
        "第四条", "第四条", "第四条第二款",
    ]  # fmt: skip


def test_lines_of_one_paragraph_are_not_counted_as_several() -> None:
    assert paths("第三条 甲应当", "支付租金，", "不得拖延。", "乙应当交付房屋。") == ["第三条"] * 3 + ["第三条第二款"]


def test_a_table_of_contents_is_no_outline() -> None:
    read = document(
        "\n\n".join(["目　录", "第一章 总则", "第二章 分则", "第一章 总则", "第一条 甲。", "第二章 分则", "第二条 乙。"])
    )
    assert [read.text[b.start : b.end] for b in read.outline] == ["第一章 总则", "第二章 分则"]
    assert [b.anchor.path for b in read.blocks[:3]] == ["目录"] * 3


def test_two_laws_in_one_file_are_told_apart() -> None:
    found = paths(
        "中华人民共和国甲法",
        "第一章 总则",
        "第一条 子。",
        "第二章 附则",
        "第二条 丑。",
        "最高人民法院关于乙的解释",
        "第一章 管辖",
        "第一条 寅。",
    )
    assert found[2] == "中华人民共和国甲法 第一章 第一条"
    assert found[7] == "最高人民法院关于乙的解释 第一章 第一条"


def test_a_novel_in_chapters() -> None:
    assert paths("第一回", "宴桃园豪杰三结义", "话说天下大势，分久必合。", "第二回：张翼德怒鞭督邮", "且说董卓。") == [
        "第一回",
        "第一回",
        "第二回",
        "第二回",
    ]
    assert paths("I", "Murder at Noon", "It was noon.", "II", "Dinner", "We ate.")[:2] == [
        "I Murder at Noon",
        "I Murder at Noon",
    ]
    assert paths("Chapter IV", "The Sign of Four", "Words.")[-1] == "Chapter IV"


def test_a_contract() -> None:
    found = paths(
        "ARTICLE 4", "PAYMENT", "Section 4.1 Fees. The fee is due.", "Section 4.2 Interest. It accrues:",
        "(a) monthly;", "(i) in arrears; or", "(ii) in advance; and", "(b) yearly.", "ARTICLE 5 TERM",
    )  # fmt: skip
    assert found == [
        "ARTICLE 4", "ARTICLE 4 › Section 4.1", "ARTICLE 4 › Section 4.1",
        "ARTICLE 4 › Section 4.2", "ARTICLE 4 › Section 4.2", "ARTICLE 4 › Section 4.2(a)",
        "ARTICLE 4 › Section 4.2(a)(i)",
        "ARTICLE 4 › Section 4.2(a)(ii)", "ARTICLE 4 › Section 4.2(b)", "ARTICLE 5",
    ]  # fmt: skip


def test_the_ninth_letter_goes_on_with_the_letters() -> None:
    assert paths("Section 1 X.", "(g) a;", "(h) b;")[1:] == ["Section 1", "Section 1"]  # begins in the middle: no list
    found = paths("Section 1 X:", *(f"({c}) words;" for c in "abcdefghij"))
    assert found[-2:] == ["Section 1(i)", "Section 1(j)"]


@pytest.mark.parametrize(
    "sentence",
    ["Section 4.2 of this Agreement applies.", "Article V, the parties agree.", "10.5 million was paid.", "1999 was a year."],
)
def test_a_sentence_that_begins_like_a_clause_is_none(sentence: str) -> None:
    assert paths("ARTICLE 1", sentence)[-1] == "ARTICLE 1"
    assert document(sentence).blocks[0].kind is BlockKind.PARAGRAPH


def test_nested_decimals_name_the_innermost() -> None:
    assert paths("3.1 Scope.", "3.1.1 Engagement.", "(a) one;", "(b) two.", "3.2 Other.") == [
        "3.1",
        "3.1.1",
        "3.1.1(a)",
        "3.1.1(b)",
        "3.2",
    ]


def test_the_subsections_of_a_paper_are_headings_and_its_title_is_in_no_path() -> None:
    draft = Draft()
    draft.add(BlockKind.HEADING, "Stereo Matching", level=1)
    for text in ("I. INTRODUCTION", "Much is known.", "II. METHOD", "A. Two Passes", "One is level.", "B. Results", "Good."):
        draft.add(BlockKind.PARAGRAPH, text)
    read = draft.finish(media_type="", name="")
    assert [read.text[b.start : b.end] for b in read.outline] == [
        "Stereo Matching", "I. INTRODUCTION", "II. METHOD", "A. Two Passes", "B. Results",
    ]  # fmt: skip
    assert [block.anchor.path for block in read.blocks][1:] == ["I", "I", "II", "II A", "II A", "II B", "II B"]


def test_a_heading_of_markup_takes_no_ordinary_paragraph_for_its_title() -> None:
    draft = Draft()
    for kind, text, level in (
        (BlockKind.HEADING, "Section 1", 1),
        (BlockKind.PARAGRAPH, "Paragraph One", 0),
        (BlockKind.HEADING, "ARTICLE 2", 1),
        (BlockKind.PARAGRAPH, "PAYMENT", 0),
    ):
        draft.add(kind, text, level=level)
    read = draft.finish(media_type="", name="")
    assert [read.text[b.start : b.end] for b in read.outline] == ["Section 1", "ARTICLE 2\n\nPAYMENT"]
