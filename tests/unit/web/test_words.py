"""Which words a question is about, and under which forms a text is searched for them."""

import pytest
from unabridged.web.words import asks_for_web, content_words, normal, question_query, times


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who pays for repairs to the roof?", ["pays", "repairs", "roof"]),
        ("What is the interest rate of the U.S. loan?", ["interest", "rate", "U.S", "loan"]),
        ("请问上诉的期限为多少日？", ["上诉", "期限", "日"]),
        ("根据合同,GDPR第17条规定了什么?", ["合同", "GDPR", "17条", "规定"]),
        ("2021年奥斯陆的市长是谁？", ["2021年", "奥斯陆", "市长"]),
        ("What's the lessee's VAT-ID under e.g. U.K. law_2?", ["lessee's", "VAT-ID", "U.K", "law"]),
        ("什么情况下可以取保候审？", ["取保候审"]),
        ("辩护人可以由哪些人担任？", ["辩护人", "担任"]),
        ("Is it?", []),
    ],
)
def test_function_words_and_words_that_ask_are_left_out(question: str, words: list[str]) -> None:
    found = content_words(question)
    for word in words:
        assert any(word in item for item in found), (word, found)
    assert not {"who", "the", "what's", "什么", "多少", "is", "第"} & {item.casefold() for item in found}


def test_short_forms_name_nothing() -> None:
    assert content_words("Who's the lessee, what’s due, why isn't it paid, don't they've a right we'd need?") == [
        *("lessee", "due", "paid", "right", "need")
    ]


def test_a_question_of_function_words_is_searched_as_it_stands() -> None:
    assert question_query("  Is   it? ") == "Is it?"


@pytest.mark.parametrize(
    ("word", "text", "count"),
    [
        ("repairs", "The landlord repairs. Repair of roofs; repairing; it was REPAIRED.", 4),
        ("parties", "Each party and all parties.", 2),
        ("roof", "proof is no place where a word begins", 0),
        ("上诉期限", "对判决的上诉,其 期 限 为十日", 1),
        ("ＡＢＣ", "the abc of it", 1),
        ("2021年", "于 2021 年签订，20年有效，1年试用", 1),
    ],
)
def test_words_are_found_in_their_forms(word: str, text: str, count: int) -> None:
    assert times(word, normal(text)) == count


@pytest.mark.parametrize(
    "question",
    [
        "Search the web for the mayor of Oslo",
        "Please look this up online.",
        "Can you google it?",
        "请上网查一下市长是谁",
        "在网上搜索一下",
    ],
)
def test_a_question_can_ask_for_the_web_itself(question: str) -> None:
    assert asks_for_web(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who runs the website of the club?",
        "What does the internet clause say?",
        "合同对网络安全有何规定？",
        "网上银行的费用是多少？",
    ],
)
def test_a_question_about_the_web_is_not_one_for_it(question: str) -> None:
    assert not asks_for_web(question)
