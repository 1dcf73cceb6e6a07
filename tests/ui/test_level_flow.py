"""Alert levels are moved, added and opened on the charts, and every change can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QMenu
from pytestqt.qtbot import QtBot

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Rule, z_rule
from quantdesk.model.alerts import MOST_RULES
from quantdesk.ui.charts.panel import Panel

from .conftest import Desk

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def shown(make_desk: Callable[..., Desk], qtbot: QtBot) -> Desk:
    desk = make_desk(data=True)
    desk.window.show()
    qtbot.waitExposed(desk.window)
    desk.window.charts._refresh()
    return desk


def panel(desk: Desk, name: str = "z") -> Panel:
    return desk.window.charts.panel(name)


def drag(desk: Desk, qtbot: QtBot, y: float, to: float, name: str = "z") -> None:
    port = panel(desk, name).viewport()
    at = QPoint(300, round(y))
    qtbot.mousePress(port, LEFT, Qt.KeyboardModifier.NoModifier, at)
    for share in (0.5, 1.0):
        qtbot.mouseMove(port, QPoint(300, round(y + share * (to - y))))
    from tests.ui.charts.acts import move

    move(port, 300, to, LEFT)
    qtbot.mouseRelease(port, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(300, round(to)))


def test_a_dragged_level_changes_the_rule_and_undo_gives_it_back(shown: Desk, qtbot: QtBot) -> None:
    z, undo = panel(shown), shown.window.registry["view.undo"]
    drag(shown, qtbot, z.y_of(2.0), z.y_of(2.0) - 12)
    (rule,) = shown.alerts.rules
    assert rule.enter > 2.0 and rule.rearm == 1.5
    assert undo.isEnabled() and "|z|" in undo.text()
    assert any("Alert changed" in toast._title.text() for toast in shown.window.toasts.toasts)
    undo.trigger()
    assert shown.alerts.rules == (z_rule(),) and not undo.isEnabled()


def test_a_rule_that_is_done_again_finds_its_place_taken(shown: Desk) -> None:
    shown.window.levels.add("z", 2.7)
    shown.window.layouts.undo.undo()
    full = [replace(z_rule(), id=f"r{place}") for place in range(MOST_RULES)]
    shown.alerts.set_rules(full)
    shown.window.layouts.undo.redo()
    assert list(shown.alerts.rules) == full


def test_undo_touches_no_other_rule_and_brings_back_none_that_was_deleted(shown: Desk, qtbot: QtBot) -> None:
    z = panel(shown)
    drag(shown, qtbot, z.y_of(2.0), z.y_of(2.0) - 12)
    other = Rule("o", "other", Metric.CORRELATION, Comparison.AT_MOST, 0.1, 0.2)
    shown.alerts.set_rules([*shown.alerts.rules, other])
    shown.window.layouts.undo.undo()
    assert shown.alerts.rules == (z_rule(), other)
    shown.window.layouts.undo.redo()
    assert shown.alerts.rules[0].enter > 2.0
    shown.alerts.set_rules([other])
    shown.window.layouts.undo.undo()
    assert shown.alerts.rules == (other,)


@pytest.mark.parametrize(
    ("name", "metric"),
    [("z", Metric.Z), ("spread", Metric.SPREAD), ("correlation", Metric.CORRELATION), ("price", Metric.PRICE_Y)],
)
def test_an_alert_is_added_where_the_crosshair_stands(shown: Desk, qtbot: QtBot, name: str, metric: Metric) -> None:
    chart = panel(shown, name)
    y = round(chart.plot.height() * 0.25)
    qtbot.mouseMove(chart.viewport(), QPoint(200, y))
    shown.window.charts._pointing.put(200, y, name)
    shown.window.registry["alerts.here"].trigger()
    rule = shown.alerts.rules[-1]
    now = next(v for row in range(len(chart.state.line) - 1, 0, -1) if isfinite(v := chart.row_value(row)))
    pointed = min(chart.value_at(y), 1.0) if metric is Metric.CORRELATION else chart.value_at(y)
    assert rule.metric is metric and rule.enter == pytest.approx(pointed, rel=1e-2, abs=0.05)
    assert rule.comparison is (Comparison.AT_LEAST if rule.enter >= now else Comparison.AT_MOST)
    assert rule.reach(rule.rearm) < rule.reach(rule.enter)
    assert rule in shown.window.levels.layer.rules
    shown.window.layouts.undo.undo()
    assert shown.alerts.rules == (z_rule(),)


def test_without_a_crosshair_an_alert_stands_at_the_newest_z(shown: Desk) -> None:
    shown.window.charts._pointing.leave()
    shown.window.registry["alerts.here"].trigger()
    rule, z = shown.alerts.rules[-1], panel(shown)
    assert rule.metric is Metric.Z and rule.enter == pytest.approx(z.row_value(z.state.row), abs=0.1)


def test_an_added_rule_is_named_by_its_level_and_goes_on_saying_it(shown: Desk, qtbot: QtBot) -> None:
    shown.window.levels.add("correlation", 0.5)
    rule = shown.alerts.rules[-1]
    assert rule.name == f"corr. {rule.comparison.label} 0.5"
    shown.window.levels._on_moved(rule, replace(rule, enter=0.4, rearm=0.45 if rule.comparison.sign < 0 else 0.3))
    assert shown.alerts.rules[-1].name == f"corr. {rule.comparison.label} 0.4"


def test_no_alert_is_added_without_data_or_beyond_the_most_that_can_be_watched(desk: Desk, shown: Desk) -> None:
    desk.window.registry["alerts.here"].trigger()
    assert desk.alerts.rules == (z_rule(),)
    full = [replace(z_rule(), id=str(number)) for number in range(MOST_RULES)]
    shown.alerts.set_rules(full)
    shown.window.levels.add("correlation", 0.5)
    assert len(shown.alerts.rules) == MOST_RULES and not shown.window.layouts.undo.canUndo()


def test_a_double_click_opens_the_rule_and_what_is_chosen_there_can_be_undone(shown: Desk, qtbot: QtBot) -> None:
    z = panel(shown)
    at = QPoint(300, round(z.y_of(2.0)))
    qtbot.mouseDClick(z.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, at)
    dialog = shown.window.rules.editing
    assert dialog is not None and dialog.form.rule() == z_rule()
    dialog.form.name.setText("far out")
    dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert shown.alerts.rules[0].name == "far out"
    shown.window.layouts.undo.undo()
    assert shown.alerts.rules == (z_rule(),)


@pytest.mark.parametrize("name", ["z", "spread", "correlation", "price"])
def test_the_other_button_on_an_axis_offers_an_alert_there(shown: Desk, qtbot: QtBot, name: str) -> None:
    chart = panel(shown, name)
    menu = shown.window.levels.axis_menu(name, 40.0)
    first = menu.actions()[0]
    assert chart.value_text(chart.value_at(40.0)) in first.text()
    extra = {action.text() for action in menu.actions()[2:]}
    assert ("&Linear" in extra) == (name == "price") and ("&Candles" in extra) == (name == "spread")
    first.trigger()
    assert len(shown.alerts.rules) == 2
    menu.deleteLater()


def test_the_menu_opens_at_the_axis_and_not_in_the_plot(shown: Desk, qtbot: QtBot) -> None:
    chart = panel(shown)
    for x, opens in ((100, False), (round(chart.plot.right()) + 10, True)):
        at = QPoint(x, 30)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, chart.viewport().mapToGlobal(at))
        QApplication.sendEvent(chart.viewport(), event)
        popup = QApplication.activePopupWidget()
        assert isinstance(popup, QMenu) == opens
        if popup is not None:
            popup.close()
