"""The engine beside plain llama.cpp and beside llama-cpp-python's own class: reading, asking, tokenising, planning."""

import contextlib
import io

import numpy as np
from llama_cpp import Llama
from unabridged.models.footprint import measure, reported_buffers
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_model import Model
from unabridged.models.session import OUTPUTS, SEQUENCES

from tests.benchmarks.measuring import (
    CHUNK,
    QUESTION,
    Run,
    Times,
    bare_decode,
    bare_prefill,
    by_turns,
    fact,
    generating,
    get_ready,
    question,
    random_tokens,
    row,
)
from tests.unit.models.tiny_models import WORDS_FROM


def bare_loop(run: Run) -> None:
    """The same contexts, the same settings, turn by turn; ours also writes segments."""
    for length, rounds in ((1024, 1),) if run.quick else ((4096, 7), (8192, 4), (16384, 5)):
        _against_bare_loop(run, random_tokens(length), rounds=rounds)


def _against_bare_loop(run: Run, tokens: np.ndarray, *, rounds: int) -> None:
    count, path, length = 64, run.medium(), len(tokens)
    ours, bare = [Times() for _ in range(3)], [Times() for _ in range(3)]
    model = Model(path)
    with (
        Context(
            model, window=length + 4096, chunk_tokens=CHUNK, sequences=SEQUENCES, outputs=OUTPUTS, kv_type="f16",
            threads=run.threads, fill_sequence=1,
        ) as context,
        run.opened(path, f"bare{length}", draft=False) as session,
    ):  # fmt: skip
        do = session.session.scheduler.run
        bare_prefill(context, tokens[:2048])  # wakes the machine

        def read(turn: int) -> None:
            ours[0].add(run.timed(lambda: do(session.session.read(tokens, reserve=1024, fresh=True)))[0])

        def read_bare(turn: int) -> None:
            context.clear()
            bare[0].add(run.timed(lambda: bare_prefill(context, tokens))[0])

        def ask(turn: int) -> None:
            get_ready(session)
            ours[1].add(run.timed(lambda: do(generating(session, key, question(turn), 1)))[0])

        def ask_bare(turn: int) -> None:
            context.remove(0, length, -1)
            bare[1].add(run.timed(lambda: context.decode([Rows(0, question(turn), length, 1)]))[0])

        def answer(turn: int) -> None:
            get_ready(session)
            first, _ = run.timed(lambda: do(generating(session, key, question(500 + turn), 1)))
            whole, said = run.timed(lambda: do(generating(session, key, question(700 + turn), count)))
            ours[2].add((whole - first) / max(len(said.tokens) - 1, 1) * count)

        def answer_bare(turn: int) -> None:
            context.remove(0, length + len(QUESTION), -1)
            bare[2].add(run.timed(lambda: bare_decode(context, length + len(QUESTION), count))[0])

        by_turns(rounds, read, read_bare)
        key = do(session.session.read(tokens, reserve=1024)).key
        ask_bare(0)
        bare[1].seconds.clear()
        by_turns(run.repeats(16), ask, ask_bare)
        by_turns(run.repeats(4), answer, answer_bare)
    model.close()
    row(f"prefill of {length:,} tokens / bare llama_decode loop", ours[0], bare[0], f"{length / ours[0].median:,.0f} tokens/s")
    row(f"first token of a second question at {length:,} / bare decode", ours[1], bare[1], "32 tokens, one said")
    row(f"{count} tokens of an answer at {length:,} / bare loop", ours[2], bare[2], f"{count / ours[2].median:,.0f} tokens/s")


