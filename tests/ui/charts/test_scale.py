from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication

from quantdesk.ui.charts.scale import PriceScale, Scale, first_finite, log_ticks
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import picture, settle, view


@given(st.floats(-8, 8), st.floats(1e-4, 12), st.integers(60, 2_000))
def test_labels_of_a_log_axis_are_in_sight_and_apart(low, span, pixels):
    ticks = log_ticks(low, low + span, pixels, 46.0)
    places = np.log10(ticks.values)
    assert (places >= low - 1e-6).all() and (places <= low + span + 1e-6).all()
    assert (np.diff(places) * pixels / span >= 46.0 * (1 - 1e-6)).all()
    assert len(ticks.values) >= 1 or pixels < 600


def test_labels_of_a_wide_log_axis_are_round():
    values = log_ticks(0, 4, 300, 46.0).values.tolist()
    assert len(values) >= 4 and values == [float(f"{value:.0e}") for value in values]


@given(
    st.sampled_from(PriceScale), st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.floats(1.01, 5), st.integers(80, 900)
)
def test_every_scale_labels_prices_in_sight_with_what_they_are_written_as(kind, base, low, ratio, pixels):
    scale = Scale(kind, base)
    assert scale.from_plot(scale.to_plot(low)) == pytest.approx(low)
    ticks = scale.ticks(scale.to_plot(low), scale.to_plot(low * ratio), pixels, 30.0)
    assume(len(ticks.values))
    assert ticks.values.min() >= low * (1 - 1e-6) and ticks.values.max() <= low * ratio * (1 + 1e-6)
    for price in ticks.values:
        written = scale.written(price)
        assert round(written, ticks.decimals) == pytest.approx(written, rel=1e-9, abs=1e-9)


def test_percent_is_zero_and_the_index_a_hundred_at_the_base():
    assert Scale(PriceScale.PERCENT, 250.0).written(250.0) == 0
    assert Scale(PriceScale.PERCENT, 250.0).written(255.0) == pytest.approx(2)
    assert Scale(PriceScale.INDEXED, 250.0).written(255.0) == pytest.approx(102)


def test_the_base_is_the_first_row_with_a_price_in_every_column():
    one, other = np.full(1_000, np.nan), np.ones(1_000)
    one[700:] = 5.0
    other[700] = 0.0
    assert first_finite((one, other), -5, 999) == 701
    assert first_finite((one, other), 0, 600) is None


def test_percent_is_that_of_the_first_visible_bar_and_follows_the_view(full):
    panel, closes = full.stack.panel("price"), full.pair.frame.y.close
    full.stack.set_scale(PriceScale.PERCENT)
    for left, row in ((499.5, 500), (700.2, 701)):
        view(full).show(left, left + 200)
        settle(full)
        assert panel.value_text(closes[row]) == "0.00%"
        assert panel.tags()[0].text == f"{closes[-1] / closes[row] * 100 - 100:+.2f}%".replace("-", "−")
    assert any(text.endswith("%") for _, text in panel._labels)
    words = [span.text for span in panel.legend(700)]
    assert f"{closes[700]:,.1f}" in words and "percent" in words, "the legend keeps its prices"


def test_the_index_is_written_on_the_axis(full):
    panel = full.stack.panel("price")
    full.stack.set_scale(PriceScale.INDEXED)
    settle(full)
    shown = [float(text.replace(",", "")) for _, text in panel._labels]
    assert (shown and 90 < min(shown) < 100 < max(shown) < 110) or 100.0 in shown


def test_candles_of_a_log_scale_stand_where_the_axis_says(desk, make):
    frame = make(300)
    closes = frame.y.close * np.geomspace(1e-4, 4e4, 300)
    for name in ("open", "high", "low", "close"):
        getattr(frame.y, name).setflags(write=True)
        getattr(frame.y, name)[:] = closes
    frame.y.open[1:] = frame.y.low[1:] = closes[:-1]
    desk.pair.show(frame)
    desk.stack.set_scale(PriceScale.LOG)
    settle(desk)
    view(desk).show(270, 290)
    image = picture(desk, "price")
    panel, ratio = desk.stack.panel("price"), image.devicePixelRatio()
    assert panel.scale.is_log
    assert panel.value_at(panel.y_of(70_000.0)) == pytest.approx(70_000.0)
    seen = 0
    for row in range(272, 288):
        opened, close = frame.y.open[row], frame.y.close[row]
        middle = math.sqrt(opened * close)
        if abs(panel.y_of(opened) - panel.y_of(close)) > 6:
            color = DARK.up if close >= opened else DARK.down
            assert image.pixelColor(int(panel.x_of(row) * ratio), int(panel.y_of(middle) * ratio)).name() == color
            seen += 1
    assert seen > 5
    ys = [panel.y_of(value) for value in panel._ticks.values]
    assert len(ys) > 3


def test_a_price_that_is_not_positive_has_no_logarithm(desk, make):
    frame = make(300)
    frame.y.low.setflags(write=True)
    frame.y.low[280] = 0.0
    desk.pair.show(frame)
    desk.stack.set_scale(PriceScale.LOG)
    settle(desk)
    assert desk.stack.panel("price").scale.kind is PriceScale.LINEAR


def test_a_click_with_the_other_button_on_the_axis_asks_for_what_belongs_to_it(full):
    panel, asked = full.stack.panel("price"), []
    panel.axis_asked.connect(asked.append)
    for x in (300, int(panel.plot.right()) + 20):
        at = QPoint(x, 100)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, panel.mapToGlobal(at))
        QApplication.sendEvent(panel.viewport(), event)
    assert asked == [100.0]
