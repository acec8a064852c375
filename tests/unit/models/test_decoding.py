"""What is said is what the model would say: with and without drafts, under a grammar, with its probabilities."""

import atexit
import functools
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.errors import UsageError
from unabridged.models.drafting import NGRAM, Drafter, NgramIndex
from unabridged.models.engine import EngineOptions, Generation, Sampling, Tokens
from unabridged.models.open_model import OpenModel, open_model
from unabridged.models.text_stream import TextStream

from tests.unit.models.tiny_models import write_tiny_model

Document = Callable[[int], Tokens]
PROMPT = np.array([50, 51, 52, 53], np.int32)


def answer(opened: OpenModel, tokens: Tokens, prompt: Tokens = PROMPT, limit: int = 24, **sampling: object) -> Generation:
    run = opened.session.scheduler.run
    reading = run(opened.session.read(tokens))
    chosen = Sampling(**sampling)  # type: ignore[arg-type]
    result: Generation = run(opened.session.generate(reading.key, prompt, limit=limit, sampling=chosen, stop=()))
    return result


@given(st.lists(st.integers(0, 3), max_size=60), st.lists(st.integers(0, 3), min_size=NGRAM, max_size=6))
def test_a_draft_is_what_follows_where_the_same_words_stood_last(document: list[int], recent: list[int]) -> None:
    tokens = np.array(document, np.int32)
    draft = NgramIndex(tokens).after(recent, 5).tolist()
    found = [at + NGRAM for at in range(len(document) - NGRAM + 1) if document[at : at + NGRAM] == recent[-NGRAM:]]
    whole = [at for at in found if at + 5 <= len(document)]
    best = whole[-1] if whole else found[0] if found else len(document)
    assert draft == document[best : best + 5]


def test_a_drafter_that_fails_falls_silent_and_one_that_succeeds_grows() -> None:
    tokens = np.arange(100, dtype=np.int32)
    good, bad = Drafter(NgramIndex(tokens)), Drafter(NgramIndex(tokens))
    for _ in range(3):
        good.learn(len(good.propose([1, 2, 3], 50)), len(good.propose([1, 2, 3], 50)))
    assert len(good.propose([1, 2, 3], 50)) == 15
    for _ in range(2):
        bad.learn(len(bad.propose([1, 2, 3], 50)), 0)
    assert len(bad.propose([1, 2, 3], 50)) == 0


class Oracle:
    """Proposes what the model is known to say, with a wrong token at every place that `spoils` divides."""

    def __init__(self, truth: tuple[int, ...], spoils: int) -> None:
        self._truth, self._spoils = truth, spoils

    def after(self, recent: list[int], count: int) -> Tokens:
        at = len(recent)
        right = np.array(self._truth[at : at + count], np.int32)
        return np.where((np.arange(at, at + len(right)) % self._spoils) == 0, (right + 1) % 500, right).astype(np.int32)


@pytest.mark.parametrize("spoils", [1, 2, 3, 5, 100])
def test_right_and_wrong_drafts_leave_the_answer_and_the_cache_as_they_are(
    opened: OpenModel, document: Document, spoils: int
) -> None:
    run = opened.session.scheduler.run
    reading = run(opened.session.read(document(400)))
    plain = answer(opened, document(400), limit=40)
    assert len(plain.tokens) > 10
    resident = opened.session._cache.residents[reading.key]
    resident.index = Oracle(plain.tokens, spoils)  # type: ignore[assignment]
    other = np.append(PROMPT, 60).astype(np.int32)
    answer(opened, document(400), other, limit=5)  # so that the next question does not find its own fork
    for fork in list(opened.session._cache.forks):
        opened.session._cache.drop_fork(fork)
    drafted = answer(opened, document(400), limit=40)
    assert drafted.tokens == plain.tokens
    fork = opened.session._cache.forks[-1]
    assert opened.session._cache.context.length(fork.sequence) == fork.position


class Suggestions:
    """Proposes what the model is known to say where `right` says so, and something else everywhere else."""

    def __init__(self, truth: tuple[int, ...], right: list[bool]) -> None:
        self._truth, self._right = truth, right

    def after(self, recent: list[int], count: int) -> Tokens:
        places = range(len(recent), min(len(recent) + count, len(self._truth)))
        found = [self._truth[i] if self._right[i % len(self._right)] else (self._truth[i] + 1) % 500 for i in places]
        return np.array(found, np.int32)


