"""The estimate names the passages that the program names."""

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


def test_the_estimate_points_where_the_program_points(tmp_path: Path) -> None:
    estimate = Estimate(starter_path())
    with Program(starter_path(), tmp_path, threads=1) as program:
        assert estimate.count(DOCUMENT) == program.count(DOCUMENT)
        assert estimate.read(DOCUMENT) == program.read(DOCUMENT)
        for question, passage in QUESTIONS.items():
            assert estimate.point(question)[0] == program.point(question)[0] == passage
