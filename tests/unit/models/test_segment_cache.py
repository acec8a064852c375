"""The folder of segments: what lies in it, what goes first, and that nothing damaged stays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from unabridged.models.engine import EngineOptions, Reading, Tokens
from unabridged.models.open_model import open_model
from unabridged.models.segment_cache import SegmentCache
from unabridged.models.segments import is_whole

Document = Callable[[int], Tokens]
SEGMENT_BYTES = 256 * 512  # tokens × KV bytes per token of the tiny model


@pytest.fixture
def read(tiny_model: Path, options: EngineOptions) -> Callable[..., Reading]:
    """A reading in a session of its own, so that nothing comes from memory."""

    def reading(tokens: Tokens, quota_bytes: int = 0) -> Reading:
        opened = open_model(tiny_model, replace(options, segments_quota_bytes=quota_bytes))
        found: Reading = opened.session.scheduler.run(opened.session.read(tokens))
        opened.session.close()
        return found

    return reading


def test_readings_are_listed_with_what_they_share(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    long, short = read(document(1024)), read(document(1024)[:512])
    listed = {stored.key: stored for stored in SegmentCache(options.segments_folder).list_readings()}
    assert set(listed) == {long.key, short.key}
    assert listed[long.key].tokens == 1024
    assert listed[long.key].size_bytes == pytest.approx(4 * SEGMENT_BYTES, rel=0.05)
    assert listed[long.key].shared_bytes == listed[short.key].size_bytes == listed[short.key].shared_bytes
    assert listed[long.key].model == "tiny"
    assert listed[long.key].tokens_stored_share == 1.0


def test_the_quota_is_kept_and_the_least_recently_used_goes_first(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    quota = int(9 * SEGMENT_BYTES)
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
    SegmentCache(options.segments_folder).evict(2 * SEGMENT_BYTES)
    again = read(document(1024)[:512])
    assert again.evaluated == 0


def test_a_reading_larger_than_the_quota_goes_on_and_says_why_it_is_not_kept(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    reading = read(document(2000), 3 * SEGMENT_BYTES)
    assert reading.evaluated == 2000
    assert "quota" in (reading.unsaved or "")
    assert SegmentCache(options.segments_folder).total_bytes() <= 3 * SEGMENT_BYTES


def test_a_pinned_reading_is_never_evicted(read: Callable[..., Reading], options: EngineOptions, document: Document) -> None:
    pinned = read(document(512))
    cache = SegmentCache(options.segments_folder)
    assert cache.pin(pinned.key)
    assert not cache.pin("../../etc/passwd")
    read(document(513), 4 * SEGMENT_BYTES)
    assert cache.evict(1 << 40) > 0
    assert read(document(512)).evaluated == 0
    assert cache.list_readings()[0].pinned
    cache.pin(pinned.key, pinned=False)
    assert cache.evict(1 << 40) > 0
    assert cache.total_bytes() == 0


def test_clearing_one_reading_spares_what_others_share(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    long, short = read(document(1024)), read(document(1024)[:512])
    cache = SegmentCache(options.segments_folder)
    assert cache.clear([long.key]) == pytest.approx(2 * SEGMENT_BYTES, rel=0.05)
    assert read(document(1024)[:512]).evaluated == 0
    assert [stored.key for stored in cache.list_readings()] == [short.key]
    cache.clear()
    assert cache.total_bytes() == 0
    assert cache.list_readings() == []


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
    assert (result.checked, result.damaged) == (4, 3)
    assert list(options.segments_folder.glob("*/*.segment")) == [files[3]]
    assert read(document(1024)).evaluated == 768


def test_a_damaged_note_costs_nothing_but_the_listing(
    read: Callable[..., Reading], options: EngineOptions, document: Document
) -> None:
    reading = read(document(512))
    note = next(options.segments_folder.glob(f"*/{reading.key}.reading"))
    note.write_text('{"segments": 7')
    assert SegmentCache(options.segments_folder).list_readings() == []
    assert read(document(512)).evaluated == 0
    assert len(SegmentCache(options.segments_folder).list_readings()) == 1
