"""Work goes on without anyone looking, ends when it is told to, and says how it ended."""

import threading
from collections.abc import Generator
from typing import Any

import pytest
from unabridged.errors import DocumentEmpty
from unabridged.ui.jobs import Job, Jobs

WAIT_S = 5.0


def fold(news: dict[str, Any], event: int) -> None:
    news["sum"] = news.get("sum", 0) + event


def counting(
    events: int, *, closed: threading.Event | None = None, gate: threading.Semaphore | None = None
) -> Generator[int, None, str]:
    try:
        for event in range(events):
            if gate is not None:
                gate.acquire(timeout=WAIT_S)
            yield event
        return "result"
    finally:
        if closed is not None:
            closed.set()


def ended(job: Job) -> Job:
    assert job.ended.wait(WAIT_S)
    return job


def test_a_job_folds_its_events_and_keeps_its_result() -> None:
    jobs = Jobs()
    job = ended(jobs.start("count", counting(5), fold=fold, news={"name": "n"}))
    assert (job.state, job.result, job.news) == ("finished", "result", {"name": "n", "sum": 10})
    assert jobs.all() == [job], "it stays visible for a while"


def test_a_stopped_job_closes_its_generator() -> None:
    closed, gate = threading.Event(), threading.Semaphore(2)
    jobs = Jobs()
    job = jobs.start("count", counting(100, closed=closed, gate=gate), fold=fold, news={})
    assert jobs.stop(job.id)
    gate.release(3)
    assert ended(job).state == "stopped"
    assert closed.is_set()
    assert not jobs.stop(job.id), "it is over"
    assert not jobs.stop("unknown")


def test_an_error_of_ours_is_told_with_its_hint() -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        raise DocumentEmpty("It is empty.", hint="Take another.")

    job = ended(Jobs().start("read", failing(), fold=fold, news={}))
    assert job.state == "failed"
    assert job.news == {"sum": 1, "error": "It is empty.", "hint": "Take another.", "error_kind": "DocumentEmpty"}


def test_a_fault_ends_only_its_job_and_tells_no_text(caplog: pytest.LogCaptureFixture) -> None:
    def faulty() -> Generator[int, None, None]:
        yield 1
        raise KeyError("words of a document")

    jobs = Jobs()
    job = ended(jobs.start("read", faulty(), fold=fold, news={}))
    assert job.state == "failed"
    assert "words of a document" not in str(job.shown())
    assert "words of a document" not in caplog.text
    assert ended(jobs.start("count", counting(1), fold=fold, news={})).state == "finished"


def test_every_change_is_a_new_revision() -> None:
    jobs = Jobs()
    before = jobs.revision
    ended(jobs.start("count", counting(3), fold=fold, news={}))
    assert jobs.revision >= before + 4
    lists = jobs.lists
    jobs.announce()
    assert jobs.lists == lists + 1


def test_the_end_of_the_server_stops_every_job() -> None:
    jobs = Jobs()
    running = [jobs.start("count", counting(10**9), fold=fold, news={}) for _ in range(3)]
    jobs.stop_all(timeout_s=WAIT_S)
    assert [job.state for job in running] == ["stopped"] * 3


def test_a_fault_at_the_end_leaves_no_job_running_for_ever() -> None:
    def faulty(job: Job) -> None:
        raise OSError("the disk is gone")

    job = ended(Jobs().start("count", counting(1), fold=fold, news={}, done=faulty))
    assert (job.state, job.news["error_kind"]) == ("failed", "Fault")


def test_what_is_done_at_the_end_is_done_before_the_end_is_seen() -> None:
    seen: list[str] = []
    jobs = Jobs()
    job = ended(jobs.start("count", counting(1), fold=fold, news={}, done=lambda job: seen.append(job.state)))
    assert seen == ["running"]
    assert job.state == "finished"
