import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.correlation import OnlineCorrelation, logs_of, returns_correlation, rolling_correlation


@pytest.mark.parametrize("window", [3, 20, 300])
def test_it_is_pearson_of_log_returns(walk_pair, window: int) -> None:
    y, x = walk_pair
    returns = pd.DataFrame({"y": y, "x": x}).apply(np.log).diff()
    expected = returns["y"].rolling(window).corr(returns["x"]).to_numpy()
    np.testing.assert_allclose(rolling_correlation(y, x, window), expected, rtol=1e-6, atol=1e-8)
    assert returns_correlation(y, x) == pytest.approx(returns.corr().iloc[0, 1], rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.integers(1, 600), st.data())
def test_nothing_depends_on_the_future(seed: int, window: int, n: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.round(100 * np.exp(0.01 * rng.standard_normal((2, n)).cumsum(axis=1)), 2)
    cut = data.draw(st.integers(0, n))
    whole, part = rolling_correlation(y, x, window), rolling_correlation(y[:cut], x[:cut], window)
    y[cut:] = data.draw(st.sampled_from([np.nan, -1.0, 1e9]))
    np.testing.assert_array_equal(whole[:cut], part)
    np.testing.assert_array_equal(rolling_correlation(y, x, window)[:cut], part)
    assert not (np.abs(whole) > 1).any()


@pytest.mark.parametrize("leg", [np.full(200, 7.0), 100 * 1.001 ** np.arange(200)])
def test_returns_that_do_not_vary_have_no_correlation(leg: np.ndarray) -> None:
    other = 100 + np.random.default_rng(1).random(200)
    for y, x in ((leg, other), (other, leg)):
        assert np.isnan(rolling_correlation(y, x, 30)).all()
        assert returns_correlation(y, x) is None


def test_a_bar_that_one_leg_lacks_is_dropped_not_carried(walk_pair) -> None:
    y, x = walk_pair
    holed = y.copy()
    holed[100] = np.nan
    kept = np.delete(np.arange(len(y)), 100)
    np.testing.assert_array_equal(rolling_correlation(holed, x, 60)[kept], rolling_correlation(y[kept], x[kept], 60))


def test_prices_without_a_logarithm_are_missing() -> None:
    assert np.isnan(logs_of(np.array([0.0, -1.0, np.nan]))).all()
    assert returns_correlation(np.array([1.0, -1.0, 2.0]), np.array([1.0, 2.0, 3.0])) is None


def test_a_window_too_short_is_refused(walk_pair) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        rolling_correlation(*walk_pair, 2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.lists(st.integers(0, 9), max_size=12))
def test_live_and_batch_correlations_agree_over_holes_and_a_leg_that_stands_still(seed, first, pieces):
    rng = np.random.default_rng(seed)
    count = first + sum(pieces)
    x = 1e5 + rng.standard_normal(count).cumsum()
    y = 0.05 * x + 0.1 * rng.standard_normal(count)
    y[count // 2 : count // 2 + 15] = y[:1]
    x[rng.random(count) < 0.05] = np.nan
    y[rng.random(count) < 0.03] = -1.0
    logs = logs_of(y), logs_of(x)
    online, found, start = OnlineCorrelation(10, logs[0][:first], logs[1][:first]), [np.empty(0)], first
    for size in pieces:
        found.append(online.append(logs[0][start : start + size], logs[1][start : start + size]))
        start += size
    wanted = rolling_correlation(y, x, 10)[first:]
    np.testing.assert_allclose(np.concatenate(found), wanted, rtol=0, atol=1e-9)