@functools.cache
def plain_and_drafted() -> tuple[OpenModel, str, tuple[int, ...]]:
    """A session, a reading in it, and what is said without drafts; f32, because that sums alike in every batch."""
    folder = Path(tempfile.mkdtemp(prefix="unabridged-drafts-"))
    atexit.register(shutil.rmtree, folder)
    options = EngineOptions(folder / "segments", chunk_tokens=64, segment_tokens=256, threads=1, kv_type="f32")
    opened = open_model(write_tiny_model(folder / "m.gguf"), options)
    run = opened.session.scheduler.run
    reading = run(opened.session.read(np.random.default_rng(5).integers(0, 500, 400).astype(np.int32)))
    opened.session._cache.residents[reading.key].index = Suggestions((), [True])  # type: ignore[assignment]
    said = run(opened.session.generate(reading.key, PROMPT, limit=40, sampling=Sampling(), stop=()))
    assert len(said.tokens) > 10
    return opened, reading.key, said.tokens


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_whatever_is_drafted_the_answer_is_the_same_token_for_token(right: list[bool]) -> None:
    opened, key, plain = plain_and_drafted()
    cache = opened.session._cache
    for fork in list(cache.forks):  # so that the question finds no fork of its own
        cache.drop_fork(fork)
    cache.residents[key].index = Suggestions(plain, right)  # type: ignore[assignment]
    job = opened.session.generate(key, PROMPT, limit=40, sampling=Sampling(), stop=())
    assert opened.session.scheduler.run(job).tokens == plain
    assert cache.context.length(cache.forks[-1].sequence) == cache.forks[-1].position


@given(st.text("ab\n中é", max_size=30), st.lists(st.text("ab\n中é", min_size=1, max_size=4), max_size=3), st.data())
def test_a_stop_string_ends_the_text_wherever_tokens_are_cut(text: str, stops: list[str], data: st.DataObject) -> None:
    raw, stream, shown = text.encode(), TextStream(stops), ""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    for start, end in itertools.pairwise([0, *cuts, len(raw)]):
        shown += stream.feed(raw[start:end])
    shown += stream.finish()
    assert shown == stream.text
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert stream.stopped == any(stop in text for stop in stops)
    assert any(text[len(shown) :].startswith(stop) for stop in stops) if stream.stopped else shown == text


def test_drafts_are_accepted_when_the_answer_repeats_the_document(tmp_path: Path, options: EngineOptions) -> None:
    """A model that always repeats the token cycle it was built for; counted in batches."""
    path = write_tiny_model(tmp_path / "cycle.gguf", layers=1, scale=0.0)
    batches = {}
    for draft in (False, True):
        opened = open_model(path, replace(options, draft=draft))
        tokens = np.zeros(300, np.int32)  # all logits are equal, so greedy says token 0 for ever
        run = opened.session.scheduler.run
        reading = run(opened.session.read(tokens))
        context, count = opened.session._cache.context, 0
        decode = context.decode

        def counted(batch: object) -> object:
            nonlocal count
            count += 1
            return decode(batch)  # type: ignore[arg-type]  # noqa: B023

        context.decode = counted  # type: ignore[method-assign, assignment]
        job = opened.session.generate(reading.key, PROMPT, limit=100, sampling=Sampling(), stop=())
        assert run(job).tokens == (0,) * 100
        batches[draft] = count
        opened.session.close()
    assert batches[False] == 100
    assert batches[True] < 20


def test_a_grammar_binds_the_answer(opened: OpenModel, document: Document) -> None:
    said = answer(opened, document(200), grammar='root ::= "yes, " ("sir" | "madam")')
    assert said.text in ("yes, sir", "yes, madam")
    assert said.finish == "stop"


def test_a_json_schema_binds_the_answer(opened: OpenModel, document: Document) -> None:
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}, "ok": {"type": "boolean"}}, "required": ["n", "ok"]}
    said = json.loads(answer(opened, document(200), limit=60, json_schema=json.dumps(schema)).text)
    assert said["n"] in (1, 2)
    assert said["ok"] in (True, False)


@pytest.mark.parametrize("sampling", [{"grammar": "root ::= ("}, {"grammar": "x ::= y"}, {"json_schema": "{"}])
def test_a_broken_grammar_is_refused(opened: OpenModel, document: Document, sampling: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        answer(opened, document(200), **sampling)


def test_logprobs_are_those_of_the_chosen_tokens(opened: OpenModel, document: Document) -> None:
    said = answer(opened, document(200), limit=5, logprobs=True)
    reading = opened.session.scheduler.run(opened.session.read(document(200)))
    every = [np.array([token], np.int32) for token in range(opened.info.vocabulary)]
    for place, token in enumerate(said.tokens):
        prompt = np.concatenate([PROMPT, np.array(said.tokens[:place], np.int32)])
        choice = opened.session.scheduler.run(opened.session.choose(reading.key, prompt, every))
        assert said.logprobs[place] == pytest.approx(np.log(choice.probabilities[token]), abs=0.05)
