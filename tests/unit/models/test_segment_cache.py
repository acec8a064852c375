"""The folder of segments: what lies in it, what goes first, and that nothing damaged stays."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from unabridged.errors import UsageError
from unabridged.models.engine import DocumentSpan, EngineOptions, Reading, Tokens
from unabridged.models.engine_process import EngineProcess
from unabridged.models.open_model import open_model
from unabridged.models.segment_cache import SegmentCache
from unabridged.models.segments import is_whole
from unabridged.models.stored_readings import list_documents, list_readings

from tests.unit.models.conftest import drained

Document = Callable[[int], Tokens]
SEGMENT_BYTES = 128 * 512  # tokens × KV bytes per token of the tiny model


@pytest.fixture
def read(tiny_model: Path, options: EngineOptions) -> Callable[..., Reading]:
    """A reading in a session of its own, so that nothing comes from memory."""

    def reading(tokens: Tokens, quota_bytes: int = 0, *, documents: Sequence[DocumentSpan] = ()) -> Reading:
        opened = open_model(tiny_model, replace(options, segments_quota_bytes=quota_bytes))
        found: Reading = opened.session.scheduler.run(opened.session.read(tokens, documents=documents))
        opened.session.close()
        return found

    return reading


def test_readings_are_listed_with_what_they_share(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    long, short = read(document(1024)), read(document(1024)[:512])
    listed = {stored.key: stored for stored in list_readings(SegmentCache(options.segments_folder))}
    assert set(listed) == {long.key, short.key}
    assert listed[long.key].tokens == 1024
    assert listed[long.key].size_bytes == pytest.approx(8 * SEGMENT_BYTES, rel=0.05)
    assert listed[long.key].shared_bytes == listed[short.key].size_bytes == listed[short.key].shared_bytes
    assert listed[long.key].model == "tiny"
    assert listed[long.key].tokens_stored_share == 1.0


def test_the_quota_is_kept_and_the_least_recently_used_goes_first(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    quota = int(18 * SEGMENT_BYTES)
    old, middle = document(1000), document(1001)
    read(old, quota)
    read(middle, quota)
    read(old, quota)  # used again: now the other one is the oldest
    newest = read(document(1002), quota)
    cache = SegmentCache(options.segments_folder)
    assert newest.unsaved is None
    assert cache.total_bytes() <= quota
    assert read(old, quota).evaluated == 0
    assert read(middle, quota).evaluated > 0


def test_eviction_leaves_the_beginning_of_a_reading(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    read(document(1024))
    SegmentCache(options.segments_folder).evict(4 * SEGMENT_BYTES)
    again = read(document(1024)[:512])
    assert again.evaluated == 0


def test_a_reading_larger_than_the_quota_goes_on_and_says_why_it_is_not_kept(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    reading = read(document(2000), 6 * SEGMENT_BYTES)
    assert reading.evaluated == 2000
    assert "quota" in (reading.unsaved or "")
    assert SegmentCache(options.segments_folder).total_bytes() <= 6 * SEGMENT_BYTES


def spans(*documents: tuple[str, int, int]) -> list[DocumentSpan]:
    return [DocumentSpan(*span) for span in documents]


def test_a_pinned_document_is_never_evicted_not_even_after_a_restart(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    read(document(512), documents=spans(("lease", 10, 500)))
    SegmentCache(options.segments_folder).pin("lease")
    read(document(513), 16 * SEGMENT_BYTES, documents=spans(("novel", 0, 513)))
    cache = SegmentCache(options.segments_folder)  # as another process would open it
    assert cache.evict(1 << 40) > 0
    assert [(stored.documents, stored.pinned) for stored in list_readings(cache)] == [(("lease",), True)]
    assert read(document(512)).evaluated == 0  # and a reading that does not say what it is leaves the note as it was
    assert cache.evict(1 << 40) == 0
    cache.unpin("lease")
    assert cache.evict(1 << 40) > 0
    assert cache.total_bytes() == 0


def test_a_pin_keeps_what_stands_before_the_document_but_not_what_follows(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    read(document(1024), documents=spans(("first", 0, 256), ("second", 256, 512), ("third", 512, 1024)))
    cache = SegmentCache(options.segments_folder)
    cache.pin("second")
    cache.evict(1 << 40)
    assert cache.total_bytes() == pytest.approx(4 * SEGMENT_BYTES, rel=0.05)
    assert read(document(1024)[:512]).evaluated == 0


def test_a_quota_that_pins_use_up_is_said_and_kept(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    read(document(512), documents=spans(("lease", 0, 512)))
    SegmentCache(options.segments_folder).pin("lease")
    second = read(document(700), 5 * SEGMENT_BYTES)
    assert "quota" in (second.unsaved or "")
    assert SegmentCache(options.segments_folder).total_bytes() <= 5 * SEGMENT_BYTES
    assert read(document(512)).evaluated == 0


def test_processes_that_evict_each_other_s_segments_all_read_on(
    tiny_model: Path, options: EngineOptions, document: Document
) -> None:
    """Each alone fills the quota, so each takes from the others what they have just written or are about to map."""
    small = replace(options, segments_quota_bytes=6 * SEGMENT_BYTES)
    results: list[Reading] = []

    def work(length: int) -> None:
        with EngineProcess(tiny_model, small) as engine:
            for _ in range(3):
                results.append(drained(engine.read(document(length))))
                drained(engine.read(document(300 + length)))  # so that the first goes from memory

    threads = [threading.Thread(target=work, args=(700 + number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 9
    assert all(reading.reused + reading.evaluated == reading.tokens for reading in results)
    assert SegmentCache(options.segments_folder).verify(is_whole).damaged == 0


def test_notes_of_readings_that_are_gone_do_not_pile_up(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    for length in (300, 301, 302):
        read(document(length))
    SegmentCache(options.segments_folder).evict(1 << 40)
    assert list(options.segments_folder.glob("*/*.reading")) == []


@pytest.mark.parametrize("change", ["library", "kv type", "rope"])
def test_segments_of_another_version_or_setting_are_never_used(
    tiny_model: Path, options: EngineOptions, document: Document, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluated(options: EngineOptions) -> int:
        opened = open_model(tiny_model, options)
        found: Reading = opened.session.scheduler.run(opened.session.read(document(500)))
        opened.session.close()
        return found.evaluated

    assert evaluated(options) == 500
    assert evaluated(options) == 0
    if change == "library":
        monkeypatch.setattr("unabridged.models.open_model.LIBRARY_VERSION", "0.3.37")
    other = {"kv type": {"kv_type": "f32"}, "rope": {"rope_scaling": "yarn", "rope_factor": 2.0}}.get(change, {})
    assert evaluated(replace(options, **other)) == 500  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", ".", "a/b", "x" * 300])
def test_what_is_no_id_names_no_file(options: EngineOptions, name: str) -> None:
    with pytest.raises(UsageError):
        SegmentCache(options.segments_folder).pin(name)


def test_documents_are_listed_with_their_bytes_and_what_is_shared_counts_once(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    tokens = document(1024)
    read(tokens[:512], documents=spans(("law", 0, 512)))
    read(tokens, documents=spans(("law", 0, 512), ("notes", 512, 704)))  # 320 tokens belong to nobody
    cache = SegmentCache(options.segments_folder)
    law, notes = sorted(list_documents(cache), key=lambda stored: stored.document)
    assert (law.readings, notes.readings) == (2, 1)
    assert law.size_bytes == pytest.approx(4 * SEGMENT_BYTES, rel=0.05)
    assert notes.size_bytes == pytest.approx(1.5 * SEGMENT_BYTES, rel=0.05)
    assert law.size_bytes + notes.size_bytes < cache.total_bytes()


def test_clearing_a_document_takes_every_reading_with_it_and_nothing_else(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    read(document(512), documents=spans(("law", 0, 512)))
    read(document(513), documents=spans(("letter", 0, 200), ("law", 200, 513)))
    read(document(514), documents=spans(("letter", 0, 514)))
    cache = SegmentCache(options.segments_folder)
    assert cache.clear(documents=["law"]) == pytest.approx(8 * SEGMENT_BYTES, rel=0.15)
    assert [stored.documents for stored in list_readings(cache)] == [("letter",)]
    assert read(document(514)).evaluated == 0


def test_clearing_one_reading_spares_what_others_share(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    long, short = read(document(1024)), read(document(1024)[:512])
    cache = SegmentCache(options.segments_folder)
    assert cache.clear([long.key]) == pytest.approx(4 * SEGMENT_BYTES, rel=0.05)
    assert read(document(1024)[:512]).evaluated == 0
    assert [stored.key for stored in list_readings(cache)] == [short.key]
    cache.clear()
    assert cache.total_bytes() == 0
    assert list_readings(cache) == []


def test_verifying_finds_and_removes_exactly_what_is_damaged(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    read(document(1024))
    files = sorted(options.segments_folder.glob("*/*.segment"))
    cache = SegmentCache(options.segments_folder)
    assert cache.verify(is_whole).damaged == 0
    torn, flipped, renamed = files[0], files[1], files[2]
    torn.write_bytes(torn.read_bytes()[:-1])
    flipped.write_bytes(flipped.read_bytes()[:-1] + b"\x77")
    renamed.rename(renamed.with_name("0" * 64 + ".segment"))
    result = cache.verify(is_whole)
    assert (result.checked, result.damaged) == (8, 3)
    assert sorted(options.segments_folder.glob("*/*.segment")) == files[3:]
    assert read(document(1024)).evaluated == 3 * 128


def test_a_damaged_note_costs_nothing_but_the_listing(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    reading = read(document(512))
    note = next(options.segments_folder.glob(f"*/{reading.key}.reading"))
    note.write_text('{"segments": 7')
    assert list_readings(SegmentCache(options.segments_folder)) == []
    assert read(document(512)).evaluated == 0
    assert len(list_readings(SegmentCache(options.segments_folder))) == 1
