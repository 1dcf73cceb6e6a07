from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt

from quantdesk.ui.charts.ruler import Ruler, duration_text, measured, ruler_words
from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import count, key, move, picture, settle, view

MINUTE = 60_000


def drag(qtbot, panel, start, end, modifier=Qt.KeyboardModifier.ShiftModifier) -> None:
    port = panel.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, modifier, QPoint(*start))
    for share in (0.3, 0.7, 1.0):
        x, y = (start[i] + share * (end[i] - start[i]) for i in (0, 1))
        move(port, x, y, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, modifier, QPoint(*end))


@given(st.integers(0, 99), st.integers(0, 99), st.floats(1, 1e6), st.floats(1, 1e6))
def test_a_ruler_tells_bars_time_and_change(first, last, start, end):
    line = TimeLine(np.arange(100, dtype=np.int64) * MINUTE)
    found = measured(Ruler("price", (first * MINUTE, start), (last * MINUTE, end)), line)
    assert (found.bars, found.ms) == (last - first, (last - first) * MINUTE)
    assert found.change == end - start
    assert start * (1 + found.percent / 100) == pytest.approx(end)


def test_nothing_is_a_share_of_a_value_that_is_not_positive():
    line = TimeLine(np.arange(3, dtype=np.int64) * MINUTE)
    assert math.isnan(measured(Ruler("z", (0, -1.0), (MINUTE, 2.0)), line).percent)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0s"),
        (30_000, "30s"),
        (90_000, "1m 30s"),
        (45 * MINUTE, "45m"),
        (65 * MINUTE, "1h 05m"),
        (-65 * MINUTE, "−1h 05m"),
        (51 * 3_600_000, "2d 3h"),
    ],
)
def test_a_span_is_written_in_its_two_largest_units(ms, text):
    assert duration_text(ms) == text


@pytest.mark.parametrize("name", ["price", "spread", "z"])
def test_shift_and_drag_measures_between_bars_and_leaves_the_view(full, qtbot, name):
    panel, before = full.stack.panel(name), (view(full).left, view(full).right)
    settle(full)
    start, end = (int(panel.x_of(940)), 60), (int(panel.x_of(960)), 44)
    drag(qtbot, panel, start, end)
    settle(full)
    ruler = full.stack._state.ruler
    assert (view(full).left, view(full).right) == before
    assert (ruler.panel, ruler.open) == (name, False)
    assert [ruler.start[0], ruler.end[0]] == full.pair.frame.times[[940, 960]].tolist()
    assert ruler.start[1] == pytest.approx(panel.value_at(60)) and ruler.end[1] == pytest.approx(panel.value_at(44))
    change, time = ruler_words(panel, ruler)
    assert time == "20 bars, 20m"
    assert change.startswith("+") and ("%" in change) == (name == "price")
    move(panel.viewport(), 300, 50)
    assert full.stack._state.ruler == ruler, "it follows no longer"


def test_a_click_removes_the_ruler_and_so_does_escape(full, qtbot):
    panel = full.stack.panel("price")
    for remove in (
        lambda: qtbot.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(400, 120)),
        lambda: key(qtbot, full, Qt.Key.Key_Escape),
    ):
        drag(qtbot, panel, (500, 100), (700, 60))
        assert full.stack._state.ruler is not None
        remove()
        assert full.stack._state.ruler is None


def test_shift_and_click_starts_a_ruler_that_follows_until_the_next_click(full, qtbot):
    panel = full.stack.panel("price")
    port = panel.viewport()
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, QPoint(500, 100))
    move(port, 600, 60)
    assert full.stack._state.ruler.open
    assert full.stack._state.ruler.end[1] == pytest.approx(panel.value_at(60))
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=QPoint(600, 60))
    assert not full.stack._state.ruler.open


def test_the_keys_measure_from_close_to_close(full, qtbot):
    frame = full.pair.frame
    full.stack.measure()
    key(qtbot, full, *[Qt.Key.Key_Left] * 3)
    key(qtbot, full, Qt.Key.Key_Left, modifier=Qt.KeyboardModifier.ControlModifier)
    ruler = full.stack._state.ruler
    assert ruler.start == (int(frame.times[999]), frame.y.close[999])
    assert ruler.end == (int(frame.times[986]), frame.y.close[986])
    full.stack.measure()
    assert not full.stack._state.ruler.open
    full.stack.measure()
    assert full.stack._state.ruler is None


def test_the_box_is_painted_in_the_colour_of_the_direction(full, qtbot):
    panel = full.stack.panel("spread")
    for start, end, color in (((500, 90), (700, 50), DARK.up), ((500, 50), (700, 90), DARK.down)):
        full.stack._measuring.remove()
        before = count(picture(full, "spread"), color)
        drag(qtbot, panel, start, end)
        full.stack._pointing.leave()
        assert count(picture(full, "spread"), color) > before + 1_000


def test_a_ruler_stays_at_its_bars_when_older_ones_come_and_goes_with_the_pair(full, make, qtbot):
    panel = full.stack.panel("price")
    drag(qtbot, panel, (500, 100), (700, 60))
    before = measured(full.stack._state.ruler, full.stack._state.line)
    frame = full.pair.frame
    full.pair.show(make(1_500, start=int(frame.times[0]) - 500 * MINUTE))
    settle(full)
    assert measured(full.stack._state.ruler, full.stack._state.line) == before
    full.pair.show(replace(full.pair.frame, settings=replace(frame.settings, y="SOLUSDT")))
    settle(full)
    assert full.stack._state.ruler is None


def test_the_other_leg_has_other_prices(full, qtbot):
    drag(qtbot, full.stack.panel("price"), (500, 100), (700, 60))
    full.stack.set_price_leg("x")
    assert full.stack._state.ruler is None
