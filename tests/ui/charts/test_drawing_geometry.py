"""Lines stay straight between their anchors on every scale, are hit where they are seen, and move as a whole."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF

from quantdesk.ui.charts.drawing_geometry import (
    MAGNET,
    WHOLE,
    anchor_at,
    clipped,
    distance,
    drawing_at,
    handles_of,
    levelled,
    moved,
    stretch_of,
)
from quantdesk.ui.charts.drawings import Anchor, Drawing, Kind
from quantdesk.ui.charts.scale import PriceScale
from tests.ui.charts.acts import settle

places = st.floats(-2_000, 2_000)


def points(*numbers: float) -> tuple[QPointF, ...]:
    return tuple(QPointF(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True))


def test_the_distance_to_a_stretch_ends_at_its_ends():
    start, end = points(0, 0, 100, 0)
    assert distance(QPointF(50, 7), start, end) == 7
    assert distance(QPointF(103, 4), start, end) == 5
    assert distance(QPointF(3, 4), start, start) == 5


@given(places, places, places, places)
def test_what_is_clipped_lies_inside_and_on_the_line(a, b, c, d):
    room, (start, end) = QRectF(0, 0, 800, 300), points(a, b, c, d)
    found = clipped(start, end, room)
    if found is None:
        middle = (start + end) / 2
        assert not room.contains(middle) and not room.contains(start) and not room.contains(end)
        return
    for point in found:
        assert -1e-6 <= point.x() <= 800 + 1e-6 and -1e-6 <= point.y() <= 300 + 1e-6
        assert distance(point, start, end) < 1e-6


@given(st.floats(-500, 500), st.floats(-500, 500))
def test_shift_keeps_a_line_level_upright_or_at_45_degrees(x, y):
    end = levelled(QPointF(10, 20), QPointF(10 + x, 20 + y))
    off = end - QPointF(10, 20)
    turn = math.degrees(math.atan2(off.y(), off.x()))
    assert off.manhattanLength() < 1e-9 or min(turn % 45, -turn % 45) < 1e-6


@pytest.mark.parametrize("scale", list(PriceScale))
def test_a_trend_line_is_straight_on_screen_between_its_anchors_on_every_scale(full, scale):
    full.stack.set_scale(scale)
    settle(full)
    panel, times = full.stack.panel("price"), full.pair.frame.times
    ends = (Anchor(int(times[900]), 60_000.0), Anchor(int(times[980]), 70_000.0))
    start, end = stretch_of(panel, Drawing(Kind.TREND, ends))
    assert (start.x(), end.x()) == (panel.x_of(900), panel.x_of(980))
    assert panel.value_at(start.y()) == pytest.approx(60_000) and panel.value_at(end.y()) == pytest.approx(70_000)
    middle = panel.value_at((start.y() + end.y()) / 2)
    assert middle == pytest.approx(math.sqrt(60_000 * 70_000) if scale is PriceScale.LOG else 65_000)


def test_ends_are_hit_before_the_line_and_the_topmost_drawing_first(full):
    settle(full)
    panel, times = full.stack.panel("price"), full.pair.frame.times
    value = panel.value_at(100)
    trend = Drawing(Kind.TREND, (Anchor(int(times[900]), value), Anchor(int(times[980]), value)))
    level = Drawing(Kind.LEVEL, (Anchor(int(times[950]), value),))
    start, end = stretch_of(panel, trend)
    assert drawing_at(panel, [level, trend], start + QPointF(3, 3)) == (trend, 0)
    assert drawing_at(panel, [level, trend], end + QPointF(-3, 3)) == (trend, 1)
    assert drawing_at(panel, [level, trend], (start + end) / 2 + QPointF(0, 4)) == (trend, WHOLE)
    assert drawing_at(panel, [trend, level], (start + end) / 2) == (level, WHOLE)
    assert drawing_at(panel, [trend, level], QPointF(300, 130)) is None


def test_the_handle_of_a_level_stays_in_sight_wherever_it_was_drawn(full):
    settle(full)
    panel, times = full.stack.panel("price"), full.pair.frame.times
    (handle,) = handles_of(panel, Drawing(Kind.LEVEL, (Anchor(int(times[0]), 65_000.0),)))
    assert 0 < handle.x() < panel.plot.right()


def test_the_magnet_draws_to_a_near_price_of_the_bar_and_to_no_far_one(full):
    settle(full)
    panel = full.stack.panel("price")
    high = float(panel.candles.pyramid.column("high")[950])
    near = QPointF(panel.x_of(950), panel.y_of(high) - MAGNET + 2)
    assert anchor_at(panel, near, magnet=True).value == panel.rounded(high)
    assert anchor_at(panel, near).value != panel.rounded(high)
    far = QPointF(panel.x_of(950), panel.y_of(high) - 3 * MAGNET)
    assert anchor_at(panel, far, magnet=True) == anchor_at(panel, far)


def test_what_is_drawn_on_the_price_has_the_instruments_decimals(full):
    settle(full)
    anchor = anchor_at(full.stack.panel("price"), QPointF(300, 77.3))
    assert anchor.value == round(anchor.value, 1)
    assert anchor.ms in full.pair.frame.times


@pytest.mark.parametrize("scale", [PriceScale.LINEAR, PriceScale.LOG])
def test_a_moved_line_keeps_its_shape_on_the_screen(full, scale):
    full.stack.set_scale(scale)
    settle(full)
    panel, times = full.stack.panel("price"), full.pair.frame.times
    drawing = Drawing(Kind.TREND, (Anchor(int(times[900]), 64_000.0), Anchor(int(times[950]), 66_000.0)))
    before = stretch_of(panel, drawing)
    places_up = panel.to_plot(panel.value_at(100)) - panel.to_plot(panel.value_at(140))
    after = stretch_of(panel, moved(panel, drawing, 7, places_up))
    for old, new in zip(before, after, strict=True):
        assert new.x() - old.x() == pytest.approx(panel.x_of(7) - panel.x_of(0))
        assert new.y() - old.y() == pytest.approx(-40, abs=0.1)
