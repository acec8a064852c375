"""The questions that the first screen offers are answered, with the starter model and the real engine."""

import pytest
from unabridged.events import Finished
from unabridged.home import Home
from unabridged.ui.sample import SAMPLES
from unabridged.workspace import Workspace


@pytest.mark.parametrize("language", SAMPLES)
def test_the_starter_answers_the_sample_questions_with_a_citation(home: Home, language: str) -> None:
    sample = SAMPLES[language]
    with Workspace(home) as workspace:
        for _ in workspace.add(sample.path):
            pass
        [entry] = workspace.library.entries()
        for question in sample.questions:
            answer = next(event.answer for event in workspace.ask([entry.id], question) if isinstance(event, Finished))
            assert answer.citations, question
