"""Collect cycles on the main thread alone: a Qt object that dies on another one takes its timers along wrongly."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

_EVERY_MS = 1_000


class Collector(QObject):
    """Stand in for Python's own collector, which runs on whatever thread allocates, a job's among them.

    The generations and their thresholds are Python's. What was imported before ``start`` is never
    walked through: it stays anyway. ``stop`` gives the work back.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.collect)

    def start(self) -> None:
        """Take over."""
        gc.disable()
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Let Python collect by itself again."""
        if self._timer.isActive():
            self._timer.stop()
            gc.enable()

    @Slot()
    def collect(self) -> None:
        """Collect the oldest generation that is due."""
        due = [now > most for now, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if due[0]:
            gc.collect(2 if due[1] and due[2] else int(due[1]))
