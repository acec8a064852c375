"""How long a batch may take before the engine counts as hung."""

import pytest
from unabridged.models import watch
from unabridged.models.watch import FLOOR_S, PATIENCE, TOKEN_S, Watch


def test_a_first_batch_may_take_long_by_its_tokens() -> None:
    assert Watch().batch(512) == FLOOR_S + 512 * TOKEN_S


def test_later_ones_may_take_ten_times_the_longest_of_their_kind() -> None:
    watch = Watch()
    watch.batch_took(512, 30.0)
    watch.batch_took(512, 20.0)
    watch.batch_took(1, 0.5)
    assert watch.batch(512) == FLOOR_S + PATIENCE * 30
    assert watch.batch(3) == FLOOR_S + PATIENCE * 0.5


def test_rest_is_never_overdue_and_work_is_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    seen = Watch()
    allowed = seen.batch(1)
    clock[0] += allowed - 1
    assert not seen.is_overdue
    clock[0] += 2
    assert seen.is_overdue
    seen.rest()
    clock[0] += 1e6
    assert not seen.is_overdue
