"""Bring the chosen keys to the window: from the settings, to the shortcut sheet and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QKeySequence

from quantdesk.ui.actions import plain
from quantdesk.ui.key_bindings import KeyBindings

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


class KeyFlow(QObject):
    """Own the bindings; made once every action is registered."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        menus = window.menuBar().actions()
        openers = {QKeySequence.mnemonic(menu.text()).toString(): plain(menu.text()) for menu in menus}
        openers.pop("", None)  # a menu without a mnemonic
        self.bindings = KeyBindings(window.registry, openers)
        fallen = self.bindings.put(window.store.settings.keys)
        if fallen:
            names = ", ".join(self.bindings.title(name) for name in fallen)
            words = self.tr("Chosen keys that another action has or a menu needs were left out: {0}.").format(names)
            window.banner.show_notice("keys", "warning", words)
        window.registry["help.shortcuts"].triggered.connect(self.show_sheet)

    @Slot()
    def show_sheet(self) -> None:
        """Open the sheet of keys, or bring it to the front."""
        from quantdesk.ui.menu_walk import walk
        from quantdesk.ui.shortcuts import ShortcutSheet

        window = self._window
        placed = [one for one in walk(window.menuBar()) if one.action.objectName() in self.bindings]
        sheet = ShortcutSheet(placed, self.bindings, window)
        sheet.keys_chosen.connect(self._keep)
        window.prompts.show_dialog("shortcuts", sheet)

    @Slot(dict)
    def _keep(self, chosen: dict[str, str]) -> None:
        settings = self._window.store.settings
        unknown = {name: keys for name, keys in settings.keys.items() if name not in self._window.registry}
        settings.keys = {**unknown, **chosen}
        self._window.keeper.save_soon()
