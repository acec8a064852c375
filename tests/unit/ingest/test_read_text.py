"""Plain text: the encoding is found, the text stays as it is, blocks lie over it."""

from pathlib import Path

import pytest
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.encodings import detect
from unabridged.ingest.reading import ingest

CHINESE = "第一条 甲方应当于本合同签订后十日内支付全部货款，逾期的按日万分之五支付违约金。\n第二条 乙方应当交付货物。\n" * 5
TRADITIONAL = "第一條 甲方應當於本合約簽訂後十日內支付全部貨款，逾期者按日萬分之五支付違約金。\n第二條 乙方應當交付貨物。\n" * 5
JAPANESE = "第一条 この契約は、当事者の合意により成立する。甲は乙に対し、代金を支払うものとする。\n" * 5
WESTERN = (
    "Le présent contrat est régi par le droit français – à l’exclusion de tout autre. Die Verträge können enden. “Ça va”\n" * 5
)
KOREAN = "제1조 이 계약은 당사자의 합의에 의하여 성립한다. 갑은 을에게 대금을 지급하여야 한다.\n" * 5


def read(tmp_path: Path, data: bytes, name: str = "file.txt", **options: str) -> Document:
    path = tmp_path / name
    path.write_bytes(data)
    return ingest(path, options=options)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (text, codec)
        for text, codecs in (
            (CHINESE, ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk")),
            (TRADITIONAL, ("utf-8", "utf-16", "big5", "gb18030")),
            (JAPANESE, ("utf-8", "utf-16-le", "shift_jis", "euc_jp")),
            (WESTERN, ("utf-8", "utf-16", "utf-16-le", "utf-32-be", "cp1252")),
            (KOREAN, ("utf-8", "euc_kr")),
        )
        for codec in codecs
    ],
)
def test_the_text_comes_out_of_every_common_encoding(text: str, codec: str) -> None:
    data = text.encode(codec)
    assert data.decode(detect(data).name).removeprefix("\ufeff") == text


@pytest.mark.parametrize("text", ["“Straße” – café", "naïve résumé", "50 £ or 60 €"])
def test_a_few_western_letters_are_not_taken_for_chinese(text: str) -> None:
    assert text.encode("cp1252").decode(detect(text.encode("cp1252")).name) == text


def test_a_guess_is_reported_and_can_be_overruled(tmp_path: Path) -> None:
    guessed = read(tmp_path, CHINESE.encode("gb18030"))
    assert guessed.text == CHINESE
    assert guessed.details["encoding"] == "gb18030"
    assert [p.kind for p in guessed.problems] == [ProblemKind.ENCODING]
    chosen = read(tmp_path, CHINESE.encode("gb18030"), encoding="gb18030")
    assert chosen.text == CHINESE
    assert not chosen.problems


def test_nothing_is_reported_for_utf_8(tmp_path: Path) -> None:
    assert not read(tmp_path, CHINESE.encode()).problems


def test_hard_wrapped_text_stays_as_it_is(tmp_path: Path) -> None:
    paragraph = "\n".join(["It was the best of times, it was the worst of times, it was the"] * 6)
    text = f"{paragraph}\n\n{paragraph}\n"
    document = read(tmp_path, text.replace("\n", "\r\n").encode())
    assert document.text == text
    assert [document.text[b.start : b.end] for b in document.blocks] == [paragraph, paragraph]


def test_lines_that_are_not_wrapped_are_paragraphs(tmp_path: Path) -> None:
    text = "话说天下大势，分久必合，合久必分。" * 20 + "\n" + "时巨鹿郡有兄弟三人。" + "\n"
    assert len(read(tmp_path, text.encode()).blocks) == 2


def test_control_characters_are_replaced_one_for_one_and_reported(tmp_path: Path) -> None:
    document = read(tmp_path, b"The fee is due. " * 1000 + b"The fee\x0c is\x00 due.")
    assert document.text == "The fee is due. " * 1000 + "The fee\ufffd is\ufffd due."
    assert "2 control characters" in document.problems[0].hint


def test_bytes_that_are_no_characters_are_reported(tmp_path: Path) -> None:
    document = read(tmp_path, "第一条 甲。".encode() + b"\xff\xff", encoding="utf-8")
    assert "could not" in document.problems[0].hint or "are not utf-8" in document.problems[0].hint


def test_markdown(tmp_path: Path) -> None:
    text = (
        "# Title\n\n## Part\nwords\nmore words\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "Under\n=====\n\n```\ncode\n\n# no heading\n```\n"
    )
    document = read(tmp_path, text.encode(), "file.md")
    assert document.text == text
    assert document.media_type == "text/markdown"
    assert [(b.kind, b.level) for b in document.blocks] == [
        (BlockKind.HEADING, 1),
        (BlockKind.HEADING, 2),
        (BlockKind.PARAGRAPH, 0),
        (BlockKind.LIST_ITEM, 1),
        (BlockKind.LIST_ITEM, 1),
        (BlockKind.TABLE, 0),
        (BlockKind.HEADING, 1),
        (BlockKind.PARAGRAPH, 0),
    ]
    assert document.text[document.blocks[7].start : document.blocks[7].end].endswith("# no heading\n```")
