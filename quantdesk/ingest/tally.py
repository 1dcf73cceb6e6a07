"""Count what comes and how late, and keep the frames that could not be used."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable

from quantdesk.types import BadFrameSeen, Latency

#: The last so many bad frames are kept, each cut to so many bytes.
KEPT_FRAMES, KEPT_BYTES = 100, 4_096
#: Latencies are those of the last so many seconds.
WINDOW = 60
#: Latencies beyond this (ms) from the first one seen are counted as this.
FARTHEST_MS = 600_000


class Tally:
    """Count messages a second, the lag of events and bad frames.

    Lags are counted by whole milliseconds and seconds: exact percentiles in bounded memory, whatever the rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.quarantine: deque[BadFrameSeen] = deque(maxlen=KEPT_FRAMES)
        self.quarantined = 0
        self.messages = 0
        self._lags: deque[tuple[int, Counter[int]]] = deque(maxlen=WINDOW)  # by second: monotonic ms minus event ms
        self._around: int | None = None
        self._counted, self._counted_at = 0, clock()
        self._rate = 0.0

    def on_message(self, event_ms: int, now: float) -> None:
        """Count an event and how far its time lies behind the monotonic clock."""
        self.messages += 1
        lag = int(now * 1_000) - event_ms
        if self._around is None:
            self._around = lag
        lag = min(max(lag, self._around - FARTHEST_MS), self._around + FARTHEST_MS)
        second = int(now)
        if not self._lags or self._lags[-1][0] != second:
            self._lags.append((second, Counter()))
        self._lags[-1][1][lag] += 1

    def on_bad(self, frame: bytes, reason: str) -> None:
        """Put a frame into the quarantine."""
        self.quarantined += 1
        self.quarantine.append(BadFrameSeen(time.time(), reason, frame[:KEPT_BYTES]))

    def forget_lags(self) -> None:
        """Start anew: the monotonic clock has stood still."""
        self._lags.clear()
        self._around = None

    def rate(self) -> float:
        """Return messages a second, smoothed; call it now and then."""
        now = self._clock()
        passed = now - self._counted_at
        if passed >= 0.25:
            fresh = (self.messages - self._counted) / passed
            self._rate = fresh if self._rate == 0 else self._rate + min(1.0, passed / 2) * (fresh - self._rate)
            self._counted, self._counted_at = self.messages, now
        return self._rate

    def latency(self, base_ms: float | None) -> Latency:
        """Return how long events took from the exchange to here in the last minute.

        ``base_ms`` is the exchange's time minus the monotonic one.
        """
        counts: Counter[int] = Counter()
        oldest = int(self._clock()) - WINDOW
        for second, lags in self._lags:
            if second > oldest:
                counts.update(lags)
        if base_ms is None or not counts:
            return Latency()
        total, ordered = counts.total(), sorted(counts.items())
        found: list[float] = []
        for share in (0.50, 0.95, 0.99):
            rank, seen = max(1, -int(-total * share // 1)), 0
            for lag, count in ordered:
                seen += count
                if seen >= rank:
                    found.append(lag + base_ms)
                    break
        return Latency(found[0], found[1], found[2], total)
