import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.online import ExponentialMoments, Fit, OnlineFit, OnlineMoments
from quantdesk.analytics.rolling import ROUNDING, rolling_fit, rolling_moments
from quantdesk.analytics.spread import walk_forward_z

seeds = st.integers(0, 2**32 - 1)
windows = st.integers(3, 40)
NAMES = ("y_mean", "x_mean", "beta", "sxx", "rss", "correlation")


def _live(y: np.ndarray, x: np.ndarray, window: int) -> np.ndarray:
    """Return (n, 8): the fit after each bar."""
    online = OnlineFit(window)
    return np.array([online.append(*bar) for bar in zip(y.tolist(), x.tolist(), strict=True)]).reshape(-1, 8)


def _agree(y: np.ndarray, x: np.ndarray, window: int, tolerance: float = 1e-9) -> None:
    """Compare the live with the batch form, each number on its own scale."""
    live, batch = _live(y, x, window), rolling_fit(y, x, window)
    assert np.isnan(live[: window - 1]).all()
    live = live[window - 1 :]
    for name in NAMES:
        found, expected = live[:, Fit._fields.index(name)], getattr(batch, name)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg=name)
        scale = np.abs(expected)
        if name == "beta":
            # A slope near zero is a difference of what its standard error is made of.
            scale = np.maximum(scale, np.sqrt(batch.rss / batch.sxx))
        if name == "rss":
            # Beside a bad tick the other residuals keep no more digits than the tick's rounding leaves them.
            rounding = ROUNDING * (np.abs(batch.y_mean) + np.abs(batch.beta * batch.x_mean))
            scale = scale + rounding * np.sqrt(window * scale) / tolerance
        if name == "correlation":
            scale = np.ones_like(expected)
        good = np.isfinite(batch.beta)
        assert (np.abs(found - expected)[good] <= tolerance * scale[good]).all(), name


