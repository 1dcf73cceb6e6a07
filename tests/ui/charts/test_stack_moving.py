from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt

from quantdesk.model.frame import PairSettings
from tests.ui.charts.acts import key, move, picture, settle, view, wheel


def test_the_wheel_zooms_at_the_pointer(full):
    panel = full.stack.panel("price")
    row = panel.row_at(300)
    span = view(full).span
    wheel(panel, 300, 100, dy=120)
    settle(full)
    assert view(full).span < span
    assert panel.row_at(300) == pytest.approx(row)


def test_the_wheel_over_the_time_axis_zooms_at_the_pointer_too(full):
    axis, panel = full.stack._axis, full.stack.panel("price")
    row, span = panel.row_at(300), view(full).span
    wheel(axis, 300, 10, dy=120)
    settle(full)
    assert view(full).span < span
    assert panel.row_at(300) == pytest.approx(row)


def test_the_wheel_with_control_zooms_with_shift_moves_and_over_the_prices_scales(full):
    panel = full.stack.panel("price")
    row, span, left = panel.row_at(300), view(full).span, view(full).left
    wheel(panel, 300, 100, dy=120, held=Qt.KeyboardModifier.ControlModifier)
    settle(full)
    assert view(full).span < span and panel.row_at(300) == pytest.approx(row)
    span, left = view(full).span, view(full).left
    wheel(panel, 300, 100, dy=120, held=Qt.KeyboardModifier.ShiftModifier)
    settle(full)
    assert view(full).span == pytest.approx(span) and view(full).left < left
    size = panel.high - panel.low
    wheel(panel, panel.plot.right() + 20, 100, dy=120)
    settle(full)
    assert not panel.auto and panel.high - panel.low < size


def test_a_drag_pans_and_a_moved_view_is_not_stolen(full, qtbot, make):
    panel = full.stack.panel("z")
    left, per_row = view(full).left, panel.plot.width() / view(full).span
    port = panel.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(200, 40))
    for x in (210, 300, 500):
        qtbot.mouseMove(port, QPoint(x, 40))
        move(port, x, 40, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(500, 40))
    settle(full)
    assert view(full).left == pytest.approx(left - 300 / per_row, abs=0.1)
    seen = full.stack.visible_range()
    full.pair.show(replace(make(1_040), version=2))
    settle(full)
    assert full.stack.visible_range() == seen


def test_keys_move_by_bar_by_page_and_to_the_ends(full, qtbot):
    left = view(full).left
    key(qtbot, full, Qt.Key.Key_Left)
    assert view(full).left == pytest.approx(left - 1)
    key(qtbot, full, Qt.Key.Key_Left, modifier=Qt.KeyboardModifier.ControlModifier)
    assert view(full).left == pytest.approx(left - 1 - view(full).span * 0.8)
    key(qtbot, full, Qt.Key.Key_Right, Qt.Key.Key_Right)
    span = view(full).span
    key(qtbot, full, Qt.Key.Key_Plus)
    assert view(full).span < span
    key(qtbot, full, Qt.Key.Key_Home)
    assert full.stack.visible_range()[0] == int(full.pair.frame.times[0])
    key(qtbot, full, Qt.Key.Key_End)
    assert full.stack.visible_range()[1] == int(full.pair.frame.times[-1])
    assert view(full).follows


def test_new_bars_are_followed_only_at_the_right_edge(full, make):
    full.pair.show(replace(make(1_010), version=2))
    settle(full)
    assert full.stack.visible_range()[1] == int(full.pair.frame.times[-1])


def test_history_in_front_keeps_the_visible_times(desk, make):
    whole = make(1_000)
    late = slice(400, 1_000)
    names = ("times", "spread", "spread_upper", "spread_lower", "z", "correlation")
    cut = {name: getattr(whole, name)[late].copy() for name in names}
    legs = {
        n: getattr(whole, n).__class__(
            *(getattr(getattr(whole, n), f)[late].copy() for f in whole.y.__dataclass_fields__)
        )
        for n in ("y", "x")
    }
    desk.pair.show(replace(whole, **cut, **legs))
    settle(desk)
    desk.stack.pan(-200)
    seen = desk.stack.visible_range()
    desk.pair.show(replace(whole, version=2))
    settle(desk)
    assert desk.stack.visible_range() == seen


def middle(desk) -> float:
    return desk.stack._state.line.time_of((view(desk).left + view(desk).right) / 2)


