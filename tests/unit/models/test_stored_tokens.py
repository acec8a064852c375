"""How much of a reading lies on disk is told from the names of its segments."""

from pathlib import Path

import numpy as np
import pytest
from unabridged.models.segment_cache import SEGMENT
from unabridged.models.segments import piece_tokens, segments_of, stored_tokens

FINGERPRINT = bytes(range(32))
TOKENS = np.arange(1000, dtype=np.int32)


def keep(folder: Path, size: int, which: list[int]) -> None:
    place = folder / FINGERPRINT.hex()[:32]
    place.mkdir(exist_ok=True)
    chain = segments_of(TOKENS, size, FINGERPRINT)
    for index in which:
        (place / (chain[index].key.hex() + SEGMENT)).touch()


@pytest.mark.parametrize(
    ("kept", "stored"), [([], 0), ([0], 300), ([0, 1], 600), ([0, 2], 300), ([1, 2, 3], 0), ([0, 1, 2, 3], 1000)]
)
def test_only_an_unbroken_beginning_counts(tmp_path: Path, kept: list[int], stored: int) -> None:
    keep(tmp_path, 300, kept)
    assert stored_tokens(tmp_path, FINGERPRINT, TOKENS, segment_tokens=600, chunk_tokens=100) == stored


@pytest.mark.parametrize(
    ("segment", "chunk", "piece"), [(2048, 512, 1024), (600, 100, 300), (512, 512, 512), (100, 512, 512), (700, 300, 300)]
)
def test_a_file_holds_half_of_what_may_be_lost_in_whole_chunks(segment: int, chunk: int, piece: int) -> None:
    assert piece_tokens(segment, chunk) == piece


def test_other_words_or_another_model_have_nothing_there(tmp_path: Path) -> None:
    keep(tmp_path, 300, [0, 1, 2, 3])
    assert stored_tokens(tmp_path, FINGERPRINT, TOKENS + 1, segment_tokens=600, chunk_tokens=100) == 0
    assert stored_tokens(tmp_path, bytes(32), TOKENS, segment_tokens=600, chunk_tokens=100) == 0
    assert stored_tokens(tmp_path, FINGERPRINT, TOKENS[:0], segment_tokens=600, chunk_tokens=100) == 0
