"""Let a bar flash that was looked for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

#: The bar blinks this often, each half this many ms.
FLASHES, FLASH_MS = 6, 220


class Flash(QObject):
    """Tell which row is lit now; ``turned`` asks for a paint."""

    turned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(FLASH_MS)
        self._timer.timeout.connect(self._on_timeout)
        self._left = self._row = 0

    def start(self, row: int) -> None:
        """Let a row flash."""
        self._row, self._left = row, FLASHES
        self._timer.start()

    @property
    def running(self) -> bool:
        """Tell whether a row flashes."""
        return self._timer.isActive()

    @property
    def lit(self) -> int | None:
        """Return the row that is lit, None in the dark halves and at rest."""
        return self._row if self._left % 2 == 0 and self.running else None

    @Slot()
    def _on_timeout(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._timer.stop()
        self.turned.emit()
