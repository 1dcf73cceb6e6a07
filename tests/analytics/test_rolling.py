import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tools.tools import add_constant

from quantdesk.analytics.rolling import all_equal, rolling_fit, rolling_moments, segments

windows = st.integers(3, 40)
seeds = st.integers(0, 2**32 - 1)


def _walks(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-4, 6)
    return tuple(np.round(scale * (1 + 0.001 * rng.standard_normal(n).cumsum()), 6) for _ in range(2))


@pytest.mark.parametrize("name", ["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4", "Mavro", "Michelso"])
def test_the_certified_mean_and_deviation_come_out_of_the_rolling_code(nist_column, name: str) -> None:
    values, mean, deviation = nist_column(name)
    means, deviations = rolling_moments(values, len(values))
    assert means[0] == pytest.approx(mean, rel=1e-14)
    # NumAcc4's data are not representable: 1e-8 is all that doubles near 1e7 hold of 0.1.
    assert deviations[0] == pytest.approx(deviation, rel=2e-8 if name == "NumAcc4" else 1e-9)


@pytest.mark.parametrize("window", [3, 10, 100, 255])
def test_numacc4_repeats_its_deviation_in_every_window(nist_column, window: int) -> None:
    values = np.tile(nist_column("NumAcc4")[0], 3)
    means, deviations = rolling_moments(values, window)
    exact = pd.Series(values - 1e7).rolling(window)
    assert means == pytest.approx((exact.mean() + 1e7).to_numpy()[window - 1 :], rel=1e-14)
    assert deviations == pytest.approx(exact.std().to_numpy()[window - 1 :], rel=1e-9)


