"""List the alerts, the newest on top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
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

from quantdesk.analytics.alerts.rule import Rule
from quantdesk.model.alerts import AlertEvent
from quantdesk.ui.alert_rows import COLUMNS, ORIGIN, OUTCOME, PAIR, RULE, AlertRows
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.rule_words import waits_for
from quantdesk.ui.theme_tokens import Tokens

_Index = QModelIndex | QPersistentModelIndex
#: What a column's head needs beside its words.
_HEAD_ROOM = 20
#: The pair's column is not made narrower (pixels): beside it the origin gives way.
_LEAST_PAIR = 50


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
        self._wanted = [0] * COLUMNS
        self._missed = False  # whether words have changed while nobody could see them
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
        self._widen_rows([0])
        self._stack.setCurrentWidget(self.view)

    def update_events(self, events: Sequence[AlertEvent]) -> None:
        """Show what has become known of alerts."""
        self._widen_rows(self.rows.update(events))

    def mark(self, event_id: str, words: str, *, failed: bool = False) -> None:
        """Show on an alert's row what came of its way out of the window."""
        self._widen_rows(self.rows.mark(event_id, words, failed=failed))

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

    def _widen_rows(self, rows: Sequence[int]) -> None:
        """Make room for the words of a few rows: a quick replay changes some at every bar."""
        if not self.isVisible():
            self._missed = True
            return
        if self.rows.rowCount() <= 1:
            self._widen()
            return
        grown = False
        for row, column in product(rows, range(COLUMNS)):
            wanted = self.view.sizeHintForIndex(self.rows.index(row, column)).width()
            if wanted > self._wanted[column]:
                self._wanted[column], grown = wanted, True
                if column < COLUMNS - 1 and not self.view.isColumnHidden(column):
                    self.view.setColumnWidth(column, max(wanted, self.view.columnWidth(column)))
        if grown:
            self._fit_columns()

    def _widen(self) -> None:
        """Make room for longer words; a column that the user widened stays."""
        heads, metrics = self.rows.heads(), self.view.horizontalHeader().fontMetrics()
        for column in range(COLUMNS):
            # A hidden section gives no hint of its size.
            wanted = max(self.view.sizeHintForColumn(column), metrics.horizontalAdvance(heads[column]) + _HEAD_ROOM)
            self._wanted[column] = wanted if self.rows.rowCount() <= 1 else max(wanted, self._wanted[column])
            hidden = self.view.isColumnHidden(column)
            if column < COLUMNS - 1 and (wanted > self.view.columnWidth(column) or self.rows.rowCount() <= 1):
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
        shown_anew = self.view.isColumnHidden(RULE) and not narrow
        self.view.setColumnHidden(RULE, narrow)
        if shown_anew:
            self.view.setColumnWidth(RULE, self._wanted[RULE])
        self.view.setColumnHidden(OUTCOME, narrow and total - self._wanted[RULE] > self.width())
        head.setStretchLastSection(not narrow)
        head.setSectionResizeMode(PAIR, mode.Stretch if narrow else mode.Interactive)
        least = total - self._wanted[RULE] - self._wanted[OUTCOME] - self._wanted[PAIR] + _LEAST_PAIR
        shares = narrow and least > self.width()
        if head.sectionResizeMode(ORIGIN) is mode.Stretch and not shares:
            self.view.setColumnWidth(ORIGIN, self._wanted[ORIGIN])
        head.setSectionResizeMode(ORIGIN, mode.Stretch if shares else mode.Interactive)

    def showEvent(self, event: QShowEvent) -> None:
        """Make room for what came while the table was hidden."""
        super().showEvent(event)
        if self._missed:
            self._missed = False
            self._widen()

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
