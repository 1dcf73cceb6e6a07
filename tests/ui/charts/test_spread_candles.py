"""The spread is drawn as candles where bars are wide and their trades known, and reads as a symbol."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from quantdesk.analytics.alerts.rule import z_rule
from quantdesk.analytics.spread_bars import Formula, SpreadBars
from quantdesk.model.spread_candles import MEMORY, SpreadCandles, closes_of, made_of
from quantdesk.ui.charts.levels import LevelLayer
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.synthetic import moves_at, shown_columns, shown_tail
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import count, picture, settle, view
from tests.ui.charts.frames import part, tail_of

KNOWN = 950  # the first row whose trades are known


def candles_of(frame, formula=Formula.DIFFERENCE, first: int = KNOWN) -> SpreadCandles:
    close = closes_of(frame, formula).copy()
    opened = np.r_[close[:1], close[:-1]]
    wick = 40.0 if formula is Formula.DIFFERENCE else 0.05
    columns = [opened, np.fmax(opened, close) + wick, np.fmin(opened, close) - wick, close, np.full(len(close), 7.0)]
    for column in columns:
        column[:first] = np.nan
    asked = np.full(len(frame), MEMORY)
    return SpreadCandles(formula, frame.times, frame.interval_ms, SpreadBars(*columns), made_of(frame, formula), asked)


@pytest.fixture
def known(full):
    full.stack._state.candles = candles_of(full.pair.frame)
    full.stack.panel("spread").stale = True
    settle(full)
    return full


def words(panel, row: int) -> list[str]:
    return [span.text for span in panel.legend(row)]


def test_wide_bars_are_candles_and_narrow_ones_a_line(known):
    panel = known.stack.panel("spread")
    view(known).show(900, 1_000)
    image = picture(known, "spread")
    assert panel.candles.shown and not panel.line.shown
    assert count(image, DARK.up) > 100 and count(image, DARK.down) > 100
    view(known).show(200, 1_000)
    image = picture(known, "spread")
    assert panel.line.shown and not panel.candles.shown
    assert count(image, DARK.up) == 0


def test_a_line_leads_through_bars_known_by_their_close_to_the_candles_and_they_say_so(known):
    panel = known.stack.panel("spread")
    view(known).show(900, 1_000)
    settle(known)
    spread = known.pair.frame.spread
    through = panel.rest.pyramid.column("value")
    np.testing.assert_array_equal(through[KNOWN - 3 : KNOWN + 1], spread[KNOWN - 3 : KNOWN + 1])
    assert panel.rest.shown and np.isnan(through[KNOWN + 1])
    assert panel.is_close_only(KNOWN - 1) and not panel.is_close_only(KNOWN)
    assert "close only: its trades are not at hand" in words(panel, KNOWN - 1)
    found, bars = words(panel, KNOWN), known.stack._state.candles.bars
    for letter, column in zip("OHLC", (bars.open, bars.high, bars.low, bars.close), strict=True):
        assert found[found.index(letter) + 1] == panel.value_text(column[KNOWN])


def test_no_line_leads_from_one_hedge_ratio_to_the_next(known):
    known.stack.set_price_leg("spread")
    settle(known)
    rows = [int(np.searchsorted(known.pair.frame.times, refit.time)) for refit in known.pair.frame.refits]
    assert rows
    assert all(known.stack.panel(name).rest.breaks == rows for name in ("spread", "price"))


def test_bars_known_by_their_close_say_no_number_of_moves(known):
    held = known.stack._state.candles
    bars = replace(held.bars, moves=np.nan_to_num(held.bars.moves))
    known.stack._state.candles = replace(held, bars=bars)
    assert math.isnan(moves_at(known.stack._state, KNOWN - 1)) and moves_at(known.stack._state, KNOWN) == 7


def test_without_any_known_bar_in_sight_closes_are_a_line(known):
    view(known).show(700, 800)
    image = picture(known, "spread")
    assert known.stack.panel("spread").line.shown and count(image, DARK.spread) > 50


def test_a_line_is_drawn_where_it_is_chosen(known):
    view(known).show(950, 1_000)
    known.stack.set_spread_candles(False)
    assert count(picture(known, "spread"), DARK.up) == 0
    known.stack.set_spread_candles(True)
    assert count(picture(known, "spread"), DARK.up) > 50


def test_the_scale_fits_the_wicks_while_candles_show(known):
    panel = known.stack.panel("spread")
    view(known).show(960, 1_000)
    settle(known)
    high = np.nanmax(known.stack._state.candles.bars.high[960:])
    assert panel.limits()[1] >= high and panel.high > high
    known.stack.set_spread_candles(False)
    settle(known)
    assert panel.limits()[1] < high


def test_the_price_chart_shows_the_spread_as_a_symbol(known, qtbot):
    panel = known.stack.panel("price")
    known.stack.set_scale(PriceScale.PERCENT)
    with qtbot.waitSignal(known.stack.leg_changed):
        known.stack.set_price_leg("spread")
    view(known).show(940, 1_000)
    image = picture(known, "price")
    assert count(image, DARK.up) > 200 and count(image, DARK.spread) > 20
    assert panel.scale.kind is PriceScale.LINEAR, "what goes through zero has no percent"
    frame = known.pair.frame
    np.testing.assert_array_equal(panel.candles.pyramid.column("close"), frame.spread)
    found = words(panel, 999)
    assert "BTCUSDT − β ETHUSDT" in found and found[found.index("moves") + 1] == "7"
    assert not any("%" in word for word in found)
    assert "close only: its trades are not at hand" in words(panel, 945)
    known.stack.set_price_leg("y")
    settle(known)
    assert not len(panel.rest.pyramid) and panel.candles.pyramid.column("close")[0] == frame.y.close[0]


def test_the_leg_that_shows_is_kept_even_if_it_is_the_spread(known):
    known.stack.set_price_leg("spread")
    saved = known.stack.save_state()
    known.stack.set_price_leg("y")
    known.stack.restore_state(saved)
    assert known.stack.price_leg == "spread"


def test_why_a_bar_lacks_trades_is_asked_of_a_leg(known, qtbot):
    known.stack.set_price_leg("spread")
    settle(known)
    with qtbot.waitSignal(known.stack.why_wanted) as asked:
        known.stack.explain_bar()
    assert asked.args[0] == "y"


def test_a_ratio_has_its_own_name_band_and_percent(full):
    frame, state = full.pair.frame, full.stack._state
    state.ratio = True
    state.candles = candles_of(frame, Formula.RATIO)
    full.stack.set_price_leg("spread")
    full.stack.panel("spread").stale = True
    view(full).show(950, 1_000)
    settle(full)
    panel = full.stack.panel("spread")
    ratio = frame.y.close / frame.x.close
    np.testing.assert_array_equal(panel.line.pyramid.column("value"), ratio)
    inside = ratio[(frame.times >= frame.formation[0]) & (frame.times <= frame.formation[1])]
    assert panel.mean.pyramid.column("value")[0] == pytest.approx(inside.mean())
    assert panel.upper.pyramid.column("value")[0] == pytest.approx(inside.mean() + 2 * inside.std(ddof=1))
    assert not panel.refits.rows and "BTCUSDT / ETHUSDT (ratio)" in words(panel, 999)
    assert any("%" in word for word in words(full.stack.panel("price"), 999))


def test_forming_bars_are_candles_once_their_trades_are_known(known):
    frame = known.pair.frame
    rows = slice(995, 1_000)
    known.pair.show(part(frame, slice(0, 995)), tail_of(frame, rows))
    state, whole = known.stack._state, candles_of(frame)
    state.candles = candles_of(part(frame, slice(0, 995)))
    names = ("open", "high", "low", "close", "moves")
    state.forming = SpreadBars(*(getattr(whole.bars, name)[rows].copy() for name in names))
    settle(known)
    panel = known.stack.panel("spread")
    np.testing.assert_array_equal(panel.candles.pyramid.column("high")[rows], whole.bars.high[rows])
    state.forming = None
    settle(known)
    assert np.isnan(panel.candles.pyramid.column("high")[rows]).all() and panel.is_close_only(999)


def test_a_bar_that_has_just_closed_stays_a_candle_until_it_is_folded(known):
    frame, state = known.pair.frame, known.stack._state
    whole = candles_of(frame)
    state.candles = candles_of(part(frame, slice(0, 999)))
    known.stack.panel("spread").stale = True
    settle(known)
    highs = known.stack.panel("spread").candles.pyramid.column("high")
    assert np.isnan(highs[999])
    names = ("open", "high", "low", "close", "moves")
    state.formed = frame.times[998:], SpreadBars(*(getattr(whole.bars, name)[998:] + 1.0 for name in names))
    known.stack.panel("spread").stale = True
    settle(known)
    highs = known.stack.panel("spread").candles.pyramid.column("high")
    assert highs[999] == whole.bars.high[999] + 1.0 and highs[998] == whole.bars.high[998], "what is folded counts"


def test_what_stands_over_the_price_chart_reads_the_spread_by_its_closes(known):
    known.stack.set_price_leg("spread")
    settle(known)
    state, frame = known.stack._state, known.pair.frame
    columns = shown_columns(state)
    np.testing.assert_array_equal(columns.close, frame.spread)
    assert np.isnan(columns.volume).all() and not len(shown_tail(state))
    known.stack.set_price_leg("x")
    assert shown_columns(state) is frame.x


def test_a_level_gives_way_to_a_drawing_tool(known):
    layer = LevelLayer(known.stack)
    panel = known.stack.panel("z")
    layer.rules = (z_rule(),)
    at = QPointF(300, panel.y_of(2.0))
    assert layer.grip_at(panel, at) is not None
    known.stack._state.drawing = True
    assert layer.grip_at(panel, at) is None
    known.stack._state.drawing = False


def test_a_forming_bar_shows_as_soon_as_either_leg_trades(known):
    frame, state = known.pair.frame, known.stack._state
    tail = tail_of(frame, slice(999, 1_000))
    known.pair.show(part(frame, slice(0, 999)), replace(tail, spread=np.array([np.nan])))  # one leg has no bar yet
    state.forming = SpreadBars(*(np.array([value]) for value in (10.0, 14.0, 9.0, 12.0, 3.0)))
    known.stack.set_price_leg("spread")
    settle(known)
    for name in ("price", "spread"):
        assert known.stack.panel(name).candles.pyramid.column("close")[999] == 12.0
    assert known.stack.panel("price").last() == (12.0, 10.0)
