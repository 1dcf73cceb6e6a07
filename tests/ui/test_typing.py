"""The charts can be typed to: digits name an interval, letters a symbol, by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.ui.interval_entry import IntervalEntry
from quantdesk.ui.palette_flow import PaletteFlow
from quantdesk.ui.typing_flow import TypingFlow

from .conftest import Desk


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(data=True)


def shown(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.waitExposed(desk.window):
        desk.window.show()
    desk.window.activateWindow()
    desk.window.charts.setFocus()


def press(*keys: str | Qt.Key) -> None:
    """Press keys on whatever has the keyboard."""
    for each in keys:
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, each)


def entry_of(desk: Desk) -> IntervalEntry:
    flow = desk.window.findChild(TypingFlow)
    assert flow is not None and flow.entry is not None
    return flow.entry


def interval(desk: Desk) -> str:
    return desk.pair.settings.interval


@pytest.mark.parametrize(("number", "name"), list(enumerate(TIMEFRAMES, 1)))
def test_a_digit_alone_is_the_key_of_its_interval(desk: Desk, qtbot: QtBot, number: int, name: str) -> None:
    shown(desk, qtbot)
    desk.window.registry["pair.4h" if name != "4h" else "pair.1s"].trigger()
    press(str(number))
    assert entry_of(desk).isVisible()
    assert desk.window.registry[f"pair.{name}"].text().replace("&", "") in entry_of(desk).words.text()
    qtbot.waitUntil(lambda: interval(desk) == name, timeout=5_000)
    assert not entry_of(desk).isVisible()
    assert desk.window.registry[f"pair.{name}"].isChecked()
    assert desk.window.charts.hasFocus()


def test_digits_and_a_unit_name_an_interval(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    press("1", "5", "m")
    assert entry_of(desk).words.text() == "15 minutes"
    qtbot.wait(900)  # what is more than a digit waits for Enter
    assert interval(desk) == "1m"
    press(Qt.Key.Key_Return)
    assert interval(desk) == "15m" and not entry_of(desk).isVisible()
    press("4", "h", Qt.Key.Key_Escape)
    assert interval(desk) == "15m" and desk.window.charts.hasFocus()
    press(",", "1", Qt.Key.Key_Return)
    assert interval(desk) == "1m", "behind the comma a bare number is one of minutes"


def test_a_wrong_one_says_what_there_is_and_changes_nothing(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    press("7", "m", Qt.Key.Key_Return)
    entry = entry_of(desk)
    assert entry.isVisible() and interval(desk) == "1m"
    assert "no 7m" in entry.words.text() and " ".join(TIMEFRAMES) in entry.words.text()
    assert entry.geometry().bottom() < desk.window.charts.height()
    assert entry.words.height() >= entry.words.heightForWidth(entry.words.width())


def test_a_digit_whose_action_was_given_another_key_opens_the_entry_only(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    desk.window.registry.set_keys("pair.5s", "")
    desk.window.registry.set_keys("pair.1h", "")
    desk.window.registry.set_keys("pair.log", "7")
    press("2")
    qtbot.wait(900)
    assert entry_of(desk).isVisible() and interval(desk) == "1m"
    press(Qt.Key.Key_Escape, "7")
    qtbot.waitUntil(lambda: desk.pair.settings.log, timeout=5_000)


def test_away_from_the_charts_a_digit_acts_at_once(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    desk.window.bar.intervals.buttons["1m"].setFocus()
    press("1")
    assert interval(desk) == "1s"


def test_a_letter_finds_a_symbol_for_the_leg_that_is_shown(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    press("s", "o", "l")
    palette = desk.window.findChild(PaletteFlow).palette  # type: ignore[union-attr]  # it is there
    assert palette is not None and palette.typed.text() == "sol"
    assert [found.entry.id for found in palette.found()] == ["y:SOLUSDT", "x:SOLUSDT", "market.add"]
    press(Qt.Key.Key_Return)
    assert desk.pair.settings.y == "SOLUSDT"
    assert desk.window.charts.hasFocus()
    desk.window.registry["pair.leg_x"].trigger()
    press("b", "t")
    assert palette.found()[0].entry.id == "x:BTCUSDT"
    press(Qt.Key.Key_Return)
    assert (desk.pair.settings.y, desk.pair.settings.x) == ("SOLUSDT", "BTCUSDT")


def test_the_other_leg_is_one_step_down_and_the_exchange_below_whatever_matches(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    press("s", Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert desk.pair.settings.x == "SOLUSDT"
    press("z", "e", "c")
    with qtbot.waitSignal(desk.window.symbols_info_requested):
        press(Qt.Key.Key_Return)
    dialog = desk.window.prompts.dialog("symbol")
    assert dialog is not None and dialog.typed.text() == "zec"
    with qtbot.waitSignal(desk.window.add_symbol_requested) as asked:
        dialog.typed.setText("ZECUSDT")
        dialog.accept()
    assert asked.args == ["ZECUSDT"]
    assert desk.pair.settings.y == "ZECUSDT"


def test_a_letter_that_is_a_key_stays_one(desk: Desk, qtbot: QtBot) -> None:
    shown(desk, qtbot)
    desk.window.charts.measure()
    press("m")
    palette = desk.window.findChild(PaletteFlow).palette  # type: ignore[union-attr]  # it is there
    assert palette is None or not palette.isVisible()
    press("/")
    palette = desk.window.findChild(PaletteFlow).palette  # type: ignore[union-attr]  # it is there
    assert palette is not None and palette.isVisible() and palette.typed.text() == ""
