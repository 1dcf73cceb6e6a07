import numpy as np
import pytest

from quantdesk.simulator.paths import ANCHOR_DAY, DAY_SECONDS, OrnsteinUhlenbeck, Walk


def test_a_walk_is_continuous_over_midnight_and_the_same_in_any_order():
    one, other = Walk((3,), 100.0, 0.03), Walk((3,), 100.0, 0.03)
    days = [one.day(day) for day in range(ANCHOR_DAY, ANCHOR_DAY + 3)]
    back = [other.day(day) for day in range(ANCHOR_DAY + 2, ANCHOR_DAY - 1, -1)][::-1]
    for day, same in zip(days, back, strict=True):
        np.testing.assert_array_equal(day, same)
    assert days[0][0] == pytest.approx(100.0)
    assert days[0][-1] == pytest.approx(days[1][0], rel=1e-12)


def test_a_walk_moves_as_much_in_a_second_as_its_daily_sigma_says():
    steps = np.diff(np.log(Walk((4,), 100.0, 0.03).day(ANCHOR_DAY)))
    assert steps.std() * np.sqrt(DAY_SECONDS) == pytest.approx(0.03, rel=0.02)


@pytest.mark.parametrize("half_life", [2.0, 60.0, 480.0])
def test_the_spread_has_its_half_life_and_deviation(half_life):
    values = OrnsteinUhlenbeck((5,), half_life, 60.0).day(ANCHOR_DAY)
    before, after = values[:-1], values[1:]
    decay = (before @ after) / (before @ before)
    assert np.log(0.5) / np.log(decay) == pytest.approx(half_life, rel=0.25)
    assert values.std() == pytest.approx(60.0, rel=0.25)


def test_the_spread_is_continuous_over_midnight():
    spread = OrnsteinUhlenbeck((5,), 480.0, 60.0)
    assert spread.day(ANCHOR_DAY)[-1] == pytest.approx(spread.day(ANCHOR_DAY + 1)[0], abs=1e-9)


def test_a_half_life_that_a_day_does_not_forget_is_refused():
    with pytest.raises(ValueError, match="half-life"):
        OrnsteinUhlenbeck((5,), 7_200.0, 60.0)
