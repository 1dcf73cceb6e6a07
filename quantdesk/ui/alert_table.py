"""List the alerts, the newest on top."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QKeyEvent, QKeySequence, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QMenu,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.model.alerts import AT_START, MOST_EVENTS, AlertEvent
from quantdesk.types import Origin
from quantdesk.ui.charts.ticks import moment_of, month_name
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.icons import pixmap
from quantdesk.ui.rule_words import duration_text, event_words, outcome_text, value_number, value_text, waits_for
from quantdesk.ui.theme_tokens import Tokens

_Index = QModelIndex | QPersistentModelIndex
_COLUMNS = 6
#: What a column's head needs beside its words.
_HEAD_ROOM = 20
_MARK = 14
_OF_MARK = (Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.AccessibleTextRole)
_PAIR, _VALUE, _ORIGIN, _RULE, _OUTCOME = 1, 2, 3, 4, 5
#: The pair's column is not made narrower (pixels): beside it the origin gives way.
_LEAST_PAIR = 50


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
        self._marks: dict[str, tuple[str, bool]] = {}  # how the post of an alert stands, and whether it failed

    def add(self, event: AlertEvent) -> None:
        """Put an alert on top; beyond the bound the oldest leaves."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._events.insert(0, event)
        self.endInsertRows()
        if len(self._events) > MOST_EVENTS:
            last = len(self._events) - 1
            self.beginRemoveRows(QModelIndex(), last, last)
            del self._events[last]
            self.endRemoveRows()

    def reset(self, events: Sequence[AlertEvent]) -> None:
        """Show these alerts (oldest first) instead."""
        self.beginResetModel()
        self._events = list(reversed(events))[:MOST_EVENTS]
        self.endResetModel()

    def update(self, events: Sequence[AlertEvent]) -> None:
        """Show what has become known of these alerts."""
        news = {event.id: event for event in events}
        for row, event in enumerate(self._events):
            if event.id in news:
                self._events[row] = news[event.id]
                self.dataChanged.emit(self.index(row, 0), self.index(row, _COLUMNS - 1))

    def mark(self, event_id: str, words: str, *, failed: bool = False) -> None:
        """Show on an alert's row what came of its way out of the window."""
        self._marks[event_id] = (words, failed)
        if len(self._marks) > MOST_EVENTS:
            del self._marks[next(iter(self._marks))]
        for row, event in enumerate(self._events):
            if event.id == event_id:
                self.dataChanged.emit(self.index(row, 0), self.index(row, _COLUMNS - 1))

    def has_failed(self, event: AlertEvent) -> bool:
        """Tell whether an alert did not make its way out of the window."""
        return self._marks.get(event.id, ("", False))[1]

    def event_at(self, row: int) -> AlertEvent:
        """Return the alert of a row."""
        return self._events[row]

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the numbers for the theme."""
        self._tokens = tokens
        if self._events:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._events) - 1, _COLUMNS - 1))

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
        return 0 if parent.isValid() else _COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = section == _VALUE
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
        if role == Qt.ItemDataRole.TextAlignmentRole and column == _VALUE:
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
        if column == _VALUE and not event.earlier:
            return QBrush(QColor(self._tokens.up if event.record.firing.side > 0 else self._tokens.down))
        if column in (0, _ORIGIN) or event.earlier:
            return QBrush(QColor(self._tokens.text_dim))
        return None


class _Roomy(QStyledItemDelegate):
    """Give cells some air; a style sheet's padding would not count in the columns' widths."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return the size with room on both sides."""
        return super().sizeHint(option, index) + QSize(10, 0)


class _Table(QTableView):
    """Keep the keys that move in a table from the window's shortcuts; Enter shows the bar."""

    entered_row = Signal(int)
    copy_wanted = Signal()
    _OWN = frozenset((Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown))

    def event(self, event: QEvent) -> bool:
        """Claim End and Home while the table has the focus."""
        claims = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if claims and isinstance(event, QKeyEvent) and event.key() in self._OWN:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the bar on Enter, copy on Ctrl+C."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.entered_row.emit(self.currentIndex().row())
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        else:
            super().keyPressEvent(event)


