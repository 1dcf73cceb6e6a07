"""Count down to the close of the forming bar, by the exchange's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.types import Light, Origin
from quantdesk.ui.charts.state import ChartState

#: Shorter bars close faster than one reads.
SHORTEST_MS = 5_000


def left_text(ms: int) -> str:
    """Write how long is left, in whole seconds begun: 04:59, 1:04:59."""
    seconds = -(-ms // 1_000)
    hours, minutes = seconds // 3_600, seconds // 60 % 60
    clock = f"{minutes:02}:{seconds % 60:02}"
    return f"{hours}:{clock}" if hours else clock


class Countdown(QObject):
    """Keep the state's countdown; ``turned`` once a second while there is one, for the price's tag alone."""

    turned = Signal()

    def __init__(
        self,
        pair: PairModel,
        state: ChartState,
        wall: Callable[[], float] = time.time,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pair, self._state, self._wall = pair, state, wall
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def running(self) -> bool:
        """Tell whether a next second is waited for."""
        return self._timer.isActive()

    def look(self) -> None:
        """Write what is left now into the state; go on while there is something to count."""
        left = self.left_ms()
        self._state.countdown = "" if left is None else left_text(left)
        if left is None:
            self._timer.stop()
        else:
            # The text changes when the exchange's clock has passed another whole second.
            self._timer.start((left - 1) % 1_000 + 1)

    def stop(self) -> None:
        """Count no more until the next look: nobody can see it."""
        self._timer.stop()

    def left_ms(self) -> int | None:
        """Return the ms until the bar closes; None where no bar is forming live."""
        market, frame = self._pair.source, self._state.frame
        if frame is None or frame.origin is not Origin.LIVE or frame.interval_ms < SHORTEST_MS:
            return None
        if not isinstance(market, MarketModel) or market.origin is not Origin.LIVE or market.exchange_ms is None:
            return None
        status = market.feed_status
        if status.light in (Light.RED, Light.OFF):
            return None
        now = round(self._wall() * 1_000 + (status.clock_offset_ms or 0.0))
        return frame.interval_ms - now % frame.interval_ms

    @Slot()
    def _on_timeout(self) -> None:
        self.look()
        self.turned.emit()
