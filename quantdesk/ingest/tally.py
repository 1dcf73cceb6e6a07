"""Count what comes and how late, and keep the frames that could not be used."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from statistics import median

#: The last so many bad frames are kept, each cut to so many bytes.
KEPT_FRAMES, KEPT_BYTES = 100, 4_096
SAMPLES = 200


@dataclass(frozen=True, slots=True)
class BadFrameSeen:
    """Keep a frame that could not be used, with the reason and the local time (s) it came."""

    at: float
    reason: str
    frame: bytes


class Tally:
    """Count messages a second, the lag of events and bad frames."""

    def __init__(self) -> None:
        self.quarantine: deque[BadFrameSeen] = deque(maxlen=KEPT_FRAMES)
        self.quarantined = 0
        self.messages = 0
        self._lags: deque[float] = deque(maxlen=SAMPLES)
        self._counted, self._counted_at = 0, time.monotonic()
        self._rate = 0.0

    def on_message(self, event_ms: int) -> None:
        """Count an event and how far its time lies behind our clock."""
        self.messages += 1
        if self.messages % 8 == 0:
            self._lags.append(time.time() * 1_000 - event_ms)

    def on_bad(self, frame: bytes, reason: str) -> None:
        """Put a frame into the quarantine."""
        self.quarantined += 1
        self.quarantine.append(BadFrameSeen(time.time(), reason, frame[:KEPT_BYTES]))

    def rate(self) -> float:
        """Return messages a second, smoothed; call it now and then."""
        now = time.monotonic()
        passed = now - self._counted_at
        if passed >= 0.25:
            fresh = (self.messages - self._counted) / passed
            self._rate = fresh if self._rate == 0 else self._rate + min(1.0, passed / 2) * (fresh - self._rate)
            self._counted, self._counted_at = self.messages, now
        return self._rate

    def lag_ms(self, offset_ms: float | None) -> float | None:
        """Return the median lag (ms) behind the exchange, None while its clock or events are unknown."""
        if offset_ms is None or not self._lags:
            return None
        return median(self._lags) + offset_ms
