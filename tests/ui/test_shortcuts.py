"""A key is changed in the sheet, takes effect everywhere at once, and outlives the session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from quantdesk.ui.key_flow import KeyFlow
from quantdesk.ui.key_words import pressed_keys
from quantdesk.ui.palette_entries import entries_of
from quantdesk.ui.shortcuts import ShortcutSheet

from .conftest import Desk

NONE = Qt.KeyboardModifier.NoModifier
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def opened(desk: Desk, qtbot: QtBot) -> ShortcutSheet:
    with qtbot.waitExposed(desk.window):
        desk.window.show()
    desk.window.registry["help.shortcuts"].trigger()
    sheet = desk.window.prompts.dialog("shortcuts")
    assert isinstance(sheet, ShortcutSheet)
    qtbot.waitUntil(sheet.isActiveWindow)
    return sheet


def rebind(sheet: ShortcutSheet, name: str, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    cap = sheet.caps[name]
    cap.setFocus()
    QTest.keyClick(cap, Qt.Key.Key_Return)
    assert cap.text() == "press keys…"
    QTest.keyClick(cap, key, held)


def key_of(desk: Desk, name: str) -> str:
    return desk.window.registry[name].shortcut().toString()


def test_a_new_key_works_at_once_in_menu_tip_and_palette(desk: Desk, qtbot: QtBot) -> None:
    sheet = opened(desk, qtbot)
    rebind(sheet, "alerts.mute", Qt.Key.Key_J, CTRL | SHIFT)
    assert sheet.caps["alerts.mute"].text() == "Ctrl+Shift+J" == key_of(desk, "alerts.mute")
    assert "Ctrl+Shift+J" in sheet.answer.text()
    assert desk.window.registry["alerts.mute"].toolTip().endswith("(Ctrl+Shift+J)")
    button = desk.window.bar.widgetForAction(desk.window.registry["alerts.mute"])
    assert isinstance(button, QToolButton) and "Ctrl+Shift+J" in button.toolTip()
    assert {e.id: e.keys for e in entries_of(desk.window)}["alerts.mute"] == "Ctrl+Shift+J"
    sheet.reject()
    desk.window.activateWindow()
    qtbot.waitUntil(desk.window.isActiveWindow)
    QTest.keyClick(desk.window.charts, Qt.Key.Key_M, CTRL)
    assert not desk.alerts.muted
    QTest.keyClick(desk.window.charts, Qt.Key.Key_J, CTRL | SHIFT)
    assert desk.alerts.muted


def test_a_notice_that_stands_tells_the_new_key_and_may_leave(desk: Desk, qtbot: QtBot) -> None:
    banner = desk.window.banner
    banner.show_notice("x", "info", "Words", [desk.window.registry["file.open"]])
    sheet = opened(desk, qtbot)
    rebind(sheet, "file.open", Qt.Key.Key_F7)
    assert [b.toolTip() for b in banner.findChildren(QPushButton)] == ["Open bars or trades from files (F7)"]
    banner.clear_notice("x")
    qtbot.waitUntil(lambda: not banner.findChildren(QPushButton))
    rebind(sheet, "file.open", Qt.Key.Key_F8)
    assert key_of(desk, "file.open") == "F8"


def test_new_keys_outlive_a_restart_and_so_do_those_of_a_newer_version(
    make_desk: Callable[..., Desk], tmp_path: Path, qtbot: QtBot
) -> None:
    desk = make_desk(folder=tmp_path / "one")
    desk.store.settings.keys = {"later.action": "Ctrl+Alt+9"}
    sheet = opened(desk, qtbot)
    rebind(sheet, "view.reset_layout", Qt.Key.Key_F9)
    QTest.keyClick(sheet.caps["file.quit"], Qt.Key.Key_Delete)
    sheet.reject()
    desk.window.save_settings()
    again = make_desk(folder=tmp_path / "one")
    assert again.store.settings.keys == {"later.action": "Ctrl+Alt+9", "view.reset_layout": "F9", "file.quit": ""}
    assert (key_of(again, "view.reset_layout"), key_of(again, "file.quit")) == ("F9", "")
    assert again.window.registry["file.quit"].toolTip() == "Quit"
    assert not again.store.problem


def test_a_key_in_use_is_said_and_given_only_when_asked_for(desk: Desk, qtbot: QtBot) -> None:
    sheet = opened(desk, qtbot)
    rebind(sheet, "file.live", Qt.Key.Key_O, CTRL)
    assert "Ctrl+O is the key of “Open file”" in sheet.answer.text() and sheet.take_over.isVisible()
    assert (key_of(desk, "file.live"), key_of(desk, "file.open")) == ("Ctrl+L", "Ctrl+O")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible() and not sheet.take_over.isVisible() and key_of(desk, "file.live") == "Ctrl+L"
    rebind(sheet, "file.live", Qt.Key.Key_O, CTRL)
    QTest.keyClick(sheet.take_over, Qt.Key.Key_Return)
    assert (key_of(desk, "file.live"), key_of(desk, "file.open")) == ("Ctrl+O", "")
    assert desk.store.settings.keys == {"file.live": "Ctrl+O", "file.open": ""}
    assert sheet.caps["file.open"].text() == "–"


def test_one_key_and_all_keys_are_reset_and_every_change_undone(desk: Desk, qtbot: QtBot) -> None:
    sheet = opened(desk, qtbot)
    assert not any(b.isEnabled() for b in (sheet.undo_button, sheet.reset_one, sheet.reset_all))
    rebind(sheet, "alerts.mute", Qt.Key.Key_F7)
    rebind(sheet, "pair.swap", Qt.Key.Key_F8)
    sheet.caps["alerts.mute"].setFocus()
    sheet.reset_one.click()
    assert (key_of(desk, "alerts.mute"), key_of(desk, "pair.swap")) == ("Ctrl+M", "F8")
    sheet.undo_button.click()
    assert key_of(desk, "alerts.mute") == "F7"
    sheet.reset_all.click()
    assert desk.store.settings.keys == {} and key_of(desk, "pair.swap") == "Alt+S"
    QTest.keyClick(sheet, Qt.Key.Key_Z, CTRL)
    assert desk.store.settings.keys == {"alerts.mute": "F7", "pair.swap": "F8"}
    for _ in range(5):
        sheet.undo()
    assert desk.store.settings.keys == {} and not sheet.undo_button.isEnabled()


def test_a_reset_asks_where_another_action_has_the_first_key(desk: Desk, qtbot: QtBot) -> None:
    sheet = opened(desk, qtbot)
    rebind(sheet, "alerts.mute", Qt.Key.Key_F7)
    rebind(sheet, "alerts.clear", Qt.Key.Key_M, CTRL)
    sheet.caps["alerts.mute"].setFocus()
    sheet.reset_one.click()
    assert "Clear the table" in sheet.answer.text() and key_of(desk, "alerts.mute") == "F7"
    sheet.take_over.click()
    assert (key_of(desk, "alerts.mute"), key_of(desk, "alerts.clear")) == ("Ctrl+M", "")
    assert desk.store.settings.keys == {}, "both are what they came with"


@pytest.mark.parametrize(
    ("key", "held", "words"),
    [
        (Qt.Key.Key_Left, NONE, "charts"),
        (Qt.Key.Key_Home, NONE, "charts"),
        (Qt.Key.Key_Tab, NONE, "lists"),
        (Qt.Key.Key_Return, NONE, "lists"),
        (Qt.Key.Key_C, CTRL, "copies"),
        (Qt.Key.Key_F, ALT, "opens the menu File"),
    ],
)
def test_a_key_with_a_fixed_meaning_is_refused_in_words(
    desk: Desk, qtbot: QtBot, key: Qt.Key, held: Qt.KeyboardModifier, words: str
) -> None:
    sheet = opened(desk, qtbot)
    rebind(sheet, "alerts.mute", key, held)
    assert words in sheet.answer.text() and key_of(desk, "alerts.mute") == "Ctrl+M"


def test_escape_and_focus_elsewhere_give_up_waiting_and_modifiers_wait_on(desk: Desk, qtbot: QtBot) -> None:
    sheet = opened(desk, qtbot)
    cap = sheet.caps["alerts.mute"]
    rebind(sheet, "alerts.mute", Qt.Key.Key_Escape)
    assert sheet.isVisible() and cap.text() == "Ctrl+M"
    rebind(sheet, "alerts.mute", Qt.Key.Key_Shift, SHIFT)
    assert cap.text() == "press keys…"
    sheet.caps["file.open"].setFocus()
    assert cap.text() == "Ctrl+M" and desk.store.settings.keys == {}
    cap.click()
    cap.click()
    assert cap.text() == "press keys…", "a double click is one wish"


def test_broken_and_doubled_keys_of_the_settings_fall_back_in_words(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    keys = {"alerts.mute": "Ctrl+O", "pair.swap": "F8", "pair.log": "F8", "pair.refit": "Alt+F", "view.reset": 3}
    (tmp_path / "settings.json").write_text(json.dumps({"keys": keys}), encoding="utf-8")
    desk = make_desk()
    found = [key_of(desk, name) for name in ("alerts.mute", "pair.swap", "pair.log", "pair.refit", "view.reset")]
    assert found == ["Ctrl+M", "F8", "Alt+L", "Ctrl+R", "Ctrl+0"]
    notices = " ".join(notice.text for notice in desk.window.banner.notices())
    for words in ("Mute", "Log prices", "Refit", "'view.reset' is no key"):
        assert words in notices
    assert "Swap legs" not in notices


def test_a_changed_key_is_marked_and_read_out(desk: Desk, qtbot: QtBot) -> None:
    sheet = opened(desk, qtbot)
    rebind(sheet, "alerts.mute", Qt.Key.Key_F7)
    cap = sheet.caps["alerts.mute"]
    assert cap.property("changed") is True and cap.accessibleName() == "Mute: F7, was Ctrl+M"
    flow = desk.window.findChild(KeyFlow)
    assert flow is not None
    with pytest.raises(ValueError, match="charts"):
        flow.bindings.bind("alerts.mute", "Left")


def test_shift_belongs_to_a_sign_that_it_makes() -> None:
    def pressed(key: Qt.Key, held: Qt.KeyboardModifier, text: str) -> str:
        return pressed_keys(QKeyEvent(QKeyEvent.Type.KeyPress, key, held, text))

    assert pressed(Qt.Key.Key_Exclam, SHIFT, "!") == "!"
    assert pressed(Qt.Key.Key_K, SHIFT, "K") == "Shift+K"
    assert pressed(Qt.Key.Key_Backtab, SHIFT, "") == "Shift+Tab"
    assert pressed(Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5") == "5"
    assert pressed(Qt.Key.Key_Control, CTRL, "") == ""
