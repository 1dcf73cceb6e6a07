"""Offer a replay to the window: its transport as signals, and the alerts it has brought."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from quantdesk.ingest.transport import Transport, TransportState

#: From this speed on nobody reads every bar, and statistics need the time that painting takes.
QUICK = 30.0
#: Of more alerts the places of the newest are remembered: as many as there are records of them.
MOST_FOUND = 5_000


class Playback(QObject):
    """Hold what plays. ``changed`` = another state, speed or span; ``position`` is read when it is painted.

    ``title`` names what is played; ``found`` are the bars' open times (ms) of the alerts seen so far, which
    stay when one goes back.
    """

    changed = Signal()

    def __init__(self, title: str, transport: Transport, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title, self.transport = title, transport
        self._found: dict[int, None] = {}
        transport.changed = self.changed.emit

    @property
    def state(self) -> TransportState:
        """Return what the replay does now."""
        return self.transport.state

    @property
    def speed(self) -> float:
        """Return how many times as fast as recorded it plays; infinity: as fast as it goes."""
        return self.transport.speed

    @property
    def hurries(self) -> bool:
        """Return whether it goes faster than one can read."""
        plays = self.state is TransportState.PLAYING and self.speed >= QUICK
        return plays or self.transport.searches

    @property
    def position(self) -> int | None:
        """Return the exchange time (ms) up to which everything was played."""
        return self.transport.position

    @property
    def span(self) -> tuple[int, int] | None:
        """Return the first and last exchange time (ms), None while they are not known."""
        return self.transport.span

    @property
    def found(self) -> tuple[int, ...]:
        """Return the open times (ms) of the bars that raised an alert so far, ascending."""
        return tuple(sorted(self._found))

    def note_alert(self, time_ms: int) -> None:
        """Remember where an alert was raised."""
        if time_ms not in self._found:
            self._found[time_ms] = None
            if len(self._found) > MOST_FOUND:
                del self._found[next(iter(self._found))]
            self.changed.emit()

    def forget_alerts(self) -> None:
        """Forget where alerts were raised: another view or other rules are judged."""
        if self._found:
            self._found.clear()
            self.changed.emit()

    def close(self) -> None:
        """Tell nothing more."""
        self.transport.changed = lambda: None
