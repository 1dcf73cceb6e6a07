"""Simulate pairs: how often Engle-Granger finds what is not there, and what is."""

from __future__ import annotations

import numpy as np
import pytest

from quantdesk.analytics.dickey_fuller import residual_fit
from quantdesk.analytics.stationarity import Autolag, engle_granger

ROWS = 500


def independent_walks(pairs: int, seed: int) -> np.ndarray:
    """Return (pairs, 2, ROWS) walks that have nothing to do with each other."""
    return np.random.default_rng(seed).normal(size=(pairs, 2, ROWS)).cumsum(axis=2)


def cointegrated(pairs: int, seed: int, rho: float = 0.9) -> np.ndarray:
    """Return (pairs, 2, ROWS) legs whose spread y - 1.5 x is AR(1) with ``rho``."""
    rng = np.random.default_rng(seed)
    x, spread = rng.normal(size=(pairs, ROWS)).cumsum(axis=1), rng.normal(size=(pairs, ROWS))
    for row in range(1, ROWS):
        spread[:, row] += rho * spread[:, row - 1]
    return np.stack([1.5 * x + spread, x], axis=1)


def rejected(legs: np.ndarray, *, lag: int | None = None, autolag: Autolag = "BIC") -> float:
    """Return the share of pairs in which no cointegration is rejected at 5 %.

    The fast regression stands in for statsmodels on most pairs; on every 200th both must agree.
    """
    p_values = np.array([residual_fit(y, x, lag, autolag).p_value for y, x in legs])
    for row in range(0, len(legs), 200):
        y, x = legs[row]
        assert p_values[row] == pytest.approx(engle_granger(y, x, lag, autolag).p_value, rel=1e-6), row
    return float(np.mean(p_values < 0.05))


def test_few_pairs_show_about_the_nominal_size_and_full_power() -> None:
    assert 0.035 <= rejected(independent_walks(2_000, 1), lag=1) <= 0.065
    assert rejected(cointegrated(100, 2), lag=1) >= 0.95
    assert rejected(cointegrated(50, 2)) >= 0.9


@pytest.mark.long
@pytest.mark.timeout(600)
def test_at_a_fixed_lag_one_pair_in_twenty_is_found_by_chance() -> None:
    share = rejected(independent_walks(10_000, 3), lag=1)
    print(f"Engle-Granger, lag 1, n={ROWS}, 10,000 independent pairs: {share:.2%} rejected at 5 %")
    assert share == pytest.approx(0.05, abs=0.01)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("autolag", "low", "high"), [("AIC", 0.045, 0.075), ("BIC", 0.04, 0.065)])
def test_a_chosen_lag_rejects_more_than_it_says(autolag: Autolag, low: float, high: float) -> None:
    share = rejected(independent_walks(10_000, 3), autolag=autolag)
    print(f"Engle-Granger, {autolag}, n={ROWS}, 10,000 independent pairs: {share:.2%} rejected at 5 %")
    assert low <= share <= high


@pytest.mark.long
@pytest.mark.timeout(600)
def test_spreads_that_revert_are_found() -> None:
    for rho, least in ((0.9, 0.98), (0.95, 0.6)):
        share = rejected(cointegrated(1_000, 4, rho), lag=1)
        life = -np.log(2) / np.log(rho)
        print(f"Engle-Granger, lag 1, n={ROWS}, half-life {life:.1f} bars: {share:.1%} of 1,000 pairs found")
        assert share >= least
