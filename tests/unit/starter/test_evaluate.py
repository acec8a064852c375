"""The measuring: what counts as right, what is kept between runs, and that the program is what gets measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from unabridged.commands_eval import Program
from unabridged.models.starter import starter_path
from unabridged.models.starter.cells import Asked, Task, self_made_tasks
from unabridged.models.starter.evaluate import Answered, Cell, _kept, measure, table

DOCUMENT = [
    "The Distributor shall keep the casks below twelve degrees. Breakages are reported within a week.\n",
    "Either party may terminate this Agreement upon ninety days' written notice. Notices are sent by post.\n",
    "All disputes are settled by the courts of Antwerp, and Belgian law governs.\n",
]
TASK = Task(
    DOCUMENT,
    [
        Asked("ninety days written notice", frozenset([1]), ("upon ninety days' written notice",)),
        Asked("which courts settle disputes", frozenset([2]), ("the courts of Antwerp",)),
        Asked("photosynthesis in tropical orchids", frozenset()),
    ],
)


class First:
    """A candidate that is always sure of the first passage and quotes its first letter."""

    def __init__(self) -> None:
        self.readings = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def read(self, passages: Sequence[str]) -> int:
        self.readings += 1
        return sum(self.count(passages))

    def answer(self, question: str) -> Answered:
        return Answered(0, True, DOCUMENT[0][:1])


def test_the_program_itself_is_measured(tmp_path: Path) -> None:
    with Program(starter_path(), tmp_path, threads=1) as program:
        read = measure(program, TASK)
    assert [row.right for row in read.rows] == [True, True, False]
    assert [row.quoted for row in read.rows] == [True, True, None]
    assert [row.sure for row in read.rows] == [True, True, False]
    assert read.tokens > len(DOCUMENT)


def test_a_bad_candidate_gets_bad_scores() -> None:
    task = Task(DOCUMENT, [Asked("x", frozenset([0]), ("casks",)), Asked("y", frozenset([1])), Asked("z", frozenset())])
    cell = Cell("self-made", "en", 2000, (measure(First(), task),))
    assert cell.right == 0.5
    assert [row.quoted for row in cell.rows] == [False, None, None]
    line = table([cell]).splitlines()[-1]
    assert "0.50 ± 0.35" in line
    assert "| 0.00 ± 0.00 | 1 | 0.00 ± 0.00 | 0.00 ± 0.00 |" in line, "never silent: nothing recognised, no false alarm"


def test_a_second_run_reads_only_what_the_first_did_not(tmp_path: Path) -> None:
    candidate = First()
    first = _kept(tmp_path / "cell.json", candidate, TASK)
    assert _kept(tmp_path / "cell.json", candidate, TASK) == first
    assert candidate.readings == 1
    assert json.loads((tmp_path / "cell.json").read_text(encoding="utf-8"))["passages"] == 3


@pytest.mark.parametrize("tokens", [60, 200])
def test_self_made_questions_are_right_where_their_sentence_stands_and_nowhere_else(tokens: int) -> None:
    clauses = (f"Clause {i} binds owner {name} to pay eight florins each year.\n\n" for i, name in enumerate("ABCDEFGH" * 9))
    text = "".join(clauses)
    tasks = list(self_made_tasks([text], "en", First().count, tokens=tokens, questions=6))
    for task in tasks:
        assert sum(First().count(task.document)) <= tokens
        for asked in task.asked:
            holding = {i for i, passage in enumerate(task.document) if asked.answers[0] in " ".join(passage.split())}
            assert asked.right <= holding
        assert {bool(asked.right) for asked in task.asked} == {True, False}
