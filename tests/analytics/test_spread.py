import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.spread import spread_of, walk_forward_z

NAMES = ("z", "alpha", "beta", "sigma")


def _z_of_row(y: np.ndarray, x: np.ndarray, row: int, window: int) -> tuple[float, float, float, float]:
    past_y, past_x = y[row - window : row], x[row - window : row]
    beta, alpha = np.polyfit(past_x - past_x.mean(), past_y, 1)
    alpha -= beta * past_x.mean()
    residual = past_y - alpha - beta * past_x
    sigma = np.sqrt((residual**2).sum() / (window - 2))
    return (y[row] - alpha - beta * x[row]) / sigma, alpha, beta, sigma


@pytest.mark.parametrize("window", [20, 60, 400])
def test_z_is_the_regression_of_the_bars_before(walk_pair, window: int) -> None:
    y, x = walk_pair
    series = walk_forward_z(y, x, window)
    assert np.isnan(series.z[:window]).all()
    assert np.isfinite(series.z[window:]).all()
    for row in (window, window + 1, 1_500, 2_999):
        found = [getattr(series, name)[row] for name in NAMES]
        assert found == pytest.approx(_z_of_row(y, x, row, window), rel=1e-6)


def test_the_next_line_judges_the_live_bar(walk_pair) -> None:
    y, x = walk_pair
    part, whole = walk_forward_z(y[:-1], x[:-1], 60), walk_forward_z(y, x, 60)
    assert part.next_alpha == whole.alpha[-1]
    assert part.next_beta == whole.beta[-1]
    assert part.next_sigma == whole.sigma[-1]
    assert part.z_of(y[-1], x[-1]) == pytest.approx(whole.z[-1], rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.integers(1, 600), st.data())
def test_nothing_depends_on_the_future(seed: int, window: int, n: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.round(100 + rng.standard_normal((2, n)).cumsum(axis=1), 2)
    y[rng.random(n) < 0.05] = np.nan
    cut = data.draw(st.integers(0, n))
    whole, part = walk_forward_z(y, x, window), walk_forward_z(y[:cut], x[:cut], window)
    y[cut:] = data.draw(st.sampled_from([np.nan, 0.0, 1e9, np.inf]))
    x[cut:] *= 3
    changed = walk_forward_z(y, x, window)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(whole, name)[:cut], getattr(part, name))
        np.testing.assert_array_equal(getattr(changed, name)[:cut], getattr(part, name))


@pytest.mark.parametrize("factor", [1e-3, 1_000.0, 12_345.678])
def test_scaling_the_prices_leaves_z_unchanged(walk_pair, factor: float) -> None:
    y, x = walk_pair
    expected = walk_forward_z(y, x, 60).z
    np.testing.assert_allclose(walk_forward_z(factor * y, factor * x, 60).z, expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(walk_forward_z(y, factor * x, 60).z, expected, rtol=1e-8, atol=1e-8)


def test_a_missing_bar_is_left_out_jointly(walk_pair) -> None:
    y, x = walk_pair
    holes = np.array([70, 71, 500])
    kept = np.setdiff1d(np.arange(len(y)), holes)
    holed_y, holed_x = y.copy(), x.copy()
    holed_y[70], holed_x[[71, 500]] = np.nan, np.inf
    series = walk_forward_z(holed_y, holed_x, 60)
    assert np.isnan(series.z[holes]).all()
    np.testing.assert_array_equal(series.z[kept], walk_forward_z(y[kept], x[kept], 60).z)


def test_constant_legs_and_exact_lines_have_no_z(walk_pair) -> None:
    y, x = walk_pair
    for leg_y, leg_x in ((np.full_like(y, 5.0), x), (y, np.full_like(x, 5.0)), (2 * x, x), (x, x), (0.3 * x + 0.1, x)):
        series = walk_forward_z(leg_y, leg_x, 60)
        assert np.isnan(series.z).all()
        assert np.isnan(series.z_of(1.0, 2.0))


def test_results_are_read_only_and_bad_windows_refused(walk_pair) -> None:
    y, x = walk_pair
    with pytest.raises(ValueError, match="read-only"):
        walk_forward_z(y, x, 60).z[0] = 1.0
    with pytest.raises(ValueError, match="window of at least 3"):
        walk_forward_z(y, x, 2)
    with pytest.raises(ValueError, match="one length"):
        walk_forward_z(y, x[1:], 60)


def test_two_independent_walks_show_the_known_base_rate() -> None:
    rng = np.random.default_rng(11)
    y, x = 1_000 + rng.standard_normal((2, 60_000)).cumsum(axis=1)
    rolling = walk_forward_z(y, x, 60).z
    rate = float((np.abs(rolling[60:]) >= 2).mean())
    # Judged by the window before, a walk leaves ±2 more often than its own rolling z does (13.7 %).
    assert 0.15 < rate < 0.35


def test_the_spread_keeps_its_alpha() -> None:
    assert spread_of(np.array([3.0, 5.0]), np.array([1.0, 2.0]), 2.0).tolist() == [1.0, 1.0]
