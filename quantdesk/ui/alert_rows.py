"""Hold the alerts as rows of a table, the newest on top, and write them in words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor, QPixmap

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.model.alerts import AT_START, MOST_EVENTS, AlertEvent
from quantdesk.types import Origin
from quantdesk.ui.charts.ticks import moment_of, month_name
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.icons import pixmap
from quantdesk.ui.rule_words import duration_text, event_words, outcome_text, value_number, value_text
from quantdesk.ui.theme_tokens import Tokens

_Index = QModelIndex | QPersistentModelIndex
COLUMNS = 6
PAIR, VALUE, ORIGIN, RULE, OUTCOME = 1, 2, 3, 4, 5
_MARK = 14
_OF_MARK = (Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.AccessibleTextRole)


def clock_text(ms: int, interval: str = "", zone: Zone = UTC_ZONE) -> str:
    """Return a bar's stamp as the zone's time of day, with the date where it is not today, as short as it may be."""
    then, today = moment_of(zone.shift(ms)), moment_of(zone.shift(int(time.time() * 1_000))).date()
    clock = f"{then:%H:%M:%S}" if then.second or interval.endswith("s") else f"{then:%H:%M}"
    if then.date() == today:
        return clock
    day = f"{then.day} {month_name(then.month)}"
    # A bar that opens at midnight of another year is a day's: the year says more than 00:00.
    return f"{day} {then.year}" if then.year != today.year and clock == "00:00" else f"{day} {clock}"


class AlertRows(QAbstractTableModel):
    """Hold the newest alerts as rows: time, pair, value, origin, rule, outcome."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens, self._zone = tokens, UTC_ZONE
        self._events: list[AlertEvent] = []
        self._ids: list[str] = []  # of each row: an event would make its own anew whenever it is asked
        self._marks: dict[str, tuple[str, bool]] = {}  # how the post of an alert stands, and whether it failed

    def add(self, event: AlertEvent) -> None:
        """Put an alert on top; beyond the bound the oldest leaves."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._events.insert(0, event)
        self._ids.insert(0, event.id)
        self.endInsertRows()
        if len(self._events) > MOST_EVENTS:
            last = len(self._events) - 1
            self.beginRemoveRows(QModelIndex(), last, last)
            del self._events[last], self._ids[last]
            self.endRemoveRows()

    def reset(self, events: Sequence[AlertEvent]) -> None:
        """Show these alerts (oldest first) instead."""
        self.beginResetModel()
        self._events = list(reversed(events))[:MOST_EVENTS]
        self._ids = [event.id for event in self._events]
        self.endResetModel()

    def update(self, events: Sequence[AlertEvent]) -> list[int]:
        """Show what has become known of these alerts; return their rows."""
        news = {event.id: event for event in events}
        rows = [row for row, key in enumerate(self._ids) if key in news]
        for row in rows:
            self._events[row] = news[self._ids[row]]
            self.dataChanged.emit(self.index(row, 0), self.index(row, COLUMNS - 1))
        return rows

    def mark(self, event_id: str, words: str, *, failed: bool = False) -> list[int]:
        """Show on an alert's row what came of its way out of the window; return the row, if it is there."""
        self._marks[event_id] = (words, failed)
        if len(self._marks) > MOST_EVENTS:
            del self._marks[next(iter(self._marks))]
        rows = [row for row, key in enumerate(self._ids) if key == event_id]
        for row in rows:
            self.dataChanged.emit(self.index(row, 0), self.index(row, COLUMNS - 1))
        return rows

    def has_failed(self, event: AlertEvent) -> bool:
        """Tell whether an alert did not make its way out of the window."""
        return bool(self._marks) and self._marks.get(event.id, ("", False))[1]

    def event_at(self, row: int) -> AlertEvent:
        """Return the alert of a row."""
        return self._events[row]

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the numbers for the theme."""
        self._tokens = tokens
        if self._events:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._events) - 1, COLUMNS - 1))

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone = zone
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, 0)
        if self._events:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._events) - 1, 0))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of alerts."""
        return 0 if parent.isValid() else len(self._events)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = section == VALUE
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.heads()[section]

    def heads(self) -> tuple[str, ...]:
        """Return the columns' names."""
        last = (self.tr("Origin"), self.tr("Rule"), self.tr("Outcome"))
        return self.tr("Bar ({0})").format(self._zone.title), self.tr("Pair"), self.tr("Value"), *last

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if not index.isValid():
            return None
        event, column = self._events[index.row()], index.column()
        if column == 0 and role in _OF_MARK and self.has_failed(event):
            return self._marked(event, role)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.cells(event)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tip(event)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == VALUE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return self._brush(event, column) if role == Qt.ItemDataRole.ForegroundRole else None

    def cells(self, event: AlertEvent) -> tuple[str, ...]:
        """Return the words of a row."""
        origin = self._origin(event.origin)
        if event.kind == AT_START:
            origin = self.tr("{0}, at start").format(origin)
        value = value_text(event.metric, event.value)
        what = (event.rule.name, outcome_text(event.outcome, event.kind))
        return clock_text(event.time_ms, event.interval, self._zone), event.pair, value, origin, *what

    def words(self, event: AlertEvent) -> str:
        """Return in short what happened; the event's own text says it in full."""
        return event_words(event.rule, event.value, event.kind)

    def tip(self, event: AlertEvent) -> str:
        """Return the alert in full: its words, what became of it, and every value at that moment."""
        lines = [event.text, f"{event.rule.name}: {self.words(event)}"]
        outcome = event.outcome
        if outcome is not None:
            worst = value_number(event.metric, outcome.worst).lstrip("+")
            ended = f"{outcome_text(outcome, event.kind)} ({duration_text(outcome.ms)})"
            lines.append(self.tr("{0}; largest move against it {1}").format(ended, worst))
        if event.earlier:
            fired, zone = event.fired_at, self._zone
            words = self.tr("of an earlier session, fired {0} {1}")
            lines.append(words.format(clock_text(fired, zone=zone), zone.name(fired)))
        if event.id in self._marks:
            words = self._marks[event.id][0]
            lines.append(words[:1].upper() + words[1:])
        sample = event.record.firing.sample
        seen = [value_text(metric, sample.value(metric)) for metric in Metric if metric in sample.values]
        lines += [" · ".join(seen[i : i + 4]) for i in range(0, len(seen), 4)]
        if event.record.context.settings:
            lines.append(event.record.context.settings)
        return "\n".join(lines)

    def _origin(self, origin: Origin) -> str:
        words = {
            Origin.LIVE: self.tr("live"),
            Origin.HISTORY: self.tr("history"),
            Origin.FILE: self.tr("file"),
            Origin.REPLAY: self.tr("replay"),
            Origin.SIMULATED: self.tr("simulated"),
        }
        return words[origin]

    def _marked(self, event: AlertEvent, role: int) -> QPixmap | str:
        """Return the sign that a post failed, or its words beside those of the first cell."""
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.cells(event)[0]}, {self._marks[event.id][0]}"
        picture = pixmap("warning", self._tokens.error, 2 * _MARK)
        picture.setDevicePixelRatio(2)
        return picture

    def _brush(self, event: AlertEvent, column: int) -> QBrush | None:
        if column == VALUE and not event.earlier:
            return QBrush(QColor(self._tokens.up if event.record.firing.side > 0 else self._tokens.down))
        if column in (0, ORIGIN) or event.earlier:
            return QBrush(QColor(self._tokens.text_dim))
        return None
