"""Passages tile the text, keep clauses apart and headings with what they head."""

from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.ingest.clauses import clause_of
from unabridged.ingest.document import BlockKind, Document
from unabridged.ingest.draft import Draft
from unabridged.ingest.passages import passages
from unabridged.ingest.read_text import mark_blocks
from unabridged.ingest.validation import tiles, validate

LINES = st.lists(
    st.sampled_from(
        [
            "第一编 总则", "第一章 任务", "第一条 为了保证刑法的正确实施。",
            "第二条 本法自公布之日起施行。", "（一）是本案的当事人的；", "（二）与本案有关的。",
            "ARTICLE 4", "Section 4.2 Payment",
            "4.2.1 The fee is due.", "(a) first; and", "(b) second.", "1. One", "2. Two",
            "- bullet",
            "| a | b |", "| - | - |", "I", "II", "A Title Of Sorts", "", "", "\t", "\u3000\u3000缩进的一段，没有编号。",
            "## Heading", "```",
        ]
    )
    | st.text(max_size=60)
    | st.integers(1, 400).map(lambda n: "Words go on. And on; e\u0301tc. " * n)
    | st.integers(1, 900).map(lambda n: "没有标点的长句子" * n),
    max_size=30,
)  # fmt: skip


def document(text: str, *, markdown: bool = False) -> Document:
    draft = Draft(text=text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    mark_blocks(draft, markdown=markdown)
    return draft.finish(media_type="text/plain", name="test")


def texts(text: str, **options: int) -> list[str]:
    read = document(text)
    return [read.text[p.start : p.end] for p in passages(read, **options)]


@settings(deadline=None)  # a busy machine is no failure
@given(LINES, st.booleans(), st.integers(20, 600))
def test_passages_tile_any_text(lines: list[str], markdown: bool, target: int) -> None:
    read = document("\n".join(lines), markdown=markdown)
    validate(read)
    found = passages(read, target_characters=target)
    if read.text.strip():
        assert tiles(found, len(read.text))
        assert "".join(read.text[p.start : p.end] for p in found) == read.text
    else:
        assert found == []


@settings(deadline=None)  # a busy machine is no failure
@given(LINES, st.integers(50, 500))
def test_a_passage_holds_one_clause_only(lines: list[str], target: int) -> None:
    read = document("\n".join(lines))
    for passage in passages(read, target_characters=target):
        inside = [b for b in read.blocks if passage.start <= b.start < passage.end and b.kind is not BlockKind.HEADING]
        assert len({clause_of(b.anchor.path) for b in inside}) <= 1


@settings(deadline=None)  # a busy machine is no failure
@given(LINES, st.integers(50, 500))
def test_no_passage_is_much_longer_than_its_longest_block_or_the_limit(lines: list[str], target: int) -> None:
    read = document("\n".join(lines))
    for passage in passages(read, target_characters=target):
        headings = sum(
            b.end - b.start for b in read.blocks if passage.start <= b.start < passage.end and b.kind is BlockKind.HEADING
        )
        white = len(read.text[passage.start : passage.end]) - len(read.text[passage.start : passage.end].strip())
        assert passage.end - passage.start <= 3 * target + headings + white + 2 * target


def test_every_article_is_a_passage_of_its_own_and_the_chapter_heading_goes_with_the_first() -> None:
    law = "第一章 总则\n\n第一条 甲。\n\n乙段属于第一条。\n\n第二条 丙。\n\n第二章 分则\n\n第三条 丁。\n"
    assert texts(law) == [
        "第一章 总则\n\n第一条 甲。\n\n乙段属于第一条。\n\n",
        "第二条 丙。\n\n",
        "第二章 分则\n\n第三条 丁。\n",
    ]


def test_the_anchor_is_that_of_the_clause_and_not_of_the_heading_above_it() -> None:
    read = document("第一章 总则\n\n第一条 甲。\n\n第二条 乙。\n")
    assert [p.anchor.path for p in passages(read)] == ["第一章 第一条", "第一章 第二条"]


def test_dialogue_is_grouped_up_to_the_target() -> None:
    novel = "\n\n".join(f"“Line number {n},” she said." for n in range(40))
    found = texts(novel, target_characters=200)
    assert 150 < max(map(len, found)) <= 203
    assert len(found) < 10


def test_a_long_paragraph_is_split_at_the_ends_of_sentences() -> None:
    found = texts("The tenant pays the rent on time. " * 100, target_characters=200)
    assert len(found) > 10
    assert all(piece.rstrip().endswith(".") for piece in found)
    chinese = texts("承租人应当按时支付租金，不得拖延。" * 100, target_characters=200)
    assert all(piece.endswith("。") for piece in chinese)
    assert len(chinese) > 5


def test_a_table_is_split_between_rows() -> None:
    rows = "\n".join(f"| row {n} | about 12 crowns. And more. |" for n in range(60))
    found = texts(rows, target_characters=200)
    assert len(found) > 5
    assert all(piece.startswith("| row") and piece.rstrip().endswith("|") for piece in found)
