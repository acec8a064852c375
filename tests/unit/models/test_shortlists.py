"""Sampling that begins on the device says what sampling on the host says. It is for cards; a CPU's graph does the same sums."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unabridged.errors import EngineFailed
from unabridged.models.engine import EngineOptions, Generation, Sampling, Tokens
from unabridged.models.footprint import measure, reported_buffers
from unabridged.models.llama_context import Context, Rows
from unabridged.models.llama_library import start_backend
from unabridged.models.llama_model import Model
from unabridged.models.llama_shortlist import LENGTH, is_enough
from unabridged.models.open_model import OpenModel, open_model
from unabridged.models.session import OUTPUTS, SEQUENCES, SHORTLISTED
from unabridged.models.shortlist_trial import answers, is_worth_it

from tests.unit.models.tiny_models import write_tiny_model

Document = Callable[[int], Tokens]
GREEDY = Sampling()
DRAWN = Sampling(temperature=0.9, seed=3)
WIDE = Sampling(temperature=1.5, top_k=LENGTH, top_p=1.0, min_p=0.0, seed=4)
EVERY = Sampling(temperature=1.5, top_k=0, seed=5)  # needs the whole vocabulary
BOUND = Sampling(grammar='root ::= ("yes" | "no") " sir"')
MEASURED = Sampling(logprobs=True)


def question(seed: int, length: int = 12) -> Tokens:
    return np.random.default_rng(1000 + seed).integers(0, 500, length).astype(np.int32)


def opened_with(model: Path, folder: Path, *, shortlists: bool, draft: bool = True) -> OpenModel:
    """f32: with f16 two tokens that are almost equally probable may change places between batches of different shapes."""
    options = EngineOptions(folder, chunk_tokens=64, segment_tokens=256, threads=1, kv_type="f32")
    return open_model(model, replace(options, shortlists=shortlists, draft=draft))


def everything(opened: OpenModel, document: Tokens) -> list[Any]:
    """Answers of every kind side by side, then a next turn, choices and a quotation."""
    session = opened.session
    reading = session.scheduler.run(session.read(document, reserve=2000))
    said: dict[int, Generation] = {}
    for number, sampling in enumerate((GREEDY, DRAWN, WIDE, EVERY, BOUND, MEASURED, GREEDY)):
        job = session.generate(reading.key, question(number), limit=20, sampling=sampling, stop=())
        session.scheduler.start(job, lambda event: None, lambda result, error, number=number: said.update({number: result}))
    while session.scheduler.busy:
        session.scheduler.step()
    while session.idle():
        pass
    turn = np.concatenate([question(0), np.array(said[0].tokens, np.int32), question(9)])
    for sampling in (GREEDY, BOUND):  # the conversation goes on: where it is, then where a grammar can bind it
        said[len(said)] = session.scheduler.run(session.generate(reading.key, turn, limit=9, sampling=sampling, stop=()))
    options = [question(seed, 3) for seed in range(4)]
    choice = session.scheduler.run(session.choose(reading.key, turn, options))
    passage = "The rent is due. It is paid in gold. " * 12
    quoted = session.scheduler.run(
        session.quote(reading.key, turn, passage, starts=[0, 17, 37], ends=[16, 36, len(passage)], limit=500)
    )
    tokens = [said[number].tokens for number in sorted(said)]
    return [tokens, said[5].logprobs, choice.probabilities, (quoted.start, quoted.end)]


def test_every_answer_is_the_same_whether_it_is_picked_on_the_device_or_on_the_host(
    tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    found = []
    for shortlists in (False, True):
        opened = opened_with(tiny_model, tmp_path / str(shortlists), shortlists=shortlists)
        found.append(everything(opened, document(600)))
        cache = opened.session._cache
        assert cache.context.shortlisted == (frozenset(SHORTLISTED) if shortlists else frozenset())
        if shortlists:
            assert {fork.sequence in SHORTLISTED for fork in cache.forks} == {True, False}
        opened.session.close()
    (plain, plain_logprobs, plain_choice, plain_quoted), (short, logprobs, choice, quoted) = found
    assert short == plain
    assert len({tokens[:5] for tokens in plain}) > 5  # they are different answers
    assert logprobs == pytest.approx(plain_logprobs, abs=1e-3)
    assert choice == pytest.approx(plain_choice, rel=1e-3)
    assert quoted == plain_quoted


def test_drafts_are_checked_on_the_device(tiny_model: Path, tmp_path: Path, document: Document) -> None:
    """A document that repeats the answer: sixteen rows of one sequence in one batch."""
    plain = opened_with(tiny_model, tmp_path / "plain", shortlists=False, draft=False)
    run = plain.session.scheduler.run
    reading = run(plain.session.read(document(200)))
    said = run(plain.session.generate(reading.key, question(1), limit=60, sampling=GREEDY, stop=()))
    plain.session.close()
    opened = opened_with(tiny_model, tmp_path / "drafted", shortlists=True)
    run, truth = opened.session.scheduler.run, np.array(said.tokens, np.int32)
    reading = run(opened.session.read(document(200)))

    class Right:
        def after(self, recent: list[int], count: int) -> Tokens:
            return truth[len(recent) : len(recent) + count]

    opened.session._cache.residents[reading.key].index = Right()  # type: ignore[assignment]
    context, largest = opened.session._cache.context, 0
    decode = context.decode

    def watched(batch: list[Rows]) -> list[range]:
        nonlocal largest
        largest = max([largest, *(part.outputs for part in batch)])
        return decode(batch)

    context.decode = watched  # type: ignore[method-assign, assignment]
    drafted = run(opened.session.generate(reading.key, question(1), limit=60, sampling=GREEDY, stop=()))
    assert drafted.tokens == said.tokens
    assert largest == 16
    opened.session.close()


def test_the_window_grows_with_shortlists(tiny_model: Path, tmp_path: Path, document: Document) -> None:
    opened = opened_with(tiny_model, tmp_path, shortlists=True)
    run = opened.session.scheduler.run
    for length in (300, 4000):
        reading = run(opened.session.read(document(length)))
        assert run(opened.session.generate(reading.key, question(1), limit=5, sampling=DRAWN, stop=())).tokens
    assert opened.session._cache.context.shortlisted == frozenset(SHORTLISTED)
    opened.session.close()


def test_logits_that_stayed_on_the_device_are_not_read(tiny_model: Path) -> None:
    """llama.cpp would hand out those of an earlier batch."""
    model = Model(tiny_model)
    with Context(
        model, window=256, chunk_tokens=64, sequences=4, outputs=8, kv_type="f16", threads=1, shortlisted=[1]
    ) as context:
        here, there = context.decode([Rows(0, question(1), 0, 1), Rows(1, question(2), 0, 1)])
        assert (context.is_shortlisted(here[0]), context.is_shortlisted(there[0])) == (False, True)
        assert context.logits(here[0]).argmax() == context.best(here[0])
        for look in (context.logits, context.best):
            with pytest.raises(EngineFailed):
                look(there[0])
    model.close()


@pytest.mark.parametrize(
    ("sampling", "enough"),
    [(GREEDY, True), (DRAWN, True), (WIDE, True), (EVERY, False), (BOUND, False), (MEASURED, False),
     (Sampling(temperature=1.0, top_k=LENGTH + 1), False), (Sampling(json_schema="{}"), False)],
)  # fmt: skip
def test_what_needs_more_than_the_best_tokens_is_picked_on_the_host(sampling: Sampling, enough: bool) -> None:
    assert is_enough(sampling) == enough


def test_a_trial_compares_what_both_ways_say(tiny_model: Path) -> None:
    start_backend()
    model = Model(tiny_model)
    plain, short = (answers(model, kv_type="f16", threads=1, shortlisted=each) for each in ((), range(8)))
    assert plain[0] == short[0]
    assert min(plain[1], short[1]) > 0
    assert len({tuple(step) for step in plain[0]}) > 5
    model.close()


def test_what_cannot_even_be_tried_is_left(tmp_path: Path) -> None:
    """Here a cache type that heads of 16 cannot have; on a card perhaps an operation that it lacks."""
    start_backend()
    model = Model(write_tiny_model(tmp_path / "m.gguf", width=64, head_size=16))
    assert not is_worth_it(model, kv_type="q8_0", threads=1)
    model.close()


def test_without_a_card_nothing_is_tried(opened: OpenModel) -> None:
    assert opened.session._shortlisted == ()


def test_the_plan_counts_what_shortlists_take(tmp_path: Path) -> None:
    start_backend()
    path = write_tiny_model(tmp_path / "m.gguf", extra_tokens=tuple(f"<x{i}>" for i in range(20_000)))
    settings = {"kv_type": "f16", "chunk_tokens": 512, "sequences": SEQUENCES, "outputs": OUTPUTS}
    planned = measure(path, shortlisted=SHORTLISTED, **settings)  # type: ignore[arg-type]
    without = measure(path, **settings)  # type: ignore[arg-type]
    model = Model(path)
    with Context(model, window=8192, threads=1, shortlisted=SHORTLISTED, **settings):  # type: ignore[arg-type]
        real = reported_buffers()
    model.close()
    assert planned.scratch_bytes + 8192 * planned.scratch_bytes_per_token == pytest.approx(real.scratch_bytes, rel=0.03)
    assert planned.scratch_bytes > without.scratch_bytes + 3 * 4 * SEQUENCES * 20_000  # logits, probabilities, ids
