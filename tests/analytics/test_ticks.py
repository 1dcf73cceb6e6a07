from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quantdesk.analytics.epps import poisson_factor
from quantdesk.analytics.realised import correlation_of
from quantdesk.analytics.ticks import TickLeg, collapse, common_span, previous_tick, refresh_time
from tests.analytics.two_legs import legs, simulated


def test_the_last_price_of_a_timestamp_stands_for_it():
    leg = collapse([10, 10, 11, 15, 15, 15], [1.0, 2.0, 3.0, 4.0, 6.0, 5.0])
    assert leg.times.tolist() == [10, 11, 15] and leg.prices.tolist() == [2.0, 3.0, 5.0]
    assert not leg.times.flags.writeable and not leg.prices.flags.writeable


def test_a_price_that_is_none_is_left_out_and_disorder_is_refused():
    assert collapse([1, 2, 3, 3], [1.0, np.nan, 4.0, 0.0]).prices.tolist() == [1.0, 4.0]
    with pytest.raises(ValueError, match="order of their times"):
        collapse([2, 1], [1.0, 1.0])
    with pytest.raises(ValueError, match="one time and one price"):
        collapse([1, 2], [1.0])
    with pytest.raises(ValueError, match="ascend without repeats"):
        TickLeg(np.array([1, 1]), np.array([1.0, 2.0]))


def test_changing_the_arrays_given_changes_no_leg():
    times, prices = np.array([1, 2]), np.array([1.0, 2.0])
    leg = TickLeg(times, prices)
    prices[0] = 9
    assert leg.prices[0] == 1.0


def test_a_price_older_than_the_largest_age_is_never_carried_further():
    leg = collapse([100, 200], [1.0, 2.0])
    grid = np.array([99, 100, 150, 151, 200, 250, 251, 10_000])
    found = previous_tick(leg, grid, 50)
    assert np.array_equal(found, [np.nan, 1, 1, np.nan, 2, 2, np.nan, np.nan], equal_nan=True)
    assert not found.flags.writeable
    with pytest.raises(ValueError, match="largest age"):
        previous_tick(leg, grid, -1)
    assert np.isnan(previous_tick(collapse([], []), grid, 50)).all()


@given(legs(), st.lists(st.integers(-5, 70), max_size=20), st.integers(0, 30))
def test_previous_ticks_are_those_that_a_plain_search_finds(leg, grid, age):
    found = previous_tick(leg, np.array(sorted(grid), np.int64), age)
    for at, price in zip(sorted(grid), found, strict=True):
        old = [(t, p) for t, p in zip(leg.times, leg.prices, strict=True) if t <= at]
        assert price == old[-1][1] if old and at - old[-1][0] <= age else np.isnan(price)


def one_by_one(y: TickLeg, x: TickLeg) -> list[int]:
    """Return the refresh times by their definition."""
    found: list[int] = []
    after = -1
    while True:
        nexts = [leg.times[leg.times > after] for leg in (y, x)]
        if not all(len(n) for n in nexts):
            return found
        after = max(int(n[0]) for n in nexts)
        found.append(after)


@example(collapse([1, 2, 5], [1.0] * 3), collapse([1, 3, 6], [1.0] * 3))
@settings(max_examples=200)
@given(legs(0), legs(0))
def test_refresh_times_are_those_of_the_definition(y, x):
    sample = refresh_time(y, x)
    assert sample.times.tolist() == one_by_one(y, x)
    grid = sample.times
    for found, leg in ((sample.y, y), (sample.x, x)):
        assert np.array_equal(found, previous_tick(leg, grid, 1_000)) and not found.flags.writeable
    assert 0 <= sample.kept <= 1


@given(legs(), legs(), st.integers(0, 60))
def test_a_later_tick_changes_no_earlier_refresh_time(y, x, end):
    early = refresh_time(y.between(0, end), x.between(0, end))
    whole = refresh_time(y, x)
    assert early.times.tolist() == whole.times[whole.times <= end].tolist()


def test_the_common_span_ends_where_one_leg_ends():
    y, x = collapse([1, 5, 9], [1.0, 1.0, 1.0]), collapse([3, 5, 20], [1.0, 1.0, 1.0])
    cut = common_span(y, x)
    assert [leg.times.tolist() for leg in cut] == [[5, 9], [3, 5]]
    assert [len(leg) for leg in common_span(y, collapse([], []))] == [0, 0]


def sampled_correlation(y: TickLeg, x: TickLeg, step: int) -> float:
    grid = np.arange(60_000, int(y.times[-1]), step)
    returns = [np.diff(np.log(previous_tick(leg, grid, 10**9))) for leg in (y, x)]
    sums = (float(a @ b) for a, b in ((returns[0], returns[1]), (returns[0],) * 2, (returns[1],) * 2))
    return correlation_of(*sums)


def deviations_from_the_closed_form(seeds: range, seconds: int, step: int) -> tuple[float, float]:
    """Return mean deviation and its standard error over seeds, of previous-tick correlations from the closed form."""
    expected = 0.8 * float(poisson_factor(np.array(step / 1_000), 1.0, 0.5))
    found = [sampled_correlation(*simulated(seconds, 1.0, 0.5, 0.8, seed=s), step) - expected for s in seeds]
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(found)))


@pytest.mark.parametrize("step", [1_000, 5_000])
def test_previous_tick_sampling_meets_the_closed_form_of_poisson_trading(step):
    off, error = deviations_from_the_closed_form(range(12), 600, step)
    assert abs(off) < 3 * error and error < 0.03


@pytest.mark.long
@pytest.mark.parametrize("step", [500, 1_000, 5_000, 30_000])
def test_previous_tick_sampling_meets_the_closed_form_closely(step):
    off, error = deviations_from_the_closed_form(range(60), 3_600, step)
    assert abs(off) < 3 * error and error < 0.012
