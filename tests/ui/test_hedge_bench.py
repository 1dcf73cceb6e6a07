"""The hedge bench shows every method on one window; a click or a key adopts one, and there is a way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantdesk.bars.series import BarSeries
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.types import Origin
from quantdesk.ui.hedge_bench_chart import BetaLine, BetaPaths, limits_of
from quantdesk.ui.hedge_bench_panel import HedgeBenchPanel
from quantdesk.ui.hedge_bench_rows import heads
from quantdesk.ui.hedge_words import hedge_name
from quantdesk.ui.pair_settings import PairSettingsDialog
from tests.model.conftest import Source, walk

from .conftest import MINUTE, START, Desk, bars_of

PAIR = PairSettings("BTCUSDT", "ETHUSDT")


def opened(desk: Desk, qtbot: QtBot) -> HedgeBenchPanel:
    """Show the bench and wait until it has compared."""
    desk.window.resize(1500, 950)
    desk.window.show()
    if desk.window.layouts.docks["hedge_bench"].isHidden():
        desk.window.registry["view.hedge_bench"].trigger()
    flow = desk.window.pair_docks.bench
    qtbot.waitUntil(lambda: flow.panel is not None and bool(flow.panel.table.rows()), timeout=20_000)
    assert flow.panel is not None
    return flow.panel


@pytest.fixture
def panel(make_desk: Callable[..., Desk], qtbot: QtBot) -> tuple[Desk, HedgeBenchPanel]:
    desk = make_desk(data=True)
    return desk, opened(desk, qtbot)


def row_of(method: HedgeMethod) -> int:
    return list(HedgeMethod).index(method)


def spread_is_by(desk: Desk, method: HedgeMethod) -> bool:
    return desk.pair.frame is not None and desk.pair.frame.settings.hedge is method


def test_nothing_is_made_before_it_is_shown(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    assert desk.window.pair_docks.bench.panel is None and desk.window.layouts.docks["hedge_bench"].isHidden()


def test_every_method_has_a_row_on_the_named_window(panel: tuple[Desk, HedgeBenchPanel]) -> None:
    _, bench = panel
    rows = bench.table.rows()
    assert [row[0].removeprefix("✓ ") for row in rows] == [hedge_name(method) for method in HedgeMethod]
    assert [row[0] for row in rows if row[0].startswith("✓")] == ["✓ OLS"]
    assert all(float(row[1]) == pytest.approx(0.5, abs=0.05) for row in rows)
    assert sum("(best)" in row[3] for row in rows) == 1 and all(row[3].endswith(")") for row in rows)
    assert rows[0][6].startswith("EG ") and rows[3][6] == "–" and "no table exists" in rows[3][9]
    assert rows[0][8] == "0 bp" and float(rows[6][8].removesuffix(" bp")) > 0
    assert bench.words.text().startswith("Prices: fitted on ") and "judged on the " in bench.words.text()
    assert "7 rows is a choice made after seeing" in bench.warning.text()
    item = bench.table.item(0, 6)
    assert item is not None and item.toolTip().startswith("Engle-Granger, y on x, n=160, lag")
    assert all(bench.table.horizontalHeaderItem(place).toolTip() for place in range(len(heads())))  # type: ignore[union-attr]


def test_a_double_click_adopts_and_undo_returns(panel: tuple[Desk, HedgeBenchPanel], qtbot: QtBot) -> None:
    desk, bench = panel
    before = desk.pair.frame
    assert before is not None
    place = bench.table.visualItemRect(bench.table.item(row_of(HedgeMethod.TLS), 0)).center()
    qtbot.mouseClick(bench.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert bench.chosen() is HedgeMethod.TLS and desk.pair.settings.hedge is HedgeMethod.OLS
    qtbot.mouseDClick(bench.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.pair.settings == replace(PAIR, hedge=HedgeMethod.TLS)
    qtbot.waitUntil(lambda: spread_is_by(desk, HedgeMethod.TLS), timeout=10_000)
    frame = desk.pair.frame
    assert frame is not None and not np.array_equal(frame.spread, before.spread, equal_nan=True)
    assert bench.table.rows()[row_of(HedgeMethod.TLS)][0] == "✓ TLS" and not bench.adopt.isEnabled()
    qtbot.waitUntil(lambda: desk.window.metrics.box("hedge").shown.short.startswith("TLS"))
    undo = desk.window.registry["view.undo"]
    assert undo.isEnabled() and undo.text() == "&Undo β by TLS"
    undo.trigger()
    qtbot.waitUntil(lambda: spread_is_by(desk, HedgeMethod.OLS), timeout=10_000)
    np.testing.assert_array_equal(desk.pair.frame.spread, before.spread)  # type: ignore[union-attr]
    assert not undo.isEnabled() and undo.text() == "&Undo"


def test_enter_adopts_and_the_message_takes_it_back(panel: tuple[Desk, HedgeBenchPanel], qtbot: QtBot) -> None:
    desk, bench = panel
    bench.table.setFocus()
    bench.table.setCurrentCell(0, 0)
    for _ in range(row_of(HedgeMethod.ROLLING)):
        qtbot.keyClick(bench.table, Qt.Key.Key_Down)
    qtbot.keyClick(bench.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: spread_is_by(desk, HedgeMethod.ROLLING), timeout=10_000)
    frame = desk.pair.frame
    assert frame is not None and len(np.unique(frame.beta_column()[-50:])) > 40
    assert not desk.window.registry["pair.refit"].isEnabled(), "what moves is not refitted"
    (toast,) = desk.window.toasts.toasts
    assert toast.accessibleName().startswith("β by Rolling OLS")
    qtbot.mouseClick(toast, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: spread_is_by(desk, HedgeMethod.OLS), timeout=10_000)
    assert desk.window.registry["pair.refit"].isEnabled() and not desk.window.registry["view.undo"].isEnabled()


def test_the_panel_of_the_spread_says_that_beta_moves(panel: tuple[Desk, HedgeBenchPanel], qtbot: QtBot) -> None:
    desk, bench = panel
    bench.table.selectRow(row_of(HedgeMethod.KALMAN))
    bench.adopt.click()
    qtbot.waitUntil(lambda: spread_is_by(desk, HedgeMethod.KALMAN), timeout=10_000)
    spread = desk.window.charts.panel("spread")
    newest = len(desk.pair.frame) - 1  # type: ignore[arg-type]
    # The charts take the frame at the clock's next tick.
    qtbot.waitUntil(lambda: {"Kalman, moving with every bar", "α"} <= {span.text for span in spread.legend(newest)})
    qtbot.waitUntil(lambda: "it jumps when β does" in desk.window.metrics.box("spread").shown.tip)


def test_the_other_unit_is_compared_and_adopted_with_the_method(
    panel: tuple[Desk, HedgeBenchPanel], qtbot: QtBot
) -> None:
    desk, bench = panel
    bench.logs.click()
    qtbot.waitUntil(lambda: bench.words.text().startswith("Log prices"), timeout=10_000)
    assert not any(row[0].startswith("✓") for row in bench.table.rows()) and bench.adopt.isEnabled()
    bench.table.selectRow(row_of(HedgeMethod.JOHANSEN))
    bench.adopt.click()
    assert (desk.pair.settings.hedge, desk.pair.settings.log) == (HedgeMethod.JOHANSEN, True)
    qtbot.waitUntil(lambda: bool(bench.table.rows()), timeout=10_000)
    assert bench.logs.isChecked() and bench.table.rows()[row_of(HedgeMethod.JOHANSEN)][0].startswith("✓")
    desk.window.registry["view.undo"].trigger()
    assert (desk.pair.settings.hedge, desk.pair.settings.log) == (HedgeMethod.OLS, False)


def test_a_window_too_short_for_a_filter_is_refused_in_words(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.pair.set_settings(replace(PAIR, formation_bars=30))
    bench = opened(desk, qtbot)
    bench.table.selectRow(row_of(HedgeMethod.KALMAN))
    bench.adopt.click()
    assert desk.pair.settings.hedge is HedgeMethod.OLS and not desk.window.registry["view.undo"].isEnabled()
    assert any("at least 40 bars" in toast.accessibleName() for toast in desk.window.toasts.toasts)


def test_a_file_is_compared_and_adopted_alike(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk, source = make_desk(data=True), Source(Origin.FILE)
    y, x = walk(300)
    for name, closes in (("EWA", y), ("EWC", x)):
        series = BarSeries()
        series.merge(bars_of(closes), from_trades=True, closed=True)
        source.held[name] = series
    desk.pair.set_source(source, PairSettings("EWA", "EWC"))
    bench = opened(desk, qtbot)
    assert bench.words.text() == (
        "Prices: fitted on 100 bars, 18 Jul 12:00 – 13:39 UTC; judged on the 200 after."
    )  # fmt: skip
    bench.table.selectRow(row_of(HedgeMethod.REVERSE))
    bench.adopt.click()
    qtbot.waitUntil(lambda: spread_is_by(desk, HedgeMethod.REVERSE), timeout=10_000)
    shown = float(bench.table.rows()[row_of(HedgeMethod.REVERSE)][1])
    assert desk.pair.frame is not None and desk.pair.frame.beta == pytest.approx(shown, abs=1e-4)


def test_the_adopted_method_and_date_return_at_the_next_start(
    make_desk: Callable[..., Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    first = make_desk(data=True, folder=tmp_path / "config")
    bench = opened(first, qtbot)
    bench.table.selectRow(row_of(HedgeMethod.KALMAN))
    bench.adopt.click()
    first.pair.set_settings(replace(first.pair.settings, formation_end=START + 100 * MINUTE, kalman_delta=3e-4))
    first.window.close_for_good()
    again = make_desk(folder=tmp_path / "config")
    pair = again.store.settings.pair()
    assert (pair.hedge, pair.formation_end, pair.kalman_delta) == (HedgeMethod.KALMAN, START + 100 * MINUTE, 3e-4)


def test_the_table_is_copied_as_text(panel: tuple[Desk, HedgeBenchPanel]) -> None:
    _, bench = panel
    QGuiApplication.clipboard().clear()
    bench.copy.click()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "Hedge bench, BTCUSDT / ETHUSDT, 1m" and lines[1] == bench.words.text()
    assert len(lines) == 3 + len(HedgeMethod) and lines[2].startswith("Method\tβ now\t± 2 se")
    assert "Engle-Granger, y on x, " in lines[3] and all(line.count("\t") == 9 for line in lines[2:])


def test_it_says_what_it_lacks(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.pair.set_settings(replace(PAIR, x=""))
    desk.window.show()
    desk.window.registry["view.hedge_bench"].trigger()
    bench = desk.window.pair_docks.bench.panel
    assert bench is not None
    assert bench.empty.text() == "Choose two legs: a hedge ratio needs both." and not bench.adopt.isEnabled()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_paths_and_the_chosen_band_are_painted(make_desk: Callable[..., Desk], qtbot: QtBot, theme: str) -> None:
    desk = make_desk(data=True, theme=theme)
    bench = opened(desk, qtbot)
    bench.table.selectRow(row_of(HedgeMethod.KALMAN))
    image = bench.chart.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[:, :, 2::-1]
    tokens = desk.theme.tokens

    def near(color: str) -> int:
        wanted = QColor(color)
        away = np.abs(pixels.astype(int) - (wanted.red(), wanted.green(), wanted.blue())).max(axis=2)
        return int(np.count_nonzero(away < 48))

    plot = bench.chart.plot
    assert near(tokens.accent) > 0.3 * plot.width(), "the adopted line"
    assert near(tokens.refit) > 0.3 * plot.width(), "the chosen line and its tag"
    right = pixels[int(plot.top()) : int(plot.bottom()), int(0.9 * plot.width())]
    left = pixels[int(plot.top()) : int(plot.bottom()), int(0.1 * plot.width())]
    assert len(np.unique(right, axis=0)) > len(np.unique(left, axis=0)) + 3, "paths and band, after the formation only"


def test_the_keyboard_reads_the_chart(panel: tuple[Desk, HedgeBenchPanel], qtbot: QtBot) -> None:
    _, bench = panel
    chart = bench.chart
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.cursor_row == 0 and chart.reading().startswith("Thu 18 Jul 2024")
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_End)
    assert chart.paths is not None and chart.cursor_row == len(chart.paths.times) - 1
    assert "OLS 0." in chart.accessibleDescription() and "…" in chart.accessibleDescription()
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.cursor_row is None
    qtbot.mouseMove(chart, QPoint(20, 80))
    qtbot.waitUntil(lambda: chart.cursor_row is not None)


def test_a_line_far_away_does_not_flatten_the_chosen_one() -> None:
    def line(level: float) -> BetaLine:
        path = level + 0.01 * np.sin(np.arange(50.0))
        return BetaLine("any", path, path - 0.05, path + 0.05, "accent")

    times = START + MINUTE * np.arange(50)
    low, high = limits_of(BetaPaths(times, 10, (line(1.0), line(1.1), line(40.0)), 0))
    assert 0.9 < low < 0.95 and 1.1 < high < 1.2
    assert limits_of(BetaPaths(times, 10, (), -1)) == (0.0, 1.0)


def test_taking_back_belongs_to_the_pair_that_it_was_adopted_for(panel: tuple[Desk, HedgeBenchPanel]) -> None:
    desk, bench = panel
    bench.table.selectRow(row_of(HedgeMethod.TLS))
    bench.adopt.click()
    assert desk.pair.settings.hedge is HedgeMethod.TLS
    desk.window.control.swap()
    undo = desk.window.registry["view.undo"]
    undo.trigger()
    assert desk.pair.settings.hedge is HedgeMethod.TLS, "of another pair"
    said = desk.window.toasts.toasts[-1]
    assert "This belongs to another pair" in said.accessibleName() and "BTCUSDT / ETHUSDT" in said.accessibleName()
    desk.window.control.swap()
    undo.trigger()
    assert desk.pair.settings.hedge is HedgeMethod.TLS and not undo.isEnabled(), "its turn is over"


def test_the_pair_dialog_takes_a_stated_delta_for_the_kalman_filter_only(qtbot: QtBot) -> None:
    dialog = PairSettingsDialog(PAIR, None)
    qtbot.addWidget(dialog)
    chosen: list[PairSettings] = []
    dialog.chosen.connect(chosen.append)
    assert not dialog.kalman.isEnabled() and dialog.kalman.value() == 0.0
    dialog.method.setCurrentIndex(row_of(HedgeMethod.KALMAN))
    assert dialog.kalman.how.isEnabled() and not dialog.kalman.delta.isEnabled()
    assert "most likely" in dialog.kalman.words.text()
    dialog.kalman.how.setCurrentIndex(1)
    for wrong in ("0", "1", "-1e-4", "much", "nan", "inf", ""):
        dialog.kalman.delta.setText(wrong)
        dialog.accept()
        assert not chosen, wrong
        assert dialog.kalman.words.text() == "δ takes a number above 0 and below 1, such as 0.0001 or 1e-5."
    dialog.kalman.delta.setText("2e-5")
    dialog.accept()
    assert (chosen[0].hedge, chosen[0].kalman_delta, chosen[0].stated_delta) == (HedgeMethod.KALMAN, 2e-5, 2e-5)
    again = PairSettingsDialog(chosen[0], None)
    qtbot.addWidget(again)
    again.chosen.connect(chosen.append)
    assert again.kalman.value() == 2e-5
    again.kalman.how.setCurrentIndex(0)
    again.accept()
    assert chosen[1].kalman_delta == 0.0 and chosen[1].stated_delta is None


def test_the_pair_dialog_offers_method_and_date(qtbot: QtBot) -> None:
    end = START + 100 * MINUTE + 17
    dialog = PairSettingsDialog(replace(PAIR, formation_bars=20, refit_every=30), None)
    qtbot.addWidget(dialog)
    chosen: list[PairSettings] = []
    dialog.chosen.connect(chosen.append)
    assert not dialog.dated.isChecked() and not dialog.date.isEnabled() and dialog.refit_every.isEnabled()
    dialog.method.setCurrentIndex(row_of(HedgeMethod.KALMAN))
    assert dialog.formation.value() == 40 and not dialog.refit_every.isEnabled()
    dialog.dated.setChecked(True)
    dialog.date.setDateTime(dialog.date.dateTime().fromMSecsSinceEpoch(START, dialog.date.timeZone()))
    dialog.accept()
    assert (chosen[0].hedge, chosen[0].formation_end, chosen[0].formation_bars) == (HedgeMethod.KALMAN, START, 40)
    same = PairSettingsDialog(replace(PAIR, formation_end=end), None)
    qtbot.addWidget(same)
    same.chosen.connect(chosen.append)
    same.accept()
    assert chosen[1] == replace(PAIR, formation_end=end)
