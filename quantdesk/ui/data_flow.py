"""Bring what is known of the data to the window: kline checks and the Data panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.data_panel import DataPanel
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow

_COUNT_EVERY_MS = 1_000
_DOCK_HEIGHT = 290


class DataFlow(QObject):
    """Own the Data panel and keep the count of matching bars in the status bar."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.panel = DataPanel(window.theme.tokens, lambda: window.market, window)
        dock = window.layouts.add_dock("data", self.tr("Data"), self.panel, below=True)
        dock.hide()
        self._dock = dock
        dock.visibilityChanged.connect(lambda shown: QTimer.singleShot(0, self, self._make_room) if shown else None)
        window.registry.adopt(
            "view.data", dock.toggleViewAction(), "Ctrl+Shift+D", self.tr("Show or hide what is held")
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_COUNT_EVERY_MS)
        self._timer.timeout.connect(self.show_counts)
        self._timer.start()

    @Slot()
    def _make_room(self) -> None:
        """Give the panel the height of a few rows where Qt gave it less."""
        wanted = min(_DOCK_HEIGHT, self._window.height() // 3)
        if self._dock.isVisible() and not self._dock.isFloating() and self._dock.height() < wanted:
            self._window.resizeDocks([self._dock], [wanted], Qt.Orientation.Vertical)

    def connect_window(self) -> None:
        """Follow the status bar, once it stands."""
        self._window.status.checks_clicked.connect(self.show_differences)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the panel for the theme."""
        self.panel.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self.panel.set_zone(zone)

    def counts(self) -> tuple[int, int, int]:
        """Return (matched, explained, compared) bars of both legs."""
        market, legs = self._window.market, self._legs()
        found = [market.kline_checks(leg) for leg in legs]
        return sum(m for m, _ in found), sum(map(market.kline_explained, legs)), sum(c for _, c in found)

    @Slot()
    def show_counts(self) -> None:
        """Bring the count of matching bars to the status bar."""
        if self._window.isVisible():
            self._window.status.show_checks(*self.counts())

    @Slot()
    def show_differences(self) -> None:
        """List the bars that differ from the klines."""
        from quantdesk.ui.kline_dialog import KlineDialog

        market = self._window.market
        checks = [(leg, check) for leg in self._legs() for check in market.kline_differences(leg)]
        checks.sort(key=lambda pair: -pair[1].open_time)
        self._window.prompts.show_dialog("klines", KlineDialog(self.counts(), checks, self._window))

    def _legs(self) -> list[str]:
        settings = self._window.pair.settings
        return [leg for leg in (settings.y, settings.x) if leg]
