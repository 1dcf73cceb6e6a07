"""The window asks for disk and network by signal, keeps its layout and asks once before it closes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage, QKeySequence, QPalette, QUndoCommand
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QProxyStyle, QPushButton, QStyle
from pytestqt.qtbot import QtBot

from quantdesk.model.frame import PairSettings
from quantdesk.model.market import MarketModel
from quantdesk.types import FeedStatus, Light, Origin, StoreStatus, SymbolInfo
from quantdesk.ui.dialogs import CloseQuestion
from quantdesk.ui.docks import MOST_UNDONE
from quantdesk.ui.settings_store import Settings
from quantdesk.ui.status_bar import DeskMode
from quantdesk.ui.symbol_search import matching
from quantdesk.ui.theme import stylesheet
from quantdesk.ui.theme_tokens import DARK

from .conftest import Desk, fill


def button(root: object, text: str) -> QPushButton:
    found = [b for b in root.findChildren(QPushButton) if b.text().replace("&", "") == text]  # type: ignore[attr-defined]
    assert len(found) == 1, text
    return found[0]


def test_a_closed_window_asks_once_and_quits_only_through_the_signal(desk: Desk, qtbot: QtBot) -> None:
    window = desk.window
    window.show()
    assert not window.close() and window.isVisible()
    dialog = window.prompts.dialog("close")
    assert isinstance(dialog, CloseQuestion)
    window.close()
    assert window.prompts.dialog("close") is dialog, "a second close asks no second time"
    assert "Keep in tray" not in [b.text() for b in dialog.findChildren(QPushButton)], "there is no tray here"
    button(dialog, "Cancel").click()
    assert window.isVisible()
    window.close()
    asked = window.prompts.dialog("close")
    assert isinstance(asked, CloseQuestion)
    asked.ask_no_more.setChecked(True)
    with qtbot.waitSignal(window.quit_requested):
        button(asked, "Quit").click()
    assert not desk.store.settings.ask_on_close
    with qtbot.waitSignal(window.quit_requested):
        window.close()
    assert window.isVisible()


@pytest.mark.parametrize("mode", [DeskMode(Origin.SIMULATED), DeskMode(Origin.FILE), DeskMode(read_only=True)])
def test_nothing_is_asked_where_nothing_is_recorded(desk: Desk, qtbot: QtBot, mode: DeskMode) -> None:
    desk.window.set_mode(mode)
    with qtbot.waitSignal(desk.window.quit_requested):
        desk.window.close()
    assert desk.window.prompts.dialog("close") is None


def test_mode_and_pair_stand_in_the_title_and_the_badge(desk: Desk) -> None:
    desk.window.set_mode(DeskMode(Origin.SIMULATED, "simulator", read_only=True))
    assert desk.window.windowTitle() == "BTCUSDT / ETHUSDT · 1m · SIMULATED · READ-ONLY – quantdesk"
    assert desk.window.status.mode.text() == "SIMULATED" and not desk.window.status.read_only.isHidden()
    assert not desk.window.registry["market.simulate"].isEnabled() and desk.window.registry["file.live"].isEnabled()


def test_of_very_many_acts_the_last_ones_can_be_undone(desk: Desk) -> None:
    undo = desk.window.layouts.undo
    for number in range(MOST_UNDONE + 5):
        undo.push(QUndoCommand(f"act {number}"))
    assert undo.count() == MOST_UNDONE and undo.undoText() == f"act {MOST_UNDONE + 4}"


def test_layout_reset_can_be_undone(desk: Desk) -> None:
    window, registry = desk.window, desk.window.registry
    window.show()
    registry["view.panel_correlation"].trigger()
    registry["view.metrics"].trigger()
    registry["view.alerts"].trigger()
    changed = window.layouts.capture()
    assert not registry["view.undo"].isEnabled()
    registry["view.reset_layout"].trigger()
    assert window.charts.is_panel_visible("correlation") and window.metrics.isVisible() and window.table.isVisible()
    assert registry["view.panel_correlation"].isChecked() and registry["view.metrics"].isChecked()
    registry["view.undo"].trigger()
    assert not window.charts.is_panel_visible("correlation")
    assert window.metrics.isHidden() and not window.table.isVisible()
    assert window.layouts.capture()["charts"]["hidden"] == changed["charts"]["hidden"]
    assert not registry["view.undo"].isEnabled()


def test_the_last_panel_cannot_be_hidden(desk: Desk) -> None:
    names = desk.window.charts.panel_names
    for name in names[1:]:
        desk.window.registry[f"view.panel_{name}"].trigger()
    assert not desk.window.registry[f"view.panel_{names[0]}"].isEnabled()


def test_layout_pair_and_rule_return_at_the_next_start(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    first = make_desk(folder=tmp_path / "config")
    first.window.show()
    first.window.registry["view.panel_z"].trigger()
    first.window.registry["view.alerts"].trigger()
    first.window.registry["view.theme_light"].trigger()
    first.window.registry["alerts.mute"].trigger()
    first.pair.set_settings(PairSettings("ETHUSDT", "BTCUSDT", "5m", 90, log=True))
    first.window.close_for_good()
    second = make_desk(folder=tmp_path / "config")
    assert not second.window.charts.is_panel_visible("z") and not second.window.registry["view.panel_z"].isChecked()
    assert second.window.layouts.docks["alerts"].isHidden()
    settings = second.store.settings
    assert settings.theme == "light" and settings.muted and second.window.registry["alerts.mute"].isChecked()
    assert settings.pair() == PairSettings("ETHUSDT", "BTCUSDT", "5m", 90, log=True)


def test_a_file_or_the_simulator_does_not_become_the_next_starts_pair(desk: Desk) -> None:
    desk.window.set_mode(DeskMode(Origin.FILE))
    desk.pair.set_settings(PairSettings("EWA", "EWC"))
    desk.window.save_settings()
    assert desk.store.settings.pair() == Settings().pair()


def test_dropped_files_are_asked_to_be_opened(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "EWA.csv")), QUrl("https://example.org/x.csv")])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    with qtbot.waitSignal(desk.window.open_files_requested) as asked:
        desk.window.dropEvent(event)
    assert asked.args == [[tmp_path / "EWA.csv"], False]


def test_a_failed_opening_offers_to_skip_the_bad_rows(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    desk.window.show()
    desk.window.show_open_failed([tmp_path / "a.csv"], "a.csv, line 7: 'x' is no price")
    dialog = desk.window.prompts.dialog("failed")
    assert dialog is not None
    with qtbot.waitSignal(desk.window.open_files_requested) as asked:
        button(dialog, "Open, skipping bad rows").click()
    assert asked.args == [[tmp_path / "a.csv"], True]


def test_export_asks_for_a_place_and_then_for_the_work(
    make_desk: Callable[..., Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    desk.window.registry["file.export_all"].trigger()
    dialog = desk.window.prompts.dialog("csv")
    assert isinstance(dialog, QFileDialog) and dialog.defaultSuffix() == "csv"
    with qtbot.waitSignal(desk.window.export_csv_requested) as asked:
        dialog.fileSelected.emit(str(tmp_path / "out.csv"))
    assert asked.args == [tmp_path / "out.csv", True]
    dialog.reject()
    desk.window.registry["file.picture"].trigger()
    picture = desk.window.prompts.dialog("picture")
    assert isinstance(picture, QFileDialog)
    with qtbot.waitSignal(desk.window.export_picture_requested) as asked:
        picture.fileSelected.emit(str(tmp_path / "out.png"))
    assert asked.args[0] == tmp_path / "out.png"
    assert isinstance(asked.args[1], QImage) and asked.args[1].width() > 100
    picture.reject()


def test_no_network_is_said_with_what_can_be_done(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show()
    words = "No connection to the exchange (name not found). Retrying in 4 s."
    desk.market.on_status(FeedStatus(Light.RED, words))
    notices = desk.window.banner.notices()
    assert [n.text for n in notices] == [words]
    with qtbot.waitSignal(desk.window.simulate_requested):
        button(desk.window.banner, "Simulated exchange").click()
    desk.market.on_status(FeedStatus(Light.GREEN, "Connected"))
    assert desk.window.banner.notices() == [] and desk.window.banner.isHidden()


def test_troubles_of_the_store_are_said(desk: Desk) -> None:
    desk.market.set_store_status(StoreStatus(Light.RED, "the disk is full", queued=7, size_bytes=1_234_567))
    assert [(n.key, n.level) for n in desk.window.banner.notices()] == [("store", "error")]
    assert desk.window.status.store.text() == "queue 7 · 1.2 MB"


def test_a_notice_that_was_hidden_returns_when_it_changes_its_level(desk: Desk) -> None:
    desk.market.set_store_status(StoreStatus(Light.AMBER, "1.9 GB left"))
    desk.window.banner.dismiss("store")
    desk.market.set_store_status(StoreStatus(Light.AMBER, "1.8 GB left"))
    assert desk.window.banner.notices() == []
    desk.market.set_store_status(StoreStatus(Light.RED, "0.4 GB left"))
    assert [n.text for n in desk.window.banner.notices()] == ["0.4 GB left."]


def test_toolbar_and_keys_change_the_pair(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    window = desk.window
    window.show()
    window.bar.y_box.picked.emit("SOLUSDT")
    assert desk.pair.settings.y == "SOLUSDT"
    window.bar.x_box.picked.emit("SOLUSDT")
    assert (desk.pair.settings.y, desk.pair.settings.x) == ("ETHUSDT", "SOLUSDT")
    window.registry["pair.log"].trigger()
    window.registry["pair.5m"].trigger()
    window.bar.window_box.setValue(80)
    assert desk.pair.settings == PairSettings("ETHUSDT", "SOLUSDT", "5m", 80, log=True)
    window.registry["pair.leg_x"].trigger()
    assert window.charts.price_leg == "x"


def test_a_typed_part_of_a_symbol_is_enough(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    box = desk.window.bar.y_box
    box.setEditText("sol")
    box._settle()
    assert desk.pair.settings.y == "SOLUSDT" and box.currentText() == "SOLUSDT"
    box.setEditText("nonsense")
    box._settle()
    assert desk.pair.settings.y == "SOLUSDT" and box.currentText() == "SOLUSDT"


def test_another_market_is_followed_and_the_old_one_forgotten(desk: Desk) -> None:
    other = MarketModel(Origin.SIMULATED)
    fill(other, 30)
    desk.window.set_market(other)
    desk.market.on_status(FeedStatus(Light.RED, "old"))
    assert desk.window.banner.notices() == []
    other.on_status(FeedStatus(Light.RED, "new"))
    assert [n.text for n in desk.window.banner.notices()] == ["New."]


class PicturedButtons(QProxyStyle):
    """Be the style of a desktop that puts pictures on the buttons of dialogs."""

    def styleHint(self, hint, *rest):
        return 1 if hint == QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons else super().styleHint(hint, *rest)


def test_no_desktop_puts_its_pictures_on_the_buttons_of_dialogs(qtbot) -> None:
    pictured, hint = PicturedButtons("Fusion"), QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(box)
    box.setStyle(pictured)
    box.setStyleSheet(stylesheet(DARK))
    box.ensurePolished()
    assert box.style().styleHint(hint, None, box) == 0


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_theme_reaches_palette_and_stylesheet(desk: Desk, qapp: QApplication, name: str) -> None:
    desk.window.show()
    desk.window.registry["view.theme_light" if name == "dark" else "view.theme_dark"].trigger()
    desk.window.registry[f"view.theme_{name}"].trigger()
    tokens = desk.theme.tokens
    assert tokens.dark is (name == "dark")
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == tokens.window
    assert qapp.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).name() != tokens.text
    assert tokens.raised in qapp.styleSheet() and "@" not in qapp.styleSheet()
    corner = desk.window.grab().toImage().pixelColor(2, 2).name()
    assert corner == tokens.window, "no light frame around a dark window"


def test_symbols_are_found_by_prefix_before_the_rest() -> None:
    def info(symbol: str, status: str = "TRADING") -> SymbolInfo:
        return SymbolInfo(
            symbol, status, "PERPETUAL", symbol.removesuffix("USDT"), "USDT", *(2 * (__import__("decimal").Decimal(1),))
        )

    infos = [info("1000PEPEUSDT"), info("币安人生USDT"), info("PEPE2USDT", "SETTLING"), info("PEPEUSDT")]
    assert [i.symbol for i in matching(infos, "pepe")] == ["PEPEUSDT", "PEPE2USDT", "1000PEPEUSDT"]
    assert [i.symbol for i in matching(infos, "人生")] == ["币安人生USDT"]
    assert len(matching(infos, "")) == 4


def test_typing_digits_into_a_box_does_not_change_the_interval(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    desk.window.activateWindow()
    desk.window.bar.window_box.setFocus()
    desk.window.bar.window_box.selectAll()
    qtbot.keyClicks(desk.window.bar.window_box, "33")
    qtbot.keyClick(desk.window.bar.window_box, Qt.Key.Key_Return)
    assert desk.pair.settings.window == 33 and desk.pair.settings.interval == "1m"
    assert desk.window.registry["pair.5m"].shortcut() == QKeySequence("5")