def coarser(make, rows: int, first: int = 0):
    """Return a frame of five minutes over the time of a frame of minutes, from its bar ``first`` on."""
    whole = make(rows, step=300_000)
    names = ("times", "spread", "spread_upper", "spread_lower", "z", "correlation")
    cut = {name: getattr(whole, name)[first:].copy() for name in names}
    legs = {
        n: type(whole.y)(*(getattr(getattr(whole, n), f)[first:].copy() for f in whole.y.__dataclass_fields__))
        for n in ("y", "x")
    }
    return replace(whole, **cut, **legs, settings=PairSettings("BTCUSDT", "ETHUSDT", "5m"), version=2)


def test_another_interval_keeps_the_time_in_the_middle_of_a_moved_view(full, make):
    full.stack.pan(-600)
    seen, span = middle(full), view(full).span
    full.pair.show(None)
    settle(full)
    full.pair.show(coarser(make, 400))
    settle(full)
    assert abs(middle(full) - seen) <= 300_000
    assert view(full).span == span


def test_another_interval_of_a_view_that_follows_keeps_zoom_and_newest_bar(full, make, qtbot):
    key(qtbot, full, Qt.Key.Key_Plus, Qt.Key.Key_Plus)
    room, span = view(full).right - 1_000, view(full).span
    full.pair.show(coarser(make, 400))
    settle(full)
    assert view(full).follows
    assert (view(full).right - 400, view(full).span) == pytest.approx((room, span))


@pytest.mark.parametrize("moved", [False, True])
def test_what_was_in_the_middle_comes_back_once_its_bars_are_there(full, make, qtbot, moved):
    full.stack.pan(-600)
    seen = middle(full)
    full.pair.show(coarser(make, 400, first=398))
    settle(full)
    assert middle(full) > seen
    if moved:
        key(qtbot, full, Qt.Key.Key_End)
    full.pair.show(replace(coarser(make, 400), version=3))
    settle(full)
    assert (abs(middle(full) - seen) <= 300_000) is not moved
    assert view(full).follows is moved


def test_a_bar_of_another_interval_is_shown_once_its_frame_is_there(full, make):
    whole = coarser(make, 400)
    full.pair.show(None)
    settle(full)
    full.stack.show_time(int(whole.times[120]))
    full.pair.show(whole)
    settle(full)
    assert abs(middle(full) - whole.times[120]) <= 300_000


@pytest.mark.parametrize("bars", [20, 300])
def test_where_no_bar_is_as_old_another_interval_shows_the_bars_there_are(full, make, bars):
    full.stack.pan(-600)
    span = view(full).span
    full.pair.show(coarser(make, 400 + bars, first=400))
    settle(full)
    assert view(full).span == span
    assert view(full).left < 0 if bars < span else view(full).left == pytest.approx(-0.5, abs=2.5)
    assert view(full).follows is (bars < span)


def test_dragging_an_axis_scales_it_until_a_double_click(full, qtbot):
    panel = full.stack.panel("price")
    low, high = panel.low, panel.high
    x = int(panel.plot.right()) + 20
    port = panel.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(x, 100))
    move(port, x, 130, Qt.MouseButton.LeftButton)
    move(port, x, 200, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(x, 200))
    settle(full)
    assert not panel.auto
    assert panel.high - panel.low > (high - low) * 1.1
    qtbot.mouseDClick(port, Qt.MouseButton.LeftButton, pos=QPoint(x, 100))
    settle(full)
    assert (panel.low, panel.high) == (low, high)


def test_dragging_the_time_axis_zooms_and_a_double_click_resets(full, qtbot):
    axis, span = full.stack._axis, view(full).span
    qtbot.mousePress(axis, Qt.MouseButton.LeftButton, pos=QPoint(300, 10))
    move(axis, 500, 10, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(axis, Qt.MouseButton.LeftButton, pos=QPoint(500, 10))
    assert view(full).span < span
    qtbot.mouseDClick(axis, Qt.MouseButton.LeftButton, pos=QPoint(300, 10))
    settle(full)
    assert view(full).span == span


def test_a_click_on_the_other_leg_in_the_legend_shows_it(full, qtbot):
    panel = full.stack.panel("price")
    picture(full, "price")
    box = next(box for box, link in panel._hot if link == "leg:x")
    qtbot.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert full.stack.price_leg == "x"


def test_the_latest_button_appears_only_where_it_is_needed(full, qtbot):
    panel = full.stack.panel("price")
    picture(full, "price")
    assert "latest" not in [link for _, link in panel._hot]
    full.stack.pan(-500)
    picture(full, "price")
    box = next(box for box, link in panel._hot if link == "latest")
    qtbot.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert view(full).follows
