"""Every action exists once and feeds menu, toolbar and shortcut sheet."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from quantdesk.ui.action_table import desk_actions
from quantdesk.ui.shortcuts import ShortcutSheet
from quantdesk.ui.theme_tokens import DARK, LIGHT, Tokens

from .conftest import Desk


def menu_actions(menu: QMenu) -> list[str]:
    found: list[str] = []
    for action in menu.actions():
        inner = action.menu()
        found += menu_actions(inner) if isinstance(inner, QMenu) else [action.objectName()]
    return [name for name in found if name]


def test_no_two_actions_share_a_shortcut(desk: Desk) -> None:
    keys = [key.toString() for _, action in desk.window.registry for key in action.shortcuts()]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert len(keys) > 25


def test_every_action_is_in_a_menu_once(desk: Desk) -> None:
    listed = [n for a in desk.window.menuBar().actions() for n in menu_actions(a.menu())]  # type: ignore[arg-type]
    assert sorted(listed) == sorted(name for name, _ in desk.window.registry)


def test_mnemonics_do_not_collide_within_a_menu(desk: Desk) -> None:
    def keys(menu: QMenu) -> list[str]:
        texts = [a.text() for a in menu.actions() if "&" in a.text()]
        return [t[t.index("&") + 1].casefold() for t in texts]

    menus = [a.menu() for a in desk.window.menuBar().actions()]
    clashes = {m.title(): k for m in menus if isinstance(m, QMenu) and len(set(k := keys(m))) < len(k)}
    assert not clashes


def test_the_shortcut_sheet_lists_every_key(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show()
    desk.window.registry["help.shortcuts"].trigger()
    sheet = desk.window.prompts.dialog("shortcuts")
    assert sheet is not None
    assert isinstance(sheet, ShortcutSheet)
    assert set(sheet.caps) == {name for name, _ in desk.window.registry}
    for name, action in desk.window.registry:
        keys = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
        assert sheet.caps[name].text() == keys or (not keys and sheet.caps[name].text() == "–")
    fixed = {label.text() for label in sheet.findChildren(QLabel) if label.property("keycap")}
    assert {"← →", "Home"} <= fixed
    sheet.reject()


def interactive(root: QWidget) -> list[QWidget]:
    focusable = [w for w in root.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    found = {*focusable, *root.findChildren(QAbstractButton)}
    return [w for w in found if not w.objectName().startswith("qt_") and type(w) is not QWidget]


def test_every_control_has_an_accessible_name(desk: Desk) -> None:
    nameless = [w for w in interactive(desk.window) if not w.accessibleName() and not isinstance(w, QMenu)]
    nameless = [w for w in nameless if not w.window().isHidden() or w.window() is desk.window]
    assert not [f"{w.metaObject().className()} in {w.parentWidget()}" for w in nameless]


def test_every_control_of_every_dialog_has_an_accessible_name(desk: Desk) -> None:
    window = desk.window
    window.show()
    for name in (
        "help.shortcuts",
        "help.about",
        "alerts.rules",
        "pair.settings",
        "market.add",
        "data.storage",
        "data.copy_store",
        "draw.indicators",
    ):
        window.registry[name].trigger()
    window.prompts.ask_close(desk.theme.tokens, tray=True)
    for name in ("shortcuts", "about", "rules", "pair", "symbol", "close", "storage", "copy", "indicators"):
        dialog = window.prompts.dialog(name)
        assert dialog is not None and dialog.accessibleName(), name
        nameless = [w for w in interactive(dialog) if not w.accessibleName() and not isinstance(w, QLabel)]
        nameless = [w for w in nameless if w.parentWidget().metaObject().className() not in SPIN]
        assert not [w.metaObject().className() for w in nameless], name
        dialog.reject()


SPIN = ("QSpinBox", "QDoubleSpinBox", "QLineEdit")


def test_icons_come_and_change_colour_on_the_toolbar_at_once_and_in_menus_a_moment_later(
    desk: Desk, qtbot: QtBot
) -> None:
    named = [spec.id for spec in desk_actions() if spec.icon]
    registry = desk.window.registry

    def colours(name: str) -> set[str]:
        picture = registry[name].icon().pixmap(48, 48).toImage()
        pixels = (picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height()))
        return {pixel.name() for pixel in pixels if pixel.alpha() == 255}

    def wear(tokens: Tokens) -> list[str]:
        return [name for name in named if tokens.text not in colours(name)]

    qtbot.waitUntil(lambda: wear(desk.theme.tokens) == [])
    other = LIGHT if desk.theme.tokens.dark else DARK
    registry.set_tokens(other)
    assert "file.open" not in wear(other)
    qtbot.waitUntil(lambda: wear(other) == [])
