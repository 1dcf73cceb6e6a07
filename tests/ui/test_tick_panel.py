"""The Ticks dock says who leads, draws both curves, and says in words what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from quantdesk.model.files import FilesModel
from quantdesk.model.frame import PairSettings
from quantdesk.store.files import read_file
from quantdesk.types import Tick
from quantdesk.ui import tick_words
from quantdesk.ui.tick_panel import TickPanel
from tests.analytics.two_legs import simulated

from .conftest import START, SYMBOLS, Desk

ROWS = 330
BEGIN = START + ROWS * 60_000
MakeDesk = Callable[..., Desk]


def trade(desk: Desk, seconds: int = 400, *, lag_ms: int = 160) -> None:
    """Let the first symbol of the pair lead the second."""
    for symbol, leg in zip(SYMBOLS, simulated(seconds, 6.0, 5.0, 0.8, lag_ms=lag_ms, seed=3), strict=False):
        for number, (ts, price) in enumerate(zip(leg.times.tolist(), leg.prices.tolist(), strict=True)):
            desk.market.on_tick(Tick(symbol, number, price, 1.0, BEGIN + ts, False))


def opened(desk: Desk, qtbot: QtBot) -> TickPanel:
    desk.window.show()
    qtbot.waitExposed(desk.window)
    action = desk.window.registry["view.ticks"]
    if not action.isChecked():  # the last session may have left it open
        action.trigger()
    ticks = desk.window.pair_docks.ticks
    qtbot.waitUntil(lambda: ticks.panel is not None and ticks.panel.isVisible())
    assert ticks.panel is not None
    return ticks.panel


def shown(desk: Desk, qtbot: QtBot) -> TickPanel:
    panel = opened(desk, qtbot)
    qtbot.waitUntil(lambda: panel.epps.isVisible() and panel.epps.curve is not None, timeout=20_000)
    return panel


def pixels(widget: QWidget, color: str) -> int:
    """Count the pixels of one colour."""
    image = widget.grab().toImage()
    wanted = QColor(color).rgb()
    return sum(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def drawn_at(widget: QWidget, x: float, y: float, color: str) -> bool:
    """Tell whether a colour, or nearly it, stands within two pixels above or below a place."""
    image, wanted = widget.grab().toImage(), QColor(color)
    for row in range(round(y) - 2, round(y) + 3):
        found = image.pixelColor(round(x), row)
        near = (found.red() - wanted.red(), found.green() - wanted.green(), found.blue() - wanted.blue())
        if max(map(abs, near)) < 60:
            return True
    return False


def test_a_paint_lays_the_legend_out_once_however_many_points_there_are(
    make_desk: MakeDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(data=True)
    trade(desk)
    panel = shown(desk, qtbot)
    for chart in (panel.epps, panel.lead_lag):
        asked: list[int] = []
        legend = chart.legend
        monkeypatch.setattr(chart, "legend", lambda legend=legend, asked=asked: asked.append(1) or legend())
        before = chart.plot(), chart.heights()
        chart.grab()
        assert len(asked) < 12
        assert (chart.plot(), chart.heights()) == before


def test_nothing_is_built_or_computed_before_it_is_looked_at(make_desk: MakeDesk, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    trade(desk, 30)
    ticks = desk.window.pair_docks.ticks
    desk.window.show()
    qtbot.wait(20)
    assert ticks.panel is None and not ticks.statistics.is_watched and ticks.statistics.latest is None
    opened(desk, qtbot)
    alerts = desk.window.layouts.docks["alerts"]
    assert ticks.statistics.is_watched and alerts in desk.window.tabifiedDockWidgets(ticks.dock)
    alerts.raise_()
    qtbot.waitUntil(lambda: not ticks.statistics.is_watched)


def test_the_leader_is_named_and_both_curves_are_drawn(make_desk: MakeDesk, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    trade(desk)
    panel = shown(desk, qtbot)
    assert panel.leader.text().startswith("BTCUSDT leads ETHUSDT by 160 ms (peak 0.")
    assert (
        panel.correlation.text().startswith("Hayashi-Yoshida correlation 0.") and "(2 se)" in panel.correlation.text()
    )
    assert "bid and ask" in panel.notes.text()
    assert panel.fact("Trades a second").startswith("BTCUSDT ")
    tokens = desk.theme.tokens
    for chart in (panel.epps, panel.lead_lag):
        assert pixels(chart, tokens.correlation) > 40
    epps, curve = panel.epps, panel.epps.curve
    assert curve is not None
    x, y = (
        [axis(float(v)) for v in values[:2]]
        for axis, values in ((epps.x_of, epps.places()), (epps.y_of, curve.correlation))
    )
    assert drawn_at(epps, sum(x) / 2, sum(y) / 2, tokens.correlation)
    assert drawn_at(epps, sum(x) / 2, epps.y_of(curve.hayashi_yoshida.correlation), tokens.accent)
    desk.theme.choose("light")
    light = desk.theme.tokens
    assert pixels(panel.epps, light.panel) > 5_000 and pixels(panel.lead_lag, light.correlation) > 40
    # The desk's own bars are marked, those longer than the axis by name at its edge.
    assert panel.epps.interval == "1m"
    panel.epps.set_interval("1h")
    assert pixels(panel.epps, light.level) > 0


def test_pointer_and_keys_say_the_values(make_desk: MakeDesk, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    trade(desk)
    panel = shown(desk, qtbot)
    epps, lag = panel.epps, panel.lead_lag
    found = desk.window.pair_docks.ticks.statistics.latest
    assert found is not None
    x = round(lag.x_of(160.0))
    qtbot.mouseMove(lag, QPoint(x, round(lag.plot().center().y())))
    qtbot.waitUntil(lambda: lag.chosen is not None)
    row = int(np.flatnonzero(found.lead_lag.lags_ms == 160)[0])
    assert abs(lag.chosen - row) <= 1
    lag.choose(row)
    value = f"{found.lead_lag.correlation[row]:.2f}"
    assert lag.accessibleDescription() == f"{value}: BTCUSDT against ETHUSDT 160 ms later"
    lag.choose(0)
    assert "ETHUSDT against BTCUSDT 1000 ms later" in lag.accessibleDescription()
    epps.setFocus()
    qtbot.keyClick(epps, Qt.Key.Key_Right)
    assert epps.accessibleDescription().startswith(f"1s: {found.epps.correlation[0]:.2f} ± ")
    for _ in range(20):
        qtbot.keyClick(epps, Qt.Key.Key_Right)
    assert epps.accessibleDescription().startswith("5m: no value, ")
    qtbot.keyClick(epps, Qt.Key.Key_Left)
    assert epps.chosen == len(found.epps) - 2
    epps.clearFocus()
    assert epps.chosen is None


def test_everything_is_copied_as_text(make_desk: MakeDesk, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    trade(desk)
    panel = shown(desk, qtbot)
    panel.copy_button.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[:2] == ["BTCUSDT / ETHUSDT", panel.leader.text()]
    assert sum("\t" in line for line in lines) == 2 + 12 + 101
    assert "Largest age of a sampled price: 10s" in lines


def test_a_choice_is_computed_and_kept_for_the_next_start(make_desk: MakeDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = make_desk(data=True, folder=tmp_path / "kept")
    trade(desk)
    panel = shown(desk, qtbot)
    statistics = desk.window.pair_docks.ticks.statistics
    before = statistics.latest
    assert before is not None
    panel.window_box.setCurrentIndex(0)
    panel.window_box.activated.emit(0)
    panel.age_box.setCurrentIndex(1)
    panel.age_box.activated.emit(1)
    qtbot.waitUntil(lambda: statistics.latest not in (None, before), timeout=20_000)
    assert statistics.latest is not None and statistics.latest.trades_y < before.trades_y
    desk.window.save_settings()
    again = make_desk(folder=tmp_path / "kept")
    assert again.window.pair_docks.ticks.statistics.settings == statistics.settings
    assert (statistics.settings.minutes, statistics.settings.max_age_ms) == (1, 2_000)
    panel = opened(again, qtbot)
    assert (panel.window_box.currentText(), panel.age_box.currentText()) == ("1 min", "2 s")


def test_what_is_lacking_is_said(make_desk: MakeDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = make_desk(data=True)
    panel = opened(desk, qtbot)
    assert panel.empty.isVisible() and panel.empty.text().startswith("No trade of BTCUSDT and ETHUSDT has been seen")
    assert not panel.copy_button.isEnabled()
    trade(desk, 3)
    qtbot.waitUntil(lambda: panel.empty.text().startswith("No value: "), timeout=20_000)
    assert "(y is BTCUSDT, x is ETHUSDT)" in panel.empty.text()
    files = FilesModel()
    rows = [f"{START + 60_000 * i},{100 + i % 7}" for i in range(100)]
    for name in ("EWA", "EWC"):
        (tmp_path / f"{name}.csv").write_text("\n".join(["time,close", *rows]) + "\n", encoding="utf-8")
        files.add(read_file(tmp_path / f"{name}.csv"))
    desk.pair.set_source(files, files.settings(PairSettings()))
    assert panel.empty.text().startswith("There are only bars of EWA and EWC, no trades. Open a trades")
    assert panel.epps.curve is None and pixels(panel.epps, desk.theme.tokens.correlation) < 40
    desk.pair.set_source(None, PairSettings())
    assert panel.empty.text() == "Choose two legs to correlate their trades."


@pytest.mark.parametrize(
    ("ms", "text"),
    [(1_000, "1s"), (1_680, "1.7s"), (15_000, "15s"), (60_000, "1m"), (107_340, "107s"), (300_000, "5m")],
)
def test_lengths_of_time_are_short(ms: int, text: str) -> None:
    assert tick_words.span_text(ms) == text


def test_a_number_without_an_error_says_none() -> None:
    assert tick_words.with_error(-0.314, 0.015) == "−0.31 ± 0.03"
    assert tick_words.with_error(0.3, float("nan")) == "0.30"
