from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.hurst import hurst
from quantdesk.analytics.stationarity import NoValueError


def test_the_exponent_is_half_the_slope_of_the_stated_line() -> None:
    series = np.random.default_rng(1).normal(size=500).cumsum()
    lags = np.arange(2, 21)
    variances = [np.var(series[lag:] - series[:-lag]) for lag in lags]
    found = hurst(series)
    assert found.exponent == pytest.approx(np.polyfit(np.log(lags), np.log(variances), 1)[0] / 2, rel=1e-9)
    assert found.lags.tolist() == lags.tolist()
    assert found.label == "Hurst, slope/2 of log Var(s(t+τ) − s(t)) on log τ, τ = 2..20, n=500"


def test_walks_stand_at_a_half_and_reverting_spreads_below() -> None:
    noise = np.random.default_rng(2).normal(size=20_000)
    assert hurst(noise.cumsum()).value == pytest.approx(0.5, abs=0.03)
    spread = np.zeros(20_000)
    for row in range(1, 20_000):
        spread[row] = 0.7 * spread[row - 1] + noise[row]
    # An AR(1) has Var(s(t+τ) − s(t)) proportional to 1 − ρ^τ.
    lags = np.arange(2, 21)
    expected = np.polyfit(np.log(lags), np.log(1 - 0.7**lags), 1)[0] / 2
    assert hurst(spread).value == pytest.approx(expected, abs=0.02)


def test_impossible_values_are_not_valid() -> None:
    below = hurst(np.tile([0.0, 1.0, 0.5, 0.2], 40) + 1e-3 * np.random.default_rng(3).normal(size=160))
    assert below.exponent <= 0
    assert (below.value, below.text) == (None, f"not valid ({below.exponent:.3f})")
    assert replace(below, exponent=1.0).value is None
    assert replace(below, exponent=0.999).value == 0.999


@pytest.mark.parametrize("series", [np.arange(100.0), np.full(100, 2.0), np.arange(59.0) ** 2, np.tile([1.0, 2.0], 50)])
def test_what_has_no_exponent_says_why(series: np.ndarray) -> None:
    with pytest.raises(NoValueError):
        hurst(series)


def test_the_result_cannot_be_written_to() -> None:
    found = hurst(np.random.default_rng(4).normal(size=100).cumsum())
    assert not found.lags.flags.writeable and not found.variances.flags.writeable
    assert hurst(np.r_[found.variances, np.nan, np.arange(60.0) ** 2]).observations == 79
