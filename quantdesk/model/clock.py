"""Tick at 30 Hz while something is to be painted, and rest otherwise."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal, Slot

FRAMES_PER_SECOND = 30


class FrameClock(QObject):
    """Turn any number of marks into at most ``rate`` ticks a second.

    The first mark after a rest ticks in the next turn of the loop; nothing ticks unmarked. ``newest_only``
    tells a slot of ``tick`` that since the tick before nothing changed but forming bars and the crosshair.
    """

    tick = Signal()

    def __init__(self, rate: int = FRAMES_PER_SECOND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._period = max(1, 1_000 // rate)
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timeout)
        self._held = self._marked = False
        self._whole, self.newest_only = True, False

    @Slot()
    def mark(self) -> None:
        """Ask for one tick; more marks before it change nothing."""
        self._whole = True
        self.mark_newest()

    @Slot()
    def mark_newest(self) -> None:
        """Ask for one tick because the forming bars changed, or the crosshair: what lies under them did not."""
        self._marked = self._held
        if self._held or self._timer.isActive():
            return
        passed = self._since.elapsed() if self._since.isValid() else self._period
        self._timer.start(max(0, self._period - int(passed)))

    def set_rate(self, rate: int) -> None:
        """Tick at most so many times a second from now on."""
        self._period = max(1, 1_000 // rate)

    def hold(self, on: bool) -> None:
        """Keep marks until this is called again with False: while a replay seeks, nothing is painted."""
        self._held = on
        if on and self._timer.isActive():
            self._timer.stop()
            self._marked = True
        if not on and self._marked:
            self.mark_newest()

    def flush(self) -> None:
        """Tick at once if a tick is due: for the first paint, which no turn of the loop precedes."""
        if self._timer.isActive():
            self._timer.stop()
            self._on_timeout()

    def stop(self) -> None:
        """Drop the tick that is due."""
        self._timer.stop()

    @Slot()
    def _on_timeout(self) -> None:
        self._since.start()
        self.newest_only, self._whole = not self._whole, False
        self.tick.emit()
