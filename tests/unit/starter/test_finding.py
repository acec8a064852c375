"""The packaged model names the passage, in English and Chinese, and does so the way the plain arithmetic says."""

import gguf
import numpy as np
import pytest
from unabridged.models.starter import reference, starter_is_intact, starter_path
from unabridged.models.starter.finder_probe import Probe
from unabridged.models.starter.shortcut import Estimate, Shortcut

CONTRACT = [
    "This Agreement is made between the Brewery and the Distributor on the first day of March.\n",
    "The Distributor shall keep the casks below twelve degrees and report every breakage within a week.\n",
    "Either party may terminate this Agreement upon ninety days' written notice.\n",
    "All disputes are settled by the courts of Antwerp, and Belgian law governs.\n",
    "Invoices are payable within thirty days of delivery; late sums bear interest at four percent.\n",
    "The recipe of the ale remains a trade secret of the Brewery for ever.\n",
]
RULES = [
    "第一条　为了加强图书馆的管理，制定本规则。\n",
    "第二条　读者凭借书证入馆，借书证不得转借他人。\n",
    "第三条　每次借阅不得超过五册，期限为三十日。\n",
    "第四条　逾期不还的，每册每日缴纳滞纳金一角。\n",
    "第五条　损坏古籍的，应当照价赔偿，并由馆长处理。\n",
    "第六条　閉館時間為晚上九點，節假日除外。\n",
]


def named(probe: Probe, document: list[str], question: str) -> int:
    probe.read([probe.tokenize(passage) for passage in document])
    return int(probe.ask(probe.tokenize(question))[:-1].argmax())


@pytest.mark.parametrize(
    ("document", "question", "passage"),
    [
        (CONTRACT, "which courts settle disputes and what law governs?", 3),
        (CONTRACT, "How many days' NOTICE to terminate?", 2),
        (CONTRACT, "interest on late invoices", 4),
        (CONTRACT, "trade secret recipe", 5),
        (RULES, "借书证可以转借他人吗？", 1),
        (RULES, "滞纳金是多少？", 3),
        (RULES, "损坏古籍怎么赔偿", 4),
        (RULES, "什麼時候閉館？", 5),
    ],
)
def test_the_passage_is_named(probe: Probe, document: list[str], question: str, passage: int) -> None:
    assert named(probe, document, question) == passage


def test_the_place_of_a_passage_does_not_matter(probe: Probe) -> None:
    for shift in range(len(CONTRACT)):
        turned = CONTRACT[shift:] + CONTRACT[:shift]
        assert turned[named(probe, turned, "trade secret recipe of the ale")] == CONTRACT[5]


def test_a_passage_is_found_among_hundreds(probe: Probe) -> None:
    filler = [f"Clause {i} of this Agreement concerns deliveries to the warehouse in district {i % 7}.\n" for i in range(150)]
    filler.insert(97, "The lighthouse keeper of Skagen receives a barrel of herring every winter.\n")
    assert named(probe, filler, "what does the lighthouse keeper receive in winter?") == 97


def test_a_question_about_something_else_is_answered_by_nothing() -> None:
    estimate = Estimate(starter_path())
    estimate.read(CONTRACT)
    for question in ("which courts settle disputes", "interest on late invoices", "ninety days written notice"):
        assert estimate.answer(question).sure
    for question in ("photosynthesis in tropical orchids", "大熊猫吃什么", "quarterback touchdown record"):
        assert not estimate.answer(question).sure


def test_the_packaged_file_has_the_committed_sha256() -> None:
    assert starter_is_intact()


def test_llama_cpp_computes_what_plain_numpy_computes(probe: Probe, starter_file: gguf.GGUFReader) -> None:
    weights = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32) for t in starter_file.tensors}
    passages = [probe.tokenize(text) for text in CONTRACT + RULES]
    question = probe.tokenize("interest on late invoices")
    prompt = [probe.doc]
    for index, passage in enumerate(passages):
        prompt += [probe.first + index, *passage]
    _, _, expected = reference.run(weights, [*prompt, probe.user, *question, probe.assistant])
    probe.read(passages)
    found = probe.ask(question)
    np.testing.assert_allclose(found, [*expected[probe.first : probe.first + len(passages)], expected[probe.doc]], atol=0.5)
    assert np.ptp(found) > 5, "the comparison would not notice a dead layer"


def test_the_shortcut_answers_as_llama_cpp_does(probe: Probe) -> None:
    shortcut = Shortcut(starter_path())
    for document, question in ((CONTRACT, "interest on late invoices"), (RULES, "借书证可以转借他人吗？")):
        answers = []
        for finder in (probe, shortcut):
            finder.read([finder.tokenize(passage) for passage in document])
            answers.append(finder.ask(finder.tokenize(question)))
        np.testing.assert_allclose(answers[1], answers[0], atol=0.5)
        assert np.ptp(answers[0]) > 4, "the comparison would not notice a dead layer"
