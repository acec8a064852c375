"""Workers: every result comes back with its task, a worker that ends costs its own results only, and none stays behind."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from unabridged.ingest.limits import Limits
from unabridged.ingest.workers import Workers

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there are no workers elsewhere"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # pytest may have threads
]


def workers(count: int = 3) -> Workers:
    return Workers(count, 1, Limits())


def squares(tasks: range) -> Iterator[bytes]:
    for task in tasks:
        yield b"%d" % task**2


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split())


def test_every_result_comes_with_its_task() -> None:
    assert dict(workers().results(squares, 50)) == {task: b"%d" % task**2 for task in range(50)}


def test_results_of_any_length_pass() -> None:
    def work(tasks: range) -> Iterator[bytes]:
        for task in tasks:
            yield bytes([task + 1]) * 3_000_000

    found = dict(workers(2).results(work, 4))
    assert {task: (len(result), result[0]) for task, result in found.items()} == {n: (3_000_000, n + 1) for n in range(4)}


def test_more_workers_than_tasks() -> None:
    assert dict(workers(5).results(squares, 2)) == {0: b"0", 1: b"1"}


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGXCPU])
def test_a_worker_that_is_killed_costs_no_results_of_others(sign: signal.Signals) -> None:
    def work(tasks: range) -> Iterator[bytes]:
        for task in tasks:
            if task == 4:  # the second of the second worker
                os.kill(os.getpid(), sign)
            yield b"%d" % task

    assert set(dict(workers().results(work, 9))) == {0, 3, 6, 2, 5, 8, 1}


def test_a_failed_task_has_no_result_and_its_worker_goes_on() -> None:
    def work(tasks: range) -> Iterator[bytes]:
        yield from (b"" if task == 3 else b"done" for task in tasks)

    assert set(dict(workers(2).results(work, 6))) == {0, 1, 2, 4, 5}


def test_a_worker_that_breaks_ends_and_nothing_of_this_process_goes_on_in_it() -> None:
    def work(tasks: range) -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError

    before = os.getpid()
    assert set(dict(workers(2).results(work, 6))) == {0, 1}
    assert os.getpid() == before


def test_no_worker_stays_behind() -> None:
    def work(tasks: range) -> Iterator[bytes]:
        yield b"first"
        time.sleep(60)

    before = children()
    results = workers().results(work, 9)
    next(results)
    assert len(children() - before) == 3
    results.close()
    assert children() == before


def test_workers_together_may_use_what_their_parent_may() -> None:
    def work(tasks: range) -> Iterator[bytes]:
        yield b"%d %d" % (resource.getrlimit(resource.RLIMIT_CPU)[0], resource.getrlimit(resource.RLIMIT_AS)[0])

    for result in dict(Workers(4, 1, Limits(cpu_s=400)).results(work, 4)).values():
        cpu_s, memory_bytes = map(int, result.split())
        assert cpu_s <= 101
        assert 4 * memory_bytes <= Limits().memory_bytes


def test_little_memory_is_for_one_process() -> None:
    assert Workers.of_this_machine(Limits(memory_bytes=1 << 30)) is None
