from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.held_z import forming, held_z
from quantdesk.analytics.online import ExponentialMoments
from quantdesk.analytics.spread import regression_z
from quantdesk.analytics.zscore import FEWEST, ZKind, z_series

HELD = (ZKind.ROLLING, ZKind.EXPANDING, ZKind.EWM)


def legs(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = 3_000 + random.normal(0, 2, n).cumsum()
    return 60_000 + 18.5 * (x - 3_000) + random.normal(0, 12, n).cumsum() * 0.2 + random.normal(0, 5, n), x


def by_hand(kind: ZKind, spread: np.ndarray, window: int) -> float:
    """Return the z of the last value of a spread, by the plain definition."""
    if kind is ZKind.EWM:
        moments = ExponentialMoments(window)
        mean, sigma = [moments.append(value) for value in spread.tolist()][-1]
    else:
        part = spread[-window:] if kind is ZKind.ROLLING else spread
        mean, sigma = part.mean(), part.std(ddof=1)
    return float((spread[-1] - mean) / sigma)


@pytest.mark.parametrize("kind", HELD)
@given(st.integers(0, 400), st.integers(20, 60), st.integers(0, 50), st.floats(-30, 30))
@settings(max_examples=25, deadline=None)
def test_with_one_ratio_it_is_the_z_of_that_ratio(kind, n, window, seed, beta):
    y, x = legs(n, seed)
    z, _ = held_z(kind, y, x, np.full(n, beta), window)
    wanted = z_series(kind, y, x, window, beta=beta)
    np.testing.assert_allclose(z, wanted.z, rtol=1e-7, atol=1e-8)
    assert not z.flags.writeable


@pytest.mark.parametrize("kind", HELD)
def test_a_ratio_that_moves_is_held_over_the_window_of_each_bar(kind):
    y, x = legs(300)
    beta = 18.5 + np.random.default_rng(2).normal(0, 0.2, 300).cumsum() * 0.1
    beta[200:] += 3.0
    z, _ = held_z(kind, y, x, beta, 30)
    for row in (40, 120, 199, 200, 201, 299):
        held = y[: row + 1] - beta[row] * x[: row + 1]
        assert z[row] == pytest.approx(by_hand(kind, held, 30), rel=1e-7), row
    drawn = z_series(kind, y, x, 30, beta=beta).z
    assert abs(drawn[200]) > 4 > abs(z[200]), "the jump of the ratio is no move of the spread"


@pytest.mark.parametrize("kind", HELD)
@given(st.integers(60, 200), st.integers(1, 100))
@settings(max_examples=20, deadline=None)
def test_nothing_depends_on_a_later_bar(kind, count, more):
    y, x = legs(count + more)
    beta = np.where(np.arange(count + more) < 100, 18.0, 19.0)
    beta[:30] = np.nan
    short, _ = held_z(kind, y[:count], x[:count], beta[:count], 25)
    whole, _ = held_z(kind, y, x, beta, 25)
    np.testing.assert_allclose(short, whole[:count], rtol=1e-9)


@pytest.mark.parametrize("kind", [*HELD, ZKind.REGRESSION])
@given(st.integers(0, 120))
@settings(max_examples=30, deadline=None)
def test_the_forming_bar_is_judged_as_it_will_be_once_it_is_over(kind, n):
    y, x = legs(n + 1)
    beta = np.full(n + 1, 18.5)
    judge = forming(kind, y[:n], x[:n], beta[:n], 20) if n else forming(kind, y[:0], x[:0], beta[:0], 20)
    found = judge.z_of(float(y[n]), float(x[n]), 18.5)
    whole = regression_z(y, x, 20).z if kind is ZKind.REGRESSION else z_series(kind, y, x, 20, beta=18.5).z
    np.testing.assert_allclose(found, whole[n], rtol=1e-6, atol=1e-8)


def test_the_state_of_the_series_serves_the_forming_bar():
    y, x = legs(200)
    beta = np.full(200, 18.0)
    _, state = held_z(ZKind.EWM, y, x, beta, 30)
    found, wanted = (forming(ZKind.EWM, y, x, beta, 30, known).moments for known in (state, None))
    assert found == wanted


def test_a_full_sample_has_no_value_for_a_bar_that_is_not_over():
    y, x = legs(100)
    assert np.isnan(forming(ZKind.FULL_SAMPLE, y, x, np.full(100, 18.0), 20).z_of(60_000.0, 3_000.0, 18.0))


@pytest.mark.parametrize("kind", HELD)
def test_a_leg_that_stands_still_leaves_the_other_and_two_leave_nothing(kind):
    y, x = legs(100)
    still = np.full(100, 3_000.0)
    beta = np.full(100, 2.0)
    np.testing.assert_allclose(held_z(kind, y, still, beta, 25)[0], z_series(kind, y, still, 25, beta=2.0).z, rtol=1e-7)
    np.testing.assert_allclose(held_z(kind, still, x, beta, 25)[0], z_series(kind, still, x, 25, beta=2.0).z, rtol=1e-7)
    assert np.isnan(held_z(kind, still, still, beta, 25)[0]).all()


def test_what_makes_no_sense_is_refused_in_words():
    y, x = legs(50)
    beta = np.full(50, 1.0)
    with pytest.raises(ValueError, match="takes no hedge ratio"):
        held_z(ZKind.WALK_FORWARD, y, x, beta, 25)
    with pytest.raises(ValueError, match="of one length"):
        held_z(ZKind.ROLLING, y, x, beta[1:], 25)
    with pytest.raises(ValueError, match=f"at least {FEWEST}"):
        held_z(ZKind.ROLLING, y, x, beta, 19)


def test_a_tick_that_left_does_not_show_where_a_leg_stands_still():
    y, x = legs(300)
    x[100:] = x[100]
    clean = held_z(ZKind.ROLLING, y, x, np.full(300, 2.0), 25)[0][126:]
    y[50] = 1e12
    np.testing.assert_allclose(held_z(ZKind.ROLLING, y, x, np.full(300, 2.0), 25)[0][126:], clean, rtol=1e-7)
