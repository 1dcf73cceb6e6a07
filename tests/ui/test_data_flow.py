"""Bars explain themselves, kline checks are counted and listed, and a spill is said loudly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from quantdesk.bars.arrays import BarArrays
from quantdesk.model.alerts import AT_START
from quantdesk.types import Gap, GapState, Kline, Light, StoreStatus, Tick
from quantdesk.ui.kline_dialog import KlineDialog

from .conftest import MINUTE, START, SYMBOLS, Desk, alert

ROWS = 330


def stream(desk: Desk, minutes: int = 12, *, wrong: int | None = None) -> None:
    """Trade both legs once a minute behind the klines of the fixture, and tell the klines of it."""
    for symbol in SYMBOLS[:2]:
        for minute in range(minutes):
            opened = START + (ROWS + minute) * MINUTE
            desk.market.on_tick(Tick(symbol, minute, 1_000.0 + minute, 2.0, opened, False, first_trade=minute))
            bar = [1_000.0 + minute] * 4
            volume = 3.0 if minute == wrong and symbol == SYMBOLS[0] else 2.0
            desk.market.on_kline(
                Kline(symbol, "1m", opened, opened + MINUTE - 1, *bar, volume, volume * bar[0], 1, True)
            )
    desk.market.on_time(START + (ROWS + minutes) * MINUTE + 5_000)
    desk.market.on_time(START + (ROWS + minutes) * MINUTE + 5_250)


def test_matching_bars_are_counted_and_differences_listed(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    status = desk.window.status
    assert status.checks.text() == "no checks yet"
    stream(desk, wrong=4)
    matched, explained, compared = desk.window.data.counts()
    assert matched == compared - 1 and explained == 0 and compared >= 20
    desk.window.data.show_counts()
    assert status.checks.text() == f"{matched}/{compared} match" and status.checks.property("fault")
    status.checks.setFocus()
    qtbot.keyClick(status.checks, Qt.Key.Key_Space)
    dialog = desk.window.prompts.dialog("klines")
    assert isinstance(dialog, KlineDialog)
    assert [row[1:] for row in dialog.table.rows()] == [("BTCUSDT", "Volume", "2", "3", "no")]
    dialog.reject()


def test_nothing_compared_is_said_in_the_dialog(desk: Desk) -> None:
    desk.window.show()
    desk.window.status.checks.click()
    dialog = desk.window.prompts.dialog("klines")
    assert dialog is not None
    assert "No bar has been compared yet." in [label.text() for label in dialog.findChildren(QLabel)]
    dialog.reject()


def test_a_partial_bar_tells_why_in_a_message_one_at_a_time(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    stream(desk)
    opened = START + (ROWS + 5) * MINUTE
    desk.market.on_gaps("BTCUSDT", [Gap("BTCUSDT", 90, 97, opened + 1_000, opened + 9_000, 0, GapState.FILLING, 2)])
    qtbot.waitUntil(lambda: desk.pair.frame is not None and opened in desk.pair.frame.left_out, timeout=10_000)
    for _ in range(2):
        desk.window.registry["view.explain"].trigger()
    (toast,) = desk.window.toasts.toasts
    words = toast.accessibleName()
    assert words.startswith("Partial: BTCUSDT, 1m bar of ") and toast.level == "warning"
    assert "8 trades between" in words and "being fetched (2 requests)" in words
    qtbot.waitUntil(lambda: "1 partial left out" in desk.window.metrics.box("z").shown.tip)
    desk.window.charts.why_wanted.emit("x", START)
    assert desk.window.toasts.toasts[-1].accessibleName().startswith("From klines: ETHUSDT")


def test_a_spill_stands_in_status_bar_and_banner(desk: Desk) -> None:
    words = "database is locked: 1,500 trades wait in the spill file"
    desk.market.set_store_status(StoreStatus(Light.RED, words, 3, spilled=1_500))
    assert desk.window.status.store.text().startswith("SPILLED 1,500")
    (notice,) = [n for n in desk.window.banner.notices() if n.key == "store"]
    assert (notice.level, notice.text) == ("error", "Database is locked: 1,500 trades wait in the spill file.")
    desk.market.set_store_status(StoreStatus(Light.AMBER, "the disk is too slow: new trades are refused"))
    (notice,) = [n for n in desk.window.banner.notices() if n.key == "store"]
    assert "refused" in notice.text and not desk.window.status.store.text().startswith("SPILLED")


def test_how_z_stands_at_the_start_is_a_row_but_no_message(desk: Desk) -> None:
    desk.alerts.fired.emit(alert(2.5, popup=False, kind=AT_START))
    assert desk.window.table.rows.rowCount() == 1 and not desk.window.toasts.toasts


def test_the_paint_of_live_trades_is_measured(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    qtbot.waitExposed(desk.window)
    desk.window.clock.mark()
    qtbot.waitUntil(lambda: desk.market.latency.shown == frozenset(SYMBOLS[:2]))

    def painted() -> bool:
        desk.market.on_tick(Tick("BTCUSDT", painted.count, 1_000.0, 1.0, START + ROWS * MINUTE + painted.count, False))  # type: ignore[attr-defined]
        painted.count += 1  # type: ignore[attr-defined]
        return desk.market.latency.report().samples > 3

    painted.count = 1  # type: ignore[attr-defined]
    qtbot.waitUntil(painted, timeout=10_000)
    report = desk.market.latency.report()
    assert report.p50 is not None and 0 < report.p50 < 10_000


def test_klines_alone_are_quiet(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(data=True)
    frame = desk.pair.frame
    assert frame is not None and frame.quality_y is not None
    assert set(frame.quality_y.tolist()) == {2} and len(frame.left_out) == 0
    assert isinstance(desk.market.series("BTCUSDT", "1m").arrays(), BarArrays)  # type: ignore[union-attr]
    assert np.isfinite(frame.y.close).all()
