import inspect
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.stattools import adfuller, coint

from quantdesk.analytics import lags
from quantdesk.analytics.dickey_fuller import dickey_fuller, residual_fit, rolling_engle_granger

seeds = st.integers(0, 2**32 - 1)


def _adfuller(series: np.ndarray, **options: object) -> tuple:
    """Return statsmodels' answer; 0.15 warns unless it is told how to answer, 0.14 does not know the question."""
    if "result_object" in inspect.signature(adfuller).parameters:
        options["result_object"] = False
    return adfuller(series, **options)


def _series(seed: int, n: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=n + 3)
    if kind == "noise":
        return noise[3:]
    if kind == "walk":
        return 60_000 + 8 * noise[3:].cumsum()
    if kind == "AR":
        values = noise[3:].copy()
        for row in range(1, n):
            values[row] += rng.uniform(0.5, 0.97) * values[row - 1]
        return values
    return (noise[3:] + 0.8 * noise[:-3]).cumsum() + 0.3 * np.arange(n)


@settings(max_examples=80, deadline=None)
@given(
    seeds,
    st.integers(30, 600),
    st.sampled_from(["noise", "walk", "AR", "drift"]),
    st.sampled_from(["n", "c", "ct"]),
    st.sampled_from(["AIC", "BIC", "t-stat", None, 0, 3]),
)
def test_it_repeats_adfuller(seed: int, n: int, kind: str, terms: str, choice: str | int | None) -> None:
    series = _series(seed, n, kind)
    lag, criterion = (choice, None) if isinstance(choice, int) else (None, choice)
    expected = _adfuller(series, regression=terms, maxlag=lag, autolag=criterion)
    found = dickey_fuller(series, terms, lag, criterion)
    assert (found.lag, found.observations) == (expected[2], expected[3])
    assert found.statistic == pytest.approx(expected[0], rel=1e-8, abs=1e-8)
    assert found.p_value == pytest.approx(expected[1], rel=1e-7, abs=1e-12)
    assert dict(found.critical_values) == pytest.approx(expected[4], rel=1e-10)


@pytest.mark.parametrize("terms", ["n", "c", "ct"])
def test_it_repeats_adfuller_on_recorded_closes(daily_logs, terms: str) -> None:
    for leg in daily_logs("ETH", "BTC"):
        expected = _adfuller(leg, regression=terms, maxlag=None, autolag="AIC")
        found = dickey_fuller(leg, terms)
        assert found.lag == expected[2]
        assert found.statistic == pytest.approx(expected[0], rel=1e-8, abs=1e-8)


def test_it_repeats_coint_on_recorded_closes(daily_logs) -> None:
    for y, x in (daily_logs("WBTC", "BTC"), daily_logs("ETH", "BTC")):
        expected = coint(y, x, trend="c", autolag="aic")
        found = residual_fit(y, x)
        assert found.statistic == pytest.approx(expected[0], rel=1e-8)
        assert found.p_value == pytest.approx(expected[1], rel=1e-7)
        assert list(found.critical_values.values()) == pytest.approx(list(expected[2]), rel=1e-10)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(30, 400), st.sampled_from(["AIC", "BIC", 2]))
def test_residual_fits_repeat_coint(seed: int, n: int, choice: str | int) -> None:
    y, x = np.random.default_rng(seed).normal(size=(2, n)).cumsum(axis=1)
    lag, criterion = (choice, None) if isinstance(choice, int) else (None, choice)
    expected = coint(y, x, trend="c", maxlag=lag, autolag=criterion)
    found = residual_fit(y, x, lag, criterion)
    assert found.statistic == pytest.approx(expected[0], rel=1e-8, abs=1e-8)


def test_the_gram_and_the_column_factor_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("noise", "walk", "AR", "drift"):
        series = _series(1, 3_000, kind)
        for terms in ("n", "c", "ct"):
            quick = dickey_fuller(series, terms)
            with monkeypatch.context() as patch:
                patch.setattr(lags, "_gram_factor", lambda *_: None)
                slow = dickey_fuller(series, terms)
            assert quick.lag == slow.lag
            assert quick.statistic == pytest.approx(slow.statistic, rel=1e-9, abs=1e-10)


