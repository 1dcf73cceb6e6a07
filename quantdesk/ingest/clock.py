"""Follow the exchange's clock by its events, without the local one. Pure: monotonic time is passed in."""

from __future__ import annotations

#: An event time that jumps ahead by more than this (ms) needs so many witnesses.
JUMP_MS = 60_000
WITNESSES = 5
#: Without events the clock stops after this (ms): a bar must not close because the line stalls.
FREE_RUN_MS = 2_000
#: Trades of a bar arrive up to this (ms) after the first event beyond its end.
GRACE_MS = 300


class ExchangeClock:
    """Tell the exchange's time (ms) from the newest event and the monotonic seconds since."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._at = 0.0
        self._witnesses = 0

    @property
    def is_set(self) -> bool:
        """Tell whether any event has come."""
        return self._newest is not None

    def on_event(self, event_ms: int, now: float) -> None:
        """Learn from an event's time; a lone stamp far ahead is not believed."""
        if self._newest is not None:
            if event_ms <= self._newest:
                return
            if event_ms > self._newest + (now - self._at) * 1_000 + JUMP_MS:
                self._witnesses += 1
                if self._witnesses < WITNESSES:
                    return
        self._newest, self._at, self._witnesses = event_ms, now, 0

    def now(self, now: float) -> int | None:
        """Return the time at the exchange, running freely since the newest event."""
        return None if self._newest is None else self._newest + int((now - self._at) * 1_000)

    def closing(self, now: float) -> int | None:
        """Return the time up to which bars may be closed; it stops soon when the events stop."""
        if self._newest is None:
            return None
        return self._newest + min(FREE_RUN_MS, int((now - self._at) * 1_000)) - GRACE_MS
