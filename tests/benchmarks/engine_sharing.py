"""Many at once on one context, and drafting: what batching, interleaving and proposing the document's words are worth."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from unabridged.models.engine import Piece, ReadProgress, Sampling, Tokens
from unabridged.models.llama_model import Model
from unabridged.models.scheduler import Job, Scheduler
from unabridged.models.shortlist_trial import answers

from tests.benchmarks.measuring import Run, Times, fact, generating, question, random_tokens, row
from tests.unit.models.tiny_models import CONTROL, vocabulary, write_tiny_model

FEED_FORWARD = 704
KINDS = (("the document in whole: best case", 10**9), ("runs of about 32", 32), ("runs of about 8", 8), ("nothing of it", 1))
ENDLESS = Sampling(grammar='root ::= "a" root')  # an answer that only its limit ends


def batching(run: Run) -> None:
    """Conversations on one reading, each with its own question, all at once against one after another."""
    count, tokens = 48, random_tokens(1024 if run.quick else 4096, seed=5)
    for many in (4, 16):
        together, alone = Times(), Times()
        with run.opened(run.medium(), f"batch{many}", draft=False) as session:
            scheduler = session.session.scheduler
            reading = scheduler.run(session.session.read(tokens, reserve=many * 100))
            for turn in range(run.repeats(3)):
                prompts = [question(turn * 100 + number) for number in range(2 * many)]
                jobs = [generating(session, reading.key, each, count) for each in prompts]
                alone.add(run.timed(lambda: [scheduler.run(job) for job in jobs[:many]])[0])  # noqa: B023
                together.add(run.timed(lambda: _all_at_once(scheduler, jobs[many:]))[0])  # noqa: B023
        row(f"{many} answers of {count} tokens in one batch / one by one", together, alone)


def _all_at_once(scheduler: Scheduler, jobs: list[Job]) -> None:
    for job in jobs:
        scheduler.start(job, lambda event: None, lambda result, error: None)
    while scheduler.busy:
        scheduler.step()


def picking(run: Run) -> None:
    """Sampling that begins on the device against sampling on the host; it is for cards, where a trial at loading decides."""
    shape = {"layers": 1, "width": 64, "heads": 2, "head_size": 32}
    path = write_tiny_model(run.folder / "words.gguf", extra_tokens=tuple(f"<x{i}>" for i in range(150_000)), **shape)
    model = Model(path)
    for many in (1, 16):
        host, device = Times(), Times()
        for _ in range(run.repeats(3)):
            for times, shortlisted in ((host, ()), (device, range(many))):
                kept: Iterable[int] = shortlisted
                times.add(answers(model, kv_type="f16", threads=run.threads, shortlisted=kept, count=many)[1])
        row(f"a token of {many} answers out of 150,000 words, shortlist / host", device, host, "the fastest step")
    model.close()


def interleaving(run: Run) -> None:
    """An answer streams while a second document is read: how much slower each gets, and how long the answer ever halts."""
    first, second = (512, 1024) if run.quick else (2048, 6144)
    with run.opened(run.medium(), "interleave") as session:
        scheduler = session.session.scheduler
        reading = scheduler.run(session.session.read(random_tokens(first, seed=6), reserve=second + 3000))
        alone, _ = run.timed(lambda: scheduler.run(generating(session, reading.key, question(1), 64, ENDLESS)))
        reading_alone, _ = run.timed(lambda: scheduler.run(session.session.read(random_tokens(second, seed=7), fresh=True)))
        reading = scheduler.run(session.session.read(random_tokens(first, seed=6)))
        said: list[float] = []
        done: list[float] = []
        asked = scheduler.start(
            generating(session, reading.key, question(2), 2500, ENDLESS),
            lambda event: said.append(run.clock()) if isinstance(event, Piece) else None,
            lambda result, error: None,
        )
        scheduler.step()
        began = run.clock()
        scheduler.start(
            session.session.read(random_tokens(second, seed=8)),
            lambda event: done.append(run.clock()) if isinstance(event, ReadProgress) else None,
            lambda result, error: None,
        )
        while not done or (scheduler.busy and len(done) * 512 < second):
            scheduler.step()
        scheduler.cancel(asked)
        took = done[-1] - began
        during = [at for at in said if began <= at <= done[-1]]
    halts = np.diff([began, *during])
    chunk = reading_alone / (second / 512)
    fact("answer alone", f"{64 / alone:,.1f} tokens/s")
    fact(f"answer while {second:,} tokens are read", f"{len(during) / took:,.1f} tokens/s", f"{len(during)} tokens")
    fact("longest halt of the answer / one chunk of the reading alone", f"{halts.max():.3f} s / {chunk:.3f} s")
    row(f"read {second:,} tokens while an answer streams / alone", Times([took]), Times([reading_alone]))


def drafting(run: Run) -> None:
    """A model that says the next token of a fixed cycle, asked about documents that repeat the cycle in runs.

    Its answer is known, so the runs alone decide how much of it stands in the document: in whole it is the best case, in runs
    of 8 to 32 tokens an extractive answer, without any the worst. Weights and attention cost what they cost in any model of
    its shape; every draft is checked by the model itself.
    """
    path, after = _cycle_model(run)
    count, length = 64 if run.quick else 128, 1024 if run.quick else 4096
    for name, mean in KINDS:
        tokens = _in_runs(after, length, mean)
        drafted, plain = Times(), Times()
        for draft, times in ((True, drafted), (False, plain)):
            with run.opened(path, "draft", draft=draft) as session:
                do = session.session.scheduler.run
                reading = do(session.session.read(tokens, reserve=1024))
                for turn in range(run.repeats(3)):
                    seconds, said = run.timed(lambda: do(generating(session, reading.key, question(turn), count)))  # noqa: B023
                    times.add(seconds)
                    assert _follows(said.tokens, after)
        row(f"{count} tokens repeating {name}, drafted / not", drafted, plain)


def _cycle_model(run: Run) -> tuple[Path, np.ndarray]:
    """`after[t]` follows token t, for ever: nothing that attention or feed-forward add reaches the output."""
    width, layers = 256, 6
    size = len(vocabulary()[0]) + len(CONTROL)
    random = np.random.default_rng(7)
    order = random.permutation(500)
    after = np.zeros(size, np.int32)
    after[order] = np.roll(order, -1)
    embedding = random.standard_normal((size, width))
    output = np.zeros((size, width))
    output[after[order]] = embedding[order]
    tensors = {"token_embd.weight": embedding, "output.weight": output}
    for layer in range(layers):
        tensors[f"blk.{layer}.attn_output.weight"] = np.zeros((width, width))
        tensors[f"blk.{layer}.ffn_down.weight"] = np.zeros((width, FEED_FORWARD))
    path = write_tiny_model(
        run.folder / "cycle.gguf", layers=layers, width=width, heads=4, kv_heads=2, head_size=64, feed_forward=FEED_FORWARD,
        tensors={name: values.astype(np.float32) for name, values in tensors.items()},
    )  # fmt: skip
    return path, after


def _in_runs(after: np.ndarray, length: int, mean: int) -> Tokens:
    """Along the cycle in runs of `mean` tokens on average, then somewhere else on it; mean 1: no neighbours of the cycle."""
    random = np.random.default_rng(mean % 1000)
    found = [int(random.integers(0, 500))]
    while len(found) < length:
        jumps = mean == 1 or random.random() < 1 / mean
        found.append(int(random.integers(0, 500)) if jumps else int(after[found[-1]]))
    return np.array(found, np.int32)


def _follows(tokens: tuple[int, ...], after: np.ndarray) -> bool:
    return all(after[left] == right for left, right in itertools.pairwise(tokens))
