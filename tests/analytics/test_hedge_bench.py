import numpy as np
import pytest

from quantdesk.analytics.dickey_fuller import dickey_fuller, residual_fit
from quantdesk.analytics.hedge import ols, total_least_squares
from quantdesk.analytics.hedge_bench import FROZEN, MOVING, BenchRow, hedge_bench
from quantdesk.analytics.johansen import johansen
from quantdesk.analytics.kalman import kalman_hedge
from quantdesk.analytics.stationarity import half_life

FORMATION = 500


def _by_name(rows: tuple[BenchRow, ...]) -> dict[str, BenchRow]:
    return {row.method: row for row in rows}


def _wandering(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a pair whose hedge ratio wanders away from that of its first rows."""
    rng = np.random.default_rng(seed)
    x = 60_000 + rng.normal(0, 30, 3_000).cumsum()
    slope = 0.05 * (1 + rng.normal(0, 0.01, 3_000).cumsum())
    return 3_000 + slope * (x - 60_000) + rng.normal(0, 1, 3_000), x


def test_each_method_is_fitted_on_the_formation_alone(walk_pair) -> None:
    y, x = walk_pair
    rows = _by_name(hedge_bench(y, x, FORMATION))
    assert tuple(rows) == FROZEN + MOVING
    head_y, head_x = y[:FORMATION], x[:FORMATION]
    assert rows["OLS"].beta == ols(head_y, head_x).beta
    assert rows["OLS, x on y"].beta == pytest.approx(1 / ols(head_x, head_y).beta, rel=1e-12)
    assert rows["TLS"].beta == total_least_squares(head_y, head_x).beta
    assert rows["Johansen"].beta == johansen(head_y, head_x).beta
    assert rows["rolling OLS"].beta == pytest.approx(ols(head_y, head_x).beta, rel=1e-9)
    np.testing.assert_array_equal(rows["Kalman"].path, kalman_hedge(y, x, FORMATION).beta)
    for name in FROZEN:
        assert np.isnan(rows[name].path[: FORMATION - 1]).all()
        assert set(rows[name].path[FORMATION - 1 :]) == {rows[name].beta}
        assert rows[name].turnover == 0.0


def test_the_judgement_is_that_of_the_rows_after(walk_pair) -> None:
    y, x = walk_pair
    row = _by_name(hedge_bench(y, x, FORMATION))["OLS"]
    after_y, after_x = y[FORMATION - 1 :], x[FORMATION - 1 :]
    spread = after_y - row.beta * after_x
    assert row.change_variance == pytest.approx(np.diff(spread).var() / np.diff(after_y).var(), rel=1e-9)
    assert row.spread_variance == pytest.approx(spread[1:].var() / after_y[1:].var(), rel=1e-9)
    assert row.half_life == pytest.approx(half_life(spread), rel=1e-6)
    assert row.given_p == pytest.approx(dickey_fuller(spread, "c", None, "BIC").p_value, rel=1e-6, abs=1e-300)
    assert row.fitted_p == residual_fit(y[:FORMATION], x[:FORMATION], None, "BIC").p_value
    assert "Engle-Granger" in row.fitted_test and "ADF" in row.given_test


def test_a_moving_ratio_earns_on_the_bar_after_the_one_that_it_was_fitted_on(walk_pair) -> None:
    y, x = walk_pair
    row = _by_name(hedge_bench(y, x, FORMATION))["rolling OLS"]
    path, after_y, after_x = (column[FORMATION - 1 :] for column in (row.path, y, x))
    gain = np.diff(after_y) - path[:-1] * np.diff(after_x)
    assert row.change_variance == pytest.approx(gain.var() / np.diff(after_y).var(), rel=1e-12)
    assert row.turnover == pytest.approx((np.abs(np.diff(path)) * after_x[1:] / after_y[1:]).mean(), rel=1e-12)
    inside = (row.path >= row.lower) & (row.path <= row.upper)
    assert inside[FORMATION - 1 :].all()


def test_nothing_before_the_end_of_the_formation_depends_on_what_follows() -> None:
    y, x = _wandering(1)
    part = _by_name(hedge_bench(y[:1_500], x[:1_500], FORMATION))
    y[1_500:], x[1_500:] = 1e6, np.linspace(1, 2, 1_500)
    for row in hedge_bench(y, x, FORMATION):
        assert row.beta == part[row.method].beta
        assert row.fitted_p == part[row.method].fitted_p
        np.testing.assert_array_equal(row.path[:1_500], part[row.method].path)
        np.testing.assert_array_equal(row.lower[:1_500], part[row.method].lower)


@pytest.mark.parametrize("seed", range(3))
def test_a_ratio_that_wanders_is_hedged_best_by_methods_that_follow_it(seed: int) -> None:
    y, x = _wandering(seed)
    rows = _by_name(hedge_bench(y, x, FORMATION))
    assert rows["Kalman"].change_variance < 0.95 * min(rows[name].change_variance for name in FROZEN)
    assert rows["Kalman"].turnover > 0


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_units_change_beta_alone(walk_pair, factor: float) -> None:
    y, x = walk_pair
    scaled = _by_name(hedge_bench(y, factor * x, FORMATION))
    for row in hedge_bench(y, x, FORMATION):
        if row.method == "TLS":
            continue  # it weighs both legs in their own units
        other = scaled[row.method]
        assert other.beta * factor == pytest.approx(row.beta, rel=1e-6)
        for name in ("change_variance", "spread_variance", "half_life", "turnover"):
            assert getattr(other, name) == pytest.approx(getattr(row, name), rel=1e-5)


def test_logs_are_traded_in_dollars_a_dollar(walk_pair) -> None:
    y, x = np.log(walk_pair)
    row = _by_name(hedge_bench(y, x, FORMATION, log=True))["rolling OLS"]
    assert row.turnover == pytest.approx(np.abs(np.diff(row.path[FORMATION - 1 :])).mean(), rel=1e-12)


def test_what_does_not_exist_says_why(walk_pair) -> None:
    y, x = walk_pair
    values = ("beta", "change_variance", "spread_variance", "half_life", "turnover", "fitted_p", "given_p")
    flat = np.full_like(x, 3.0)
    for legs in (
        (y, flat),
        (flat, x),
        (y[:300], x[:300]),
        (y[:505], x[:505]),
        (y[:522], x[:522]),
        (2 * x, x),
        (y[:0], x[:0]),
    ):
        rows = hedge_bench(*legs, FORMATION)
        assert len(rows) == len(FROZEN + MOVING)
        for row in rows:
            for name in values:
                assert (getattr(row, name) is None) == (name in row.reasons), (row.method, name)
                assert row.reasons.get(name) != ""
            assert len(row.path) == len(legs[0])
    assert "no table" in _by_name(hedge_bench(y, x, FORMATION))["TLS"].reasons["fitted_p"]
    with pytest.raises(ValueError, match="formation"):
        hedge_bench(y, x, 10)
