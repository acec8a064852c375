"""Many conversations on one reading: each gets the tokens that it would get alone, and none waits for another's reading."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unabridged.errors import DoesNotFit, EngineFailed, UsageError
from unabridged.models.engine import EngineOptions, Generation, Piece, Reading, Sampling, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.open_model import OpenModel, open_model

from tests.unit.models.conftest import drained
from tests.unit.models.tiny_models import write_tiny_model

Document = Callable[[int], Tokens]


def question(seed: int, length: int = 12) -> Tokens:
    return np.random.default_rng(1000 + seed).integers(0, 500, length).astype(np.int32)


def answer(opened: OpenModel, reading: Reading, prompt: Tokens, limit: int = 12) -> Generation:
    return opened.session.scheduler.run(generating(opened, reading, prompt, limit))


def generating(opened: OpenModel, reading: Reading, prompt: Tokens, limit: int = 12) -> Any:  # noqa: ANN401  a job
    return opened.session.generate(reading.key, prompt, limit=limit, sampling=Sampling(), stop=())


def reading_of(opened: OpenModel, tokens: Tokens, reserve: int = 0) -> Reading:
    return opened.session.scheduler.run(opened.session.read(tokens, reserve=reserve))


def alone(model: Path, folder: Path, document: Tokens, prompt: Tokens, limit: int = 12) -> tuple[int, ...]:
    """In a session of its own, with nothing kept from before."""
    opened = open_model(model, EngineOptions(folder, chunk_tokens=64, segment_tokens=256, threads=1))
    tokens = answer(opened, reading_of(opened, document), prompt, limit).tokens
    opened.session.close()
    return tokens


def test_the_next_turn_evaluates_only_what_is_new(opened: OpenModel, document: Document) -> None:
    reading = reading_of(opened, document(600))
    first = answer(opened, reading, question(1))
    turn = np.concatenate([question(1), np.array(first.tokens, np.int32), question(2)])
    second = answer(opened, reading, turn)
    assert first.evaluated == 12
    assert second.reused >= 600 + 12 + len(first.tokens) - 1
    assert second.evaluated <= 13
    assert second.reused + second.evaluated == 600 + len(turn)


def test_a_continued_conversation_says_what_a_fresh_one_says(
    opened: OpenModel, tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    reading = reading_of(opened, document(600))
    first = answer(opened, reading, question(1))
    turn = np.concatenate([question(1), np.array(first.tokens, np.int32), question(2)])
    assert answer(opened, reading, turn).tokens == alone(tiny_model, tmp_path / "other", document(600), turn)


def test_an_edited_turn_branches_and_the_old_branch_stays(opened: OpenModel, document: Document) -> None:
    reading = reading_of(opened, document(600))
    common, left, right = question(1, 40), question(2), question(3)
    answer(opened, reading, np.concatenate([common, left]))
    branch = answer(opened, reading, np.concatenate([common, right]))
    assert branch.evaluated == 12
    back = answer(opened, reading, np.concatenate([common, left]))
    assert back.evaluated == 1  # all of it is still there; the last token is evaluated for its logits


def test_independent_questions_do_not_pile_up(opened: OpenModel, document: Document) -> None:
    reading = reading_of(opened, document(600))
    expected = {seed: answer(opened, reading, question(seed)).tokens for seed in range(70)}  # more than there are sequences
    for seed in (0, 35, 69):
        assert answer(opened, reading, question(seed)).tokens == expected[seed]


@pytest.mark.parametrize("conversations", [2, 8, 32])
def test_answers_decoded_together_equal_answers_decoded_alone(
    opened: OpenModel, tiny_model: Path, tmp_path: Path, document: Document, conversations: int
) -> None:
    reading = reading_of(opened, document(600), reserve=conversations * 40)
    together: dict[int, Generation] = {}
    for seed in range(conversations):
        job = generating(opened, reading, question(seed))
        opened.session.scheduler.start(job, lambda e: None, lambda result, error, seed=seed: together.update({seed: result}))
    steps = 0
    while opened.session.scheduler.busy:
        opened.session.scheduler.step()
        steps += 1
    assert steps < 12 + 2 * conversations  # one after another would take twelve each
    for seed in range(0, conversations, 5):
        assert together[seed].tokens == alone(tiny_model, tmp_path / "other", document(600), question(seed))


def test_a_second_document_is_read_while_an_answer_streams(opened: OpenModel, document: Document) -> None:
    first = reading_of(opened, document(600), reserve=3000)
    order: list[str] = []
    scheduler = opened.session.scheduler
    scheduler.start(generating(opened, first, question(1), 40), lambda e: order.append("answer"), lambda r, e: None)
    scheduler.start(opened.session.read(document(2000)), lambda e: order.append("reading"), lambda r, e: None)
    while scheduler.busy:
        scheduler.step()
    assert "answer" in order[order.index("reading") : len(order) - order[::-1].index("reading")]
    gaps = "".join("a" if kind == "answer" else "r" for kind in order).split("a")
    assert max(map(len, gaps[1:-1]), default=0) <= 2  # never more than a chunk between two pieces of the answer


def test_cancelling_one_answer_leaves_the_others_as_they_are(
    opened: OpenModel, tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    reading = reading_of(opened, document(600), reserve=500)
    scheduler, results = opened.session.scheduler, []
    scheduler.start(generating(opened, reading, question(1)), lambda e: None, lambda r, e: results.append(r))
    victim = scheduler.start(generating(opened, reading, question(2), 400), lambda e: None, lambda r, e: results.append("no"))
    for _ in range(4):
        scheduler.step()
    opened.session.abort()
    scheduler.cancel(victim)
    while scheduler.busy:
        scheduler.step()
    assert [result.tokens for result in results] == [alone(tiny_model, tmp_path / "other", document(600), question(1))]


def test_what_does_not_fit_now_waits_and_what_never_fits_is_refused(
    tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    opened = open_model(tiny_model, EngineOptions(tmp_path, window=1024, chunk_tokens=64, threads=1))
    reading = reading_of(opened, document(600))
    scheduler, done = opened.session.scheduler, []
    for seed in range(4):  # each promises up to 200 of the 424 cells that are left
        scheduler.start(generating(opened, reading, question(seed), 188), lambda e: None, lambda r, e: done.append((r, e)))
    while scheduler.busy:
        scheduler.step()
    assert len(done) == 4
    assert all(error is None for _, error in done)
    with pytest.raises(DoesNotFit):
        answer(opened, reading, question(1), 500)
    opened.session.close()


def test_closing_a_stream_stops_the_answer(engine: EngineProcess, document: Document) -> None:
    reading = drained(engine.read(document(300), reserve=4000))
    stream = engine.generate(reading, question(1), limit=4000)
    assert isinstance(next(stream), Piece)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 5
    assert drained(engine.generate(reading, question(1), limit=3)).tokens


def test_threads_share_one_engine(engine: EngineProcess, tiny_model: Path, tmp_path: Path, document: Document) -> None:
    reading = drained(engine.read(document(600), reserve=1000))
    results: dict[int, tuple[int, ...]] = {}

    def ask(seed: int) -> None:
        results[seed] = drained(engine.generate(reading, question(seed), limit=12)).tokens

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(6):
        assert results[seed] == alone(tiny_model, tmp_path / "other", document(600), question(seed))


def test_a_stop_string_ends_the_answer_before_it(opened: OpenModel, document: Document) -> None:
    reading = reading_of(opened, document(600))
    whole = answer(opened, reading, question(1), 30)
    stop = whole.text[8:10]
    job = opened.session.generate(reading.key, question(1), limit=30, sampling=Sampling(), stop=(stop,))
    cut = opened.session.scheduler.run(job)
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish == "stop"


def test_sampling_repeats_with_its_seed(opened: OpenModel, document: Document) -> None:
    reading = reading_of(opened, document(300))

    def sampled(seed: int) -> tuple[int, ...]:
        sampling = Sampling(temperature=1.5, top_p=1.0, min_p=0.0, seed=seed)
        job = opened.session.generate(reading.key, question(1), limit=12, sampling=sampling, stop=())
        return opened.session.scheduler.run(job).tokens

    assert sampled(1) == sampled(1)
    assert sampled(1) != sampled(2)


@pytest.mark.parametrize("architecture", ["qwen2", "lfm2", "mamba"])
def test_options_of_several_tokens_have_the_probability_of_their_tokens(
    tmp_path: Path, options: EngineOptions, document: Document, architecture: str
) -> None:
    """lfm2 and mamba cannot take back what was tried."""
    opened = open_model(write_tiny_model(tmp_path / "m.gguf", architecture=architecture, layers=4), options)
    reading = reading_of(opened, document(300))

    def choose(prompt: Tokens, options: list[list[int]]) -> Any:  # noqa: ANN401  a Choice
        job = opened.session.choose(reading.key, prompt, [np.array(option, np.int32) for option in options])
        return opened.session.scheduler.run(job)

    every = [[token] for token in range(opened.info.vocabulary)]
    first = choose(question(1), every)
    assert first.share == pytest.approx(1)
    after = choose(np.append(question(1), 7).astype(np.int32), every)
    pair = choose(question(1), [[7, 9], [3]])
    expected = first.probabilities[7] * after.probabilities[9]
    assert pair.share == pytest.approx(expected + first.probabilities[3], rel=1e-3)
    assert pair.probabilities[0] == pytest.approx(expected / pair.share, rel=1e-3)
    opened.session.close()


def test_choices_and_quotations_leave_nothing_behind(opened: OpenModel, document: Document) -> None:
    reading = reading_of(opened, document(300))
    run, cache = opened.session.scheduler.run, opened.session._cache
    before, free = cache.cells, cache.free.count()
    run(opened.session.choose(None, question(1), [question(2, 3), question(3, 2)]))
    run(opened.session.quote(reading.key, question(1), "One. Two.", starts=[0, 5], ends=[4, 9], limit=20))
    assert (cache.cells, cache.free.count()) == (before, free)


def test_a_reading_from_elsewhere_is_refused(engine: EngineProcess) -> None:
    with pytest.raises(EngineFailed):
        drained(engine.generate(Reading("0" * 64, 5, 0, 5, 512), question(1), limit=3))
    with pytest.raises(UsageError):
        engine.choose(None, np.empty(0, np.int32), [question(1)])