def high_level(run: Run) -> None:
    """llama_cpp.Llama: it reads, it keeps a state in memory, it asks again."""
    path, tokens = run.medium(), random_tokens(1024 if run.quick else 4096, seed=1)
    llama = Llama(
        str(path), n_ctx=len(tokens) + 4096, n_batch=CHUNK, n_ubatch=CHUNK, n_threads=run.threads,
        n_threads_batch=run.threads, verbose=False,
    )  # fmt: skip
    read, theirs_read, save, theirs_save = Times(), Times(), Times(), Times()
    load, theirs_load, second, theirs_second = Times(), Times(), Times(), Times()
    for turn in range(run.repeats(2)):
        llama.reset()
        theirs_read.add(run.timed(lambda: llama.eval(tokens.tolist()))[0])
        seconds, state = run.timed(llama.save_state)
        theirs_save.add(seconds)
        theirs_load.add(run.timed(lambda: llama.load_state(state))[0])  # noqa: B023
        asked = [*tokens.tolist(), *question(turn).tolist()]
        theirs_second.add(run.timed(lambda: next(llama.generate(asked, temp=0.0, reset=True)))[0])  # noqa: B023
        with run.opened(path, f"high{turn}") as session:
            do = session.session.scheduler.run
            seconds, reading = run.timed(lambda: do(session.session.read(tokens)))  # noqa: B023
            read.add(seconds)
            get_ready(session)
            second.add(run.timed(lambda: do(generating(session, reading.key, question(turn), 1)))[0])  # noqa: B023
            cache = session.session._cache
            save.add(run.timed(lambda: cache.context.save(cache.residents[reading.key].sequence))[0])  # noqa: B023
        with run.opened(path, f"high{turn}") as session:
            load.add(run.timed(lambda: session.session.scheduler.run(session.session.read(tokens)))[0])
    llama.close()
    length = f"{len(tokens):,} tokens"
    row(f"prefill of {length} / Llama.eval", read, theirs_read, "ours is on disk then")
    row("first token of a second question / Llama.generate", second, theirs_second)
    row(f"copy the KV cache of {length} out / Llama.save_state", save, theirs_save)
    row(f"restore {length} from disk / Llama.load_state from memory", load, theirs_load, "ours opens a window too")


def tokenising(run: Run) -> None:
    whole = ("民事主体从事民事活动，应当遵循自愿原则，按照自己的意思设立、变更、终止民事法律关系。" + WORDS_FROM) * 12000
    characters = 100_000 if run.quick else 1_000_000
    texts = {
        "Chinese": "".join(each for each in whole if "\u4e00" <= each <= "\u9fff" or each in "，。、"),
        "English": "".join(each for each in whole if each.isascii()),
    }
    model = Model(run.medium(), vocabulary_only=True)
    with run.opened(run.medium(), "tokens") as session:
        for language, text in texts.items():
            text = text[:characters]
            ours, theirs = Times(), Times()
            for _ in range(run.repeats(2)):
                ours.add(run.timed(lambda: session.tokenizer.tokenize([text]))[0])  # noqa: B023
                theirs.add(run.timed(lambda: model.tokenize(text, special=False))[0])  # noqa: B023
            row(f"tokenise {len(text):,} {language} characters / llama.cpp", ours, theirs, session.tokenizer.kind)
    model.close()


def planning(run: Run) -> None:
    """What is planned before anything is loaded, against the buffers that llama.cpp reports when it is."""
    path = run.medium()
    planned = measure(path, kv_type="f16", chunk_tokens=CHUNK, sequences=SEQUENCES, outputs=OUTPUTS)
    model = Model(path)
    for window in (8192, 24576, 65536):
        with contextlib.redirect_stderr(io.StringIO()), Context(
            model, window=window, chunk_tokens=CHUNK, sequences=SEQUENCES, outputs=OUTPUTS, kv_type="f16", threads=run.threads
        ):  # fmt: skip
            real = reported_buffers()
        total = real.kv_bytes + real.scratch_bytes + real.state_bytes + model.size_bytes
        error = planned.total_bytes(window) / total - 1
        fact(f"planner error at a window of {window:,}", f"{error:+.3%}", f"{total >> 20} MiB")
    model.close()
