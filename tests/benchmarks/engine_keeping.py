"""What keeping a reading is worth: opened again, forked, killed in the middle; and the memory of the engine process."""

import os
import signal
from pathlib import Path

from llama_cpp import llama_cpp as lib
from unabridged.errors import EngineFailed
from unabridged.models.cache_map import CacheMap
from unabridged.models.engine import EngineOptions
from unabridged.models.engine_process import EngineProcess
from unabridged.models.footprint import measure
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_model import Model
from unabridged.models.session import OUTPUTS, SEQUENCES
from unabridged.models.tenants import Fork

from tests.benchmarks.measuring import CHUNK, QUESTION, Run, Times, fact, generating, get_ready, question, random_tokens, row


def reopening(run: Run) -> None:
    """From disk into a new session against reading again; once each where reading takes long."""
    lengths = [("medium", 1024), ("small", 4096)] if run.quick else [
        ("medium", 4096), ("medium", 8192), ("medium", 16384), ("small", 4096), ("small", 16384), ("small", 65536)
    ]  # fmt: skip
    for name, length in lengths:
        path, tokens = run.medium() if name == "medium" else run.small(), random_tokens(length, seed=2)
        read, again, first, second = Times(), Times(), Times(), Times()
        folder = f"reopen-{name}-{length}"
        with run.opened(path, folder) as session:
            read.add(run.timed(lambda: session.session.scheduler.run(session.session.read(tokens)))[0])  # noqa: B023
        for _ in range(run.repeats(5)):
            with run.opened(path, folder) as session:
                do = session.session.scheduler.run
                seconds, reading = run.timed(lambda: do(session.session.read(tokens)))  # noqa: B023
                again.add(seconds)
                first.add(run.timed(lambda: do(generating(session, reading.key, question(1), 1)))[0])  # noqa: B023
                get_ready(session)
                second.add(run.timed(lambda: do(generating(session, reading.key, question(2), 1)))[0])  # noqa: B023
        row(f"open {length:,} tokens again / read them again ({name})", again, read, f"{reading.evaluated} evaluated")
        row(f"first token of the second question at {length:,} / of the first", second, first, "32 tokens, one said")


def forking(run: Run) -> None:
    """What a question waits for before it is evaluated. Cells beyond the first 4,096 are the same ones at later positions."""
    model = Model(run.small())
    for count in (16384, 32768) if run.quick else (65536, 131072, 262144, 524288, 1048576):
        with Context(
            model, window=count + 1024, chunk_tokens=64, sequences=8, outputs=8, kv_type="f16", threads=run.threads
        ) as context:
            _fill(context, count)
            cache = CacheMap(context, sequences=8, can_rewind=True)
            reading = cache.add_reading("all", random_tokens(count))
            reading.done = count
            lent, ready, copied, step, drop = Times(), Times(), Times(), Times(), Times()

            def fork(times: Times) -> Fork:
                seconds, fork = run.timed(lambda: cache.fork(reading, QUESTION, reserved=64, take_over=True))  # noqa: B023
                times.add(seconds)
                return fork

            for _ in range(run.repeats(3)):
                first = fork(lent)  # right after the reading
                second = fork(copied)  # at the same time
                step.add(run.timed(lambda: context.decode([Rows(second.sequence, QUESTION[:1], count, 1)]))[0])  # noqa: B023
                context.remove(second.sequence, count, -1)
                drop.add(run.timed(lambda: cache.drop_fork(second))[0])  # noqa: B023
                while cache.prepare_fork():
                    pass
                third = fork(ready)  # beside the first, but later
                for each in (first, third):
                    cache.drop_fork(each)
            fact(f"fork at {count:,} cells: the first; one made ready while idle", f"{lent.median:.4f} s; {ready.median:.4f} s")
            row(f"fork at {count:,} cells beside the first, nothing ready / a token", copied, step, f"dropping it {drop}")
    model.close()


def _fill(context: Context, count: int) -> None:
    block = 4096
    for start in range(0, block, 64):
        context.decode([Rows(1, random_tokens(64, seed=start), start, 0)])
    saved, memory = context.save(1), lib.llama_get_memory(context.handle)
    for start in range(block, count, block):
        context.restore(0, saved)
        lib.llama_memory_seq_add(memory, 0, -1, -1, start)
        context.copy(0, 1)
        context.remove(0)
    context.decode([Rows(2, QUESTION[:1], 0, 1)])  # moves what was shifted, once
    context.remove(2)


def killing(run: Run) -> None:
    """SIGKILL of the engine process at six tenths of a reading; what has to be read twice."""
    length = 4096 if run.quick else 16384
    tokens = random_tokens(length, seed=3)
    for number in range(run.repeats(3)):
        with EngineProcess(run.medium(), EngineOptions(run.folder / f"kill{number}", threads=run.threads)) as engine:
            reading, seen = engine.read(tokens), 0
            while seen < length * (6 + number) // 10:
                seen = next(reading).done
            os.kill(engine.pid, signal.SIGKILL)
            try:
                while True:
                    seen = max(seen, next(reading).done)
            except (EngineFailed, StopIteration):
                pass
            progress = engine.read(tokens)
            reused = next(each for each in progress if each.done > each.reused).reused
            progress.close()
        fact(f"killed after {seen:,} of {length:,} tokens: read again", f"{seen - reused:,} tokens", "bar: 2,048, one segment")


def memory(run: Run) -> None:
    """The resident set of the engine process above what the model itself needs."""
    path, length = run.medium(), 1024 if run.quick else 8192
    with EngineProcess(path, EngineOptions(run.folder / "memory", threads=run.threads)) as engine:
        reading = None
        steps = engine.read(random_tokens(length, seed=4))
        while reading is None:
            try:
                next(steps)
            except StopIteration as stop:
                reading = stop.value
        lines = Path(f"/proc/{engine.pid}/status").read_text("ascii").splitlines()
        peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
        needs = measure(path, kv_type="f16", chunk_tokens=CHUNK, sequences=SEQUENCES, outputs=OUTPUTS)
        above = peak - needs.total_bytes(reading.window)
        note = f"of {peak / 1e6:,.0f}; bar: 300"
        fact("peak memory of the engine above weights, KV and buffers", f"{above / 1e6:,.0f} MB", note)
