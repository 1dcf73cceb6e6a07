"""Bring the correlation of ticks to the window: a dock beside the alerts, built when it is first looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from quantdesk.model.tick_order import TickSettings
from quantdesk.model.tick_statistics import TickStatistics
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.tick_panel import TickPanel

_WATCHER = "dock"


class TickFlow(QObject):
    """Own the dock, its panel and the statistics behind it; they rest while the dock cannot be seen."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._zone = window, UTC_ZONE
        self.statistics = TickStatistics(window.pair, window.store.settings.tick_settings(), self)
        self.panel: TickPanel | None = None
        self.dock = dock = window.layouts.add_dock("ticks", self.tr("Tick correlation"), QWidget(window))
        alerts = window.layouts.docks["alerts"]
        window.tabifyDockWidget(alerts, dock)
        dock.hide()
        dock.visibilityChanged.connect(self._on_visible)
        action = dock.toggleViewAction()
        action.triggered.connect(lambda shown: dock.raise_() if shown else None)
        window.registry.adopt(
            "view.ticks", action, "Ctrl+Shift+K", self.tr("Correlation of trades, Epps curve, and which leg leads")
        )

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the panel for the theme."""
        if self.panel is not None:
            self.panel.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write the content's times in another zone."""
        self._zone = zone
        if self.panel is not None:
            self.panel.set_zone(zone)

    @Slot(bool)
    def _on_visible(self, shown: bool) -> None:
        if shown and self.panel is None:
            from quantdesk.ui.tick_panel import TickPanel

            self.panel = TickPanel(self.statistics, self._window.pair, self._window.theme.tokens, self.dock)
            self.panel.set_zone(self._zone)
            self.panel.settings_chosen.connect(self._keep)
            self.dock.setWidget(self.panel)
        self.statistics.watch(_WATCHER, shown)

    @Slot(object)
    def _keep(self, chosen: TickSettings) -> None:
        self._window.store.settings.take_ticks(chosen)
        self._window.keeper.save_soon()
