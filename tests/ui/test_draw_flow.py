"""The Draw menu, its keys, the menu of a drawing and its dialog work in the real window and survive a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QDateTime, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from quantdesk.ui.charts.drawings import Drawing, Kind, Stroke
from quantdesk.ui.drawing_dialog import DrawingDialog

from .conftest import Desk


@pytest.fixture
def shown(make_desk: Callable[..., Desk], qtbot: QtBot) -> Desk:
    desk = make_desk(data=True)
    desk.window.show()
    desk.window.charts._refresh()
    return desk


def draw(desk: Desk, qtbot: QtBot, y: int = 150) -> Drawing:
    desk.window.registry["draw.horizontal"].trigger()
    desk.window.charts._refresh()
    qtbot.mouseClick(desk.window.charts.panel("price").viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, y))
    return desk.window.drawing.tools.shown("price")[-1]


def test_the_tools_are_ticked_while_they_are_at_hand_and_acts_are_offered_when_they_can_be_done(
    shown: Desk, qtbot: QtBot
) -> None:
    on = shown.window.registry
    assert [n for n in ("next", "edit", "delete", "delete_all") if on[f"draw.{n}"].isEnabled()] == []
    on["draw.trend"].trigger()
    assert on["draw.trend"].isChecked() and not on["draw.horizontal"].isChecked()
    on["draw.trend"].trigger()
    assert shown.window.drawing.tools.tool is None and not on["draw.trend"].isChecked()
    draw(shown, qtbot)
    assert not on["draw.horizontal"].isChecked()
    assert all(on[f"draw.{n}"].isEnabled() for n in ("next", "edit", "delete", "delete_all"))


def test_undo_and_redo_name_what_was_drawn(shown: Desk, qtbot: QtBot) -> None:
    on, tools = shown.window.registry, shown.window.drawing.tools
    drawing = draw(shown, qtbot)
    assert "horizontal line" in on["view.undo"].text()
    on["view.undo"].trigger()
    assert tools.count() == 0 and "horizontal line" in on["view.redo"].text()
    on["view.redo"].trigger()
    assert tools.shown("price") == (drawing,)
    on["draw.delete_all"].trigger()
    assert tools.count() == 0
    on["view.undo"].trigger()
    assert tools.shown("price") == (drawing,)


def test_drawings_come_back_after_a_restart(
    shown: Desk, qtbot: QtBot, make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    drawing = draw(shown, qtbot)
    qtbot.waitUntil((tmp_path / "drawings.json").exists, timeout=5_000)
    again = make_desk(data=True)
    again.window.charts._refresh()
    assert again.window.drawing.tools.shown("price") == (drawing,)


def test_closing_keeps_what_was_drawn_a_moment_ago(shown: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    draw(shown, qtbot)
    shown.window.close_for_good()
    assert (tmp_path / "drawings.json").exists()


def test_a_broken_file_of_drawings_is_said_in_the_window(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    (tmp_path / "drawings.json").write_text("{", encoding="utf-8")
    desk = make_desk()
    assert "drawings.broken-" in desk.window.drawing.store.problem


def test_the_dialog_changes_place_look_and_label_with_a_way_back(shown: Desk, qtbot: QtBot) -> None:
    tools = shown.window.drawing.tools
    drawing = draw(shown, qtbot)
    shown.window.registry["draw.edit"].trigger()
    dialog = shown.window.prompts.dialog("drawing")
    assert isinstance(dialog, DrawingDialog)
    dialog.values[0].setValue(1_234.5)
    dialog.label.setText("support")
    dialog.stroke.setCurrentIndex(list(Stroke).index(Stroke.DOT))
    dialog.accept()
    (changed,) = tools.shown("price")
    assert (changed.anchors[0].value, changed.text, changed.look.stroke) == (1_234.5, "support", Stroke.DOT)
    shown.window.registry["view.undo"].trigger()
    assert tools.shown("price") == (drawing,)


def test_the_dialog_of_a_trend_line_has_both_moments(shown: Desk, qtbot: QtBot) -> None:
    tools = shown.window.drawing.tools
    tools.take(Kind.TREND)
    qtbot.keyClick(shown.window.charts, Qt.Key.Key_Return)
    (drawing,) = tools.shown("price")
    shown.window.drawing.edit()
    dialog = shown.window.prompts.dialog("drawing")
    assert isinstance(dialog, DrawingDialog) and len(dialog.times) == len(dialog.values) == 2
    ms = drawing.anchors[0].ms - 600_000
    dialog.times[0].setDateTime(QDateTime.fromMSecsSinceEpoch(ms, dialog.times[0].timeZone()))
    dialog.accept()
    (changed,) = tools.shown("price")
    assert changed.anchors[0].ms == ms and changed.anchors[1] == drawing.anchors[1]


def test_the_other_button_on_a_drawing_asks_what_to_do_with_it(shown: Desk, qtbot: QtBot) -> None:
    draw(shown, qtbot, 150)
    window, port = shown.window, shown.window.charts.panel("price").viewport()
    window.charts._refresh()
    before = set(window.findChildren(QMenu))
    at = QPoint(400, 150)
    QApplication.sendEvent(port, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, port.mapToGlobal(at)))
    (menu,) = [m for m in set(window.findChildren(QMenu)) - before if m.parent() is window]
    colours = menu.actions()[0].menu()
    assert isinstance(colours, QMenu)
    colours.actions()[2].trigger()
    assert window.drawing.tools.shown("price")[0].look.ink == "purple"
    menu.close()


def test_no_key_of_an_action_is_a_mnemonic_of_the_menu_bar(shown: Desk) -> None:
    bar = {QKeySequence.mnemonic(action.text()).toString() for action in shown.window.menuBar().actions()}
    keys = {action.shortcut().toString() for _, action in shown.window.registry}
    assert "Alt+H" in keys and not bar & keys and len(bar) == len(shown.window.menuBar().actions())
