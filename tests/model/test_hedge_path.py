"""Every way to estimate the hedge ratio draws the spread that it should, and knows no later bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.breaks import rolling_beta
from quantdesk.analytics.hedge import ols, ols_through_origin, total_least_squares
from quantdesk.analytics.hedge_bench import FROZEN, MOVING
from quantdesk.analytics.johansen import johansen
from quantdesk.analytics.kalman import kalman_hedge
from quantdesk.config import ConfigError
from quantdesk.model.building import FrameOrder, LegCopy, build
from quantdesk.model.files import FilesModel
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, bars_of, walk

SETTINGS = PairSettings("A", "B", window=20, correlation_window=20, formation_bars=60)
Y, X = walk(500)
TIMES = START + MINUTE * np.arange(500)
STAYS = tuple(m for m in HedgeMethod if not m.moves)
MOVES = tuple(m for m in HedgeMethod if m.moves)


def leg(times: np.ndarray, closes: np.ndarray) -> LegCopy:
    bars = bars_of(times, closes)
    return LegCopy(bars, bars.close, np.empty(0, np.int64))


def frame_of(count: int, chosen: PairSettings, lines: HedgeLines | None = None, **changes: object):
    order = FrameOrder(
        1, 1, Origin.LIVE, int(TIMES[200]), MINUTE, chosen,
        leg(TIMES[:count], Y[:count]), leg(TIMES[:count], X[:count]),
        lines or HedgeLines(), False, 20_000,
    )  # fmt: skip
    return build(replace(order, **changes))


def test_the_methods_are_the_rows_of_the_bench() -> None:
    assert [m.bench_name for m in HedgeMethod] == [*FROZEN, *MOVING]
    assert all(HedgeMethod.of_bench(m.bench_name) is m and m.moves == (m.bench_name in MOVING) for m in HedgeMethod)
    with pytest.raises(ValueError, match="no row"):
        HedgeMethod.of_bench("guess")


def test_a_frozen_ratio_is_the_analytics_own_on_the_formation_window() -> None:
    y, x = Y[140:200], X[140:200]
    wanted = {
        HedgeMethod.OLS: ols(y, x).beta,
        HedgeMethod.ORIGIN: ols_through_origin(y, x).beta,
        HedgeMethod.REVERSE: 1 / ols(x, y).beta,
        HedgeMethod.TLS: total_least_squares(y, x).beta,
        HedgeMethod.JOHANSEN: johansen(y, x).beta,
    }
    for method, beta in wanted.items():
        built = frame_of(300, replace(SETTINGS, hedge=method), frame_of(200, replace(SETTINGS, hedge=method)).lines)
        frame = built.frame
        assert frame.beta == beta and frame.beta_path is None and frame.formation == (TIMES[140], TIMES[199])
        np.testing.assert_array_equal(frame.spread, Y[:300] - beta * X[:300])
        np.testing.assert_array_equal(frame.beta_column(), np.full(300, beta))
    assert len(set(wanted.values())) == len(wanted)


def test_the_line_turned_round_goes_through_the_means() -> None:
    built = frame_of(200, replace(SETTINGS, hedge=HedgeMethod.REVERSE))
    fit = built.frame.fit
    assert fit.alpha == pytest.approx(Y[140:200].mean() - fit.beta * X[140:200].mean())
    assert fit.stderr_beta == pytest.approx(ols(X[140:200], Y[140:200]).stderr_beta * fit.beta**2)


def test_rolling_ols_draws_each_bar_with_the_line_of_the_bars_before_it() -> None:
    frame = frame_of(300, replace(SETTINGS, hedge=HedgeMethod.ROLLING)).frame
    path = rolling_beta(Y[:300], X[:300], 60).beta
    np.testing.assert_array_equal(frame.beta_column()[1:], path[:-1])
    assert np.isnan(frame.beta_column()[:60]).all() and frame.beta == path[-1]
    np.testing.assert_array_equal(frame.spread, Y[:300] - frame.beta_column() * X[:300])
    assert np.all(np.isfinite(frame.spread_upper[60:])) and frame.refits == ()


def test_a_kalman_filter_starts_on_the_earliest_bars_and_goes_on_where_it_stopped() -> None:
    chosen = replace(SETTINGS, hedge=HedgeMethod.KALMAN)
    wanted = kalman_hedge(Y[:400], X[:400], 60)
    at_once = frame_of(400, chosen)
    np.testing.assert_array_equal(at_once.frame.beta_column()[61:], wanted.beta[60:-1])
    assert at_once.frame.beta == wanted.beta[-1] and at_once.frame.formation == (TIMES[0], TIMES[59])
    assert np.isnan(at_once.frame.spread[:60]).all() and np.isfinite(at_once.frame.spread[60:]).all()
    built = frame_of(260, chosen)
    for count in (261, 300, 300, 400):
        built = frame_of(count, chosen, built.lines)
    np.testing.assert_array_equal(built.frame.spread, at_once.frame.spread)


def test_a_stated_delta_moves_the_filter_as_it_says() -> None:
    chosen = replace(SETTINGS, hedge=HedgeMethod.KALMAN, kalman_delta=1e-3)
    line = frame_of(300, chosen)
    wanted = kalman_hedge(Y[:300], X[:300], 60, delta=1e-3)
    np.testing.assert_array_equal(line.frame.beta_column()[61:], wanted.beta[60:-1])
    assert line.lines.path.live.drift == pytest.approx(1e-3 / (1 - 1e-3))
    other = frame_of(300, replace(chosen, kalman_delta=0.0)).frame
    assert not np.array_equal(other.beta_column()[61:], line.frame.beta_column()[61:])
    assert replace(chosen, hedge=HedgeMethod.OLS).stated_delta is None
    for wrong in (-1e-4, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="above 0 and below 1"):
            replace(chosen, kalman_delta=wrong)


def test_a_kalman_filter_outlives_the_bars_that_it_was_set_up_on() -> None:
    chosen = replace(SETTINGS, hedge=HedgeMethod.KALMAN)
    whole = frame_of(500, chosen).frame
    lines = frame_of(300, chosen).lines
    rows = slice(200, 500)
    newest = {"y": leg(TIMES[rows], Y[rows]), "x": leg(TIMES[rows], X[rows])}
    short = frame_of(500, chosen, lines, **newest, most_rows=300)
    np.testing.assert_array_equal(short.frame.spread, whole.spread[200:])
    assert len(short.lines.path.times) == 301


def test_a_bar_that_comes_late_does_not_change_the_filter() -> None:
    chosen, keep = replace(SETTINGS, hedge=HedgeMethod.KALMAN), np.arange(300) != 250
    holed = frame_of(300, chosen, y=leg(TIMES[:300][keep], Y[:300][keep]))
    filled = frame_of(300, chosen, holed.lines).frame
    np.testing.assert_array_equal(filled.spread[keep], holed.frame.spread[keep])
    assert filled.spread[250] == Y[250] - holed.frame.beta_column()[250] * X[250]


@settings(max_examples=20)
@given(st.sampled_from(list(HedgeMethod)), st.integers(201, 400), st.integers(1, 99), st.booleans(), st.booleans())
def test_nothing_at_a_bar_depends_on_a_later_bar_by_any_method(method, count, more, log, dated) -> None:
    chosen = replace(SETTINGS, hedge=method, log=log, formation_end=int(TIMES[150]) if dated else 0)
    settled = frame_of(200, chosen).lines
    short = frame_of(count, chosen, settled).frame
    whole = frame_of(count + more, chosen, settled).frame
    for name in ("spread", "spread_upper", "spread_lower"):
        np.testing.assert_array_equal(getattr(short, name), getattr(whole, name)[:count], name)
    np.testing.assert_array_equal(short.beta_column(), whole.beta_column()[:count])


@pytest.mark.parametrize("origin", [Origin.LIVE, Origin.FILE])
def test_a_ratio_frozen_at_a_date_is_fitted_on_the_bars_that_closed_by_it(origin: Origin) -> None:
    chosen = replace(SETTINGS, formation_end=int(TIMES[120]))
    built = frame_of(300, chosen, origin=origin)
    assert built.frame.formation == (TIMES[60], TIMES[119]) and built.frame.formation_settled
    assert built.frame.beta == ols(Y[60:120], X[60:120]).beta
    later = frame_of(400, chosen, built.lines, origin=origin).frame
    assert later.beta == built.frame.beta


def test_a_date_before_the_bars_is_said_in_words_and_draws_nothing() -> None:
    frame = frame_of(300, replace(SETTINGS, formation_end=int(TIMES[10]))).frame
    assert np.isnan(frame.spread).all() and np.isnan(frame.beta)
    assert frame.hedge_reason.startswith("10 bars of both legs closed by 2024-07-03")
    assert frame.hedge_reason.endswith("a hedge ratio needs 20")


def test_history_behind_a_dated_window_that_is_too_short_makes_it_whole() -> None:
    chosen, rows = replace(SETTINGS, formation_end=int(TIMES[120])), slice(90, 300)
    short = frame_of(300, chosen, y=leg(TIMES[rows], Y[rows]), x=leg(TIMES[rows], X[rows]))
    assert short.frame.formation == (TIMES[90], TIMES[119]) and not short.frame.formation_settled
    assert frame_of(300, chosen, short.lines).frame.formation == (TIMES[60], TIMES[119])
    gone = frame_of(300, chosen, short.lines, y=leg(TIMES[95:300], Y[95:300]), x=leg(TIMES[95:300], X[95:300]))
    assert gone.frame.beta == short.frame.beta and gone.frame.formation_settled


@pytest.mark.parametrize("method", [HedgeMethod.TLS, HedgeMethod.JOHANSEN])
def test_refits_and_their_schedule_use_the_method(method: HedgeMethod) -> None:
    chosen = replace(SETTINGS, hedge=method, refit_every=50)
    settled = frame_of(200, chosen).lines
    scheduled = frame_of(310, chosen, settled)
    assert [r.time for r in scheduled.frame.refits] == [TIMES[250], TIMES[300]]
    asked = frame_of(320, chosen, scheduled.lines, refit_now=True).frame
    assert asked.refits[-1].n == 60 and asked.beta == frame_of(320, chosen).frame.beta


@pytest.mark.parametrize("method", MOVES)
def test_a_ratio_that_moves_is_not_refitted(method: HedgeMethod) -> None:
    chosen = replace(SETTINGS, hedge=method, refit_every=50)
    asked = frame_of(320, chosen, frame_of(200, chosen).lines, refit_now=True).frame
    assert asked.refits == () and asked.beta_path is not None


@pytest.mark.parametrize("method", list(HedgeMethod))
def test_a_leg_that_stands_still_is_said_in_words(method: HedgeMethod) -> None:
    flat = leg(TIMES[:300], np.full(300, 50.0))
    frame = frame_of(300, replace(SETTINGS, hedge=method), x=flat).frame
    if method is not HedgeMethod.ORIGIN:  # through the origin a level alone makes a ratio
        assert frame.hedge_reason and np.isnan(frame.spread).all()


@pytest.mark.parametrize("method", list(HedgeMethod))
@pytest.mark.parametrize("count", [0, 1, 3, 39, 41])
def test_short_files_fail_nowhere(method: HedgeMethod, count: int) -> None:
    frame = frame_of(count, replace(SETTINGS, hedge=method), origin=Origin.FILE).frame
    assert len(frame.spread) == count and len(frame.beta_column()) == count


def test_a_filter_needs_a_longer_window_and_a_method_must_exist() -> None:
    assert PairSettings(hedge="kalman").hedge is HedgeMethod.KALMAN
    with pytest.raises(ConfigError, match="at least 40 bars"):
        PairSettings(hedge=HedgeMethod.KALMAN, formation_bars=39)
    with pytest.raises(ConfigError, match="no way to estimate"):
        PairSettings(hedge="guess")
    with pytest.raises(ConfigError, match="1970 to 2099"):
        PairSettings(formation_end=-1)


def test_a_date_does_not_follow_to_the_bars_of_other_legs(qapp) -> None:
    dated = replace(SETTINGS, formation_end=int(TIMES[120]), hedge=HedgeMethod.TLS)
    shown = FilesModel().settings(dated)
    assert (shown.formation_end, shown.hedge) == (0, HedgeMethod.TLS)
    assert FilesModel().settings(replace(dated, y="", x="")).formation_end == dated.formation_end
