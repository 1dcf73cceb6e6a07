import warnings
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.datasets import macrodata
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.stattools import coint

from quantdesk.analytics.stationarity import NoValueError, adf, combined_p, engle_granger, half_life, no_half_life


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("autolag", ["AIC", "BIC"])
def test_engle_granger_repeats_coint_and_names_its_lag(walk_pair, autolag: str) -> None:
    y, x = (leg[:400] for leg in walk_pair)
    result = engle_granger(y, x, autolag=autolag)
    statistic, p_value, critical = coint(y, x, trend="c", autolag=autolag)
    assert (result.statistic, result.p_value) == pytest.approx((statistic, p_value), rel=1e-6)
    assert list(result.critical_values.values()) == pytest.approx(list(critical))
    assert coint(y, x, maxlag=result.lags, autolag=None)[0] == statistic
    assert result.label == f"Engle-Granger (MacKinnon), y on x, constant, n=400, lag {result.lags} ({autolag})"


@pytest.mark.parametrize(
    ("column", "lag", "statistic", "p_value"),
    [("realgdp", 4, 0.97505319, 0.99399563), ("infl", 1, -4.3346988, 0.00038661)],
)
def test_the_adf_meets_the_numbers_of_stata(column: str, lag: int, statistic: float, p_value: float) -> None:
    """Stata's dfuller on statsmodels' macrodata, as carried by statsmodels' own tests."""
    found = adf(macrodata.load_pandas().data[column].to_numpy(), lag=lag)
    assert (found.statistic, found.p_value) == pytest.approx((statistic, p_value), abs=1e-5)


def test_engle_granger_meets_the_numbers_of_stata() -> None:
    """Stata's egranger on these simulated legs, as carried by statsmodels' own tests."""
    rng = np.random.RandomState(123)
    unit = rng.randn(200).cumsum()
    legs = rng.randn(200, 4)
    legs[:, :2] += unit[:, None]
    legs = np.round(legs + np.array([1, 0, 0.5, 0]), 4)
    found = engle_granger(legs[:, 0], legs[:, 1], lag=4)
    assert found.statistic == pytest.approx(-5.760696844656, abs=1e-7)
    assert list(found.critical_values.values()) == pytest.approx([-3.952321, -3.367006, -3.065831], abs=2e-6)


def test_both_directions_are_named_and_the_better_one_is_paid_for(walk_pair) -> None:
    y, x = (leg[:400] for leg in walk_pair)
    forth, back = engle_granger(y, x), engle_granger(x, y, direction="x on y")
    assert back.label.startswith("Engle-Granger (MacKinnon), x on y, constant, n=400")
    assert combined_p(forth, back) == 2 * min(forth.p_value, back.p_value)
    assert combined_p(replace(forth, p_value=0.7), replace(back, p_value=0.9)) == 1.0
    assert combined_p(forth, None) is None
    assert forth.rejects and not replace(forth, p_value=0.05).rejects


def test_a_given_lag_is_used_as_given(walk_pair) -> None:
    y, x = walk_pair
    result = engle_granger(y, x, lag=4)
    assert (result.statistic, result.p_value) == pytest.approx(coint(y, x, maxlag=4, autolag=None)[:2], rel=1e-6)
    assert (result.lags, result.lag_method) == (4, "as given")
    assert adf(y, lag=0).lags == 0


def test_wrapped_bitcoin_is_cointegrated_with_bitcoin_and_ether_is_not(daily_logs) -> None:
    assert engle_granger(*daily_logs("WBTC", "BTC"), autolag="AIC").statistic == pytest.approx(-4.69, abs=0.005)
    assert engle_granger(*daily_logs("ETH", "BTC"), autolag="AIC").p_value == pytest.approx(0.28, abs=0.005)


def test_coke_is_not_cointegrated_with_pepsi(shared) -> None:
    import pandas as pd

    closes = np.log(pd.read_csv(shared / "stocks" / "sp500_dataset.csv.gz", usecols=["KO", "PEP"]))
    result = engle_granger(closes["KO"].to_numpy(), closes["PEP"].to_numpy(), autolag="AIC")
    assert result.p_value == pytest.approx(0.26, abs=0.005)


def test_adf_says_when_its_beta_was_fitted(walk_pair) -> None:
    y, x = walk_pair
    result = adf(y - 0.05 * x, fitted_beta=True)
    assert result.fitted_beta
    assert "p too small" in result.label
    assert "p too small" not in adf(y - 0.05 * x).label
    assert result.p_value < 0.01


