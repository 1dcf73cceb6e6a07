"""The Data window lists what is held and asks for everything else by signal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QDateTime, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from quantdesk.ingest.download_order import TRADES, DownloadOrder, Source
from quantdesk.store.deletion import DropCount, DropOrder, Part
from quantdesk.store.holdings import Holding, Holdings, Kind
from quantdesk.types import Instrument
from quantdesk.ui.download_dialog import DownloadDialog
from quantdesk.ui.export_dialog import ExportDialog, suggested_name
from quantdesk.ui.holdings_dialog import HoldingsDialog
from quantdesk.ui.holdings_table import COVERAGE, ROWS, SYMBOL, cells, coverage_text, moment_text
from quantdesk.ui.span_fields import SpanFields

START = 1_795_219_200_000
BTC, ETH = Instrument("binance-um", "BTCUSDT"), Instrument("binance-um", "ETHUSDT")
HELD = Holdings(
    (
        Holding(ETH, Kind.TRADES, "", 9_000, START, START + 5_000, 0.999999, 540_000, "3 ids missing"),
        Holding(BTC, Kind.TRADES, "", 1_234_567, START, START + 86_399_999, 1.0, 74_000_000),
        Holding(BTC, Kind.BARS, "1m", 1_440, START, START + 86_340_000, 1.0, 129_600),
        Holding(BTC, Kind.SOURCE_BARS, "4h", 60, START, START + 9_000_000, 0.5, 5_400),
        Holding(BTC, Kind.GAPS, "", 3, START, START + 100, None, 180, "3 expired (40 ids)"),
    ),
    "sizes: estimated from the rows",
)


@pytest.fixture
def dialog(desk, qtbot) -> HoldingsDialog:
    asked: list[str] = []
    desk.window.holdings.look_requested.connect(lambda: asked.append("look"))
    desk.window.registry["data.holdings"].trigger()
    made = desk.window.holdings.dialog
    assert made is not None and asked == ["look"] and not made.refresh.isEnabled()
    desk.window.holdings.show_holdings(HELD)
    return made


def shown(dialog: HoldingsDialog) -> list[tuple[str, str]]:
    return [(row.instrument.symbol, row.title) for row in dialog.table.shown()]


def choose(span: SpanFields, start: int, end: int) -> None:
    span.part.click()
    for edit, ms in ((span.start, start), (span.end, end)):
        edit.setDateTime(QDateTime.fromMSecsSinceEpoch(ms, edit.timeZone()))


def test_rows_are_in_order_and_sort_by_number(dialog) -> None:
    assert shown(dialog)[0] == ("BTCUSDT", "trades") and shown(dialog)[-1] == ("ETHUSDT", "trades")
    dialog.table.sortByColumn(ROWS, Qt.SortOrder.DescendingOrder)
    assert [row.rows for row in dialog.table.shown()] == [1_234_567, 9_000, 1_440, 60, 3]
    dialog.table.sortByColumn(COVERAGE, Qt.SortOrder.AscendingOrder)
    assert dialog.table.shown()[0].kind is Kind.GAPS
    dialog.table.sortByColumn(SYMBOL, Qt.SortOrder.AscendingOrder)
    assert "1,245,070 rows" in dialog.total.text() and "estimated" in dialog.total.text()
    assert cells(HELD.rows[0])[3:8] == (
        "9,000",
        moment_text(START),
        moment_text(START + 5_000),
        "99.99 %",
        cells(HELD.rows[0])[7],
    )
    assert (coverage_text(1.0), coverage_text(None)) == ("100 %", "–")


def test_typing_in_the_table_filters_and_escape_clears(dialog, qtbot) -> None:
    dialog.table.setFocus()
    QTest.keyClicks(dialog.table, "b")
    QTest.keyClicks(dialog.filter, "tc 1m")
    assert shown(dialog) == [("BTCUSDT", "bars 1m")] and dialog.table.holding() is not None
    QTest.keyClick(dialog.filter, Qt.Key.Key_Escape)
    assert len(shown(dialog)) == 5 and dialog.isVisible()
    QTest.keyClicks(dialog.filter, "nothing like it")
    assert shown(dialog) == [] and not dialog.delete.isEnabled() and not dialog.export.isEnabled()


def test_a_row_is_copied_and_gaps_cannot_be_exported(dialog) -> None:
    dialog.filter.setText("gaps")
    QTest.keyClick(dialog.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[:4] == ["BTCUSDT", "binance-um", "gaps", "3"]
    assert not dialog.export.isEnabled() and dialog.delete.isEnabled()


def test_refresh_cancel_and_problems_are_said(desk, dialog) -> None:
    flow, asked = desk.window.holdings, []
    flow.look_requested.connect(lambda: asked.append("look"))
    flow.look_cancelled.connect(lambda: asked.append("stop"))
    QTest.keyClick(dialog, Qt.Key.Key_F5)
    assert asked == ["look"] and dialog.stop.isVisibleTo(dialog)
    flow.show_looking(0.5, "BTCUSDT: trades")
    assert dialog.bar.value() == 50 and "BTCUSDT" in dialog.doing.text()
    dialog.stop.click()
    assert asked == ["look", "stop"]
    flow.show_problem("the disk is gone")
    assert "the disk is gone" in dialog.total.text() and len(shown(dialog)) == 5, "what is shown stays"
    flow.show_holdings(Holdings((), ""))
    assert dialog.pages.currentWidget() is dialog.empty and "Download history" in dialog.empty.text()


def test_the_tasks_are_shown_in_the_window_that_is_open(desk, dialog, qtbot) -> None:
    flow = desk.window.holdings
    progress = flow.start_progress("Downloading BTCUSDT")
    qtbot.waitUntil(lambda: flow.strip.isVisibleTo(dialog), timeout=5_000)
    assert dialog.isAncestorOf(flow.strip)
    dialog.close()
    assert flow.dialog is None and desk.window.centralWidget().isAncestorOf(flow.strip)
    desk.window.registry["data.holdings"].trigger()
    assert flow.dialog is not None and flow.dialog.isAncestorOf(flow.strip)
    progress.finish()


def test_a_download_is_ordered_as_chosen(desk, dialog, qtbot) -> None:
    orders: list[DownloadOrder] = []
    desk.window.holdings.download_requested.connect(orders.append)
    made = DownloadDialog(("BTCUSDT",), date(2026, 11, 23), "http://x", dialog)
    qtbot.addWidget(made)
    made.download_requested.connect(orders.append)
    assert made.order() == DownloadOrder(("BTCUSDT",), TRADES, date(2026, 11, 20), date(2026, 11, 22), Source.ARCHIVE)
    made.last.setDate(QDate(2026, 11, 23))
    assert not made.go.isEnabled() and "once it has ended" in made.said.text()
    made.source.setCurrentIndex(1)
    assert not made.go.isEnabled() and "48 hours only" in made.said.text()
    made.what.setCurrentIndex(made.what.findData("1m"))
    made.symbols.setText("btcusdt, ethusdt btcusdt")
    assert made.go.isEnabled() and "8 days" in made.said.text()
    made.go.click()
    assert orders == [DownloadOrder(("BTCUSDT", "ETHUSDT"), "1m", date(2026, 11, 20), date(2026, 11, 23), Source.REST)]
    bare = DownloadDialog(("BTCUSDT",), date(2026, 11, 23), "", dialog)
    qtbot.addWidget(bare)
    assert not bare.go.isEnabled() and "no archive" in bare.said.text()


def test_nothing_is_deleted_before_it_is_counted_and_all_only_once_named(desk, dialog, qtbot) -> None:
    flow, counted, deleted = desk.window.holdings, [], []
    flow.count_requested.connect(counted.append)
    flow.delete_requested.connect(deleted.append)
    QTest.keyClick(dialog.table, Qt.Key.Key_Delete)
    made = flow.deleting
    assert made is not None and not made.go.isEnabled()
    qtbot.waitUntil(lambda: bool(counted), timeout=5_000)
    whole = DropOrder(BTC, Part.TRADES)
    assert counted == [whole]
    flow.show_count(replace(whole, interval="x"), DropCount(5, 0, 0, START, START))
    assert "Counting" in made.said.text(), "an answer to another question"
    flow.show_count(whole, DropCount(1_234_567, 0, 0, START, START + 1_000))
    assert "1,234,567 trades" in made.said.text() and moment_text(START) in made.said.text()
    assert not made.go.isEnabled()
    made.typed.setText("BTCUSDT")
    assert made.go.isEnabled()
    choose(made.span, START + 60_000, START + 660_000)
    assert not made.go.isEnabled() and not made.typed.isVisibleTo(made)
    made.parts.button(list(Part).index(Part.EVERYTHING)).click()
    order = made.order()
    assert (order.start, order.end) == (START + 300_000, START + 600_000), "no bar is cut"
    flow.show_count(order, None, "BTCUSDT is being recorded")
    assert "being recorded" in made.said.text() and not made.go.isEnabled()
    flow.show_count(order, DropCount(0, 0, 0, None, None))
    assert "nothing to delete" in made.said.text() and not made.go.isEnabled()
    flow.show_count(order, DropCount(1, 2, 3, START, START))
    made.go.click()
    assert deleted == [order] and flow.deleting is None


def test_source_bars_of_one_interval_are_offered_first(desk, dialog, qtbot) -> None:
    desk.window.holdings.show_delete(HELD.rows[3])
    made = desk.window.holdings.deleting
    assert made.order() == DropOrder(BTC, Part.SOURCE_BARS, "4h")
    made.reject()


def test_an_export_names_span_and_file(desk, dialog, qtbot, tmp_path: Path) -> None:
    orders = []
    desk.window.holdings.export_requested.connect(orders.append)
    dialog.filter.setText("1m")
    dialog.export.click()
    made = desk.window.prompts.dialog("export_held")
    assert isinstance(made, ExportDialog)
    choose(made.span, START + 60_000, START)
    assert not made.go.isEnabled()
    choose(made.span, START, START + 60_000)
    made.go.click()
    chooser = desk.window.prompts.dialog("export_file")
    chooser.fileSelected.emit(str(tmp_path / "a.csv"))
    chooser.reject()
    assert [(o.kind, o.interval, o.start, o.end, o.path.name) for o in orders] == [
        (Kind.BARS, "1m", START, START + 60_000, "a.csv")
    ]
    assert suggested_name(HELD.rows[2]) == "BTCUSDT-1m.csv"


def test_every_control_has_a_name(dialog) -> None:
    for part in dialog.findChildren(QWidget):
        if part.focusPolicy() != Qt.FocusPolicy.NoFocus and part.isVisibleTo(dialog):
            assert part.accessibleName() or part.parent() is dialog.table, part