class AlertTable(QWidget):
    """Show the alerts or, where there are none, what makes one.

    ``bar_wanted(event)`` on a double click, ``post_wanted(event)`` for one whose webhook failed.
    """

    bar_wanted = Signal(object)
    post_wanted = Signal(object)
    clear_wanted = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = AlertRows(tokens, self)
        self._wanted = [0] * _COLUMNS
        self.view = _Table(self)
        self.view.setModel(self.rows)
        self.view.setItemDelegate(_Roomy(self.view))
        self.view.setAccessibleName(self.tr("Alerts, newest first"))
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setShowGrid(False)
        self.view.setTabKeyNavigation(False)
        self.view.setWordWrap(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        head = self.view.horizontalHeader()
        head.setHighlightSections(False)
        head.setAccessibleName(self.tr("Columns of the alerts"))
        head.setStretchLastSection(True)
        self.view.doubleClicked.connect(lambda index: self._show(index.row()))
        self.view.entered_row.connect(self._show)
        self.view.copy_wanted.connect(self.copy)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.empty = QLabel(self)
        self.empty.setWordWrap(True)
        self.empty.setMargin(16)
        self.empty.setProperty("dim", True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.view)
        self.show_rules(())

    def add(self, event: AlertEvent) -> None:
        """Put an alert on top."""
        self.rows.add(event)
        self._widen()
        self._stack.setCurrentWidget(self.view)

    def update_events(self, events: Sequence[AlertEvent]) -> None:
        """Show what has become known of alerts."""
        self.rows.update(events)
        self._widen()

    def mark(self, event_id: str, words: str, *, failed: bool = False) -> None:
        """Show on an alert's row what came of its way out of the window."""
        self.rows.mark(event_id, words, failed=failed)
        self._widen()

    def reset(self, events: Sequence[AlertEvent]) -> None:
        """Show these alerts instead."""
        self.rows.reset(events)
        self._widen()
        self._stack.setCurrentWidget(self.view if events else self.empty)

    def show_rules(self, rules: Sequence[Rule]) -> None:
        """Say in the empty state what makes an alert."""
        on = [rule for rule in rules if rule.enabled]
        if len(on) == 1:
            words = self.tr("No alerts yet.\nA row appears when {0} on a closed bar.").format(waits_for(on[0]))
        elif on:
            words = self.tr("No alerts yet.\nA row appears when one of {0} rules is met on a closed bar.").format(
                len(on)
            )
        else:
            words = self.tr("Alerts are switched off.\nAlerts > Rules… turns them on.")
        self.empty.setText(words)

    def copy(self) -> None:
        """Copy the selected rows (all, if none is selected) as tab-separated text."""
        chosen = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        rows = chosen or range(self.rows.rowCount())
        lines = ["\t".join(self.rows.heads())] + ["\t".join(self.rows.cells(self.rows.event_at(row))) for row in rows]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the numbers for the theme."""
        self.rows.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self.rows.set_zone(zone)
        self._widen()

    def _widen(self) -> None:
        """Make room for longer words; a column that the user widened stays."""
        heads, metrics = self.rows.heads(), self.view.horizontalHeader().fontMetrics()
        for column in range(_COLUMNS):
            # A hidden section gives no hint of its size.
            wanted = max(self.view.sizeHintForColumn(column), metrics.horizontalAdvance(heads[column]) + _HEAD_ROOM)
            self._wanted[column] = wanted if self.rows.rowCount() <= 1 else max(wanted, self._wanted[column])
            hidden = self.view.isColumnHidden(column)
            if column < _COLUMNS - 1 and (wanted > self.view.columnWidth(column) or self.rows.rowCount() <= 1):
                self.view.setColumnWidth(column, wanted)
            self.view.setColumnHidden(column, hidden)  # a width would show it
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Leave out rule, then outcome, and shorten the pair, then the origin, where the dock is narrow.

        Time and value are never cut.
        """
        total = sum(self._wanted)
        narrow = total > self.width()
        head, mode = self.view.horizontalHeader(), QHeaderView.ResizeMode
        shown_anew = self.view.isColumnHidden(_RULE) and not narrow
        self.view.setColumnHidden(_RULE, narrow)
        if shown_anew:
            self.view.setColumnWidth(_RULE, self._wanted[_RULE])
        self.view.setColumnHidden(_OUTCOME, narrow and total - self._wanted[_RULE] > self.width())
        head.setStretchLastSection(not narrow)
        head.setSectionResizeMode(_PAIR, mode.Stretch if narrow else mode.Interactive)
        least = total - self._wanted[_RULE] - self._wanted[_OUTCOME] - self._wanted[_PAIR] + _LEAST_PAIR
        shares = narrow and least > self.width()
        if head.sectionResizeMode(_ORIGIN) is mode.Stretch and not shares:
            self.view.setColumnWidth(_ORIGIN, self._wanted[_ORIGIN])
        head.setSectionResizeMode(_ORIGIN, mode.Stretch if shares else mode.Interactive)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many columns as the dock is wide."""
        super().resizeEvent(event)
        self._fit_columns()

    def _show(self, row: int) -> None:
        self.bar_wanted.emit(self.rows.event_at(row))

    def _open_menu(self, place: Any) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        row = self.view.indexAt(place).row()
        if row >= 0:
            menu.addAction(self.tr("Show the bar")).triggered.connect(lambda: self._show(row))
            if self.rows.has_failed(event := self.rows.event_at(row)):
                menu.addAction(self.tr("Post again")).triggered.connect(lambda: self.post_wanted.emit(event))
        menu.addAction(self.tr("Copy")).triggered.connect(self.copy)
        menu.addAction(self.tr("Clear the table")).triggered.connect(self.clear_wanted)
        menu.popup(self.view.viewport().mapToGlobal(place))