def test_scaling_the_prices_leaves_p_unchanged(walk_pair) -> None:
    y, x = walk_pair
    assert engle_granger(1e3 * y, 1e3 * x).p_value == pytest.approx(engle_granger(y, x).p_value, rel=1e-6)


_RAMP = np.arange(100.0)
_NOISE = np.random.default_rng(5).normal(size=100).cumsum() + 50


@pytest.mark.parametrize(
    ("y", "x", "words"),
    [
        (_NOISE, np.full(100, 3.0), "x does not vary"),
        (np.full(100, 3.0), _NOISE, "y does not vary"),
        (2 * _NOISE + 1, _NOISE, "collinear"),
        (_NOISE, _NOISE, "collinear"),
        (_NOISE[:3], _RAMP[:3], "too few"),
        (np.full(100, np.nan), _NOISE, "too few"),
    ],
)
def test_what_cannot_be_tested_says_why(y: np.ndarray, x: np.ndarray, words: str) -> None:
    with pytest.raises(NoValueError, match=words):
        engle_granger(y, x)


@pytest.mark.parametrize("series", [np.full(100, 3.0), _NOISE[:3], np.array([]), 1e9 + np.full(50, 1e-9)])
def test_a_flat_or_short_series_has_no_unit_root_test(series: np.ndarray) -> None:
    with pytest.raises(NoValueError):
        adf(series)


@pytest.mark.parametrize("rows", [7, 9, 11])
def test_few_observations_still_have_the_numbers_of_statsmodels(walk_pair, rows: int) -> None:
    y, x = (leg[:rows] for leg in walk_pair)
    expected = coint(y, x, trend="c", maxlag=1, autolag=None)
    found = engle_granger(y, x, lag=1)
    assert (found.statistic, found.p_value) == pytest.approx(expected[:2], rel=1e-6)
    change = np.diff(y)
    fit = OLS(change[1:], add_constant(np.column_stack([y[1:-1], change[:-1]]))).fit()
    assert adf(y, lag=1).statistic == pytest.approx(fit.tvalues[1], rel=1e-6)


@pytest.mark.parametrize("series", [_RAMP, np.tile([1.0, -1.0], 50), np.r_[np.zeros(99), 1.0], _RAMP**2])
def test_degenerate_series_neither_warn_nor_crash(series: np.ndarray) -> None:
    for run in (lambda: adf(series), lambda: adf(series, lag=1), lambda: engle_granger(series, _NOISE)):
        try:
            result = run()
        except NoValueError:
            continue
        assert np.isfinite([result.statistic, result.p_value]).all()
    life = half_life(series)
    assert life is None or life > 0


@pytest.mark.parametrize("lag", [50, 1_000, -1])
def test_a_lag_that_does_not_fit_is_refused_in_words(lag: int) -> None:
    for run in (lambda: adf(_NOISE, lag=lag), lambda: engle_granger(_NOISE, _RAMP + _NOISE[::-1], lag=lag)):
        with pytest.raises(NoValueError, match="does not fit"):
            run()


def test_half_life_is_that_of_the_regression(walk_pair) -> None:
    y, x = walk_pair
    spread = y - 0.05 * x
    slope = OLS(np.diff(spread), add_constant(spread[:-1])).fit().params[1]
    assert half_life(spread) == pytest.approx(-np.log(2) / slope, rel=1e-9)
    assert half_life(spread) == pytest.approx(np.log(2) / 0.1, rel=0.3)


@pytest.mark.parametrize("spread", [_RAMP, 1.1**_RAMP, np.full(50, 2.0), np.array([1.0, 2.0])])
def test_a_spread_that_does_not_revert_has_no_half_life(spread: np.ndarray) -> None:
    assert half_life(spread) is None and no_half_life(spread)


def test_too_few_rows_have_no_half_life_and_say_so(walk_pair) -> None:
    y, x = walk_pair
    spread = y - 0.05 * x
    assert half_life(spread[:29]) is None and half_life(spread[:30]) is not None
    assert half_life(np.r_[spread[:29], np.nan]) is None, "what is no number is no row"
    assert no_half_life(spread[:29]) == "29 observations are too few for a half-life: 30 are needed"
    assert "does not vary" in no_half_life(np.full(50, 2.0)) and "does not revert" in no_half_life(_RAMP)