def test_nearly_dependent_columns_fall_back_and_stay_right() -> None:
    rng = np.random.default_rng(4)
    smooth = rng.normal(size=800).cumsum().cumsum().cumsum()
    assert lags._gram_factor(smooth, 10, "c") is None
    expected = _adfuller(smooth, regression="c", maxlag=10, autolag=None)
    assert dickey_fuller(smooth, "c", 10).statistic == pytest.approx(expected[0], rel=1e-5)


@pytest.mark.parametrize("factor", [1e-3, 1e3, 12_345.678])
def test_scaling_the_prices_leaves_statistic_and_p_unchanged(walk_pair, factor: float) -> None:
    y, x = walk_pair
    for base, scaled in (
        (dickey_fuller(y), dickey_fuller(factor * y)),
        (residual_fit(y, x), residual_fit(factor * y, x)),
        (residual_fit(y, x), residual_fit(factor * y, factor * x)),
    ):
        assert scaled.lag == base.lag
        assert scaled.statistic == pytest.approx(base.statistic, rel=1e-8)
        assert scaled.p_value == pytest.approx(base.p_value, rel=1e-7)


def test_what_has_no_statistic_says_why_and_neither_warns_nor_fails() -> None:
    ramp, noise = np.arange(100.0), np.random.default_rng(5).normal(size=100).cumsum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for series, lag, words in (
            (np.full(50, 3.0), None, "vary"),
            (noise[:3], None, "too few"),
            (ramp, 2, "dependent"),
            (np.tile([1.0, -1.0], 50), 0, "exactly"),
            (noise, 50, "does not fit"),
            (noise, -1, "does not fit"),
            (np.array([1.0, 2.0, 4.0, 3.0]), 0, ""),
        ):
            found = dickey_fuller(series, "c", lag)
            if words:
                assert words in str(found.flaw)
                assert math.isnan(found.statistic) and math.isnan(found.p_value)
        for y, x, words in (
            (np.full(100, 3.0), noise, "y does not vary"),
            (noise, np.full(100, 3.0), "x does not vary"),
            (2 * noise + 1, noise, "collinear"),
            (noise[:3], ramp[:3], "too few"),
        ):
            assert words in str(residual_fit(y, x).flaw)


@pytest.mark.parametrize("lag", [1, "BIC"])
def test_a_path_of_tests_is_the_test_of_each_window(walk_pair, lag: int | str) -> None:
    y, x = (leg[:700].copy() for leg in walk_pair)
    y[100] = np.nan
    found = rolling_engle_granger(y, x, 200, 50, lag)
    kept = np.delete(np.arange(700), 100)
    for i in (0, len(found.rows) - 1):
        end = int(np.searchsorted(kept, found.rows[i])) + 1
        one = residual_fit(
            y[kept[end - 200 : end]],
            x[kept[end - 200 : end]],
            *((lag, None) if isinstance(lag, int) else (None, lag)),  # type: ignore[arg-type]
        )
        assert (found.statistic[i], found.p_value[i], found.lag[i]) == (one.statistic, one.p_value, one.lag)
    assert found.rows.tolist() == list(range(200, 700, 50))


def test_a_path_of_tests_does_not_depend_on_the_future(walk_pair) -> None:
    y, x = (leg[:600].copy() for leg in walk_pair)
    part = rolling_engle_granger(y[:400], x[:400], 100, 20, 1)
    y[400:], x[400:] = 1e9, np.linspace(1, 2, 200)
    whole = rolling_engle_granger(y, x, 100, 20, 1)
    np.testing.assert_array_equal(whole.p_value[: len(part.rows)], part.p_value)
    np.testing.assert_array_equal(whole.rows[: len(part.rows)], part.rows)
    assert np.isnan(whole.p_value[whole.rows >= 500]).all()  # a constant leg has no test
    assert not whole.p_value.flags.writeable


def test_bad_windows_are_refused_and_short_data_give_nothing(walk_pair) -> None:
    y, x = walk_pair
    assert len(rolling_engle_granger(y[:50], x[:50], 100).rows) == 0
    for window, step in ((10, 1), (100, 0)):
        with pytest.raises(ValueError, match="at least"):
            rolling_engle_granger(y, x, window, step)
