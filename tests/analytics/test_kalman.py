import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.hedge import ols
from quantdesk.analytics.kalman import kalman_hedge

FORMATION = 400
COLUMNS = ("beta", "lower", "upper", "alpha", "error", "deviation", "signal")


def drifting(seed: int, n: int = 2_000, wander: float = 0.01) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return y, x and the slope that made y, all walks; slope and intercept wander alike in deviations of the legs."""
    rng = np.random.default_rng(seed)
    x = 60_000 + rng.normal(0, 30, n).cumsum()
    middle, unit = x[:FORMATION].mean(), x[:FORMATION].std()
    slope = 20 * (1 + rng.normal(0, wander, n).cumsum())
    intercept = 3_000 + 20 * rng.normal(0, wander, n).cumsum()
    y = slope * (x - middle) / unit + intercept + rng.normal(0, 1, n)
    return y, x, slope / unit


@pytest.mark.parametrize("seed", range(4))
def test_a_wandering_ratio_is_followed_within_its_band(seed: int) -> None:
    y, x, truth = drifting(seed)
    found = kalman_hedge(y, x, FORMATION)
    inside = (truth > found.lower) & (truth < found.upper)
    assert float(inside[FORMATION:].mean()) > 0.85  # ± 2 deviations, given a noise that was estimated
    errors = np.abs(found.beta - truth)[FORMATION:]
    frozen = ols(y[:FORMATION], x[:FORMATION]).beta
    assert errors.mean() < 0.5 * np.abs(frozen - truth)[FORMATION:].mean()
    assert float(np.std(found.signal[FORMATION:])) == pytest.approx(1.0, abs=0.15)
    assert abs(float(np.corrcoef(found.signal[FORMATION:-1], found.signal[FORMATION + 1 :])[0, 1])) < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_finds_the_noise_that_made_the_pair(seed: int) -> None:
    n = 3_000
    rng = np.random.default_rng(seed)
    x = 60_000 + rng.normal(0, 30, n).cumsum()
    unit = (x - x.mean()) / x.std()
    state = np.array([20.0, 3_000.0])[:, None] + 0.2 * rng.normal(size=(2, n)).cumsum(axis=1)
    y = state[0] * unit + state[1] + rng.normal(0, 1, n)
    found = kalman_hedge(y, x, n)
    assert found.noise * y.var() == pytest.approx(1.0, rel=0.15)
    assert found.delta / (1 - found.delta) * y.var() == pytest.approx(0.04, rel=0.35)


def test_a_ratio_that_does_not_wander_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(5)
    x = 60_000 + rng.normal(0, 30, 3_000).cumsum()
    y = 0.05 * x + 40 + rng.normal(0, 2, 3_000)
    found = kalman_hedge(y, x, FORMATION)
    assert found.beta[-1] == pytest.approx(0.05, rel=0.02)
    assert found.alpha[-1] + found.beta[-1] * x.mean() == pytest.approx(0.05 * x.mean() + 40, rel=1e-3)


def test_the_burn_in_is_hidden_and_nothing_depends_on_the_future() -> None:
    y, x, _ = drifting(1)
    whole, part = kalman_hedge(y, x, FORMATION), kalman_hedge(y[:900], x[:900], FORMATION)
    y[900:], x[900:] = 1e9, 7.0
    changed = kalman_hedge(y, x, FORMATION)
    for name in COLUMNS:
        column = getattr(part, name)
        assert np.isnan(column[:FORMATION]).all() and np.isfinite(column[FORMATION:]).all()
        np.testing.assert_array_equal(getattr(whole, name)[:900], column)
        np.testing.assert_array_equal(getattr(changed, name)[:900], column)


def test_the_live_filter_goes_on_as_the_batch_does() -> None:
    y, x, _ = drifting(2)
    whole, part = kalman_hedge(y, x, FORMATION), kalman_hedge(y[:1_000], x[:1_000], FORMATION)
    live = part.live
    assert live is not None
    for row in range(1_000, 1_200):
        assert live.step(y[row], x[row]) == (whole.error[row], whole.deviation[row])
        assert (live.beta, live.alpha) == (whole.beta[row], whole.alpha[row])


def test_the_signal_is_judged_by_the_forecast_of_the_bar_before() -> None:
    y, x, _ = drifting(3)
    base = kalman_hedge(y, x, FORMATION)
    y[700] += 50.0
    moved = kalman_hedge(y, x, FORMATION)
    assert moved.error[700] - base.error[700] == pytest.approx(50.0, rel=1e-9)
    assert moved.deviation[700] == base.deviation[700]
    assert moved.beta[700] != base.beta[700]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([1e-3, 1e3, 777.7]), st.sampled_from([1e-3, 1e3]), st.integers(0, 50))
def test_units_and_levels_change_nothing_but_the_unit(scale_y: float, scale_x: float, seed: int) -> None:
    y, x, _ = drifting(seed, 700)
    base, scaled = kalman_hedge(y, x, FORMATION), kalman_hedge(scale_y * y, scale_x * (x + 500), FORMATION)
    np.testing.assert_allclose(scaled.signal, base.signal, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(scaled.beta * scale_x / scale_y, base.beta, rtol=1e-6)


def test_missing_bars_are_in_no_window() -> None:
    y, x, _ = drifting(4, 800)
    holed = y.copy()
    holes = np.array([5, 450, 451])
    holed[holes] = np.nan
    kept = np.delete(np.arange(800), holes)
    found, dense = kalman_hedge(holed, x, FORMATION), kalman_hedge(y[kept], x[kept], FORMATION)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name)[kept], getattr(dense, name))
        assert np.isnan(getattr(found, name)[holes]).all()


def test_stated_noise_is_used_as_stated() -> None:
    y, x, _ = drifting(6, 800)
    stated = kalman_hedge(y, x, FORMATION, delta=1e-4, noise=1e-3)
    assert (stated.delta, stated.noise) == pytest.approx((1e-4, 1e-3), rel=1e-12)
    free = kalman_hedge(y, x, FORMATION)
    for half in (kalman_hedge(y, x, FORMATION, delta=1e-4), kalman_hedge(y, x, FORMATION, noise=free.noise)):
        assert half.log_likelihood > stated.log_likelihood
        assert free.log_likelihood > half.log_likelihood - 0.01


def test_what_cannot_be_filtered_says_why() -> None:
    y, x, _ = drifting(7, 800)
    for legs, words in (
        ((np.full(800, 3.0), x), "y does not vary"),
        ((y, np.full(800, 3.0)), "x does not vary"),
        ((2 * x + 1, x), "line"),
        ((y[:100], x[:100]), "fewer"),
    ):
        found = kalman_hedge(*legs, FORMATION)
        assert words in str(found.reason)
        assert found.live is None
        assert np.isnan(found.beta).all() and len(found.beta) == len(legs[0])
    with pytest.raises(ValueError, match="formation"):
        kalman_hedge(y, x, 10)
    with pytest.raises(ValueError, match="delta"):
        kalman_hedge(y, x, FORMATION, delta=1.0)
    with pytest.raises(ValueError, match="positive"):
        kalman_hedge(y, x, FORMATION, noise=0.0)
