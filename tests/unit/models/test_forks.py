"""Forks of a reading: what they share costs time for every cell of it, so as little as possible is shared anew."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unabridged.models import cache_map
from unabridged.models.engine import EngineOptions, Tokens

from tests.unit.models.watched import Watched, alone, options_in, question

Document = Callable[[int], Tokens]


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    return options_in(tmp_path / "segments")


def test_idle_conversations_on_a_long_reading_are_few(
    watched: Watched, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs memory for every cell of the reading, though it shares them."""
    monkeypatch.setattr(cache_map, "IDLE_CELLS", 2000)
    reading = watched.now("reading", watched.opened.session.read(document(600)))
    for number in range(6):
        watched.ask(f"answer {number}", reading, question(number), 5)
        watched.finish()
    forks = watched.opened.session._cache.forks
    assert len(forks) == 3
    assert forks[-1].tokens[:12] == question(5).tolist()


class Copies:
    """Counts the cells that are shared from now on: on a long reading each costs time."""

    def __init__(self, cache: cache_map.CacheMap) -> None:
        self.cells, copy = 0, cache.context.copy

        def counted(source: int, target: int, start: int = -1, end: int = -1) -> None:
            self.cells += (cache.context.length(source) if end < 0 else end) - max(start, 0)
            copy(source, target, start, end)

        cache.context.copy = counted  # type: ignore[method-assign]


def sequences_in_use(cache: cache_map.CacheMap) -> int:
    own = sum(not fork.is_lent for fork in cache.forks)
    return own + len(cache.residents) + sum(resident.prepared is not None for resident in cache.residents.values())


def test_a_question_waits_for_no_copy_where_a_fork_was_made_ready_or_none_is_at_work(
    watched: Watched, tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    session = watched.opened.session
    reading = watched.now("reading", session.read(document(600)))
    cache = session._cache
    copies = Copies(cache)
    watched.ask("first", reading, question(1))  # in the reading's own sequence: nothing was made ready yet
    watched.finish()
    assert copies.cells == 0
    while session.idle():
        pass
    assert copies.cells == 600
    watched.ask("second", reading, question(2))  # in the one that was
    watched.finish()
    assert copies.cells == 600
    watched.ask("third", reading, question(3))  # nothing is left for this one
    watched.finish()
    assert copies.cells == 1200
    for number, name in ((1, "first"), (2, "second"), (3, "third")):
        assert watched.results[name].tokens == alone(tiny_model, tmp_path / "other", document(600), question(number))
    for number in range(50):
        session.idle()
        watched.ask(f"more {number}", reading, question(number), 2)
        watched.finish()
    assert cache.free.count() + sequences_in_use(cache) == 47


def test_what_is_only_tried_out_costs_one_copy_however_often(watched: Watched, document: Document) -> None:
    """Choices after an answer, as for its quotations: the fork that one leaves behind is the next one's."""
    session = watched.opened.session
    reading = watched.now("reading", session.read(document(600)))
    watched.ask("answer", reading, question(1))
    watched.finish()
    copies = Copies(session._cache)
    for number in range(2, 8):
        options = [question(seed, 3) for seed in (7, 8)]
        watched.now(f"choice {number}", session.choose(reading.key, question(number), options))
    assert copies.cells == 600
    assert session._cache.free.count() + sequences_in_use(session._cache) == 47


def test_a_fork_is_made_ready_a_stretch_at_a_time(
    watched: Watched, tiny_model: Path, tmp_path: Path, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that comes meanwhile goes on in the reading's own sequence; the next has only the rest to wait for."""
    monkeypatch.setattr(cache_map, "SHARED_AT_ONCE", 100)
    session = watched.opened.session
    reading = watched.now("reading", session.read(document(600)))
    copies = Copies(session._cache)
    assert [session.idle() for _ in range(4)] == [True] * 4
    watched.ask("first", reading, question(1))
    watched.ask("second", reading, question(2))
    watched.finish()
    assert copies.cells == 600
    for number, name in ((1, "first"), (2, "second")):
        assert watched.results[name].tokens == alone(tiny_model, tmp_path / "other", document(600), question(number))
    assert [session.idle() for _ in range(7)] == [True] * 5 + [False] * 2


def test_a_question_that_begins_like_an_earlier_one_shares_only_that_beginning_anew(
    watched: Watched, tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    """Every question of a chat begins with the same few tokens of its template."""
    session = watched.opened.session
    reading = watched.now("reading", session.read(document(600)))
    prompts = [np.concatenate([question(9, 5), question(number)]) for number in range(2)]
    watched.ask("first", reading, prompts[0])
    watched.finish()
    while session.idle():
        pass
    copies = Copies(session._cache)
    watched.ask("second", reading, prompts[1])
    watched.finish()
    assert copies.cells == 5
    assert watched.results["second"].reused == 605
    assert watched.results["second"].tokens == alone(tiny_model, tmp_path / "other", document(600), prompts[1])
