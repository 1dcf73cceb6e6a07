"""Restore the window from the settings and keep them true while it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from quantdesk.types import Origin

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow

_SAVED_AFTER_MS = 1_500


class SettingsFlow(QObject):
    """Save shortly after a change, so that a crash costs no layout."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._removed: set[str] = set()
        window.remove_symbol_requested.connect(self._removed.add)
        window.add_symbol_requested.connect(self._removed.discard)
        self._saver = QTimer(self)
        self._saver.setSingleShot(True)
        self._saver.setInterval(_SAVED_AFTER_MS)
        self._saver.timeout.connect(self.save)

    def restore(self) -> None:
        """Show the layout of the last session, if it is of this version."""
        self._window.restore_choices()
        self._blame()

    @Slot()
    def save(self) -> None:
        """Write layout, pair, rules and workspaces, now."""
        window, settings = self._window, self._window.store.settings
        window.collect_choices()
        settings.take_rules(window.alerts.rules)
        settings.muted = window.alerts.muted
        pair = window.pair.settings
        if window.mode.origin is Origin.LIVE and pair.y and pair.x:
            # Without a network the market knows only what is stored: what is missing there was not removed.
            known = dict.fromkeys([*settings.symbols, *window.market.symbols()])
            settings.symbols = [symbol for symbol in known if symbol not in self._removed]
        window.store.save()
        window.workspaces.save()
        self._blame()

    def save_soon(self) -> None:
        """Save once the changes pause."""
        if self._window.isVisible() or self._window.workspaces.any_visible:
            self._saver.start()

    def stop(self) -> None:
        """Save no more by itself."""
        self._saver.stop()

    def _blame(self) -> None:
        for key, problem in (("settings", self._window.store.problem), ("workspaces", self._window.workspaces.problem)):
            if problem:
                self._window.banner.show_notice(key, "warning", problem)
