from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.hayashi_yoshida import FEWEST_RETURNS, hayashi_yoshida, overlap_sums
from quantdesk.analytics.ticks import TickLeg, collapse
from tests.analytics.two_legs import legs, simulated


def naive(y: TickLeg, x: TickLeg) -> float:
    """Return the covariance by its definition: every pair of intervals that overlap."""
    total = 0.0
    for i in range(1, len(y)):
        for j in range(1, len(x)):
            if max(y.times[i - 1], x.times[j - 1]) < min(y.times[i], x.times[j]):
                total += (y.logs[i] - y.logs[i - 1]) * (x.logs[j] - x.logs[j - 1])
    return total


@given(legs(), legs(), st.integers(-30, 30))
def test_the_sum_is_that_of_all_overlapping_pairs(y, x, shift):
    moved = TickLeg(x.times + shift, x.prices)
    found = overlap_sums(y.times, y.logs, moved.times, moved.logs).sum()
    assert found == pytest.approx(naive(y, moved), abs=1e-12)
    assert overlap_sums(moved.times, moved.logs, y.times, y.logs).sum() == pytest.approx(found, abs=1e-12)


def carried_forward(y: TickLeg, x: TickLeg) -> float:
    """Return the correlation of an outer join with forward fill, the mistake this module avoids."""
    times = np.union1d(y.times, x.times)
    times = times[times >= max(y.times[0], x.times[0])]
    logs = [leg.logs[np.searchsorted(leg.times, times, "right") - 1] for leg in (y, x)]
    return float(np.corrcoef(np.diff(logs[0]), np.diff(logs[1]))[0, 1])


def test_it_recovers_the_truth_that_forward_fill_loses():
    found = []
    for seed in range(4):
        y, x = simulated(3_600, 1.0, 0.5, 0.8, seed=seed)
        assert abs(carried_forward(y, x)) < 0.05
        found.append(hayashi_yoshida(y, x))
        assert abs(found[-1].correlation - 0.8) < 3 * found[-1].stderr < 0.13
        assert found[-1].reason == "" and found[-1].returns_y > 3_000 and found[-1].returns_x > 1_500
    assert abs(np.mean([f.correlation for f in found]) - 0.8) < np.mean([f.stderr for f in found])


def covers(seeds: range, seconds: int) -> tuple[float, float, float]:
    found = [hayashi_yoshida(*simulated(seconds, 1.0, 0.5, 0.8, seed=s)) for s in seeds]
    off = np.array([f.correlation - 0.8 for f in found])
    errors = np.array([f.stderr for f in found])
    return float(off.mean()), float(off.std(ddof=1)), float(errors.mean())


def test_the_standard_error_is_the_spread_of_the_value():
    bias, spread, error = covers(range(40), 600)
    assert abs(bias) < 3 * spread / np.sqrt(40)
    assert 0.7 < error / spread < 1.4


@pytest.mark.long
def test_the_standard_error_is_the_spread_of_the_value_closely():
    bias, spread, error = covers(range(300), 1_200)
    assert abs(bias) < 3 * spread / np.sqrt(300)
    assert 0.88 < error / spread < 1.12


def test_legs_that_trade_together_have_the_plain_correlation():
    rng = np.random.default_rng(3)
    moves = rng.normal(0, 1e-4, (2, 500))
    times = np.cumsum(rng.integers(1, 900, 500))
    y, x = (collapse(times, 100 * np.exp(np.cumsum(m))) for m in (moves[0], moves[0] + moves[1]))
    dy, dx = np.diff(y.logs), np.diff(x.logs)
    found = hayashi_yoshida(y, x)
    assert found.covariance == pytest.approx(dy @ dx, rel=1e-12)
    assert found.correlation == pytest.approx(dy @ dx / np.sqrt((dy @ dy) * (dx @ dx)), rel=1e-12)


def test_independent_legs_correlate_within_the_error():
    found = hayashi_yoshida(*simulated(1_800, 2.0, 1.0, 0.0, seed=1))
    assert abs(found.correlation) < 3 * found.stderr


def test_without_a_value_the_reason_is_said():
    rising = collapse(range(100), np.linspace(100, 101, 100))
    short = collapse(range(FEWEST_RETURNS), np.linspace(100, 101, FEWEST_RETURNS))
    flat = collapse(range(100), np.full(100, 100.1))
    for y, x, words in (
        (rising, short, "20 ticks of y and 20 of x in the time both legs trade; 21 of each are needed"),
        (collapse([], []), rising, "0 ticks of y and 0 of x"),
        (flat, rising, "the price of y does not vary"),
        (rising, flat, "the price of x does not vary"),
        (rising, collapse(np.arange(100) + 500, np.linspace(1, 2, 100)), "in the time both legs trade"),
    ):
        found = hayashi_yoshida(y, x)
        assert words in found.reason
        assert np.isnan([found.covariance, found.correlation, found.stderr]).all()


def test_few_returns_have_a_value_without_an_error():
    y, x = simulated(60, 1.0, 1.0, 0.8)
    found = hayashi_yoshida(y, x)
    assert np.isfinite(found.correlation) and np.isnan(found.stderr)


def test_a_million_ticks_a_leg_give_what_a_part_by_part_sum_gives():
    rng = np.random.default_rng(0)
    y, x = (
        collapse(np.sort(rng.integers(0, 10**8, 10**6)), 100 * np.exp(np.cumsum(rng.normal(0, 1e-6, 10**6))))
        for _ in range(2)
    )
    whole = overlap_sums(y.times, y.logs, x.times, x.logs).sum()
    cut = len(y) // 2
    parts = [overlap_sums(y.times[s], y.logs[s], x.times, x.logs).sum() for s in (slice(cut + 1), slice(cut, None))]
    assert sum(parts) == pytest.approx(whole, rel=1e-9)
