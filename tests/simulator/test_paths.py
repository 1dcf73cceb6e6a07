import numpy as np
import pytest

from quantdesk.simulator.paths import ANCHOR_DAY, DAY_SECONDS, Coupled, OrnsteinUhlenbeck, Walk, price_at


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


def test_between_the_seconds_prices_move_by_chance_and_meet_the_seconds():
    x = Walk((6,), 3_400.0, 0.03)
    pair = Coupled(x, 13_000.0, 15.0, OrnsteinUhlenbeck((7,), 480.0, 60.0))
    minute = ANCHOR_DAY * 1_440 + 700
    at = np.arange(minute * 60_000, (minute + 2) * 60_000)
    for path in (x, pair):
        prices = price_at(path, at)
        seconds = path.day(ANCHOR_DAY)[700 * 60 : 702 * 60]
        np.testing.assert_allclose(prices[::1_000], seconds, rtol=1e-12)
        np.testing.assert_array_equal(price_at(path, at[55_000:70_001:7]), prices[55_000:70_001:7])
        # The squared moves of a diffusion add up to the same however often one looks.
        for step in (1, 10, 100):
            moved = np.square(np.diff(np.log(prices[::step]))).sum() / np.square(np.diff(np.log(seconds))).sum()
            assert moved == pytest.approx(1.0, abs=0.4)


def test_the_moves_of_a_millisecond_are_those_of_the_sigma():
    prices = price_at(Walk((8,), 100.0, 0.03), np.arange(60_000) + ANCHOR_DAY * 86_400_000)
    assert np.diff(np.log(prices)).std() * np.sqrt(DAY_SECONDS * 1_000) == pytest.approx(0.03, rel=0.02)
