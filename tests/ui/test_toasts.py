"""Toasts, tasks and the tray keep out of the way and never lie."""

from __future__ import annotations

import threading

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from quantdesk.ui.progress import ProgressStrip
from quantdesk.ui.theme_tokens import DARK
from quantdesk.ui.toasts import MOST, ToastStack

from .conftest import Desk


def area(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(800, 600)
    widget.show()
    return widget


def test_four_toasts_stand_and_the_oldest_leaves(qtbot: QtBot) -> None:
    stack = ToastStack(area(qtbot), DARK)
    for number in range(MOST + 2):
        stack.show_toast(f"toast {number}", "words\nand more")
    assert [t.accessibleName()[:7] for t in stack.toasts] == ["toast 2", "toast 3", "toast 4", "toast 5"]
    places = [t.geometry() for t in stack.toasts]
    assert all(not a.intersects(b) for i, a in enumerate(places) for b in places[i + 1 :])
    assert all(QWidget.rect(stack._area).contains(place) for place in places)


def test_a_toast_leaves_by_itself(qtbot: QtBot) -> None:
    stack = ToastStack(area(qtbot), DARK, stay_ms=50)
    stack.show_toast("short")
    qtbot.waitUntil(lambda: stack.toasts == [], timeout=5_000)


def test_a_click_or_enter_acts_and_escape_only_closes(qtbot: QtBot) -> None:
    stack, acted = ToastStack(area(qtbot), DARK), []
    qtbot.mouseClick(stack.show_toast("a", activated=lambda: acted.append("a")), Qt.MouseButton.LeftButton)
    qtbot.keyClick(stack.show_toast("b", activated=lambda: acted.append("b")), Qt.Key.Key_Return)
    qtbot.keyClick(stack.show_toast("c", activated=lambda: acted.append("c")), Qt.Key.Key_Escape)
    assert acted == ["a", "b"] and stack.toasts == []


def test_toasts_follow_the_corner(qtbot: QtBot) -> None:
    widget = area(qtbot)
    stack = ToastStack(widget, DARK)
    toast = stack.show_toast("here")
    widget.resize(500, 400)
    assert toast.geometry().right() < 500 and toast.geometry().bottom() < 400


def test_a_short_task_shows_nothing_and_a_long_one_can_be_cancelled(qtbot: QtBot) -> None:
    window = area(qtbot)
    strip = ProgressStrip(window)
    strip.start("quick").finish()
    task = strip.start("long")
    assert not strip.isVisible()
    qtbot.waitUntil(strip.isVisible, timeout=5_000)
    worker = threading.Thread(target=lambda: [task.advance(i / 200) for i in range(101)])
    worker.start()
    worker.join()
    qtbot.waitUntil(lambda: task._row is not None and task._row.bar.value() == 50, timeout=5_000)
    assert not task.is_cancelled()
    assert task._row is not None
    qtbot.mouseClick(task._row.cancel, Qt.MouseButton.LeftButton)
    assert task.is_cancelled()
    task.finish()
    task.finish()
    assert not strip.isVisible()


def test_without_a_tray_nothing_hides_and_popups_take_another_way(desk: Desk) -> None:
    tray = desk.window.tray
    assert not tray.available
    assert not tray.popup("title", "text")
    assert not desk.window.registry["file.tray"].isEnabled()
    desk.store.settings.ask_on_close, desk.store.settings.close_to_tray = False, True
    desk.window.show()
    desk.window.close()
    assert desk.window.isVisible()
