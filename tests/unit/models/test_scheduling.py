"""Who goes first, who waits, who gives way: many jobs on one cache, and none of them can tell that it is not alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unabridged.models import scheduler
from unabridged.models.engine import EngineOptions, Piece, ReadProgress, Tokens
from unabridged.models.open_model import open_model
from unabridged.models.segment_cache import SegmentCache
from unabridged.models.segments import SegmentStore
from unabridged.models.window import WindowPolicy

from tests.unit.models.tiny_models import write_tiny_model
from tests.unit.models.watched import ENDLESS, Watched, alone, options_in, question

Document = Callable[[int], Tokens]


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    return options_in(tmp_path / "segments")


@pytest.mark.parametrize(("architecture", "length"), [("qwen2", 3500), ("qwen2", 2900), ("lfm2", 3500)])
def test_the_window_grows_for_a_second_document_while_an_answer_streams(
    tmp_path: Path, options: EngineOptions, document: Document, architecture: str, length: int
) -> None:
    """Also where the second would fit into the window alone."""
    path = write_tiny_model(tmp_path / "m.gguf", architecture=architecture, window=16384)
    watched = Watched(open_model(path, options))
    reading = watched.now("first", watched.opened.session.read(document(600)))
    before = watched.opened.session.window
    watched.ask("other", reading, question(2))
    watched.ask("answer", reading, question(1), 400, ENDLESS)
    while len(watched.log) < 60:
        watched.scheduler.step()
    watched.read("second", document(length))
    watched.finish()
    assert watched.opened.session.window > before
    assert watched.between("second", "second").count("answer") > 20
    assert watched.results["answer"].text == "a" * 400
    assert watched.results["other"].tokens == alone(path, tmp_path / "other", document(600), question(2))
    assert watched.results["second"].evaluated == length
    for seed in (2, 3):  # a conversation that moved along, and a new one
        watched.ask(f"after {seed}", reading, question(seed))
        watched.finish()
        assert watched.results[f"after {seed}"].tokens == alone(path, tmp_path / "other", document(600), question(seed))
    watched.opened.session.close()


def test_where_memory_has_no_room_for_two_windows_growing_waits_and_answers_end_first(
    watched: Watched, tiny_model: Path, tmp_path: Path, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = watched.now("first", watched.opened.session.read(document(600)))
    largest = WindowPolicy.largest
    monkeypatch.setattr(WindowPolicy, "largest", lambda policy, *, held: largest(policy, held=held) if held else 2048)
    watched.ask("answer", reading, question(1), 60, ENDLESS)
    watched.scheduler.step()
    watched.read("second", document(3500))
    watched.finish()
    assert watched.log.index(("answer", "end")) < min(i for i, (name, _) in enumerate(watched.log) if name == "second")
    assert watched.results["second"].evaluated == 3500
    watched.ask("again", reading, question(2))
    watched.finish()
    assert watched.results["again"].tokens == alone(tiny_model, tmp_path / "other", document(600), question(2))
    assert watched.results["again"].reused == 600


def test_two_who_ask_for_the_same_document_at_once_read_it_once(watched: Watched, document: Document) -> None:
    watched.read("one", document(1000))
    watched.read("two", document(1000))
    watched.finish()
    assert watched.results["one"].evaluated == 1000
    assert (watched.results["two"].reused, watched.results["two"].evaluated) == (1000, 0)


def test_a_reading_that_has_to_come_back_for_a_question_shows_nothing_but_the_answer(
    watched: Watched, document: Document
) -> None:
    reading = watched.now("first", watched.opened.session.read(document(600)))
    watched.opened.session._cache.drop_reading(watched.opened.session._cache.residents[reading.key])
    watched.ask("answer", reading, question(1))
    watched.finish()
    events = [event for name, event in watched.log if name == "answer" and event != "end"]
    assert events
    assert all(isinstance(event, Piece) for event in events)


def test_two_documents_are_read_side_by_side(
    watched: Watched, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever came later gets no more than its turn, and no less. Without the disk, which may keep either waiting."""
    monkeypatch.setattr(SegmentStore, "save", lambda *segment: None)
    watched.now("window", watched.opened.session.read(document(100), reserve=7000))
    watched.read("one", document(3000))
    for _ in range(20):
        watched.scheduler.step()
    watched.read("two", document(2000))
    watched.finish()
    done = {"one": 0, "two": 0}
    for name, event in watched.log:
        if name in done and isinstance(event, ReadProgress):
            done[name] = event.done
            if 0 < done["two"] < 2000 and done["one"] < 3000:
                assert abs((done["one"] - 20 * 64) - done["two"]) <= 4 * 64


