"""Work that goes on when the tab closes: each job iterates one generator of events in a thread of its own.

Any number of tabs look at the jobs; none of them owns one. Knows no documents and no browser: a job's `fold` turns an event
into changes of what is shown of it.
"""

import itertools
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

from unabridged.errors import UnabridgedError
from unabridged.fault_report import report

News = dict[str, Any]
Fold = Callable[[News, Any], None]

KEPT_S = 20.0  # a finished job stays visible, so that a tab that was reconnecting learns how it ended
FAULT = "Something in this program went wrong."


class Job:
    """`news` is what a tab shows. `state` is running, finished, stopped or failed. The thread alone writes them."""

    def __init__(self, job_id: str, kind: str, news: News) -> None:
        self.id = job_id
        self.kind = kind
        self.news = news
        self.state = "running"
        self.result: Any = None
        self.ended_at = 0.0
        self.stopping = threading.Event()
        self.ended = threading.Event()

    def shown(self) -> News:
        return {"id": self.id, "kind": self.kind, "state": self.state, "stopping": self.stopping.is_set(), **self.news}


class Jobs:
    """All jobs of this server. `revision` grows with every change of any of them, `lists` with changes of the lists."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._ids = itertools.count(1)
        self.run = f"{time.time_ns():x}"  # of the server: what a page knows from an earlier one means nothing
        self._lock = threading.Lock()
        self.revision = 0
        self.lists = 0

    def start(
        self, kind: str, events: Generator[Any, None, Any], *, fold: Fold, news: News, done: Callable[[Job], None] | None = None
    ) -> Job:
        """`done` is called in the job's thread when it has ended, however it ended."""
        with self._lock:
            job = Job(f"{self.run}-{next(self._ids)}", kind, dict(news))
            self._jobs[job.id] = job
        threading.Thread(target=self._work, args=(job, events, fold, done), name=f"{kind} {job.id}", daemon=True).start()
        return job

    def stop(self, job_id: str) -> bool:
        """The job ends at its next event; what it did stays. False when it is over or unknown."""
        job = self._jobs.get(job_id)
        if job is None or job.ended.is_set():
            return False
        job.stopping.set()
        self.touch()
        return True

    def stop_all(self, *, timeout_s: float) -> None:
        """For the end of the server: every job is asked to stop and waited for."""
        deadline = time.monotonic() + timeout_s
        running = [job for job in self._jobs.values() if not job.ended.is_set()]
        for job in running:
            job.stopping.set()
        for job in running:
            job.ended.wait(max(0.0, deadline - time.monotonic()))

    def all(self) -> list[Job]:
        """Running jobs and those that ended lately, oldest first."""
        now = time.monotonic()
        with self._lock:
            self._jobs = {key: job for key, job in self._jobs.items() if not job.ended_at or now - job.ended_at < KEPT_S}
            return list(self._jobs.values())

    def touch(self) -> None:
        with self._lock:
            self.revision += 1

    def announce(self) -> None:
        """The library or the conversations changed: every tab looks again."""
        with self._lock:
            self.lists += 1
            self.revision += 1

    def _work(self, job: Job, events: Generator[Any, None, Any], fold: Fold, done: Callable[[Job], None] | None) -> None:
        state = "failed"
        try:
            state = self._follow(job, events, fold)
        except UnabridgedError as error:
            job.news |= {"error": error.message, "hint": error.hint, "error_kind": type(error).__name__}
        except Exception as error:  # noqa: BLE001 a fault of ours: told to the user, and where it was is written down
            job.news |= {"error": FAULT, "hint": report(error), "error_kind": "Fault"}
        finally:
            if done is not None and not self._finish(job, done):
                state = "failed"
            job.ended_at = time.monotonic()
            job.state = state  # after `done`: whoever sees that it has ended finds what `done` did
            job.ended.set()
            self.touch()

    def _finish(self, job: Job, done: Callable[[Job], None]) -> bool:
        try:
            done(job)
            return True
        except Exception as error:  # noqa: BLE001 as above: whoever waits for the job must not wait for ever
            job.news |= {"error": FAULT, "hint": report(error), "error_kind": "Fault"}
            return False

    def _follow(self, job: Job, events: Generator[Any, None, Any], fold: Fold) -> str:
        try:
            while not job.stopping.is_set():
                fold(job.news, next(events))
                self.touch()
        except StopIteration as end:
            job.result = end.value
            return "finished"
        finally:
            events.close()
        return "stopped"


def told_at_once(jobs: Jobs, kind: str, work: Callable[[], News], *, news: News) -> Job:
    """A job without steps: what `work` returns joins its news."""

    def steps() -> Generator[News, None, None]:
        yield work()

    return jobs.start(kind, steps(), fold=lambda shown, told: shown.update(told), news=news)
