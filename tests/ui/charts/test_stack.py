from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import count, move, picture, settle, view


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
    qtbot.waitUntil(lambda: not full.stack._flash.running, timeout=5_000)
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
