"""Bring the evidence to the window: its dock beside the alerts, and the metric boxes that open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.ui.evidence_panel import EvidencePanel
    from quantdesk.ui.main_window import MainWindow

#: The boxes whose number is explained by the evidence.
EXPLAINED = ("cointegration", "half_life")


class EvidenceFlow(QObject):
    """Own the Evidence dock; its content is made when it is first seen."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._tokens, self._zone = window.theme.tokens, UTC_ZONE
        self.panel: EvidencePanel | None = None
        dock = window.layouts.add_dock("evidence", self.tr("Evidence"), QWidget(window))
        window.layouts.share_place("alerts", dock)
        dock.hide()
        self._dock = dock
        tip = self.tr("Show or hide what the tests say of the pair")
        self._action = window.registry.adopt("view.evidence", dock.toggleViewAction(), "Ctrl+Shift+V", tip)
        self._action.triggered.connect(lambda shown: dock.raise_() if shown else None)
        dock.visibilityChanged.connect(self._on_visible)
        window.pair.changed.connect(self._refresh)
        window.pair.settings_changed.connect(self._refresh)
        window.pair.failed.connect(self._on_failed)
        for name in EXPLAINED:
            window.metrics.box(name).explain_by(self.tr("Click: all tests"))
            window.metrics.box(name).clicked.connect(self.show_dock)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the content for the theme."""
        self._tokens = tokens
        if self.panel is not None:
            self.panel.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write the content's times in another zone."""
        self._zone = zone
        if self.panel is not None:
            self.panel.set_zone(zone)

    @Slot()
    def show_dock(self) -> None:
        """Show the evidence, in front of what shares its place."""
        self._dock.show()
        self._dock.raise_()

    @Slot(bool)
    def _on_visible(self, shown: bool) -> None:
        if shown and self.panel is None:
            from quantdesk.ui.evidence_panel import EvidencePanel

            self.panel = EvidencePanel(self._window.pair, self._tokens, self._window)
            self.panel.set_zone(self._zone)
            holder = self._dock.widget()
            self._dock.setWidget(self.panel)
            if holder is not None:
                holder.deleteLater()
            self.panel.show()

    @Slot()
    def _refresh(self) -> None:
        if self.panel is not None:
            self.panel.refresh()

    @Slot(str)
    def _on_failed(self, text: str) -> None:
        if self.panel is not None:
            self.panel.show_failure(text)
