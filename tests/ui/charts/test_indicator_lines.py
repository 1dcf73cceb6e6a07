"""Indicators are drawn over the candles, named beside their values, and only new bars are written."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from quantdesk.analytics.indicators import Indicator, IndicatorBars, IndicatorKind, indicator_lines
from quantdesk.model import indicators
from quantdesk.ui.charts.indicator_lines import INDICATORS_LINK
from quantdesk.ui.charts.indicator_words import ShownIndicator, new_one, short_name
from quantdesk.ui.charts.inks import ink
from quantdesk.ui.charts.pyramid import Pyramid
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, move, picture, settle
from tests.ui.charts.frames import part, tail_of

SMA = ShownIndicator(Indicator(IndicatorKind.SMA, 20), "purple")
BANDS = ShownIndicator(Indicator(IndicatorKind.BOLLINGER, 20), "yellow")
DAY = ShownIndicator(Indicator(IndicatorKind.VWAP_DAY), "green")


def words(desk) -> list[str]:
    row = desk.stack._state.row
    return [" ".join(span.text for span in spans) for spans in desk.stack.indicators.spans(row)]


def held(desk) -> list[np.ndarray]:
    return [line.pyramid.column("value") for plotted in desk.stack.indicators._plotted for line in plotted.lines]


def lines_of(frame, shown, leg="y"):
    columns = getattr(frame, leg)
    bars = IndicatorBars(frame.times, columns.high, columns.low, columns.close, columns.volume)
    return [line for one in shown for line in indicator_lines(one.indicator, bars)]


def test_every_line_is_drawn_in_its_colour_and_taken_away_again(full):
    settle(full)
    before = len(full.stack.panel("price").items_)
    for tokens in (DARK, LIGHT):
        full.stack.set_tokens(tokens)
        full.stack.indicators.show([SMA, BANDS, DAY])
        image = picture(full, "price")
        assert all(count(image, ink(one.ink, tokens)) > 50 for one in (SMA, BANDS, DAY))
        full.stack.indicators.show([])
        image = picture(full, "price")
        assert not any(count(image, ink(one.ink, tokens)) for one in (SMA, BANDS, DAY))
    assert len(full.stack.panel("price").items_) == before


def test_the_values_are_those_of_the_leg_that_is_shown(full):
    shown = [SMA, BANDS, DAY]
    full.stack.indicators.show(shown)
    for leg in ("y", "x"):
        full.stack.set_price_leg(leg)
        settle(full)
        for found, wanted in zip(held(full), lines_of(full.pair.frame, shown, leg), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, equal_nan=True)


def test_a_closed_bar_is_appended_and_the_forming_one_previewed(full, make, monkeypatch):
    whole, shown = full.pair.frame, [SMA, BANDS, DAY]
    full.stack.indicators.show(shown)
    full.pair.show(part(whole, slice(0, 990)), tail_of(whole, slice(990, 991)))
    settle(full)
    written = []
    kept = Pyramid.write
    monkeypatch.setattr(Pyramid, "write", lambda self, row, columns: (written.append(row), kept(self, row, columns)))
    full.pair.show(part(whole, slice(0, 991)), tail_of(whole, slice(991, 993)))
    settle(full)
    assert min(written) >= 990, "a bar that stood already was written again"
    for found, wanted in zip(held(full), lines_of(part(whole, slice(0, 993)), shown), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, equal_nan=True)


def test_a_long_history_is_drawn_from_pyramids_that_the_pool_built(full, monkeypatch, qtbot):
    monkeypatch.setattr(indicators, "MOST_AT_ONCE", 100)
    whole, shown, synced, sync = full.pair.frame, [SMA, BANDS], {}, Pyramid.sync

    def watched(self, columns):
        synced[self] = threading.get_ident()  # who made it, of those that are drawn
        return sync(self, columns)

    monkeypatch.setattr(Pyramid, "sync", watched)
    full.pair.show(part(whole, slice(0, 990)))
    full.stack.indicators.show(shown)
    full.stack._refresh()  # what the pool says is heard later
    assert words(full)[0] == "SMA 20 computing…"
    full.pair.show(part(whole, slice(0, 995)))
    full.stack._refresh()  # what the pool says is heard later
    qtbot.waitUntil(lambda: full.stack.indicators._model.lines(SMA.indicator) is not None)
    settle(full)
    drawn = [line.pyramid for plotted in full.stack.indicators._plotted for line in plotted.lines]
    assert threading.get_ident() not in [synced[pyramid] for pyramid in drawn]
    for found, wanted in zip(held(full), lines_of(part(whole, slice(0, 995)), shown), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, equal_nan=True)


def test_the_legend_names_each_with_its_value_under_the_crosshair(full):
    full.stack.indicators.show([SMA, BANDS])
    settle(full)
    panel = full.stack.panel("price")
    move(panel.viewport(), panel.x_of(930), 200)
    settle(full)
    values = [panel.price_text(float(line[930])) for line in lines_of(full.pair.frame, [SMA, BANDS])]
    assert words(full) == [f"SMA 20 {values[0]}", "BB 20, 2σ " + " ".join(values[1:])]


def test_the_legend_leaves_a_low_panel_to_its_candles(full, qtbot):
    def legend(height: int) -> list[str]:
        full.stack.panel("price").resize(420, height)
        panel, shown = full.stack.panel("price"), full.stack.indicators
        return ["".join(span.text for span in spans) for spans in shown._fitting(panel, shown._wrapped(panel))]

    full.stack.indicators.show([SMA, BANDS, DAY])
    settle(full)
    tall, low, least = legend(400), legend(180), legend(88)
    assert len(tall) > 1 and "more" not in "".join(tall)
    assert low[-1].startswith("and ") and low[-1].endswith(" more") and low[0].startswith("SMA 20")
    assert least == ["3 indicators"]


def test_a_row_without_a_bar_has_a_dash(full):
    frame = full.pair.frame
    close = frame.y.close.copy()
    close[-1] = np.nan
    full.pair.show(replace(frame, version=2, y=replace(frame.y, close=close)))
    full.stack.indicators.show([SMA])
    settle(full)
    assert words(full) == ["SMA 20 –"]


def test_a_day_whose_morning_is_not_loaded_says_from_when_its_vwap_counts(full, make):
    full.stack.indicators.show([DAY])
    full.pair.show(make(300))
    settle(full)
    assert "from 10:00 UTC" in words(full)[0]
    full.pair.show(make(1_200))
    settle(full)
    assert "from" not in words(full)[0], "the newest bar is of another, whole day"


def test_a_click_on_the_names_asks_for_the_list(full, qtbot):
    full.stack.indicators.show([SMA])
    settle(full)
    panel, asked = full.stack.panel("price"), []
    panel.linked.connect(asked.append)
    box = full.stack.indicators._boxes[0]
    qtbot.mouseClick(
        panel.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(box.center().x()), round(box.center().y()))
    )
    assert asked == [INDICATORS_LINK]


def test_a_line_far_away_does_not_flatten_the_candles_and_a_near_one_is_in_sight(full):
    settle(full)
    panel = full.stack.panel("price")
    low, high = panel.limits()
    full.stack.indicators.show([BANDS])
    settle(full)
    wide = panel.limits()
    assert wide[0] <= low and wide[1] >= high and wide != (low, high)
    full.stack.indicators.show([ShownIndicator(Indicator(IndicatorKind.BOLLINGER, 20, 10.0), "blue")])
    settle(full)
    assert panel.limits() == (low, high)


@pytest.mark.parametrize("scale", list(PriceScale))
def test_a_line_lies_at_its_price_on_every_scale(full, scale):
    full.stack.set_scale(scale)
    full.stack.indicators.show([SMA])
    settle(full)
    panel, item = full.stack.panel("price"), full.stack.indicators._plotted[0].lines[0]
    assert item.log == (scale is PriceScale.LOG)
    value = float(item.pyramid.column("value")[950])
    image = picture(full, "price")
    x, y = round(panel.x_of(950)), round(panel.y_of(value))
    near, wanted = [image.pixelColor(x, y + off) for off in (-2, -1, 0, 1, 2)], QColor(ink(SMA.ink, DARK))
    assert min(abs(c.red() - wanted.red()) + abs(c.blue() - wanted.blue()) for c in near) < 6


def test_names_are_short_and_each_new_one_has_a_colour_of_its_own():
    made: list[ShownIndicator] = []
    for kind in (*IndicatorKind, IndicatorKind.SMA, IndicatorKind.SMA):
        made.append(new_one(kind, made))
    assert len({one.ink for one in made}) == len(made)
    assert [short_name(one.indicator) for one in made[:5]] == ["SMA 20", "EMA 20", "VWAP day", "VWAP 20", "BB 20, 2σ"]


def test_a_spread_says_why_it_has_no_vwap(full):
    full.stack.set_price_leg("spread")
    full.stack.indicators.show([SMA, DAY])
    settle(full)
    assert "no volume" not in words(full)[0]
    assert "a spread has no volume" in words(full)[1]
