"""Keep beside the live z how often its level is passed by chance, and on this pair's own bars."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from quantdesk.analytics.base_rate import BaseRate, base_rate
from quantdesk.analytics.zscore import ZKind
from quantdesk.model.frame import PairFrame
from quantdesk.model.pair import PairModel

BASE_RATE = "base-rate"
#: New bars alone are counted at most this often: a replay brings them faster than anybody reads a share.
PAUSE_MS = 500


@dataclass(frozen=True, slots=True)
class _Asked:
    """Name what a rate is of."""

    epoch: int
    version: int
    kind: ZKind
    window: int
    level: float


class BaseRates(QObject):
    """Follow a pair's frames while ``watch`` is on; ``changed`` when there is another rate.

    The walks are simulated once a kind and window (``base_rate`` keeps them); a new level counts the
    history again at once, new bars after a pause, in the pool. The newest question wins.
    """

    changed = Signal()

    def __init__(self, pair: PairModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pair = pair
        self._level = 2.0
        self._watching = False
        self._asked: _Asked | None = None
        self._found: tuple[_Asked, BaseRate] | None = None
        self.problem = ""
        self._since = QElapsedTimer()
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._ask)
        pair.changed.connect(self._ask)

    def watch(self, watching: bool) -> None:
        """Compute, or rest: while nobody looks nothing is counted."""
        self._watching = watching
        self._ask()

    def set_level(self, level: float) -> None:
        """Ask for another level of |z|."""
        self._level = level
        self._ask()

    def rate(self, frame: PairFrame) -> BaseRate | None:
        """Return the rate of the kind, window and level shown; its history may be some bars behind. None = not yet."""
        if self._found is None:
            return None
        asked, rate = self._found
        settings = frame.settings
        wanted = (frame.epoch, settings.z_kind, settings.window, self._level)
        return rate if (asked.epoch, asked.kind, asked.window, asked.level) == wanted else None

    @Slot()
    def _ask(self) -> None:
        frame = self._pair.frame
        if frame is None or not self._watching:
            return
        settings = frame.settings
        asked = _Asked(frame.epoch, frame.version, settings.z_kind, settings.window, self._level)
        if asked == self._asked:
            return
        if self._asked is not None and replace(self._asked, version=asked.version) == asked:
            wait = PAUSE_MS - int(self._since.elapsed())
            if wait > 0:
                if not self._turn.isActive():
                    self._turn.start(wait)
                return
        self._since.start()
        self._asked, z = asked, frame.z
        self._pair.jobs.submit(
            BASE_RATE,
            lambda: (asked, base_rate(asked.kind, asked.window, asked.level, z)),
            self._on_counted,
            self._on_failed,
        )

    def _on_counted(self, found: tuple[_Asked, BaseRate]) -> None:
        self._found, self.problem = found, ""
        self.changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self.problem = str(error)
        self.changed.emit()
