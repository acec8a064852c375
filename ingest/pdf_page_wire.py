"""How a page crosses from a worker's process to the reader's: rows of plain values in JSON, never pickle.

Numbers come back as they were, to the last digit, and so does every character.
"""

import json
from collections.abc import Sequence
from typing import Any

from unabridged.ingest.document import Box, Problem, ProblemKind
from unabridged.ingest.pdf_page import PageContent, Recognition, Run
from unabridged.ingest.wire import dumps


def encode(page: PageContent) -> bytes:
    return dumps(
        {
            "place": [page.number, page.label, page.width, page.height],
            "runs": [[run.text, *_row(run.box), run.size, run.bold, run.turn] for run in page.runs],
            "comments": page.comments,
            "asides": page.asides,
            "rules": [_row(rule) for rule in page.rules],
            "picture_share": page.picture_share,
            "in_doubt": page.in_doubt,
            "recognition": page.recognition and [page.recognition.program, page.recognition.confidence],
            "problem": page.problem and [page.problem.kind, page.problem.where, page.problem.hint],
        }
    )


def decode(data: bytes) -> PageContent:
    """Raises ValueError, KeyError or TypeError for what describes no page."""
    fields = json.loads(data.decode("utf-8", "surrogatepass"))
    number, label, width, height = fields["place"]
    return PageContent(
        number,
        label,
        width,
        height,
        runs=tuple(_run(*row) for row in fields["runs"]),
        comments=tuple(fields["comments"]),
        asides=tuple(fields["asides"]),
        rules=tuple(Box(*row) for row in fields["rules"]),
        picture_share=fields["picture_share"],
        in_doubt=fields["in_doubt"],
        recognition=fields["recognition"] and Recognition(*fields["recognition"]),
        problem=fields["problem"] and _problem(*fields["problem"]),
    )


def _row(box: Box) -> Sequence[float]:
    return box.x0, box.y0, box.x1, box.y1


def _run(text: str, x0: float, y0: float, x1: float, y1: float, *rest: Any) -> Run:  # noqa: ANN401  (size, bold, turn)
    return Run(text, Box(x0, y0, x1, y1), *rest)


def _problem(kind: str, where: str, hint: str) -> Problem:
    return Problem(ProblemKind(kind), where, hint)
