"""Restore the window from the settings and keep them true while it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QTimer, Slot

from quantdesk.types import Origin
from quantdesk.ui.docks import LAYOUT_VERSION

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
        window, settings = self._window, self._window.store.settings
        if settings.geometry:
            window.restoreGeometry(QByteArray.fromBase64(settings.geometry.encode()))
        if settings.layout and settings.layout_version == LAYOUT_VERSION:
            window.layouts.apply(
                {
                    "version": settings.layout_version,
                    "state": settings.layout,
                    "charts": settings.charts,
                    "metrics": settings.metrics_shown,
                }
            )
        window.show_panels_checked()
        self._blame()

    @Slot()
    def save(self) -> None:
        """Write layout, pair and rules, now."""
        window, settings = self._window, self._window.store.settings
        layout = window.layouts.capture()
        settings.geometry = window.saveGeometry().toBase64().toStdString()
        settings.layout, settings.layout_version = layout["state"], layout["version"]
        settings.charts, settings.metrics_shown = layout["charts"], layout["metrics"]
        settings.take_rules(window.alerts.rules)
        settings.muted = window.alerts.muted
        pair = window.pair.settings
        # What a file, a replay or the simulator shows is no choice for the next start.
        if window.mode.origin is Origin.LIVE and pair.y and pair.x:
            settings.take_pair(pair)
            # Without a network the market knows only what is stored: what is missing there was not removed.
            known = dict.fromkeys([*settings.symbols, *window.market.symbols()])
            settings.symbols = [symbol for symbol in known if symbol not in self._removed]
        if not window.store.save():
            self._blame()

    def save_soon(self) -> None:
        """Save once the changes pause."""
        if self._window.isVisible():
            self._saver.start()

    def stop(self) -> None:
        """Save no more by itself."""
        self._saver.stop()

    def _blame(self) -> None:
        if self._window.store.problem:
            self._window.banner.show_notice("settings", "warning", self._window.store.problem)
