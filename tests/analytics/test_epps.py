from __future__ import annotations

import numpy as np
import pytest

from quantdesk.analytics.epps import OFFSETS, epps_curve, log_spaced, poisson_factor
from quantdesk.analytics.ticks import collapse
from tests.analytics.two_legs import simulated


def test_the_intervals_are_log_spaced_from_a_second_to_five_minutes():
    spaced = log_spaced()
    assert (spaced[0], spaced[-1], len(spaced)) == (1_000, 300_000, 12)
    assert (spaced % OFFSETS == 0).all()
    assert np.ptp(np.diff(np.log(spaced))) < 0.01


def test_the_closed_form_runs_from_nothing_to_one():
    factor = poisson_factor(np.array([1e-6, 1.0, 1e6]), 1.0, 0.5)
    assert factor[0] == pytest.approx(0, abs=1e-5) and factor[2] == pytest.approx(1, abs=1e-5)
    a, b = 1.0, 0.5
    by_hand = 1 + a / (b * (a + b)) * (np.exp(-b) - 1) + b / (a * (a + b)) * (np.exp(-a) - 1)
    assert factor[1] == pytest.approx(by_hand)
    assert np.isnan(poisson_factor(np.array([1.0]), 0.0, 1.0)).all()


def test_the_curve_rises_as_the_closed_form_says_and_stands_beside_the_value_without_sampling():
    curve = epps_curve(*simulated(3_600, 1.0, 0.5, 0.8, seed=6))
    truth = 0.8 * poisson_factor(curve.intervals_ms / 1_000, 1.0, 0.5)
    short = curve.intervals_ms < 30_000
    assert (np.abs(curve.correlation - truth) < 3 * curve.stderr)[short].all()
    assert curve.correlation[0] < 0.3 < 0.6 < curve.correlation[7]
    assert abs(curve.hayashi_yoshida.correlation - 0.8) < 3 * curve.hayashi_yoshida.stderr
    assert curve.rate_y == pytest.approx(1.0, rel=0.1) and curve.rate_x == pytest.approx(0.5, rel=0.1)
    assert curve.by_asynchrony[0] == pytest.approx(truth[0] * curve.hayashi_yoshida.correlation / 0.8, rel=0.1)
    assert set(curve.reasons) == {""}
    assert not any(a.flags.writeable for a in (curve.intervals_ms, curve.correlation, curve.stderr, curve.returns))


def test_the_offsets_use_all_the_data_and_count_once_what_overlaps():
    curve = epps_curve(*simulated(600, 5.0, 5.0, 0.5), np.array([1_000, 10_000]))
    assert (curve.independent == curve.returns // OFFSETS).all()
    assert curve.independent.tolist() == pytest.approx([599, 58], abs=3)


def spread_of(interval: int, seeds: range) -> tuple[float, float]:
    curves = [epps_curve(*simulated(600, 2.0, 2.0, 0.6, seed=s), np.array([interval])) for s in seeds]
    return float(np.std([c.correlation[0] for c in curves], ddof=1)), float(np.mean([c.stderr[0] for c in curves]))


@pytest.mark.parametrize("interval", [1_000, 10_000])
def test_the_standard_error_is_the_spread_of_the_value(interval):
    spread, error = spread_of(interval, range(25))
    assert 0.6 < error / spread < 1.7


def test_a_price_too_old_makes_no_return():
    times = np.r_[np.arange(0, 60_000, 100), np.arange(600_000, 660_000, 100)]
    rng = np.random.default_rng(2)
    y, x = (collapse(times, 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, len(times))))) for _ in range(2))
    curve = epps_curve(y, x, np.array([1_000]), max_age_ms=500)
    assert curve.independent[0] == pytest.approx(118, abs=2)
    assert epps_curve(y, x, np.array([1_000]), max_age_ms=10**6).independent[0] > 650


def test_without_a_value_the_reason_is_said():
    y, x = simulated(120, 2.0, 2.0, 0.5)
    curve = epps_curve(y, x)
    assert np.isfinite(curve.correlation[0]) and np.isnan(curve.correlation[-1])
    assert "0 returns that do not overlap; 10 are needed" in curve.reasons[-1]
    flat = epps_curve(y, collapse(x.times, np.full(len(x), 5.0)))
    assert np.isnan(flat.correlation).all() and set(flat.reasons) == {"the price of x does not vary"}
    none = epps_curve(y, collapse([], []))
    assert none.rate_y == 0 and "0 ticks of y and 0 of x" in none.reasons[0]
    with pytest.raises(ValueError, match="multiple of 10 ms"):
        epps_curve(y, x, np.array([15]))