@pytest.mark.parametrize("window", [20, 60, 500])
def test_rolling_lines_agree_with_rolling_ols(walk_pair, window: int) -> None:
    y, x = walk_pair
    fit = rolling_fit(y, x, window)
    oracle = RollingOLS(y - 3_000, add_constant(x - 60_000), window).fit()
    assert fit.beta == pytest.approx(oracle.params[window - 1 :, 1], rel=1e-7)
    assert fit.rss == pytest.approx(oracle.ssr[window - 1 :], rel=1e-7)
    assert fit.correlation**2 == pytest.approx(oracle.rsquared[window - 1 :], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("window", [20, 60, 1_000])
def test_sums_at_price_1e5_are_right_to_a_billionth(window: int) -> None:
    rng = np.random.default_rng(3)
    x = np.round(1e5 + rng.normal(0, 1, 20_000).cumsum(), 1)
    y = np.round(0.05 * x + rng.normal(0, 0.5, 20_000) + 7, 2)
    fit = rolling_fit(y, x, window)
    for row in rng.integers(0, len(fit.beta), 100):
        wide_y, wide_x = y[row : row + window].astype(np.longdouble), x[row : row + window].astype(np.longdouble)
        dy, dx = wide_y - wide_y.mean(), wide_x - wide_x.mean()
        beta = (dx * dy).sum() / (dx * dx).sum()
        assert abs(fit.beta[row] / beta - 1) < 1e-9
        assert abs(fit.rss[row] / ((dy - beta * dx) ** 2).sum() - 1) < 1e-9
        assert abs(fit.sxx[row] / (dx * dx).sum() - 1) < 1e-9


@settings(max_examples=60, deadline=None)
@given(seeds, windows, st.integers(0, 900), st.data())
def test_a_prefix_gives_the_very_same_values(seed: int, window: int, n: int, data: st.DataObject) -> None:
    y, x = _walks(seed, n)
    cut = data.draw(st.integers(0, n))
    whole, part = rolling_fit(y, x, window), rolling_fit(y[:cut], x[:cut], window)
    for name in ("y_mean", "x_mean", "beta", "sxx", "rss"):
        column = getattr(part, name)
        np.testing.assert_array_equal(getattr(whole, name)[: len(column)], column)
    for long, short in zip(rolling_moments(y, window), rolling_moments(y[:cut], window), strict=True):
        np.testing.assert_array_equal(long[: len(short)], short)


@settings(max_examples=60, deadline=None)
@given(seeds, windows, st.sampled_from([1e9, -1e9, 1e300, 0.0]), st.integers(0, 899))
def test_one_bad_tick_leaves_no_trace_after_it_left_the_window(seed: int, window: int, bad: float, row: int) -> None:
    y, x = _walks(seed, 900)
    hit = y.copy()
    hit[row] = bad
    clean, dirty = rolling_fit(y, x, window), rolling_fit(hit, x, window)
    after = slice(row + 1, None)  # element i covers rows i .. i + w - 1
    # Either way of summing carries a few 1e-12 of sums that nearly cancel: the scale is sigma's.
    scale = np.sqrt(clean.rss[after] / clean.sxx[after])
    np.testing.assert_array_less(np.abs(dirty.beta[after] - clean.beta[after]), 1e-8 * scale + 1e-300)
    np.testing.assert_allclose(dirty.rss[after], clean.rss[after], rtol=1e-8)
    np.testing.assert_allclose(rolling_moments(hit, window)[1][after], rolling_moments(y, window)[1][after], rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(seeds, windows, st.integers(0, 300), st.integers(1, 120), st.booleans())
def test_a_leg_that_does_not_vary_has_no_value(seed: int, window: int, start: int, length: int, flat_y: bool) -> None:
    y, x = _walks(seed, 400)
    leg = y if flat_y else x
    leg[start : start + length] = leg[start]
    flat = all_equal(leg, window)
    assert flat.tolist() == [len(set(leg[i : i + window].tolist())) == 1 for i in range(len(leg) - window + 1)]
    fit = rolling_fit(y, x, window)
    for column in (fit.beta, fit.rss, fit.sxx, fit.correlation):
        assert np.isnan(column[flat]).all()
        assert not np.isinf(column).any()
    assert np.isnan(rolling_moments(leg, window)[1][flat]).all()


def test_points_on_a_line_have_no_residual() -> None:
    x = np.round(np.random.default_rng(1).normal(50_000, 100, 2_000), 2)
    fit = rolling_fit(3.5 * x + 11.7, x, 60)
    assert (fit.rss == 0).all()
    assert fit.beta == pytest.approx(3.5, rel=1e-12)
    assert fit.correlation == pytest.approx(1.0)


def test_fewer_rows_than_the_window_give_nothing() -> None:
    assert len(rolling_fit(np.zeros(4), np.zeros(4), 5).beta) == 0
    assert len(rolling_moments(np.zeros(4), 5)[0]) == 0


def test_a_random_walk_shows_the_known_base_rate() -> None:
    walk = np.random.default_rng(21).standard_normal(300_000).cumsum()
    means, deviations = rolling_moments(walk, 60)
    rate = float((np.abs((walk[59:] - means) / deviations) >= 2).mean())
    assert rate == pytest.approx(0.137, abs=0.005)


def test_norris_comes_out_of_the_rolling_code_to_the_certified_digits(nist_line) -> None:
    y, x = nist_line("Norris")
    fit = rolling_fit(y, x, len(y))
    assert fit.beta[0] == pytest.approx(1.00211681802045, rel=1e-13)
    assert fit.alpha[0] == pytest.approx(-0.262323073774029, rel=1e-12)
    assert np.sqrt(fit.rss[0] / (len(y) - 2)) == pytest.approx(0.884796396144373, rel=1e-12)


def test_a_segment_of_the_outputs_is_that_part_of_the_whole() -> None:
    y, x = _walks(4, 200_000)
    whole = rolling_fit(y, x, 30)
    parts = list(segments(len(whole.beta), 30))
    assert len(parts) > 1
    for part in parts:
        rows = slice(part.start, part.stop + 29)
        np.testing.assert_array_equal(rolling_fit(y[rows], x[rows], 30).rss, whole.rss[part])
