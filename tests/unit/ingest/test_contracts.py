"""The outline of contracts: clauses are named by the titles that run into their text, and nothing else is a clause."""

from unabridged.ingest.document import BlockKind, Box, Document
from unabridged.ingest.draft import Draft
from unabridged.ingest.validation import validate

from tests.unit.ingest.test_passages import document


def contract(*paragraphs: str) -> Document:
    found = document("\n\n".join(paragraphs))
    validate(found)
    return found


def headings(found: Document) -> list[str]:
    return [found.text[block.start : block.end] for block in found.outline]


def test_a_title_that_runs_into_its_clause_is_a_heading_and_the_rest_the_clause() -> None:
    found = contract("ARTICLE 4 SERVICES", "4.2 Detailing; Reports. Each party shall report. It shall be brief.", "4.3 End.")
    assert headings(found) == ["ARTICLE 4 SERVICES", "4.2 Detailing; Reports.", "4.3 End."]
    title, rest = found.blocks[1:3]
    assert found.text[rest.start : rest.end] == "Each party shall report. It shall be brief."
    assert (rest.kind, rest.anchor.path) == (BlockKind.PARAGRAPH, title.anchor.path)


def test_a_title_alone_in_its_paragraph_is_a_heading() -> None:
    assert headings(contract("4.1 Valeant Activities.", "(a) one;", "(b) two.")) == ["4.1 Valeant Activities."]


def test_a_first_sentence_is_no_title() -> None:
    for sentence in (
        "1.1 Dova shall pay. The sum is due.",
        "1.2 “Agreement” means this. It is long.",
        "1.3 The fee of Smith Inc. It is due.",
    ):
        assert headings(contract(sentence)) == []


def test_a_chapter_whose_title_goes_on_in_the_next_line_is_one() -> None:
    found = contract("第二十一章 甲", "第五百零六条 乙。", "第二十二章 被告人逃匿、", "死亡案件程序", "第五百零七条 丙。")
    assert found.blocks[-1].anchor.path == "第二十二章 第五百零七条"


def test_plain_numbers_with_titles_are_the_clauses_of_a_contract() -> None:
    clauses = ("1. Term. It is one year.", "2. Rent and Charges.", "(a) base;", "(b) extra.", "3. Governing Law. New York law.")
    found = contract("THIS LEASE is made today.", *clauses)
    assert headings(found) == ["1. Term.", "2. Rent and Charges.", "3. Governing Law."]
    assert [block.anchor.path for block in found.blocks][-3:] == ["2(b)", "3", "3"]


def test_bullets_belong_to_the_item_that_they_follow() -> None:
    found = contract("Section 1 Products", "(a) These:", "• beans", "• tea", "(b) Others.", "So be it.")
    assert [block.anchor.path for block in found.blocks][1:] == ["Section 1(a)"] * 3 + ["Section 1(b)", "Section 1"]


def test_an_ordinary_list_is_no_outline() -> None:
    books = ("1. Alden, Why the Chimes Rang.", "2. Andersen, Fairy Tales.", "3. Baum, L. Frank, Oz.", "4. Barrie. [Pan.]")
    assert headings(contract("Books:", *books)) == []
    assert headings(contract("To buy:", "1. Apples.", "2. Pears.")) == []


def test_chinese_numbers_with_titles_are_headings_and_items_with_sentences_are_not() -> None:
    assert headings(contract("一、合同标的", "甲方出租房屋。", "二、租金", "每月一千元。")) == ["一、合同标的", "二、租金"]
    assert headings(contract("一、甲方应当支付租金。", "二、乙方应当交付房屋。")) == []


def test_the_number_under_which_a_file_was_filed_is_in_no_path() -> None:
    found = contract("Exhibit 10.2", "Section 1 Fees", "They are due.", "Exhibit A", "A form.")
    assert [block.anchor.path for block in found.blocks] == ["", "Section 1", "Section 1", "Exhibit A", "Exhibit A"]


