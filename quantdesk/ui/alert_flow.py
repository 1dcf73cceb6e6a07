"""Bring each alert to the table, the toasts, the chart and, if the live market raised it, to the desktop."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.analytics.alerts.outcome import Ended
from quantdesk.analytics.alerts.rule import DEFAULT_TEXT, z_rule
from quantdesk.model.alerts import AT_START, AlertEvent, AlertModel
from quantdesk.model.intervals import interval_ms_of
from quantdesk.types import Origin
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.alert_table import AlertTable
from quantdesk.ui.charts.rule_marks import RuleMark
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.event_marks import marks_of
from quantdesk.ui.rule_words import value_text
from quantdesk.ui.sounds import play
from quantdesk.ui.toasts import ToastStack
from quantdesk.ui.tray import Tray

#: Texts that say no more than title and bar do.
_PLAIN = frozenset({DEFAULT_TEXT, z_rule().notice.text})


class AlertFlow(QObject):
    """Follow the alert model. ``bar_wanted(AlertEvent)`` when a toast, popup or row is chosen.

    ``notify_requested(title, text)`` asks for a desktop popup where there is no tray,
    ``webhook_requested(AlertEvent)`` for a post.
    """

    bar_wanted = Signal(object)
    notify_requested = Signal(str, str)
    webhook_requested = Signal(object)
    marks_changed = Signal()

    def __init__(self, alerts: AlertModel, table: AlertTable, toasts: ToastStack, tray: Tray) -> None:
        super().__init__(table)
        self._alerts = alerts
        self._table = table
        self._toasts = toasts
        self._tray = tray
        self._zone = UTC_ZONE
        self._popped: AlertEvent | None = None
        self.quiet = False  #: a replay is on its way elsewhere: rows without toasts
        table.reset(list(alerts.events))
        table.bar_wanted.connect(self.bar_wanted)
        table.clear_wanted.connect(alerts.clear)
        alerts.fired.connect(self._on_fired)
        alerts.followed.connect(table.update_events)
        alerts.followed.connect(self._on_followed)
        alerts.restored.connect(self._on_restored)
        alerts.cleared.connect(self._on_cleared)
        tray.popup_clicked.connect(self.show_popped)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone, in the rows at once and in the toasts to come."""
        self._zone = zone
        self._table.set_zone(zone)

    def marks(self, pair: str, interval: str) -> tuple[RuleMark, ...]:
        """Return the marks of this view's bars at which rules that are on have fired, and at which that was over."""
        return marks_of(self._alerts.events, self._alerts.rules, pair, interval)

    @Slot()
    def show_popped(self) -> None:
        """Show the bar of the newest popup: the desktop says that it was clicked, not which."""
        if self._popped is not None:
            self.bar_wanted.emit(self._popped)

    @Slot(object)
    def _on_fired(self, event: AlertEvent) -> None:
        self._table.add(event)
        title, text = f"{value_text(event.metric, event.value)} · {event.pair}", self._text(event)
        self.marks_changed.emit()
        if event.kind == AT_START or self.quiet:
            return  # nothing has happened: the row says how it stands
        self._toasts.show_toast(title, text, "alert", lambda: self.bar_wanted.emit(event))
        if not event.popup or self._alerts.muted:
            return
        notice = event.rule.notice
        if notice.sound:
            play(notice.sound_name)
        if notice.popup:
            self._popped = event
            if not self._tray.popup(title, text):
                self.notify_requested.emit(title, text)
        if notice.webhook:
            self.webhook_requested.emit(event)

    @Slot(list)
    def _on_followed(self, events: list[AlertEvent]) -> None:
        if any(event.outcome is not None and event.outcome.ended is not Ended.OPEN for event in events):
            self.marks_changed.emit()

    @Slot()
    def _on_restored(self) -> None:
        self._table.reset(list(self._alerts.events))
        self.marks_changed.emit()

    @Slot()
    def _on_cleared(self) -> None:
        self._table.reset([])
        self.marks_changed.emit()

    def _text(self, event: AlertEvent) -> str:
        """Return the rule's own words; where it has none of its own, in short what the title leaves out."""
        if event.rule.notice.text not in _PLAIN:
            return event.text
        marks = {
            Origin.SIMULATED: self.tr("SIMULATED · "),
            Origin.REPLAY: self.tr("REPLAY · "),
            Origin.FILE: self.tr("FILE · "),
            Origin.HISTORY: self.tr("HISTORY · "),
        }
        what = self._table.rows.words(event)
        if event.rule.id != z_rule().id:
            what = f"{event.rule.name}: {what}"
        zone = self._zone.of_bars(interval_ms_of(event.interval))
        time = f"{clock_text(event.time_ms, event.interval, zone)} {zone.name(event.time_ms)}"
        bar = self.tr("{0}, {1} bar of {2}").format(what, event.interval, time)
        return marks.get(event.origin, "") + bar
