"""Let a span of UTC time be chosen: all of it, or from one moment up to another."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QTimeZone, Signal
from PySide6.QtWidgets import QDateTimeEdit, QGridLayout, QLabel, QRadioButton, QWidget

_FORMAT = "yyyy-MM-dd HH:mm"


class SpanFields(QWidget):
    """Choose all, or [from, to) in minutes; ``changed`` on every change."""

    changed = Signal()

    def __init__(self, first_ts: int | None, last_ts: int | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.all = QRadioButton(self.tr("&All of it"), self)
        self.part = QRadioButton(self.tr("&From"), self)
        for choice in (self.all, self.part):
            choice.setAccessibleName(choice.text().replace("&", ""))
        self.start = self._edit(self.tr("From, UTC"), first_ts or 0)
        self.end = self._edit(self.tr("Up to, UTC, not included"), 60_000 + (last_ts or 0))
        to = QLabel(self.tr("up to (UTC)"), self)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.addWidget(self.all, 0, 0, 1, 4)
        for column, part in enumerate((self.part, self.start, to, self.end)):
            grid.addWidget(part, 1, column)
        grid.setColumnStretch(4, 1)
        self.all.setChecked(True)
        self._on_choice()
        self.all.toggled.connect(lambda _on: self._on_choice())
        for edit in (self.start, self.end):
            edit.dateTimeChanged.connect(lambda _moment: self.changed.emit())

    def span(self) -> tuple[int | None, int | None]:
        """Return [start, end) in ms, None and None for all."""
        if self.all.isChecked():
            return None, None
        return int(self.start.dateTime().toMSecsSinceEpoch()), int(self.end.dateTime().toMSecsSinceEpoch())

    def _on_choice(self) -> None:
        for edit in (self.start, self.end):
            edit.setEnabled(self.part.isChecked())
        self.changed.emit()

    def _edit(self, name: str, ms: int) -> QDateTimeEdit:
        edit = QDateTimeEdit(self)
        edit.setAccessibleName(name)
        edit.setTimeZone(QTimeZone(QTimeZone.Initialization.UTC))
        edit.setDisplayFormat(_FORMAT)
        edit.setCalendarPopup(True)
        edit.setDateTime(QDateTime.fromMSecsSinceEpoch(ms - ms % 60_000, edit.timeZone()))
        return edit
