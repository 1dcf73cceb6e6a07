"""Show what lasts longer than 300 ms, with Cancel."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

APPEARS_AFTER_MS = 300


class Progress(QObject):
    """Follow one long task: ``advance``, ``describe`` and ``is_cancelled`` may be called from any thread."""

    cancelled = Signal()
    finished = Signal()
    _advanced = Signal(float)
    _described = Signal(str)

    def __init__(self, text: str, strip: ProgressStrip) -> None:
        super().__init__(strip)
        self.text = text
        self._asked = threading.Event()
        self._shown = -1
        self._done = False
        self._row: _Row | None = None
        self._strip = strip
        self._words = ""
        self._advanced.connect(self._on_advanced)
        self._described.connect(self._on_described)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.timeout.connect(self._appear)
        self._delay.start(APPEARS_AFTER_MS)

    def advance(self, fraction: float) -> None:
        """Say how far the task is (0 to 1); only whole per cents cross to the screen."""
        percent = int(max(0.0, min(1.0, fraction)) * 100)
        if percent != self._shown:
            self._shown = percent
            self._advanced.emit(float(percent))

    def describe(self, words: str) -> None:
        """Say what the task is at now, behind its name."""
        self._described.emit(words)

    def is_cancelled(self) -> bool:
        """Say whether the user pressed Cancel."""
        return self._asked.is_set()

    @Slot()
    def cancel(self) -> None:
        """Ask the task to stop."""
        if not self._asked.is_set():
            self._asked.set()
            self.cancelled.emit()

    @Slot()
    def finish(self) -> None:
        """Take the row away; the task has ended, however it ended."""
        if self._done:
            return
        self._done = True
        self._delay.stop()
        if self._row is not None:
            self._strip.drop(self._row)
            self._row = None
        self.finished.emit()
        self.deleteLater()

    @Slot()
    def _appear(self) -> None:
        self._row = self._strip.add(self)
        self._on_advanced(float(self._shown))
        self._on_described(self._words)

    @Slot(float)
    def _on_advanced(self, percent: float) -> None:
        if self._row is not None and percent >= 0:
            self._row.bar.setRange(0, 100)
            self._row.bar.setValue(int(percent))

    @Slot(str)
    def _on_described(self, words: str) -> None:
        self._words = words
        if self._row is not None:
            self._row.text.setText(f"{self.text} · {words}" if words else self.text)


class _Row(QFrame):
    """Show one task."""

    def __init__(self, task: Progress, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("level", "info")
        self.setAccessibleName(task.text)
        self.text = QLabel(task.text, self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        # Changing words may not widen the window.
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(task.text)
        self.bar.setFixedWidth(260)
        self.cancel = QPushButton(self.tr("Cancel"), self)
        self.cancel.setAccessibleName(self.tr("Cancel: {0}").format(task.text))
        self.cancel.clicked.connect(task.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 8, 5)
        row.addWidget(self.text, 1)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)


class ProgressStrip(QWidget):
    """Hold a row for every task that lasts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Running tasks"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.hide()

    def start(self, text: str) -> Progress:
        """Begin to follow a task; call ``finish`` on what is returned, whatever happens."""
        return Progress(text, self)

    def add(self, task: Progress) -> _Row:
        """Show a row for a task."""
        row = _Row(task, self)
        self._column.addWidget(row)
        self.show()
        return row

    def drop(self, row: _Row) -> None:
        """Take a row away."""
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.setVisible(self._column.count() > 0)
