"""Alerts reach table, toasts, marks and desktop as they should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.outcome import Ended, Outcome
from quantdesk.analytics.alerts.rule import Comparison, Rule
from quantdesk.model.alerts import AT_START, MOST_EVENTS
from quantdesk.types import Origin
from quantdesk.ui.alert_rows import AlertRows, clock_text
from quantdesk.ui.alert_table import AlertTable
from quantdesk.ui.rule_words import outcome_text
from quantdesk.ui.theme_tokens import DARK

from .conftest import Desk, alert


def test_the_newest_is_on_top_and_the_rows_are_bounded() -> None:
    rows = AlertRows(DARK)
    for minute in range(MOST_EVENTS + 5):
        rows.add(alert(minute=minute))
    assert rows.rowCount() == MOST_EVENTS
    assert rows.event_at(0).time_ms > rows.event_at(1).time_ms


def test_a_live_alert_reaches_row_toast_and_desktop(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show()
    with qtbot.waitSignal(desk.window.notify_requested) as asked:
        desk.alerts.fired.emit(alert())
    assert "BTCUSDT / ETHUSDT" in asked.args[0] and "+2.13" in asked.args[0]
    assert desk.window.table.rows.rowCount() == 1
    assert len(desk.window.toasts.toasts) == 1


@pytest.mark.parametrize("origin", [Origin.SIMULATED, Origin.FILE, Origin.REPLAY, Origin.HISTORY])
def test_what_is_no_live_market_never_reaches_the_desktop_and_is_marked(desk: Desk, origin: Origin) -> None:
    asked: list[str] = []
    desk.window.notify_requested.connect(lambda title, text: asked.append(title + text))
    desk.alerts.fired.emit(alert(origin=origin, popup=False))
    assert asked == []
    assert desk.window.table.rows.cells(desk.window.table.rows.event_at(0))[3] == origin.value
    assert origin.value.upper() in desk.window.toasts.toasts[0].accessibleName()


def test_a_muted_desk_shows_row_and_toast_only(desk: Desk) -> None:
    asked: list[str] = []
    desk.window.notify_requested.connect(lambda title, text: asked.append(title + text))
    desk.window.registry["alerts.mute"].trigger()
    assert desk.alerts.muted and not desk.window.status.muted.isHidden()
    desk.alerts.fired.emit(alert())
    assert asked == [] and len(desk.window.toasts.toasts) == 1 and desk.window.table.rows.rowCount() == 1
    desk.window.registry["alerts.mute"].trigger()
    assert not desk.alerts.muted


def test_a_double_click_shows_the_bar(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    desk.window.registry["pair.swap"].trigger()
    qtbot.waitUntil(lambda: desk.pair.frame is not None and desk.pair.frame.settings.y == "ETHUSDT", timeout=10_000)
    event = alert(minute=40)
    desk.alerts.fired.emit(event)
    view = desk.window.table.view
    place = view.visualRect(desk.window.table.rows.index(0, 1)).center()
    assert isinstance(place, QPoint)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.pair.settings.y == "BTCUSDT"
    qtbot.waitUntil(lambda: desk.pair.frame is not None and desk.pair.frame.settings.y == "BTCUSDT", timeout=10_000)
    desk.window.show_bar(event)
    seen = desk.window.charts.visible_range()
    assert seen is not None and seen[0] <= event.time_ms <= seen[1]


def test_rows_are_copied_with_their_head(desk: Desk) -> None:
    desk.alerts.fired.emit(alert())
    desk.window.table.copy()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 2 and lines[0].split("\t")[2] == "Value" and "+2.13" in lines[1]


def test_clearing_empties_table_and_marks(desk: Desk) -> None:
    desk.alerts.fired.emit(alert())
    desk.window.registry["alerts.clear"].trigger()
    assert desk.window.table.rows.rowCount() == 0
    assert "crosses 2.0" in desk.window.table.empty.text()


def test_a_short_stamp_names_the_day_only_where_it_is_not_today() -> None:
    now = datetime.now(UTC)
    midnight = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1_000)
    assert clock_text(midnight + 8 * 3_600_000) == "08:00"
    assert clock_text(midnight + 8 * 3_600_000, "1s") == "08:00:00", "stamps of seconds stand in line"
    assert clock_text(midnight + 8 * 3_600_000 + 5_000) == "08:00:05"
    at = int(datetime(2024, 7, 18, 23, 57, 5, tzinfo=UTC).timestamp() * 1_000)
    assert clock_text(at) == "18 Jul 23:57:05"
    assert clock_text(at - at % 86_400_000) == "18 Jul 2024"


def opened(qtbot: QtBot, width: int, height: int) -> AlertTable:
    table = AlertTable(DARK)
    qtbot.addWidget(table)
    table.resize(width, height)
    with qtbot.waitExposed(table):
        table.show()
    return table


def test_a_narrow_dock_leaves_out_the_words_rather_than_cutting_them(qtbot: QtBot) -> None:
    table = opened(qtbot, 310, 300)
    table.add(alert(origin=Origin.SIMULATED, popup=False))
    assert table.view.isColumnHidden(4)
    assert sum(table.view.columnWidth(column) for column in range(4)) <= 310
    for column in (0, 2, 3):
        assert table.view.columnWidth(column) >= table.view.sizeHintForColumn(column)
    table.resize(700, 300)
    assert not table.view.isColumnHidden(4) and not table.view.isColumnHidden(5)
    for column in range(6):
        assert table.view.columnWidth(column) >= table.view.horizontalHeader().sectionSizeHint(column)


def test_a_long_origin_gives_way_before_time_or_value(qtbot: QtBot) -> None:
    table = opened(qtbot, 310, 300)
    table.add(alert(origin=Origin.SIMULATED, popup=False, kind=AT_START))
    spread = Rule("low", "low", Metric.SPREAD, Comparison.AT_MOST, 0.0, 1.0)
    table.add(alert(-123_456.78, origin=Origin.SIMULATED, popup=False, minute=301, rule=spread))
    assert sum(table.view.columnWidth(column) for column in range(4)) <= 310
    for column in (0, 2):
        assert table.view.columnWidth(column) >= table.view.sizeHintForColumn(column)
    table.resize(900, 300)
    assert table.view.columnWidth(3) >= table.view.sizeHintForColumn(3)


def test_a_row_tells_rule_outcome_and_every_value_of_that_moment(desk: Desk) -> None:
    event = alert()
    desk.alerts.fired.emit(event)
    rows = desk.window.table.rows
    assert rows.cells(rows.event_at(0))[4:] == ("|z|", "open")
    told = replace(event, record=replace(event.record, outcome=Outcome(Ended.REVERTED, 12, 720_000, 0.8, 2.93)))
    desk.alerts.followed.emit([told])
    assert rows.cells(rows.event_at(0))[5] == "reverted in 12 bars"
    tip = rows.data(rows.index(0, 0), Qt.ItemDataRole.ToolTipRole)
    for part in ("z +2.13", "β 0.0523", "window 60, log no", "12.0 min", "largest move against it 0.80"):
        assert part in tip, part
    for ended, words in ((Ended.STOPPED, "stopped after 12 bars"), (Ended.EXPIRED, "not reverted in 12 bars")):
        assert outcome_text(Outcome(ended, 12, 720_000, 0.8, 2.93)) == words


def test_alerts_of_earlier_sessions_are_dim_and_say_when_they_fired(desk: Desk) -> None:
    rows = desk.window.table.rows
    for earlier in (False, True):
        rows.reset([replace(alert(), earlier=earlier)])
        dim = rows.data(rows.index(0, 2), Qt.ItemDataRole.ForegroundRole).color() == QColor(DARK.text_dim)
        assert dim is earlier
        assert ("of an earlier session, fired 18 Jul" in rows.tip(rows.event_at(0))) is earlier


def test_a_rule_of_another_metric_says_its_own_value(desk: Desk) -> None:
    desk.window.show()
    rule = Rule("dear", "dear", Metric.PRICE_Y, Comparison.CROSSES_UP, 65_000.0, 64_000.0)
    desk.alerts.fired.emit(alert(65_012.5, rule=rule))
    assert desk.window.table.rows.cells(desk.window.table.rows.event_at(0))[2] == "Y 65,012.5"
    name = desk.window.toasts.toasts[0].accessibleName()
    assert name.startswith("Y 65,012.5 · BTCUSDT / ETHUSDT") and "dear: Y crosses above 65,000.0" in name


def test_what_becomes_known_of_one_alert_asks_for_the_words_of_its_row_alone(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = opened(qtbot, 900, 400)
    events = [alert(minute=minute) for minute in range(300, 340)]
    table.reset(events)
    asked: list[str] = []
    cells = table.rows.cells
    monkeypatch.setattr(table.rows, "cells", lambda event: asked.append(event.id) or cells(event))
    told = replace(events[7].record, outcome=Outcome(Ended.REVERTED, 480, 28_800_000, 0.8, 2.93))
    table.update_events([replace(events[7], record=told)])
    assert set(asked) == {events[7].id}
    assert table.rows.cells(table.rows.event_at(32))[5] == "reverted in 480 bars"


def test_a_hidden_table_makes_room_for_longer_words_when_it_is_shown(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = AlertTable(DARK)
    qtbot.addWidget(table)
    table.resize(900, 400)
    asked: list[str] = []
    cells = table.rows.cells
    monkeypatch.setattr(table.rows, "cells", lambda event: asked.append(event.id) or cells(event))
    spread = Rule("low", "low", Metric.SPREAD, Comparison.AT_MOST, 0.0, 1.0)
    table.add(alert())
    table.add(alert(-123_456_789.78, minute=301, rule=spread))
    assert not asked, "words that nobody sees were measured"
    with qtbot.waitExposed(table):
        table.show()
    assert table.view.columnWidth(2) >= table.view.sizeHintForColumn(2)
    table.add(alert(-123_456_789_123.78, minute=302, rule=spread))
    assert table.view.columnWidth(2) >= table.view.sizeHintForColumn(2)


def test_an_alert_whose_webhook_failed_can_be_posted_again_from_its_row(desk: Desk) -> None:
    window, posted = desk.window, []
    window.show()
    first, second = alert(minute=0), alert(minute=1)
    for event in (first, second):
        desk.alerts.fired.emit(event)
    window.table.mark(first.id, "webhook failed: no answer", failed=True)
    window.webhooks.send_requested.connect(posted.append)

    def menu_of(row: int) -> list[QAction]:
        view = window.table.view
        window.table._open_menu(view.visualRect(window.table.rows.index(row, 0)).center())
        menu = window.table.findChildren(QMenu)[-1]
        menu.hide()
        return menu.actions()

    assert [one.text() for one in menu_of(0)] == ["Show the bar", "Copy", "Clear the table"]
    again = next(one for one in menu_of(1) if one.text() == "Post again")
    again.trigger()
    assert posted == [first]
    window.webhooks.show_left([first, second])
    window.webhooks.show_state(second, "webhook: answered 204")
    window.toasts.toasts[-1].activated.emit()
    assert posted == [first, first], "what has been posted since is not posted once more"
