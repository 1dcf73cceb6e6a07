from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.spread import walk_forward_z
from quantdesk.bars.arrays import BarArrays
from quantdesk.model.building import FrameOrder, LegCopy, build
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairSettings
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, bars_of, walk

SETTINGS = PairSettings("A", "B", window=20, correlation_window=20, formation_bars=40)
Y, X = walk(400)
TIMES = START + MINUTE * np.arange(400)
COLUMNS = ("spread", "spread_upper", "spread_lower", "z", "correlation")


def leg(bars: BarArrays, partial: tuple[int, ...] = ()) -> LegCopy:
    return LegCopy(bars, bars.close, np.array(partial, np.int64))


def order(count: int, lines: HedgeLines | None = None, **changes: object) -> FrameOrder:
    base = FrameOrder(
        1, 1, Origin.LIVE, START + 100 * MINUTE, MINUTE, SETTINGS,
        leg(bars_of(TIMES[:count], Y[:count])), leg(bars_of(TIMES[:count], X[:count])),
        lines or HedgeLines(), False, 20_000,
    )  # fmt: skip
    return replace(base, **changes)


def test_a_frame_holds_what_the_analytics_say():
    frame = build(order(200)).frame
    wanted = walk_forward_z(Y[:200], X[:200], 20)
    np.testing.assert_array_equal(frame.z, wanted.z)
    assert (frame.next_alpha, frame.next_beta, frame.next_sigma) == (
        wanted.next_alpha, wanted.next_beta, wanted.next_sigma,
    )  # fmt: skip
    np.testing.assert_array_equal(frame.spread, Y[:200] - frame.beta * X[:200])
    assert frame.last.z == frame.z[-1] and frame.last.close_y == Y[199]
    assert frame.formation == (TIMES[160], TIMES[199])
    assert all(not getattr(frame, name).flags.writeable for name in (*COLUMNS, "times"))
    assert not frame.y.close.flags.writeable


@settings(max_examples=25)
@given(st.integers(101, 300), st.integers(1, 100), st.sampled_from([0, 15, 40]), st.booleans())
def test_nothing_at_a_bar_depends_on_a_later_bar(count, more, every, log):
    chosen = replace(SETTINGS, refit_every=every, log=log)
    settled = build(order(100, settings=chosen)).lines
    short = build(order(count, settled, settings=chosen)).frame
    whole = build(order(count + more, settled, settings=chosen)).frame
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(short, name), getattr(whole, name)[:count], name)
    np.testing.assert_array_equal(short.beta_column(), whole.beta_column()[:count])


def test_a_bar_that_one_leg_lacks_is_shown_and_not_counted():
    keep = np.arange(200) != 150
    frame = build(order(200, x=leg(bars_of(TIMES[:200][keep], X[:200][keep])))).frame
    assert len(frame) == 200 and np.isnan(frame.x.close[150]) and frame.y.close[150] == Y[150]
    assert all(np.isnan(getattr(frame, name)[150]) for name in COLUMNS)
    assert frame.observations == 199


def test_a_partial_bar_is_shown_and_not_counted():
    frame = build(order(200, y=leg(bars_of(TIMES[:200], Y[:200]), (int(TIMES[150]),)))).frame
    assert frame.y.close[150] == Y[150] and np.isnan(frame.z[150])
    assert frame.observations == 199


@pytest.mark.parametrize("side", ["y", "x"])
def test_one_leg_alone_makes_candles_only(side):
    frame = build(order(200, **{side: LegCopy.empty()})).frame
    other = frame.x if side == "y" else frame.y
    assert len(frame) == 200 and np.isfinite(other.close).all()
    assert np.isnan(getattr(frame, side).close).all() and np.isnan(frame.spread).all()
    assert frame.formation is None and np.isnan(frame.beta)


def test_no_bar_at_all_makes_an_empty_frame():
    frame = build(order(200, y=LegCopy.empty(), x=LegCopy.empty())).frame
    assert len(frame) == 0 and frame.last.time is None


def test_a_live_frame_is_bounded_and_keeps_its_line():
    settled = build(order(100)).lines
    frame = build(order(400, settled, most_rows=50)).frame
    assert frame.times.tolist() == TIMES[350:].tolist()
    assert len(frame.y) == len(frame.spread) == 50
    assert frame.beta == settled.first.beta and frame.formation[1] < frame.times[0]


def test_logs_are_fitted_on_logs_and_the_candles_stay_prices():
    frame = build(order(200, settings=replace(SETTINGS, log=True))).frame
    np.testing.assert_allclose(frame.spread, np.log(Y[:200]) - frame.beta * np.log(X[:200]))
    assert frame.y.close[0] == Y[0]


def test_adjusted_closes_are_what_statistics_use():
    adjusted = LegCopy(bars_of(TIMES[:200], Y[:200]), Y[:200] * 0.5, np.empty(0, np.int64))
    frame = build(order(200, y=adjusted)).frame
    np.testing.assert_array_equal(frame.spread, Y[:200] * 0.5 - frame.beta * X[:200])
    assert frame.y.close[0] == Y[0]
