"""Work divided among processes that are copies of this one (fork): each does every n-th task and writes what came of it into
a pipe of its own.

It knows neither pages nor formats: a task is a number, a result is bytes. Workers only help: a task that none gives a result
for, because it failed or the process was killed, is the caller's to do, who then meets the failure itself. They are confined
as this process is and end with it; all of them together may use as much as it may. Linux only; elsewhere there are none.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from unabridged.ingest.confinement import die_with_parent, lower_limit
from unabridged.ingest.limits import Limits

Work = Callable[[range], Iterator[bytes]]  # a result for each task in its order; b"" for one that failed

_MOST = 8
_MEMORY_BYTES = 3 << 29  # address space of one; a page recognised by RapidOCR takes a gigabyte of it


@dataclass(frozen=True, slots=True)
class Workers:
    count: int
    threads_each: int
    limits: Limits  # of all of them together

    @classmethod
    def of_this_machine(cls, limits: Limits) -> "Workers | None":
        """As many as the cores of this process and the memory allow; None where there would be but one."""
        if sys.platform != "linux":
            return None
        cores, memory_bytes = len(os.sched_getaffinity(0)), min(limits.memory_bytes, _available_bytes())
        count = min(cores, memory_bytes // _MEMORY_BYTES, _MOST)
        return cls(count, cores // count, limits) if count > 1 else None

    def results(self, work: Work, tasks: int) -> Iterator[tuple[int, bytes]]:
        """Tasks done and what came of them, as they come. Closing the iterator ends the workers."""
        started: list[_Worker] = []
        try:
            with suppress(OSError):  # where no more processes may be started, there are fewer
                for first in range(self.count):
                    started.append(self._start(work, range(first, tasks, self.count)))
            working = list(started)
            while working:
                ready = wait([worker.pipe for worker in working])
                for worker in [worker for worker in working if worker.pipe in ready]:
                    task, result = next(worker.tasks, None), worker.received()
                    if task is None or result is None:
                        working.remove(worker)
                    elif result:
                        yield task, result
        finally:
            for worker in started:
                worker.end()

    def _start(self, work: Work, tasks: range) -> "_Worker":
        reading, writing = Pipe(duplex=False)
        parent, process = os.getpid(), os.fork()
        if process == 0:
            try:
                die_with_parent(parent)
                lower_limit(resource.RLIMIT_CPU, self.limits.cpu_s // self.count + 1)
                lower_limit(resource.RLIMIT_AS, _MEMORY_BYTES)
                for result in work(tasks):
                    writing.send_bytes(result)
            finally:
                os._exit(0)  # whatever happened: nothing of the process that it is a copy of may go on in it
        writing.close()
        return _Worker(process, reading, iter(tasks))


@dataclass(frozen=True, slots=True)
class _Worker:
    process: int
    pipe: Connection
    tasks: Iterator[int]  # that it has not given a result for

    def received(self) -> bytes | None:
        """Its next result; None where it has ended."""
        try:
            return self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None

    def end(self) -> None:
        os.kill(self.process, signal.SIGKILL)  # not yet waited for, so the number is still its own
        os.waitpid(self.process, 0)
        self.pipe.close()


def _available_bytes() -> int:
    """Memory that can be had without swapping (`proc_meminfo(5)`)."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        name, _, size = line.partition(":")
        if name == "MemAvailable":
            return int(size.split()[0]) << 10  # "kB" there are 1,024 bytes
    return 0