def test_a_crowd_of_answers_slows_a_reading_down_but_does_not_stop_it(
    tiny_model: Path, options: EngineOptions, document: Document
) -> None:
    """32 answers want a token each from a batch of 32, and the document still gets its part of every batch."""
    watched = Watched(open_model(tiny_model, replace(options, chunk_tokens=32)))
    reading = watched.now("first", watched.opened.session.read(document(600), reserve=9000))
    for number in range(32):
        watched.ask(f"answer {number}", reading, question(number), 100, ENDLESS)
    for _ in range(40):
        watched.scheduler.step()
    watched.read("second", document(400))
    watched.finish()
    order = [name for name, event in watched.log if event == "end"]
    assert order.index("second") < order.index("answer 31")
    assert all(watched.results[f"answer {number}"].text == "a" * 100 for number in range(32))
    watched.opened.session.close()


def test_on_a_slow_machine_a_reading_takes_small_steps_while_an_answer_streams(
    tiny_model: Path, options: EngineOptions, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "STREAM_S", 1e-9)  # as if every batch took far too long
    watched = Watched(open_model(tiny_model, replace(options, chunk_tokens=512)))
    reading = watched.now("first", watched.opened.session.read(document(600), reserve=6000))
    watched.ask("answer", reading, question(1), 400, ENDLESS)
    watched.scheduler.step()
    watched.read("second", document(2048))
    watched.finish()
    assert watched.between("second", "second").count("answer") >= (2048 - 512) // 64
    assert watched.results["second"].evaluated == 2048
    assert watched.results["answer"].text == "a" * 400
    watched.opened.session.close()


def test_a_conversation_that_gave_way_is_rebuilt_from_its_tokens(
    watched: Watched, tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    reading = watched.now("reading", watched.opened.session.read(document(600)))
    watched.ask("turn 1", reading, question(1))
    watched.finish()
    turn = np.concatenate([question(1), np.array(watched.results["turn 1"].tokens, np.int32), question(2)])
    for number in range(60):  # more than there are sequences
        watched.ask(f"other {number}", reading, question(100 + number), 2)
    watched.finish()
    watched.ask("turn 2", reading, turn)
    watched.finish()
    said = watched.results["turn 2"]
    assert (said.reused, said.evaluated) == (600, len(turn))
    assert said.tokens == alone(tiny_model, tmp_path / "other", document(600), turn)


def test_the_reading_in_use_stays_and_the_others_go_to_their_segments(
    watched: Watched, tiny_model: Path, tmp_path: Path, document: Document
) -> None:
    session = watched.opened.session
    first = watched.now("first", session.read(document(600), reserve=5000))
    second = watched.now("second", session.read(document(700)))
    assert set(session._cache.residents) == {second.key}
    assert session._cache.context.length(session._cache.residents[second.key].sequence) == 700
    watched.ask("back", first, question(1))
    watched.finish()
    assert set(session._cache.residents) == {first.key}
    assert watched.results["back"].reused == 600
    assert watched.results["back"].tokens == alone(tiny_model, tmp_path / "other", document(600), question(1))


def test_a_reading_that_is_no_longer_on_disk_stays_until_its_room_is_needed(
    watched: Watched, options: EngineOptions, document: Document
) -> None:
    """Another process, or a person, may have cleared what was written."""
    session = watched.opened.session
    first = watched.now("first", session.read(document(600), reserve=5000))
    SegmentCache(options.segments_folder).clear()
    second = watched.now("second", session.read(document(700)))
    assert set(session._cache.residents) == {first.key, second.key}


def test_choices_wait_for_a_sequence_where_answers_have_taken_them_all(watched: Watched, document: Document) -> None:
    reading = watched.now("reading", watched.opened.session.read(document(300), reserve=6000))
    for number in range(60):
        watched.ask(f"answer {number}", reading, question(number), 8, ENDLESS)
    options = [question(seed, 3) for seed in range(3)]
    expected = watched.opened.session.choose(reading.key, question(99), options)
    watched.start("choice", expected)
    watched.finish()
    again = watched.now("again", watched.opened.session.choose(reading.key, question(99), options))
    assert watched.results["choice"].probabilities == pytest.approx(again.probabilities, rel=0.05)