def test_clauses_do_not_stand_in_the_recitals() -> None:
    found = contract("RECITALS", "A. Vertex owns a plant.", "B. Bunker sells fuel.", "THE PARTIES hereby agree as follows:", "1. Sale.", "2. Price.", "3. Tax.")  # fmt: skip  # noqa: E501
    assert [block.anchor.path for block in found.blocks][-3:] == ["1", "2", "3"]


def test_items_under_a_heading_named_background_are_set_apart_from_it() -> None:
    draft = Draft()
    draft.add(BlockKind.HEADING, "Background", level=2)
    for text in ("1. First", "2. Second"):
        draft.add(BlockKind.LIST_ITEM, text, level=1, label=text[:2])
    found = draft.finish(media_type="", name="")
    assert [block.anchor.path for block in found.blocks] == ["Background", "Background 1", "Background 2"]


def test_a_heading_inside_a_numbered_clause_belongs_to_it() -> None:
    draft = Draft()
    page = draft.add_page(label="1", width=600, height=800)
    for kind, text in (
        (BlockKind.PARAGRAPH, "4.0 Term"),
        (BlockKind.HEADING, "Renewal"),
        (BlockKind.PARAGRAPH, "It is renewed."),
        (BlockKind.PARAGRAPH, "5.0 Charges"),
    ):
        draft.add(kind, text, level=3 if kind is BlockKind.HEADING else 0, page=page, box=Box(0, 0, 9, 9))
    found = draft.finish(media_type="", name="")
    assert [block.anchor.path for block in found.blocks] == ["4.0", "4.0 › Renewal", "4.0 › Renewal", "5.0"]


def test_lines_of_a_table_of_contents_that_come_again_are_no_headings() -> None:
    found = contract(
        "TABLE OF CONTENTS", "Page", "Exhibit A Form of Notice", "Exhibit B Form of Waiver", "LEASE",
        "This lease is made between the landlord and the tenant today.", "Exhibit A Form of Notice", "To the tenant.",
        "Exhibit B – Form of Waiver", "None.",
    )  # fmt: skip
    assert headings(found) == ["Exhibit A Form of Notice", "Exhibit B – Form of Waiver"]
    assert {block.anchor.path for block in found.blocks[:4]} == {"TABLE OF CONTENTS"}


def test_the_last_lines_of_a_table_of_contents_hold_no_clauses_though_they_never_come_again() -> None:
    draft = Draft()
    draft.add(BlockKind.HEADING, "TABLE OF CONTENTS", level=3)
    draft.add(BlockKind.TABLE, "ARTICLE I TERM | 1\nARTICLE II RENT | 2\nMISCELLANEOUS | 3")
    for line in ("Schedule 1 Calendar", "Exhibit A Brand Plan", "Exhibit B Records"):
        draft.add(BlockKind.PARAGRAPH, line)
    draft.add(BlockKind.HEADING, "LEASE", level=3)
    draft.add(BlockKind.PARAGRAPH, "This lease is made between the landlord and the tenant today.")
    draft.add(BlockKind.PARAGRAPH, "ARTICLE I TERM")
    draft.add(BlockKind.PARAGRAPH, "1.1 Length. The lease runs for ten years from the first of May.")
    found = draft.finish(media_type="", name="")
    assert {block.anchor.path for block in found.blocks[:5]} == {"TABLE OF CONTENTS"}
    assert found.blocks[-1].anchor.path == "ARTICLE I › 1.1"


def test_a_clause_that_a_word_file_sets_as_a_heading_is_a_clause() -> None:
    duty = "Each party shall keep the confidence of the other and tell nobody of what it has been told. " * 4
    draft = Draft()
    for text in ("Fees", "Duties", f"2.1 Confidence. {duty}", f"2.2 {duty}", duty):
        draft.add(BlockKind.HEADING, text, level=1 if len(text) < 9 else 2)
    found = draft.finish(media_type="", name="")
    validate(found)
    assert headings(found) == ["Fees", "Duties", "2.1 Confidence."]
    assert [(block.kind, block.anchor.path) for block in found.blocks][3:5] == [
        (BlockKind.PARAGRAPH, "Duties › 2.1"),
        (BlockKind.PARAGRAPH, "Duties › 2.2"),
    ]
    assert found.blocks[-1].kind is BlockKind.PARAGRAPH
