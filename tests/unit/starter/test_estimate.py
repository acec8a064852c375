"""The estimate names the passages that the program names, and quotes the same words of them."""

from pathlib import Path

from unabridged.commands_eval import Program
from unabridged.models.starter import starter_path
from unabridged.models.starter.shortcut import Estimate

DOCUMENT = [
    "The Distributor shall keep the casks below twelve degrees.\n",
    "Either party may terminate this Agreement upon ninety days' written notice.\n",
    "每册每日缴纳滞纳金一角。\n",
]
QUESTIONS = {"casks below twelve degrees": 0, "ninety days written notice": 1, "滞纳金一角": 2}


def test_the_estimate_answers_as_the_program_does(tmp_path: Path) -> None:
    estimate = Estimate(starter_path())
    with Program(starter_path(), tmp_path, threads=1) as program:
        assert estimate.count(DOCUMENT) == program.count(DOCUMENT)
        assert estimate.read(DOCUMENT) == program.read(DOCUMENT)
        for question, passage in QUESTIONS.items():
            found = program.answer(question)
            assert estimate.answer(question).passage == found.passage == passage
            assert estimate.answer(question).quotation == found.quotation == DOCUMENT[passage].strip()
