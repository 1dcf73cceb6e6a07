"""Let the user say how long trades are kept; bars stay for ever."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from quantdesk.store.base import Retention, StoreFacts
from quantdesk.ui.settings_store import COMPRESS_DAYS, KEEP_DAYS, KEEP_GB
from quantdesk.ui.storage_facts import AGGREGATES

_GB = 1_000_000_000


class LimitsPage(QWidget):
    """Edit age, size and compression; ``limits_changed(days, GB, compress after days)`` on *Apply*."""

    limits_changed = Signal(int, float, int)

    def __init__(self, retention: Retention, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Limits"))
        self.days, self.gigabytes, self.compress = QSpinBox(self), QDoubleSpinBox(self), QSpinBox(self)
        self.days.setRange(*KEEP_DAYS)
        self.gigabytes.setRange(*KEEP_GB)
        self.gigabytes.setDecimals(1)
        self.compress.setRange(*COMPRESS_DAYS)
        self._dress(self.days, self.tr("Keep trades for"), self.tr(" days"), self.tr("ever"))
        self._dress(self.gigabytes, self.tr("Keep trades up to"), self.tr(" GB"), self.tr("any size"))
        self._dress(self.compress, self.tr("Compress trades after"), self.tr(" days"), self.tr("never"))
        self.apply = QPushButton(self.tr("&Apply"), self)
        self.apply.setAutoDefault(False)
        self.apply.setAccessibleName(self.tr("Apply the limits"))
        self.apply.clicked.connect(self._apply)
        self.said = self._words()
        self.why_not = self._words()
        self._lay_out()
        self._shown = self._values()
        self.show_retention(retention)
        self.show_compression(None)
        for box in (self.days, self.gigabytes, self.compress):
            box.valueChanged.connect(self._on_edited)

    def show_compression(self, facts: StoreFacts | None) -> None:
        """Offer compression where the store can do it, say what it needs elsewhere."""
        words = ""
        if facts is None:
            words = self.tr("not known yet whether this store can")
        elif facts.bar_mode != AGGREGATES:
            words = self.tr("needs TimescaleDB's community edition")
        self.compress.setEnabled(not words)
        self.why_not.setText(words)

    def show_retention(self, retention: Retention) -> None:
        """Show the limits that count; what the user has typed meanwhile stays."""
        if self._is_edited():
            return
        words = self.said.text()
        self.days.setValue(retention.keep_days)
        self.gigabytes.setValue(retention.keep_bytes / _GB)
        self.compress.setValue(retention.compress_days)
        self._shown = self._values()
        self.apply.setEnabled(False)
        self.said.setText(words)  # no edit of the user's takes it away

    def say(self, words: str, *, fault: bool = False) -> None:
        """Say how applying them went; after a fault they can be applied again."""
        if fault:
            self._shown = (-1, -1.0, -1)
        self._on_edited()
        self.said.setText(words)
        self.said.setProperty("fault", fault)
        self.said.style().unpolish(self.said)
        self.said.style().polish(self.said)

    def _values(self) -> tuple[int, float, int]:
        return self.days.value(), self.gigabytes.value(), self.compress.value()

    def _is_edited(self) -> bool:
        return self._values() != self._shown

    @Slot()
    def _on_edited(self) -> None:
        self.apply.setEnabled(self._is_edited())
        self.said.setText("")

    @Slot()
    def _apply(self) -> None:
        self._shown = self._values()
        self.apply.setEnabled(False)
        self.limits_changed.emit(*self._shown)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 14, 2, 2)
        column.setSpacing(12)
        words = self.tr(
            "Beyond these limits the oldest trades are deleted; their bars stay for ever. "
            "Limits of a database server count for everybody who uses it."
        )
        column.addWidget(self._words(words))
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(2, 1)
        boxes: tuple[QWidget, ...] = (self.days, self.gigabytes, self.compress)
        for row, box in enumerate(boxes):
            label = QLabel(box.accessibleName(), self)
            label.setBuddy(box)
            grid.addWidget(label, row, 0)
            grid.addWidget(box, row, 1)
        grid.addWidget(self.why_not, 2, 2)
        column.addLayout(grid)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.apply)
        line.addWidget(self.said, 1)
        column.addLayout(line)
        column.addStretch(1)

    def _dress(self, box: QSpinBox | QDoubleSpinBox, name: str, suffix: str, least: str) -> None:
        box.setAccessibleName(name)
        box.setSuffix(suffix)
        box.setSpecialValueText(least)
        box.setMinimumWidth(130)
        box.lineEdit().setTextMargins(4, 0, 0, 0)

    def _words(self, text: str = "") -> QLabel:
        label = QLabel(text, self)
        label.setProperty("dim", True)
        label.setWordWrap(True)
        return label
