"""Every number of the engine, each against its plain counterpart in the same run. Prints one table.

    python tests/benchmarks/engine.py [--model FILE.gguf] [--lengths 4096 16384] [--cells 65536] [--threads N] [--cpu-time]

Without --model a random model of six layers is written (its answers are nonsense, its arithmetic is real). Ratios above 1
mean that ours is faster.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import Llama
from llama_cpp import llama_cpp as lib

sys.path.insert(0, str(Path(__file__).parents[2]))
from unabridged.models.engine import EngineOptions, Sampling, Tokens
from unabridged.models.footprint import reported_buffers
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_library import start_backend
from unabridged.models.llama_model import Model
from unabridged.models.open_model import OpenModel, open_model

from tests.unit.models.tiny_models import WORDS_FROM, write_tiny_model

CHUNK = 512
QUESTION = np.arange(40, 72, dtype=np.int32)


clock = time.perf_counter


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    began = clock()
    result = work()
    return clock() - began, result


def row(what: str, ours: float, plain: float, note: str = "") -> None:
    print(f"{what:<52} {ours:>10.4f} s {plain:>10.4f} s {plain / ours if ours else 0:>8.2f}x  {note}", flush=True)


@contextmanager
def opened(path: Path, folder: Path, **options: Any) -> Iterator[OpenModel]:  # noqa: ANN401
    session = open_model(path, EngineOptions(folder, chunk_tokens=CHUNK, **options))
    try:
        yield session
    finally:
        session.session.close()


def generating(session: OpenModel, key: str, prompt: Tokens, limit: int) -> Any:  # noqa: ANN401  a job
    return session.session.generate(key, prompt, limit=limit, sampling=Sampling(), stop=())


def bare_prefill(context: Context, tokens: Tokens) -> None:
    for start in range(0, len(tokens), CHUNK):
        context.decode([Rows(0, tokens[start : start + CHUNK], start, 0)])


def bare_decode(context: Context, position: int, count: int) -> None:
    token = np.array([50], np.int32)
    for step in range(count):
        rows = context.decode([Rows(0, token, position + step, 1)])
        token = np.array([int(context.logits(rows[0][0]).argmax())], np.int32)


def against_bare_loop(path: Path, folder: Path, tokens: Tokens, threads: int) -> None:
    """Three rounds, taking turns; the best of each."""
    count, rounds = 64, range(3)
    best: dict[str, float] = {}

    def keep(what: str, seconds: float) -> None:
        best[what] = min(seconds, best.get(what, seconds))

    model = Model(path)
    with (
        Context(
            model, window=len(tokens) + 4096, chunk_tokens=CHUNK, sequences=48, outputs=64, kv_type="f16", threads=threads,
            fill_sequence=1,
        ) as context,
        opened(path, folder / "bare", threads=threads, draft=False) as session,
    ):  # fmt: skip
        run = session.session.scheduler.run
        for turn in rounds:
            context.clear()
            keep("bare prefill", timed(lambda: bare_prefill(context, tokens))[0])
            seconds, reading = timed(lambda: run(session.session.read(tokens, fresh=True)))
            keep("prefill", seconds)
            question = np.roll(QUESTION, 1 + turn)
            asked = [Rows(0, question, len(tokens), 1)]
            keep("bare question", timed(lambda: context.decode(asked))[0])  # noqa: B023
            keep("question", timed(lambda: run(generating(session, reading.key, question, 1)))[0])  # noqa: B023
            keep("bare decode", timed(lambda: bare_decode(context, len(tokens) + len(question), count))[0])  # noqa: B023
            first, _ = timed(lambda: run(generating(session, reading.key, np.roll(question, 9), 1)))  # noqa: B023
            whole, said = timed(lambda: run(generating(session, reading.key, np.roll(question, 17), count)))  # noqa: B023
            keep("decode", (whole - first) / max(len(said.tokens) - 1, 1) * count)
    model.close()
    row(f"prefill {len(tokens):,} tokens / bare llama_decode loop", best["prefill"], best["bare prefill"], "writes segments")
    row("first token of a second question / bare decode of it", best["question"], best["bare question"])
    row(f"decode {count} tokens / bare llama_decode loop", best["decode"], best["bare decode"])


def against_high_level(path: Path, folder: Path, tokens: Tokens, threads: int) -> None:
    llama = Llama(str(path), n_ctx=len(tokens) + 4096, n_batch=CHUNK, n_ubatch=CHUNK, n_threads=threads, verbose=False)
    plain_prefill, _ = timed(lambda: llama.eval(tokens.tolist()))
    plain_save, state = timed(llama.save_state)
    plain_load, _ = timed(lambda: llama.load_state(state))
    other = np.concatenate([tokens, QUESTION]).tolist()
    plain_second, _ = timed(lambda: next(llama.generate(other, temp=0.0, reset=True)))
    llama.close()
    with opened(path, folder / "high", threads=threads) as session:
        run = session.session.scheduler.run
        prefill, reading = timed(lambda: run(session.session.read(tokens)))
        run(generating(session, reading.key, QUESTION[::-1].copy(), 1))
        second, _ = timed(lambda: run(generating(session, reading.key, QUESTION, 1)))
    with opened(path, folder / "high", threads=threads) as session:
        load, _ = timed(lambda: session.session.scheduler.run(session.session.read(tokens)))
    row(f"prefill {len(tokens):,} tokens / Llama.eval", prefill, plain_prefill)
    row("second question, first token / Llama.generate", second, plain_second)
    row("restore / Llama.load_state (which stays in memory)", load, plain_load, f"save_state took {plain_save:.3f} s")


def reopening(path: Path, folder: Path, lengths: list[int], threads: int) -> None:
    for length in lengths:
        tokens = random_tokens(length)
        with opened(path, folder / f"r{length}", threads=threads) as session:
            read, _ = timed(lambda: session.session.scheduler.run(session.session.read(tokens)))  # noqa: B023
        with opened(path, folder / f"r{length}", threads=threads) as session:
            again, reading = timed(lambda: session.session.scheduler.run(session.session.read(tokens)))  # noqa: B023
            run = session.session.scheduler.run
            first, _ = timed(lambda: run(generating(session, reading.key, QUESTION, 1)))  # noqa: B023
            second, _ = timed(lambda: run(generating(session, reading.key, QUESTION[::-1].copy(), 1)))  # noqa: B023
        row(f"reopen {length:,} tokens / read them again", again, read, f"evaluated {reading.evaluated}")
        row(f"second question at {length:,} / first", second, first, "32 tokens, one said")


def forking(folder: Path, cells: list[int], threads: int) -> None:
    """A small model; cells beyond the first 16,384 are the same ones restored at later positions."""
    path = write_tiny_model(folder / "fork.gguf", layers=1, width=64, heads=1, kv_heads=1, head_size=64, window=1 << 21)
    model = Model(path)
    for count in cells:
        with Context(
            model, window=count + 1024, chunk_tokens=CHUNK, sequences=8, outputs=8, kv_type="f16", threads=threads
        ) as context:
            block = min(16384, count)
            bare_prefill(context, random_tokens(block))
            saved = context.save(0)
            memory = lib.llama_get_memory(context.handle)
            for start in range(block, count, block):
                context.restore(1, saved)
                lib.llama_memory_seq_add(memory, 1, -1, -1, start)
                context.copy(1, 0)
                context.remove(1)
            bare_decode(context, count, 1)
            fork, _ = timed(lambda: context.copy(0, 2))
            step, _ = timed(lambda: context.decode([Rows(2, QUESTION[:1], count + 1, 1)]))  # noqa: B023
            row(f"fork at {count:,} cells / one decode there", fork, step)
    model.close()


def conversations(path: Path, folder: Path, tokens: Tokens, threads: int) -> None:
    with opened(path, folder / "four", threads=threads, draft=False) as session:
        scheduler = session.session.scheduler
        reading = scheduler.run(session.session.read(tokens, reserve=2048))
        prompts = [np.roll(QUESTION, turn) for turn in range(8)]
        alone, _ = timed(lambda: [scheduler.run(generating(session, reading.key, prompt, 48)) for prompt in prompts[:4]])

        def together() -> None:
            for prompt in prompts[4:]:
                scheduler.start(generating(session, reading.key, prompt, 48), lambda event: None, lambda result, error: None)
            while scheduler.busy:
                scheduler.step()

        batched, _ = timed(together)
    row("four answers of 48 tokens batched / one by one", batched, alone)


def drafting(folder: Path, threads: int) -> None:
    """The best case: a model that says what the document repeats. What a real model gains lies between 1 and this."""
    path = write_tiny_model(folder / "draft.gguf", layers=6, width=256, heads=4, head_size=64, feed_forward=704, scale=0.0)
    spent = {}
    for draft in (False, True):
        with opened(path, folder / "draft", threads=threads, draft=draft) as session:
            run = session.session.scheduler.run
            reading = run(session.session.read(np.zeros(4096, np.int32)))
            spent[draft], said = timed(lambda: run(generating(session, reading.key, QUESTION, 200)))  # noqa: B023
            assert len(said.tokens) == 200
    row("200 tokens that repeat the document, drafted / not", spent[True], spent[False], "best case")


def tokenising(path: Path, folder: Path, threads: int) -> None:
    text = ("民事主体从事民事活动，应当遵循自愿原则，按照自己的意思设立、变更、终止民事法律关系。" + WORDS_FROM) * 12000
    text = "".join(character for character in text if "\u4e00" <= character <= "\u9fff" or character in "，。、")[:1_000_000]
    with opened(path, folder / "tokens", threads=threads) as session:
        model = session.session._model
        ours, _ = timed(lambda: session.tokenizer.tokenize([text]))
        plain, _ = timed(lambda: model.tokenize(text, special=False))
        row(f"tokenise {len(text):,} Chinese characters / llama.cpp", ours, plain, session.tokenizer.kind)


def planning(path: Path, threads: int) -> None:
    from unabridged.models.footprint import measure

    planned = measure(path, kv_type="f16", chunk_tokens=CHUNK, sequences=48, outputs=64)
    model, window = Model(path), 24576
    with Context(model, window=window, chunk_tokens=CHUNK, sequences=48, outputs=64, kv_type="f16", threads=threads):
        real = reported_buffers()
    total = real.kv_bytes + real.scratch_bytes + real.state_bytes + model.size_bytes
    print(f"planner error at {window:,} tokens: {planned.total_bytes(window) / total - 1:+.3%} of {total / (1 << 20):.1f} MiB")
    model.close()


def random_tokens(length: int) -> Tokens:
    return np.random.default_rng(length).integers(0, 500, length).astype(np.int32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--lengths", type=int, nargs="+", default=[4096, 8192, 16384])
    parser.add_argument("--cells", type=int, nargs="+", default=[65536, 131072, 262144])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of the processor, for a machine that is busy")
    given = parser.parse_args()
    if given.cpu_time:
        global clock
        clock = time.process_time
    start_backend()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = given.model or write_tiny_model(
            folder / "model.gguf", layers=6, width=256, heads=4, kv_heads=2, head_size=64, feed_forward=704, window=1 << 18
        )
        print(f"{'what / compared with':<52} {'ours':>12} {'theirs':>12} {'ratio':>9}")
        tokens = random_tokens(given.lengths[0])
        against_bare_loop(path, folder, tokens, given.threads)
        against_high_level(path, folder, tokens, given.threads)
        reopening(path, folder, given.lengths, given.threads)
        forking(folder, given.cells, given.threads)
        conversations(path, folder, tokens, given.threads)
        drafting(folder, given.threads)
        tokenising(path, folder, given.threads)
        planning(path, given.threads)


if __name__ == "__main__":
    main()
