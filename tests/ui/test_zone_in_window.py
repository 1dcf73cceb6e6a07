"""Every time of day in a window follows the chosen zone at once and says whose clock it is by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QTimeZone
from PySide6.QtWidgets import QTableWidget
from pytestqt.qtbot import QtBot

from quantdesk.model.alerts import AlertEvent
from quantdesk.types import Gap, GapState
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.bar_words import gap_text, time_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.tick_words import facts

from .conftest import START, Desk, alert
from .test_data_panel import REPORT
from .test_tick_panel import trade

INDIA = Zone("Asia/Kolkata")  # 12:00 UTC, where the bars begin, is 17:30 there


@pytest.fixture
def desk(make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Desk:
    monkeypatch.setattr(QTimeZone, "systemTimeZone", staticmethod(lambda: QTimeZone(b"Asia/Kolkata")))
    desk = make_desk(data=True)
    desk.window.resize(1_500, 1_000)
    desk.window.show()
    qtbot.waitUntil(lambda: desk.pair.evidence is not None, timeout=20_000)
    return desk


def choose(desk: Desk, name: str) -> None:
    desk.window.registry[f"view.zone_{name}"].trigger()


def head(table: QTableWidget, column: int) -> str:
    item = table.horizontalHeaderItem(column)
    assert item is not None
    return item.text()


def test_the_boxes_name_the_zone_of_their_windows(desk: Desk) -> None:
    # The newest 240 of 320 bars are the formation window: it begins at 13:20 UTC.
    boxes = [desk.window.metrics.box(name) for name in ("spread", "hedge")]
    for name, clock, short in (("local", "18:50", "IST"), ("utc", "13:20", "UTC")):
        choose(desk, name)
        assert all(clock in box.toolTip() and short in box.toolTip() for box in boxes), boxes[0].toolTip()


def test_the_evidence_follows(desk: Desk, qtbot: QtBot) -> None:
    choose(desk, "local")
    desk.window.registry["view.evidence"].trigger()
    qtbot.waitUntil(lambda: desk.window.pair_docks.evidence.panel is not None)
    panel = desk.window.pair_docks.evidence.panel
    assert panel is not None
    qtbot.waitUntil(lambda: "Cointegration" in panel.text(), timeout=20_000)
    chart = panel.charts["p"]
    for name, clock, short in (("local", "17:30", "IST"), ("utc", "12:00", "UTC"), ("local", "17:30", "IST")):
        choose(desk, name)
        assert f"18 Jul {clock} – " in panel.text() and short in panel.text()
        if chart.drawing is not None:
            chart.set_cursor_row(0)
            zone = INDIA if name == "local" else UTC_ZONE
            assert time_text(int(chart.drawing.times[0]), zone)[:5] in chart.reading()


def test_the_hedge_bench_follows(desk: Desk, qtbot: QtBot) -> None:
    choose(desk, "local")
    desk.window.registry["view.hedge_bench"].trigger()
    qtbot.waitUntil(lambda: desk.window.pair_docks.bench.panel is not None)
    panel = desk.window.pair_docks.bench.panel
    assert panel is not None
    qtbot.waitUntil(lambda: "18 Jul" in panel.words.text(), timeout=20_000)
    for name, clock, short in (("utc", "12:00", "UTC"), ("local", "17:30", "IST")):
        choose(desk, name)
        assert f"18 Jul {clock}" in panel.words.text() and short in panel.words.text()
        assert short in panel.chart.reading() and short in panel.text()


def test_the_tick_dock_follows(desk: Desk, qtbot: QtBot) -> None:
    trade(desk)
    choose(desk, "local")
    desk.window.registry["view.ticks"].trigger()
    flow = desk.window.pair_docks.ticks
    qtbot.waitUntil(lambda: flow.panel is not None and flow.statistics.latest is not None, timeout=20_000)
    panel, found = flow.panel, flow.statistics.latest
    assert panel is not None and found is not None
    for name, zone, short in (("local", INDIA, "IST"), ("utc", UTC_ZONE, "UTC")):
        choose(desk, name)
        assert panel.fact("Time") == f"{time_text(found.start, zone)} – {time_text(found.end, zone)} {short}"
        assert ("Time", panel.fact("Time")) in facts(found, zone)


def test_alerts_follow_in_table_and_toasts_and_their_tips(desk: Desk) -> None:
    table = desk.window.table
    desk.alerts.fired.emit(alert())
    at, fired = alert().time_ms, alert().fired_at
    for name, zone, title, short in (("local", INDIA, "Asia/Kolkata", "IST"), ("utc", UTC_ZONE, "UTC", "UTC")):
        choose(desk, name)
        rows = table.rows
        assert rows.headerData(0, Qt.Orientation.Horizontal) == f"Bar ({title})"
        assert rows.data(rows.index(0, 0)) == clock_text(at, "1m", zone)
        assert f"fired {clock_text(fired, zone=zone)} {short}" in rows.tip(replace(alert(), earlier=True))
        desk.alerts.fired.emit(alert())
        assert f"{clock_text(at, '1m', zone)} {short}" in desk.window.toasts.toasts[-1].accessibleName()
    assert clock_text(at, "1m", INDIA).endswith("22:30") and clock_text(at, "1m").endswith("17:00")


def test_the_data_panel_follows(desk: Desk) -> None:
    panel = desk.window.data.panel
    panel.report = lambda: REPORT
    choose(desk, "local")
    desk.window.registry["view.data"].trigger()
    for name, title, clock in (("local", "Asia/Kolkata", "17:30:00"), ("utc", "UTC", "12:00:00")):
        choose(desk, name)
        assert head(panel.gaps, 2) == f"From ({title})"
        for table in (panel.cuts, panel.frames):
            item = table.item(0, 0)
            assert item is not None and item.text().endswith(clock) and head(table, 0) == f"Time ({title})"
        assert panel.strip._clock(START).endswith(f"{clock} {'UTC' if name == 'utc' else 'IST'}")


def test_why_a_bar_is_partial_is_told_by_the_same_clock(desk: Desk) -> None:
    choose(desk, "local")
    desk.window.charts.why_wanted.emit("y", START)
    assert "17:30 IST" in desk.window.toasts.toasts[-1].accessibleName()
    gap = Gap("BTCUSDT", 1, 9, START, START + 9_000, 0, GapState.OPEN, 0)
    assert "between 17:30:00 and 17:30:09" in gap_text(gap, INDIA)
    assert "between 12:00:00 and 12:00:09" in gap_text(gap)


def test_bars_of_days_keep_their_utc_days(desk: Desk) -> None:
    choose(desk, "local")
    assert INDIA.of_bars(86_400_000) == UTC_ZONE and INDIA.of_bars(3_600_000) == INDIA
    record = alert().record
    context = replace(record.context, interval="1d")
    desk.alerts.fired.emit(AlertEvent(replace(record, context=context), popup=False))
    assert "1d bar of 18 Jul 17:00 UTC" in desk.window.toasts.toasts[-1].accessibleName()


def test_each_window_has_its_own_choice(desk: Desk, qtbot: QtBot) -> None:
    second = desk.window.workspaces.windows.open_new()
    assert second is not None
    second.show()
    qtbot.waitUntil(lambda: second.pair.frame is not None and second.pair.frame.fit is not None, timeout=20_000)
    second.registry["view.zone_local"].trigger()
    assert "18:50" in second.metrics.box("spread").toolTip() and "IST" in second.metrics.box("spread").toolTip()
    second.charts.why_wanted.emit("y", START)
    assert "17:30 IST" in second.toasts.toasts[-1].accessibleName()
    assert "13:20" in desk.window.metrics.box("spread").toolTip()
