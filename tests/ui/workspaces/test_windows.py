"""Windows beside the main one: their own pair on the same market, closed and reopened, gone without a trace."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantdesk.analytics.indicators import Indicator, IndicatorKind
from quantdesk.model.market import MarketModel
from quantdesk.types import Origin
from quantdesk.ui.charts.indicator_words import ShownIndicator
from quantdesk.ui.workspaces.second_window import SecondWindow
from quantdesk.ui.workspaces.store import MOST_WINDOWS
from tests.ui.conftest import Desk, fill

Make = Callable[..., Desk]


def opened(desk: Desk) -> SecondWindow:
    window = desk.window.workspaces.windows.open_new()
    assert window is not None
    return window


def bars(window: SecondWindow) -> int:
    return 0 if window.pair.frame is None else len(window.pair.frame)


def collect(app: QApplication) -> None:
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        app.processEvents()
        gc.collect()


def test_a_new_window_has_a_pair_of_its_own_on_the_same_market(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    qtbot.waitUntil(desk.window.isActiveWindow)
    QTest.keyClick(desk.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    (second,) = desk.window.workspaces.windows.all
    assert second.pair.settings == desk.pair.settings
    second.bar.y_box.picked.emit("SOLUSDT")
    qtbot.waitUntil(lambda: bars(second) > 300, timeout=20_000)
    assert second.pair.frame.settings.y == "SOLUSDT" and desk.pair.settings.y == "BTCUSDT"
    qtbot.waitUntil(lambda: second.charts.visible_range() is not None)
    assert "SOLUSDT / ETHUSDT · 1m" in second.windowTitle() and "window 2" in second.windowTitle()
    second.registry["pair.swap"].trigger()
    assert (second.pair.settings.y, desk.pair.settings.y) == ("ETHUSDT", "BTCUSDT")


def test_jobs_of_two_windows_do_not_displace_one_another(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    windows = [opened(desk) for _ in range(3)]
    for _ in range(5):
        for window in windows:
            window.pair.refresh()
        desk.pair.refresh()
    qtbot.waitUntil(lambda: all(bars(window) > 300 for window in windows), timeout=30_000)


def test_a_market_that_begins_anew_takes_what_other_windows_had_learnt_with_it(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    second = opened(desk)
    qtbot.waitUntil(lambda: bars(second) > 300, timeout=20_000)
    desk.market.restart()
    assert bars(second) == 0, "bars of a time that has not come"
    fill(desk.market, 400)
    desk.pair.set_source(desk.market, desk.pair.settings)
    frames = (desk.pair, second.pair)
    qtbot.waitUntil(lambda: all(one.frame is not None and len(one.frame) == 400 for one in frames), timeout=20_000)
    assert second.pair.frame.fit == desk.pair.frame.fit


def test_a_closed_window_leaves_the_workspace_and_can_be_reopened(
    make_desk: Make, qapp: QApplication, qtbot: QtBot
) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    windows, on = desk.window.workspaces.windows, desk.window.registry
    second = opened(desk)
    second.control.change(y="SOLUSDT", interval="5m")
    second.registry["view.scale_log"].trigger()
    assert not on["workspace.reopen"].isEnabled()
    second.activateWindow()
    qtbot.waitUntil(second.isActiveWindow)
    QTest.keyClick(second, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert windows.all == () and on["workspace.reopen"].isEnabled()
    collect(qapp)
    on["workspace.reopen"].trigger()
    (again,) = windows.all
    assert (again.pair.settings.y, again.pair.settings.interval) == ("SOLUSDT", "5m")
    assert again.registry["view.scale_log"].isChecked() and not on["workspace.reopen"].isEnabled()


def test_the_message_that_a_window_was_closed_brings_it_back(make_desk: Make) -> None:
    desk = make_desk(data=True)
    opened(desk).close()
    desk.window.toasts.toasts[-1].activated.emit()
    assert len(desk.window.workspaces.windows.all) == 1


def test_twenty_windows_opened_and_closed_leave_nothing_behind(
    make_desk: Make, qapp: QApplication, qtbot: QtBot
) -> None:
    desk = make_desk(data=True)
    windows = desk.window.workspaces.windows
    left: list[weakref.ref[object]] = []

    def cycle() -> None:
        window = opened(desk)
        windows.link_of(window).choose("A")
        left.extend(map(weakref.ref, (window, window.pair, window.charts, window.registry, window.clock)))
        del window
        windows.close_all()
        collect(qapp)

    def objects() -> int:
        return len(desk.window.findChildren(QObject)) + len(qapp.allWidgets()) + len(desk.market.findChildren(QObject))

    for _ in range(3):
        cycle()
    before = objects()
    for _ in range(20):
        cycle()
    qtbot.waitUntil(lambda: not desk.jobs.busy(), timeout=30_000)  # the last job holds what it worked for
    collect(qapp)
    assert objects() <= before
    assert [ref() for ref in left if ref() is not None] == []


def test_nine_windows_are_the_most(make_desk: Make) -> None:
    desk = make_desk()
    windows = desk.window.workspaces.windows
    for _ in range(MOST_WINDOWS + 2):
        windows.open_new()
    assert len(windows.all) == MOST_WINDOWS - 1 and not desk.window.registry["workspace.new_window"].isEnabled()
    assert len({window.number for window in windows.all}) == MOST_WINDOWS - 1


def test_windows_follow_the_desk_to_another_market_and_return_to_their_pair(make_desk: Make) -> None:
    desk = make_desk(data=True)
    second = opened(desk)
    second.control.change(y="SOLUSDT", x="ETHUSDT")
    second.collect_choices()
    simulated = MarketModel(Origin.SIMULATED)
    desk.window.set_market(simulated)
    assert second.pair.source is simulated and "SIMULATED" in second.windowTitle()
    second.control.change(y="ETHUSDT", x="BTCUSDT")
    second.collect_choices()
    desk.window.set_market(desk.market)
    assert (second.pair.settings.y, second.pair.settings.x) == ("SOLUSDT", "ETHUSDT")


def test_a_pair_that_the_market_lacks_is_said_and_kept(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk()  # no symbol has come yet
    second = opened(desk)
    second._late.setInterval(10)
    second._on_symbols()
    qtbot.waitUntil(lambda: any("Nothing of the market" in notice.text for notice in second.banner.notices()))
    fill(desk.market)
    assert second.banner.notices() == []
    second.pair.set_settings(replace(second.pair.settings, y="DOGEUSDT"))
    qtbot.waitUntil(lambda: any("DOGEUSDT is not streamed" in notice.text for notice in second.banner.notices()))
    assert second.pair.settings.y == "DOGEUSDT"


def test_the_tray_takes_all_windows_and_gives_them_back(make_desk: Make) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    second, hidden = opened(desk), opened(desk)
    hidden.hide()
    desk.window.hide()
    assert not second.isVisible()
    desk.window.show()
    assert second.isVisible() and not hidden.isVisible()


def test_levels_theme_and_chosen_keys_reach_every_window(make_desk: Make) -> None:
    desk = make_desk(data=True)
    second = opened(desk)
    desk.alerts.set_rules([replace(rule, enter=3.5) for rule in desk.alerts.rules])
    assert second.charts._state.level == pytest.approx(3.5)
    desk.theme.choose("light")
    assert not second.charts._state.tokens.dark
    desk.window.keys.bindings.bind("view.latest", "Ctrl+Alt+E")
    assert second.registry["view.latest"].shortcut().toString() == "Ctrl+Alt+E"


def test_what_is_asked_for_in_a_window_opens_there_and_gives_the_keyboard_back(
    make_desk: Make, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    second = opened(desk)
    monkeypatch.setattr(QApplication, "activeWindow", staticmethod(lambda: second))
    desk.window.registry["help.shortcuts"].trigger()
    sheet = desk.window.prompts.dialog("shortcuts")
    assert sheet is not None and sheet.parentWidget() is second and sheet.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: desk.window.prompts.dialog("shortcuts") is None)
    desk.window.registry["help.shortcuts"].trigger()
    second.close()
    qtbot.waitUntil(lambda: desk.window.prompts.dialog("shortcuts") is None)
    monkeypatch.setattr(QApplication, "activeWindow", staticmethod(lambda: desk.window))
    desk.window.registry["help.shortcuts"].trigger()
    again = desk.window.prompts.dialog("shortcuts")
    assert again is not None and again.parentWidget() is desk.window


def test_a_replay_is_steered_from_every_window(make_desk: Make) -> None:
    desk = make_desk(data=True)
    second = opened(desk)
    for name in ("replay.toggle", "replay.step", "replay.next_alert", "file.live", "file.settings", "data.holdings"):
        assert desk.window.registry[name] in second.actions(), name


def test_the_paint_latency_is_the_main_windows(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    second = opened(desk)
    second.control.change(y="SOLUSDT")
    qtbot.waitUntil(lambda: second.charts.visible_range() is not None, timeout=20_000)
    desk.window.charts.visible_range()
    second.charts.visible_range()
    assert desk.market.latency.shown == {"BTCUSDT", "ETHUSDT"}


def test_the_second_window_says_whose_pair_the_rules_judge(make_desk: Make) -> None:
    from PySide6.QtWidgets import QLabel

    words = " ".join(label.text() for label in opened(make_desk()).state.findChildren(QLabel))
    assert "main window's pair only" in words


def test_symbols_of_every_window_are_filled_first_and_cannot_be_removed(make_desk: Make) -> None:
    desk = make_desk(data=True)
    opened(desk).control.change(y="SOLUSDT")
    assert desk.window.workspaces.shown_symbols() == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    menu = desk.window.menus.remove
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if action.isEnabled()] == []


def test_lines_and_indicators_are_those_of_the_symbol_in_every_window(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    second = opened(desk)
    for window in (desk.window, second):
        qtbot.waitUntil(lambda charts=window.charts: charts.visible_range() is not None, timeout=20_000)
        window.charts._refresh()
    second.registry["draw.horizontal"].trigger()
    second.charts._refresh()
    qtbot.mouseClick(second.charts.panel("price").viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 60))
    tools, others = second.charts.drawing, desk.window.charts.drawing
    assert len(tools.shown("price")) == len(others.shown("price")) == 1
    second.registry["view.undo"].trigger()
    assert tools.shown("price") == others.shown("price") == ()
    second.registry["view.redo"].trigger()
    second.close()
    assert len(others.shown("price")) == 1
    chosen = (ShownIndicator(Indicator(IndicatorKind.SMA, 30), "purple"),)
    third = opened(desk)
    desk.window.indicators.choose(chosen)
    assert len(third.charts.indicators._plotted) == 1 and len(opened(desk).charts.indicators._plotted) == 1


def test_undo_is_one_for_all_windows_and_passes_over_a_layout_that_is_gone(make_desk: Make, qapp: QApplication) -> None:
    desk = make_desk(data=True)
    second = opened(desk)
    second.registry["view.panel_z"].trigger()
    second.registry["view.reset_layout"].trigger()
    assert second.charts.is_panel_visible("z")
    desk.window.registry["view.undo"].trigger()
    assert not second.charts.is_panel_visible("z") and not second.registry["view.panel_z"].isChecked()
    desk.window.registry["view.redo"].trigger()
    second.close()
    del second
    collect(qapp)
    desk.window.registry["view.undo"].trigger()
    assert not desk.window.registry["view.undo"].isEnabled()


def test_the_charts_of_every_window_can_be_typed_to_and_its_interval_is_loaded(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    second = opened(desk)
    second.activateWindow()
    qtbot.waitUntil(second.isActiveWindow)
    second.charts.setFocus()
    for key in ("1", "5", "m", Qt.Key.Key_Return):
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, key)
    assert second.pair.settings.interval == "15m" and desk.pair.settings.interval == "1m"
    assert desk.window.workspaces.shown_beside() == (("BTCUSDT", "15m"), ("ETHUSDT", "15m"))
    assert second.searching is desk.window.prompts, "the exchange's symbols come to the main window"
