"""The Evidence dock says what the tests of the pair on screen say, or what is missing for them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from quantdesk.analytics.verdict import Agreement
from quantdesk.model.pair import PairSettings
from quantdesk.types import Instrument
from quantdesk.ui.evidence_list import WIDE
from quantdesk.ui.evidence_panel import EvidencePanel

from .conftest import Desk, bars_of, fill


def put(desk: Desk, **legs: np.ndarray) -> None:
    """Stream two more symbols and show them as the pair."""
    for symbol, closes in legs.items():
        instrument = Instrument("binance-um", symbol, Decimal("0.1"), Decimal("0.001"))
        desk.market.on_instrument(instrument)
        desk.market.on_source_bars(instrument, "1m", bars_of(np.round(closes, 1)), "kline")
    desk.pair.set_settings(PairSettings(*legs))


def opened(desk: Desk, qtbot: QtBot) -> EvidencePanel:
    desk.window.show()
    desk.window.pair_docks.evidence.show_dock()
    qtbot.waitUntil(lambda: desk.window.pair_docks.evidence.panel is not None)
    panel = desk.window.pair_docks.evidence.panel
    assert panel is not None
    return panel


def shown(desk: Desk, qtbot: QtBot) -> EvidencePanel:
    panel = opened(desk, qtbot)
    qtbot.waitUntil(panel.area.isVisible, timeout=20_000)
    return panel


def test_the_content_is_made_when_the_dock_is_first_seen(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show()
    assert desk.window.pair_docks.evidence.panel is None
    assert desk.window.layouts.docks["evidence"].isHidden()
    desk.window.registry["view.evidence"].trigger()
    qtbot.waitUntil(lambda: desk.window.pair_docks.evidence.panel is not None)
    assert desk.window.layouts.docks["evidence"].isVisible()
    desk.window.registry["view.evidence"].trigger()
    assert desk.window.layouts.docks["evidence"].isHidden()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_row_of_the_pair_is_shown_with_lag_method_and_sample(
    make_desk: Callable[..., Desk], qtbot: QtBot, theme: str
) -> None:
    desk = make_desk(data=True, theme=theme)
    panel = shown(desk, qtbot)
    rows = panel.rows.row_widgets()
    names = [row.shown.name for row in rows if row.shown is not None]
    for name in ("Engle-Granger, y on x", "Engle-Granger, x on y", "KPSS", "Half-life", "Hurst exponent", "Rolling β"):
        assert name in names
    assert sum("Johansen" in name for name in names) == 4
    for row in rows:
        assert row.shown is not None
        assert row.says.text() == row.shown.says and row.how.text() == row.shown.how
        assert "n = " in row.how.text() and row.accessibleName() == row.shown.text
    assert panel.verdict.word.text() in ("AGREE", "CONFLICT", "UNDECIDED")
    assert not panel.verdict.mark.pixmap().isNull()
    assert all(chart.drawing is not None for chart in panel.charts.values())
    picture = panel.grab().toImage()
    seen = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 2)
    }
    assert len(seen) > 30 and desk.theme.tokens.panel in seen


def test_a_conflict_is_said_in_words(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    rng = np.random.default_rng(3)
    x = 2_000 + rng.normal(0, 1, 320).cumsum()
    put(desk, STEPPED=0.5 * x + rng.normal(0, 1, 320) + 2 * (np.arange(320) > 160), LEG=x)
    panel = shown(desk, qtbot)
    qtbot.waitUntil(
        lambda: desk.pair.evidence is not None and desk.pair.evidence.verdict.agreement is Agreement.CONFLICT,
        timeout=20_000,
    )
    assert panel.verdict.word.text() == "CONFLICT"
    assert panel.verdict.headline.text().startswith("The tests conflict: ")
    assert "break or long memory" in panel.verdict.remarks.text()
    assert "CONFLICT: The tests conflict" in panel.text()


def test_without_a_pair_or_bars_it_says_what_is_missing(desk: Desk, qtbot: QtBot) -> None:
    panel = opened(desk, qtbot)
    assert panel.empty.isVisible()
    assert panel.empty.text() == "0 of 12 bars of both legs are there: the first test needs 12 more."
    desk.pair.set_settings(PairSettings("BTCUSDT", ""))
    assert panel.empty.text().startswith("No pair yet.")
    desk.pair.set_settings(PairSettings("BTCUSDT", "ETHUSDT"))
    fill(desk.market, rows=7)
    qtbot.waitUntil(lambda: "the first test needs 5 more" in panel.empty.text(), timeout=10_000)


def test_while_the_tests_run_or_when_they_fail_it_says_so(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    panel = shown(desk, qtbot)
    desk.pair._evidence = None
    panel.refresh()
    assert panel.empty.text() == "The tests are being computed…"
    panel.show_failure("BTCUSDT / ETHUSDT: out of memory")
    assert panel.empty.text() == "BTCUSDT / ETHUSDT: out of memory" and panel.empty.isVisible()


def test_rows_wrap_where_it_is_narrow_and_stand_in_columns_where_it_is_wide(
    make_desk: Callable[..., Desk], qtbot: QtBot
) -> None:
    desk = make_desk(data=True)
    panel = shown(desk, qtbot)
    dock = desk.window.layouts.docks["evidence"]
    dock.setFloating(True)
    dock.resize(300, 700)
    qtbot.waitUntil(lambda: panel.width() < 340)
    row = panel.rows.row_widgets()[0]
    assert not panel.rows.is_wide
    qtbot.waitUntil(lambda: row.how.y() > row.says.y() >= row.name.geometry().bottom())
    assert panel.area.widget().width() <= panel.area.viewport().width(), "nothing is cut at the right"
    dock.resize(WIDE + 100, 700)
    qtbot.waitUntil(lambda: panel.rows.is_wide)
    qtbot.waitUntil(lambda: row.how.y() == row.name.y() and row.how.x() > row.says.x() > row.p.x() > row.value.x())
    dock.setFloating(False)


def test_it_is_copied_as_text_with_the_origin(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    panel = shown(desk, qtbot)
    for copy in (
        panel.verdict.copy.click,
        lambda: qtbot.keyClick(panel.charts["p"], Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier),
    ):
        QGuiApplication.clipboard().clear()
        copy()
        text = QGuiApplication.clipboard().text()
        assert text.startswith("LIVE · BTCUSDT / ETHUSDT · 1m · prices")
        for row in panel.rows.row_widgets():
            assert row.shown is not None and row.shown.text in text
        assert panel.verdict.headline.text() in text and "p over time" in text


def test_the_metric_boxes_open_the_dock_by_mouse_and_keys(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    dock = desk.window.layouts.docks["evidence"]
    box = desk.window.metrics.box("cointegration")
    assert "all tests" in box.toolTip() and dock.isHidden()
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton)
    assert dock.isVisible()
    dock.hide()
    qtbot.keyClick(desk.window.metrics.box("half_life"), Qt.Key.Key_Return)
    assert dock.isVisible()
    dock.hide()
    qtbot.mouseClick(desk.window.metrics.box("price_y"), Qt.MouseButton.LeftButton)
    assert dock.isHidden()


def test_one_crosshair_goes_through_all_charts(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    panel = shown(make_desk(data=True), qtbot)
    qtbot.keyClick(panel.charts["cusum"], Qt.Key.Key_Home)
    assert [chart.cursor_row for chart in panel.charts.values()] == [0, 0, 0]


def test_the_same_evidence_is_laid_out_once(
    make_desk: Callable[..., Desk], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(data=True)
    panel = shown(desk, qtbot)
    qtbot.waitUntil(lambda: not desk.jobs.busy(), timeout=20_000)
    filled: list[int] = []
    monkeypatch.setattr(panel, "_fill", lambda *_: filled.append(1))
    desk.pair.changed.emit()
    assert filled == []
    desk.window.layouts.docks["evidence"].hide()
    panel._shown = ()
    desk.pair.changed.emit()
    assert filled == [], "a hidden panel does nothing"


def test_a_dock_left_open_returns_at_the_next_start(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    first = make_desk(data=True)
    shown(first, qtbot)
    first.window.close_for_good()
    second = make_desk(data=True)
    second.window.show()
    qtbot.waitUntil(lambda: second.window.pair_docks.evidence.panel is not None)
    panel = second.window.pair_docks.evidence.panel
    assert panel is not None
    qtbot.waitUntil(panel.area.isVisible, timeout=20_000)
