from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from quantdesk.model.frame import PairSettings
from quantdesk.ui.theme_tokens import DARK, LIGHT


def settle(desk) -> None:
    """Let the marked tick come and paint it."""
    desk.stack._refresh()
    QApplication.processEvents()


def picture(desk, name: str) -> QImage:
    settle(desk)
    return desk.stack.panel(name).grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def count(image: QImage, color: str) -> int:
    """Count the pixels of exactly a colour."""
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return int((pixels[:, : image.width()] & 0xFFFFFF == QColor(color).rgb() & 0xFFFFFF).sum())


def view(desk):
    return desk.stack._state.view


def key(qtbot, desk, *keys, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    for each in keys:
        qtbot.keyClick(desk.stack, each, modifier)
    settle(desk)


def wheel(panel, x: float, y: float, dy: int = 0, dx: int = 0) -> None:
    none = Qt.KeyboardModifier.NoModifier
    at = QPointF(x, y)
    event = QWheelEvent(
        at, panel.mapToGlobal(at), QPoint(), QPoint(dx, dy), Qt.MouseButton.NoButton, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(panel.viewport(), event)


@pytest.fixture
def full(desk, make):
    desk.pair.show(make(1_000))
    settle(desk)
    return desk


# -- what is drawn ----------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_every_panel_shows_its_data_in_its_colours(full, tokens):
    full.stack.set_tokens(tokens)
    price = picture(full, "price")
    assert count(price, tokens.up) > 2_000
    assert count(price, tokens.down) > 2_000
    for name, color in (("spread", tokens.spread), ("z", tokens.z), ("correlation", tokens.correlation)):
        assert count(picture(full, name), color) > 100, name
    assert count(picture(full, "z"), tokens.level) > 100


def test_a_dense_view_is_drawn_too(desk, make):
    desk.pair.show(make(50_000))
    settle(desk)
    view(desk).show(0, 50_000)
    price = picture(desk, "price")
    assert count(price, DARK.up) > 1_000
    assert count(price, DARK.down) > 1_000
    assert count(picture(desk, "spread"), DARK.spread) > 1_000


def test_candles_stand_where_their_bars_are(full):
    panel = full.stack.panel("price")
    view(full).show(500, 520)
    image = picture(full, "price")
    candles = panel.candles.pyramid
    ratio = image.devicePixelRatio()
    for row in range(502, 518):
        opened, close = candles.column("open")[row], candles.column("close")[row]
        if abs(panel.y_of(opened) - panel.y_of(close)) < 4:
            continue
        color = DARK.up if close >= opened else DARK.down
        at = (panel.x_of(row) * ratio, panel.y_of((opened + close) / 2) * ratio)
        assert image.pixelColor(int(at[0]), int(at[1])).name() == color


def test_the_scale_fits_what_is_visible(full):
    panel = full.stack.panel("price")
    view(full).show(100, 200)
    settle(full)
    candles = panel.candles.pyramid
    low, high = candles.column("low")[100:201].min(), candles.column("high")[100:201].max()
    assert panel.low < low < high < panel.high
    assert (high - low) / (panel.high - panel.low) > 0.6


def test_one_plot_margin_serves_all_panels_and_the_time_axis(full):
    widths = {full.stack.panel(name).plot.width() for name in full.stack.panel_names}
    assert widths == {full.stack._axis.plot_width}
    assert all(full.stack.panel(name).axis_need() <= 1_200 - widths.pop() for name in ("price",))


def test_a_gap_is_no_line_and_a_lone_value_is_a_dot(desk, make):
    frame = make(300)
    spread = np.full(300, np.nan)
    spread[250] = 1_210.0
    desk.pair.show(replace(frame, spread=spread))
    image = picture(desk, "spread")
    assert count(image, DARK.spread) > 0
    plot = desk.stack.panel("spread").plot
    inside = image.copy(0, 34, int(plot.width()), image.height() - 34)
    assert count(inside, DARK.spread) < 10


def test_the_forming_bar_is_drawn_from_the_tail(desk, make):
    from_ = make(301)
    desk.pair.show(make(300))
    settle(desk)
    assert len(desk.stack.panel("price").candles.pyramid) == 300
    tail = desk.pair.tail().__class__(
        from_.times[-1:], desk_leg(from_.y), desk_leg(from_.x), from_.spread[-1:], from_.z[-1:]
    )
    desk.pair.show(desk.pair.frame, tail)
    settle(desk)
    assert len(desk.stack.panel("price").candles.pyramid) == 301
    assert len(desk.stack.panel("correlation").line.pyramid) == 301
    desk.pair.show(desk.pair.frame)
    settle(desk)
    assert len(desk.stack.panel("price").candles.pyramid) == 300


def desk_leg(leg):
    return leg.__class__(*(getattr(leg, name)[-1:].copy() for name in leg.__dataclass_fields__))


def test_refits_and_the_formation_window_are_marked(full):
    panel = full.stack.panel("spread")
    assert panel.refits.rows == [749.5]
    assert panel.formation.span == (-0.5, 239.5)
    view(full).show(700, 800)
    assert count(picture(full, "spread"), DARK.refit) > 40


def test_alerts_stand_as_triangles_at_their_bars(full):
    before = count(picture(full, "z"), DARK.level)
    frame = full.pair.frame
    inside = int(np.flatnonzero(np.abs(frame.z[900:]) < 1.0)[0]) + 900
    full.stack.set_alerts([int(frame.times[inside])])
    assert count(picture(full, "z"), DARK.level) > before + 12
    assert full.stack.panel("z").marks.rows == [inside]


def test_the_other_leg_shows_its_own_bars(full, qtbot):
    with qtbot.waitSignal(full.stack.leg_changed):
        full.stack.set_price_leg("x")
    settle(full)
    np.testing.assert_array_equal(full.stack.panel("price").candles.pyramid.column("close"), full.pair.frame.x.close)
    with pytest.raises(ValueError, match="no leg"):
        full.stack.set_price_leg("both")


@pytest.mark.parametrize(
    ("rows", "two", "words"),
    [
        (0, True, ["Waiting for trades of BTCUSDT…", "Spread needs 61 more bars", "z needs 61 more bars"]),
        (60, True, ["", "Spread needs 1 more bar", "z needs 1 more bar"]),
        (100, False, ["", "Spread needs two legs", "z needs two legs"]),
        (100, True, ["", "", ""]),
    ],
)
def test_an_empty_panel_says_what_it_waits_for(desk, make, rows, two, words):
    desk.pair.show(make(rows, two=two))
    settle(desk)
    assert [desk.stack.panel(name).empty_text() for name in ("price", "spread", "z")] == words
    for name in desk.stack.panel_names:
        assert count(picture(desk, name), DARK.text_dim) > 5


def test_without_a_frame_nothing_breaks(desk, qtbot):
    settle(desk)
    key(qtbot, desk, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home, Qt.Key.Key_Plus)
    desk.stack.show_time(5)
    assert desk.stack.visible_range() is None
    assert desk.stack.panel("price").empty_text() == "Waiting for data…"
    assert not desk.stack.grab_picture().isNull()


# -- moving -----------------------------------------------------------------------------------


def test_the_wheel_zooms_at_the_pointer(full):
    panel = full.stack.panel("price")
    row = panel.row_at(300)
    span = view(full).span
    wheel(panel, 300, 100, dy=120)
    settle(full)
    assert view(full).span < span
    assert panel.row_at(300) == pytest.approx(row)


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


def move(port, x: float, y: float, buttons=Qt.MouseButton.NoButton) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    at = QPointF(x, y)
    none = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, at, port.mapToGlobal(at), Qt.MouseButton.NoButton, buttons, none)
    QApplication.sendEvent(port, event)


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


def test_another_interval_keeps_the_time_at_the_right_edge_of_a_moved_view(full, make):
    full.stack.pan(-600)
    end = full.stack.visible_range()[1]
    settings = PairSettings("BTCUSDT", "ETHUSDT", "5m")
    full.pair.show(None)
    settle(full)
    full.pair.show(replace(make(400, step=300_000), settings=settings, version=2))
    settle(full)
    assert abs(full.stack.visible_range()[1] - end) <= 300_000


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


# -- reading ----------------------------------------------------------------------------------


def test_the_crosshair_reads_the_bar_under_it_in_every_panel(full, qtbot):
    panel = full.stack.panel("spread")
    row = 930
    with qtbot.waitSignal(full.stack.reading_changed):
        move(panel.viewport(), panel.x_of(row), 50)
        settle(full)
    reading, frame = full.stack.reading, full.pair.frame
    assert (reading.row, reading.time_ms, reading.under_cursor) == (row, int(frame.times[row]), True)
    assert reading.values["close"] == frame.y.close[row]
    assert reading.values["z"] == frame.z[row]
    words = " ".join(span.text for span in full.stack.panel("price").legend(row))
    assert f"{frame.y.close[row]:,.1f}" in words
    for name in full.stack.panel_names:
        assert count(picture(full, name), DARK.crosshair) > 20
    assert count(picture(full, "spread"), full.stack._state.cursor_color) > 100


def test_away_from_the_charts_the_newest_bar_is_read(full):
    panel = full.stack.panel("price")
    move(panel.viewport(), 100, 100)
    settle(full)
    panel.left.emit()
    settle(full)
    assert full.stack.reading.row == 999
    assert not full.stack.reading.under_cursor


def test_where_no_bar_is_the_legend_shows_dashes(full):
    panel = full.stack.panel("price")
    move(panel.viewport(), panel.x_of(1_003), 100)
    settle(full)
    assert "—" in [span.text for span in panel.legend(full.stack._state.row)]


def test_show_time_brings_the_bar_to_the_middle_and_flashes_it(full, qtbot):
    frame = full.pair.frame
    full.stack.show_time(int(frame.times[400]) + 500)
    settle(full)
    assert (view(full).left + view(full).right) / 2 == pytest.approx(400)
    assert full.stack._state.flash_row == 400
    qtbot.waitUntil(lambda: not full.stack._flash.isActive(), timeout=5_000)
    settle(full)
    assert full.stack._state.flash_row is None


# -- the window's wishes ----------------------------------------------------------------------


def test_panels_hide_and_the_layout_comes_back(full):
    full.stack.set_panel_visible("correlation", False)
    full.stack.set_price_leg("x")
    settle(full)
    saved = full.stack.save_state()
    assert not full.stack.is_panel_visible("correlation")
    full.stack.set_panel_visible("correlation", True)
    full.stack.set_price_leg("y")
    settle(full)
    full.stack.restore_state(saved)
    settle(full)
    assert not full.stack.is_panel_visible("correlation")
    assert full.stack.price_leg == "x"


@pytest.mark.parametrize(
    "bad", [{}, {"version": 9}, {"version": 1, "sizes": "x", "hidden": 3, "leg": 7}, {"version": 1, "sizes": [1]}]
)
def test_a_broken_layout_changes_nothing(full, bad):
    before = full.stack.save_state()
    full.stack.restore_state(bad)
    assert full.stack.save_state() == before


def test_a_hidden_panel_takes_its_data_when_it_shows_again(full, make):
    full.stack.set_panel_visible("spread", False)
    full.pair.show(replace(make(1_100), version=2))
    settle(full)
    assert len(full.stack.panel("spread").line.pyramid) == 1_000
    full.stack.set_panel_visible("spread", True)
    settle(full)
    assert len(full.stack.panel("spread").line.pyramid) == 1_100


def test_the_picture_holds_all_panels_without_the_crosshair(full):
    move(full.stack.panel("price").viewport(), 200, 100)
    settle(full)
    image = full.stack.grab_picture().convertToFormat(QImage.Format.Format_RGB32)
    assert (image.width(), image.height()) == (1_200, 800)
    assert count(image, DARK.up) > 1_000
    assert count(image, DARK.crosshair) < 20
    assert count(image, DARK.panel) > 1_200 * 800 // 3
    settle(full)
    assert full.stack.pointer_at() is not None


def test_nothing_is_painted_without_a_tick(full, qtbot):
    settle(full)
    full.clock.stop()
    before = view(full).left, full.stack.panel("price").low
    full.pair.frame = None
    QApplication.processEvents()
    assert (view(full).left, full.stack.panel("price").low) == before
    with qtbot.waitSignal(full.clock.tick, timeout=1_000):
        full.clock.mark()
    assert full.stack.panel("price").empty_text()


def test_a_hidden_stack_does_not_work(full, make):
    full.stack.hide()
    full.pair.show(replace(make(1_100), version=2))
    full.clock.tick.emit()
    assert len(full.stack.panel("price").candles.pyramid) == 1_000


def test_a_long_series_is_cut_to_what_the_screen_shows(desk, make):
    desk.pair.show(make(200_000))
    settle(desk)
    view(desk).show(0, 200_000)
    settle(desk)
    cut = desk.stack.panel("price").candles._cut
    assert cut.size <= desk.stack.panel("price").plot.width() + 2
