"""The time left is right when later tokens cost more, as attention makes them."""

import pytest
from unabridged.models.pace import Pace


def paced(costs: list[float], *, chunk: int = 512) -> Pace:
    """A reading whose chunks took these seconds per token."""
    pace = Pace()
    for index, cost in enumerate(costs):
        pace.took(index * chunk, (index + 1) * chunk, cost * chunk)
    return pace


def test_nothing_is_said_before_the_first_chunk() -> None:
    assert Pace().seconds_left(0, 1000) == 0
    assert Pace().tokens_per_s == 0


def test_an_even_cost_goes_on() -> None:
    pace = paced([0.001] * 10)
    assert pace.tokens_per_s == pytest.approx(1000)
    assert pace.seconds_left(5120, 10240) == pytest.approx(5.12)


def test_a_growing_cost_goes_on_growing() -> None:
    def cost(position: float) -> float:
        return 0.001 + 1e-7 * position

    pace = paced([cost(512 * index + 256) for index in range(20)])
    done, total = 20 * 512, 100_000
    left = (total - done) * cost((done + total) / 2)
    assert pace.seconds_left(done, total) == pytest.approx(left, rel=1e-6)


def test_a_machine_that_gets_faster_never_promises_less_than_nothing() -> None:
    pace = paced([0.01, 0.001, 0.0001])
    assert pace.seconds_left(1536, 100_000) > 0