def _walks(seed: int, n: int, price: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = price * (1 + 1e-4 * rng.standard_normal(n).cumsum())
    return 0.05 * x + 1e-5 * price * rng.standard_normal(n) + 0.01 * price, x


@settings(max_examples=80, deadline=None)
@given(seeds, windows, st.sampled_from([1e5, 1.0, 1e-5]), st.data())
def test_live_and_batch_agree(seed: int, window: int, price: float, data: st.DataObject) -> None:
    y, x = _walks(seed, 400, price)
    for leg in (y, x):
        start, length = data.draw(st.integers(0, 399)), data.draw(st.integers(0, 90))
        leg[start : start + length] = leg[start]
    if data.draw(st.booleans()):
        y[data.draw(st.integers(0, 399))] = data.draw(st.sampled_from([1e9, -1e9, 0.0]))
    if data.draw(st.booleans()):
        x[data.draw(st.integers(0, 399))] = data.draw(st.sampled_from([1e9, -1e9, 0.0]))
    _agree(y, x, window)


@pytest.mark.parametrize("price", [1e5, 1e-5])
@pytest.mark.parametrize("window", [20, 500])
def test_they_agree_on_a_long_walk(price: float, window: int) -> None:
    y, x = _walks(3, 20_000, price)
    y[7_000] = 1e9
    x[11_000:12_000] = x[11_000]
    _agree(y, x, window)


def test_live_fits_at_price_1e5_are_right_to_a_billionth() -> None:
    y, x = _walks(5, 5_000, 1e5)
    live = _live(y, x, 100)
    for row in range(99, 5_000, 97):
        wide_y, wide_x = (leg[row - 99 : row + 1].astype(np.longdouble) for leg in (y, x))
        dy, dx = wide_y - wide_y.mean(), wide_x - wide_x.mean()
        beta = (dx * dy).sum() / (dx * dx).sum()
        fit = Fit(*live[row])
        assert abs(fit.beta / beta - 1) < 1e-9
        assert abs(fit.rss / ((dy - beta * dx) ** 2).sum() - 1) < 1e-9
        assert fit.alpha == pytest.approx(float(wide_y.mean() - beta * wide_x.mean()), rel=1e-9)
        assert fit.sigma == pytest.approx(np.sqrt(fit.rss / 98), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(seeds, windows, st.sampled_from([1e9, -1e9, 1e300, 0.0]), st.integers(0, 299), st.booleans())
def test_one_bad_tick_leaves_no_trace_after_it_left(seed: int, window: int, bad: float, row: int, in_y: bool) -> None:
    y, x = _walks(seed, 300, 100.0)
    clean = _live(y, x, window)[row + window :]
    (y if in_y else x)[row] = bad
    dirty = _live(y, x, window)[row + window :]
    scale = np.sqrt(clean[:, 5] / clean[:, 4])
    assert (np.abs(dirty[:, 2] - clean[:, 2]) <= 1e-8 * scale).all()
    np.testing.assert_allclose(dirty[:, 5], clean[:, 5], rtol=1e-8)


def test_a_missing_bar_is_in_no_window(walk_pair) -> None:
    y, x = (leg[:300].copy() for leg in walk_pair)
    holes = np.array([10, 100, 101])
    kept = np.delete(np.arange(300), holes)
    expected = _live(y[kept], x[kept], 30)
    y[10], x[100], y[101] = np.nan, np.inf, -np.inf
    found = _live(y, x, 30)
    assert np.isnan(found[holes]).all()
    np.testing.assert_array_equal(found[kept], expected)


def test_the_fit_before_a_bar_gives_its_walk_forward_z(walk_pair) -> None:
    y, x = walk_pair
    online, found = OnlineFit(60), []
    for bar in zip(y.tolist(), x.tolist(), strict=True):
        found.append(online.fit.z_of(*bar))
        online.append(*bar)
    np.testing.assert_allclose(found, walk_forward_z(y, x, 60).z, rtol=1e-8, atol=1e-8)


def test_points_on_a_line_and_flat_legs_have_no_deviation() -> None:
    x = np.round(np.random.default_rng(1).normal(50_000, 100, 300), 2)
    fit = Fit(*_live(3.5 * x + 11.7, x, 60)[-1])
    assert (fit.rss, fit.correlation) == (0.0, 1.0)
    assert fit.beta == pytest.approx(3.5, rel=1e-12)
    assert np.isnan([fit.sigma, fit.z_of(1.0, 2.0)]).all()
    flat = Fit(*_live(x, np.full(300, 7.0), 60)[-1])
    assert flat.x_mean == 7.0
    assert np.isnan(flat[2:]).all()


def test_a_bar_costs_the_same_whatever_the_window_even_while_a_leg_stands_still(monkeypatch) -> None:
    counts, sum_anew = [], OnlineFit._sum_anew
    monkeypatch.setattr(OnlineFit, "_sum_anew", lambda self: (counts.append(1), sum_anew(self)))
    y, x = _walks(9, 3_000, 1e5)
    x[1_000:2_500] = x[1_000]
    y[500] = 1e9
    _live(y, x, 100)
    # Every window's length, once when the tick leaves, and seldom where the line turns.
    assert len(counts) < 3_000 / 100 + 30


@pytest.mark.parametrize("name", ["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4", "Mavro", "Michelso"])
def test_the_certified_mean_and_deviation_come_out_of_the_live_code(nist_column, name: str) -> None:
    values, mean, deviation = nist_column(name)
    online = OnlineMoments(len(values))
    for value in values.tolist():
        found = online.append(value)
    assert found[0] == pytest.approx(mean, rel=1e-14)
    assert found[1] == pytest.approx(deviation, rel=2e-8 if name == "NumAcc4" else 1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seeds, st.integers(2, 40), st.sampled_from([1e5, 1e-5]), st.sampled_from([None, 1e9, 1e300]), st.integers(0, 399)
)
def test_live_and_batch_moments_agree(seed: int, window: int, price: float, bad: float | None, row: int) -> None:
    values = _walks(seed, 400, price)[0]
    values[100:180] = values[100]
    if bad is not None:
        values[row] = bad
    online = OnlineMoments(window)
    found = np.array([online.append(value) for value in values.tolist()])[window - 1 :]
    means, deviations = rolling_moments(values, window)
    np.testing.assert_allclose(found[:, 1], deviations, rtol=1e-9)
    varies = np.isfinite(deviations)
    np.testing.assert_allclose(found[varies, 0], means[varies], rtol=1e-9)


@pytest.mark.parametrize("half_life", [0.5, 10.0, 250.0, np.inf])
def test_weighted_moments_are_those_of_pandas(walk_pair, half_life: float) -> None:
    values = walk_pair[0]
    moments = ExponentialMoments(half_life)
    found = np.array([moments.append(value) for value in values.tolist()])
    series = pd.Series(values - values.mean())
    weighted = series.expanding() if half_life == np.inf else series.ewm(halflife=half_life, adjust=True)
    np.testing.assert_allclose(found[:, 0] - values.mean(), weighted.mean(), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found[1:, 1], weighted.std()[1:], rtol=1e-7)


def test_weighted_moments_leave_out_what_is_no_number_and_know_when_nothing_varies() -> None:
    moments = ExponentialMoments(5.0)
    assert np.isnan(moments.append(1.0)[1])
    with_two = moments.append(2.0)
    for value in (np.nan, np.inf, 1e300):
        assert np.isnan(moments.append(value)).all()
    assert moments.count == 2
    assert moments.append(2.0)[0] > with_two[0]
    for _ in range(600):
        last = moments.append(3.0)
    assert last[0] == pytest.approx(3.0)
    assert np.isnan(last[1])


def test_windows_too_short_are_refused() -> None:
    for make in (lambda: OnlineFit(2), lambda: OnlineMoments(1), lambda: ExponentialMoments(0.0)):
        with pytest.raises(ValueError, match=r"at least|positive"):
            make()
