"""List alert rules with their record; each is switched, moved and edited from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from quantdesk.analytics.alerts.outcome import RuleRecord
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.rule_words import condition_text, duration_text, record_texts

_NUMBERS = (3, 4, 5, 6, 7)
_CONDITION = 2


@dataclass(frozen=True, slots=True)
class RuleRow:
    """Hold what is shown of a rule: its record, its last bar (ms) or None, and why it is held back."""

    rule: Rule
    record: RuleRecord
    last_ms: int | None = None
    held: str = ""


class RuleTable(QTableWidget):
    """Show one row a rule; ``switched(row, on)`` by the box or Space, ``pressed_key(name)`` for the other keys.

    The names are those of the dialog's buttons: add, edit, duplicate, delete, up, down, undo.
    """

    switched = Signal(int, bool)
    pressed_key = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        heads = (
            self.tr("On"),
            self.tr("Rule"),
            self.tr("Condition"),
            self.tr("Fired"),
            self.tr("Reverted"),
            self.tr("To the mean"),
            self.tr("Worst"),
            self.tr("Last bar (UTC)"),
        )
        super().__init__(0, len(heads), parent)
        self._filling = False
        self.setAccessibleName(self.tr("Alert rules"))
        self.setAccessibleDescription(
            self.tr(
                "Space switches a rule, Enter edits it, Insert adds one, Delete deletes it, Alt+Up and Down move it."
            )
        )
        self.setProperty("framed", True)
        self.setHorizontalHeaderLabels(list(heads))
        self._dress_head()
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 12)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.itemChanged.connect(self._on_changed)

    def show_rows(self, rows: Sequence[RuleRow]) -> None:
        """Show these rules; the chosen row stays chosen."""
        self._filling = True
        self.setRowCount(len(rows))
        for place, row in enumerate(rows):
            self._fill(place, row)
        self._filling = False
        for column in range(self.columnCount()):
            if column != _CONDITION:
                self.setColumnWidth(column, max(self.sizeHintForColumn(column) + 10, self._head_width(column)))

    def choose(self, row: int) -> None:
        """Put the cursor on a row."""
        if 0 <= row < self.rowCount():
            self.setCurrentCell(row, 1)

    def event(self, event: QEvent) -> bool:
        """Claim the keys that the window would take for shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _name_of(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Switch on Space; tell of the keys that stand for buttons."""
        name, row = _name_of(event), self.currentRow()
        if event.key() == Qt.Key.Key_Space and row >= 0:
            box = self.item(row, 0)
            if box is not None:
                on = box.checkState() == Qt.CheckState.Checked
                box.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)
        elif name:
            self.pressed_key.emit(name)
        else:
            super().keyPressEvent(event)

    def _dress_head(self) -> None:
        head = self.horizontalHeader()
        head.setAccessibleName(self.tr("Columns of the rules"))
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(_CONDITION, QHeaderView.ResizeMode.Stretch)
        tips = {
            3: self.tr("Firings of the rule as it stands now, in data such as are on screen"),
            4: self.tr("Share of the firings that have ended which came back"),
            5: self.tr("Median time back to the mean, the exit level or the re-arm level"),
            6: self.tr("Largest move against a firing before its end"),
            7: self.tr("Open time of the bar at which it fired last"),
        }
        for column, tip in tips.items():
            title = self.horizontalHeaderItem(column)
            if title is not None:
                title.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                title.setToolTip(tip)

    def _head_width(self, column: int) -> int:
        return self.horizontalHeader().sectionSizeHint(column) + 6

    def _fill(self, place: int, row: RuleRow) -> None:
        rule, record = row.rule, row.record
        fired, share, bars, worst = record_texts(rule, record)
        time = "" if record.median_ms is None else duration_text(record.median_ms)
        condition = condition_text(rule)
        tips = {
            2: "\n".join(part for part in (condition, row.held) if part),
            3: self.tr("{0} open, {1} stopped, {2} not reverted, {3} beyond at start").format(
                record.open, record.stopped, record.expired, record.at_start
            ),
            5: time,
        }
        last = "–" if row.last_ms is None else clock_text(row.last_ms)
        texts = ("", rule.name, condition, fired, share, bars, worst, last)
        for column, text in enumerate(texts):
            self._put(place, column, text, tips.get(column, ""))
        box = self.item(place, 0)
        if box is not None:
            box.setCheckState(Qt.CheckState.Checked if rule.enabled else Qt.CheckState.Unchecked)
            box.setData(Qt.ItemDataRole.AccessibleTextRole, self.tr("on") if rule.enabled else self.tr("off"))

    def _put(self, place: int, column: int, text: str, tip: str) -> None:
        item = self.item(place, column)
        if item is None:
            item = QTableWidgetItem()
            item.setFlags(Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled)
            if column == 0:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(place, column, item)
        if item.text() != text:
            item.setText(text)
        item.setToolTip(tip or text)

    def _on_changed(self, item: QTableWidgetItem) -> None:
        if not self._filling and item.column() == 0:
            self.switched.emit(item.row(), item.checkState() == Qt.CheckState.Checked)


def _name_of(event: QKeyEvent) -> str:
    """Return which button a key stands for; "" for none."""
    if event.matches(QKeySequence.StandardKey.Undo):
        return "undo"
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = event.key()
    plain = {
        Qt.Key.Key_Return: "edit",
        Qt.Key.Key_Enter: "edit",
        Qt.Key.Key_F2: "edit",
        Qt.Key.Key_Insert: "add",
        Qt.Key.Key_Delete: "delete",
    }
    if modifiers == Qt.KeyboardModifier.NoModifier:
        return plain.get(Qt.Key(key), "")
    if modifiers == Qt.KeyboardModifier.AltModifier:
        return {Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down"}.get(Qt.Key(key), "")
    if modifiers == Qt.KeyboardModifier.ControlModifier:
        return {Qt.Key.Key_D: "duplicate", Qt.Key.Key_N: "add"}.get(Qt.Key(key), "")
    return ""
