import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.lags import choose_lag, flaw_of, longest_lag
from quantdesk.analytics.stationarity import _adfuller


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(21, 500), st.sampled_from(["AIC", "BIC"]), st.booleans())
def test_the_lag_is_the_one_that_adfuller_chooses(seed: int, n: int, criterion: str, constant: bool) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=n + 3)
    series = noise[3:] + rng.uniform(-0.9, 0.9) * noise[:-3]
    if rng.random() < 0.5:
        series = series.cumsum()
    oracle = _adfuller(series, regression="c" if constant else "n", maxlag=None, autolag=criterion)
    assert choose_lag(series, criterion, constant=constant) == oracle[2]


@pytest.mark.parametrize("n", [12, 50, 101, 5_000])
def test_the_longest_lag_is_adfullers(n: int) -> None:
    series = np.random.default_rng(n).normal(size=n)
    result = _adfuller(series, regression="c", maxlag=None, autolag=None)
    assert longest_lag(n, constant=True) == result[2]


def test_lags_that_add_nothing_are_not_chosen() -> None:
    assert choose_lag(np.tile([1.0, -1.0], 100), "BIC", constant=True) == 0
    assert choose_lag(np.arange(50.0), "AIC", constant=True) == 0
    assert choose_lag(np.arange(3.0), "BIC", constant=True) == 0


def test_a_regression_without_a_statistic_says_why() -> None:
    rng = np.random.default_rng(2)
    assert flaw_of(rng.normal(size=60), 3, constant=True) is None
    assert "exactly" in str(flaw_of(np.tile([1.0, -1.0], 30), 0, constant=True))
    assert "dependent" in str(flaw_of(np.arange(60.0), 2, constant=True))
    assert "leave nothing over" in str(flaw_of(rng.normal(size=12), 5, constant=False))
