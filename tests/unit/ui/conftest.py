"""For what the page can do without a browser: the chat over a scripted engine, one document, and jobs that are waited for."""

from pathlib import Path
from typing import Any

import pytest
from unabridged.events import drained
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.jobs import Job, Jobs
from unabridged.workspace import Workspace


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def chat(workspace: Workspace, jobs: Jobs) -> ChatHandlers:
    return ChatHandlers(workspace, jobs)


@pytest.fixture
def document(workspace: Workspace, contract: Path) -> str:
    return drained(workspace.add(contract)).id


def ended(jobs: Jobs, told: dict[str, str]) -> Job:
    job = next(job for job in jobs.all() if job.id == told["job"])
    assert job.ended.wait(20)
    return job


def ask(chat: ChatHandlers, jobs: Jobs, document: str, question: str = "Who was mayor of Oslo in 2021?", **more: object) -> Job:
    return ended(jobs, chat.ask({"documents": [document], "question": question, "language": "en", **more}))


def turns(chat: ChatHandlers, job: Job) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = chat.conversation({"conversation": job.news["conversation"], "language": "en"})["turns"]
    return told
