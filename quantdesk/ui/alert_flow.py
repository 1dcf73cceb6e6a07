"""Bring each alert to the table, the toasts, the chart and, if the live market raised it, to the desktop."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QApplication

from quantdesk.model.alerts import AT_START, AlertEvent, AlertModel, AlertRule
from quantdesk.types import Origin
from quantdesk.ui.alert_table import AlertTable, clock_text, signed
from quantdesk.ui.toasts import ToastStack
from quantdesk.ui.tray import Tray


class AlertFlow(QObject):
    """Follow the alert model. ``bar_wanted(AlertEvent)`` when a toast, popup or row is chosen.

    ``notify_requested(title, text)`` asks for a desktop popup where there is no tray.
    """

    bar_wanted = Signal(object)
    notify_requested = Signal(str, str)
    marks_changed = Signal()

    def __init__(self, alerts: AlertModel, table: AlertTable, toasts: ToastStack, tray: Tray) -> None:
        super().__init__(table)
        self._alerts = alerts
        self._table = table
        self._toasts = toasts
        self._tray = tray
        self._popped: AlertEvent | None = None
        table.reset(list(alerts.events))
        table.bar_wanted.connect(self.bar_wanted)
        table.clear_wanted.connect(alerts.clear)
        alerts.fired.connect(self._on_fired)
        alerts.cleared.connect(self._on_cleared)
        tray.popup_clicked.connect(self.show_popped)

    def set_rule(self, rule: AlertRule) -> None:
        """Put a rule in force."""
        self._alerts.set_rule(rule)

    def set_muted(self, muted: bool) -> None:
        """Mute or unmute, leaving the levels."""
        if self._alerts.rule.muted != muted:
            self._alerts.set_rule(replace(self._alerts.rule, muted=muted))

    def marks(self, pair: str, interval: str) -> list[int]:
        """Return the open times (ms) of the bars of this view that raised an alert."""
        return sorted({e.time_ms for e in self._alerts.events if e.pair == pair and e.interval == interval})

    @Slot()
    def show_popped(self) -> None:
        """Show the bar of the newest popup: the desktop says that it was clicked, not which."""
        if self._popped is not None:
            self.bar_wanted.emit(self._popped)

    @Slot(object)
    def _on_fired(self, event: AlertEvent) -> None:
        self._table.add(event)
        title, text = f"z {signed(event.z)} · {event.pair}", self._text(event)
        self.marks_changed.emit()
        if event.kind == AT_START:
            return  # nothing has happened: the row says how it stands
        self._toasts.show_toast(title, text, "alert", lambda: self.bar_wanted.emit(event))
        if not event.popup or self._alerts.rule.muted:
            return
        self._popped = event
        QApplication.beep()
        if not self._tray.popup(title, text):
            self.notify_requested.emit(title, text)

    @Slot()
    def _on_cleared(self) -> None:
        self._table.reset([])
        self.marks_changed.emit()

    def _text(self, event: AlertEvent) -> str:
        marks = {
            Origin.SIMULATED: self.tr("SIMULATED · "),
            Origin.REPLAY: self.tr("REPLAY · "),
            Origin.FILE: self.tr("FILE · "),
            Origin.HISTORY: self.tr("HISTORY · "),
        }
        bar = self.tr("{0}, {1} bar of {2}").format(
            self._table.rows.words(event), event.interval, clock_text(event.time_ms, event.interval)
        )
        return marks.get(event.origin, "") + bar
