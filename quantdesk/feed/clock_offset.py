"""Estimate the exchange's clock from answers to /time, against the monotonic clock. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

#: So many measurements are kept, for so long (s): clocks drift apart by some ms in this time.
KEPT, VALID = 8, 900.0


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    took: float
    base: float


class ClockOffset:
    """Keep the best of the last measurements: the one with the shortest round trip.

    ``base_ms`` is the exchange's time minus the monotonic one (ms), taken at half the round trip. The wall
    clock is not involved, so that setting it changes nothing.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=KEPT)

    def add(self, sent: float, received: float, server_ms: int) -> None:
        """Take a measurement: monotonic seconds when the request left and the answer came, and what it said."""
        took = max(0.0, received - sent)
        while self._samples and self._samples[0].at < received - VALID:
            self._samples.popleft()
        self._samples.append(_Sample(received, took, server_ms - (sent + took / 2) * 1_000))

    def forget(self) -> None:
        """Start anew: the monotonic clock has stood still, e.g. while the computer slept."""
        self._samples.clear()

    @property
    def base_ms(self) -> float | None:
        """Return the exchange's time minus the monotonic one (ms), None while unknown."""
        return min(self._samples, key=lambda s: s.took).base if self._samples else None

    @property
    def error_ms(self) -> float | None:
        """Return by how much the estimate may be off: half of the shortest round trip."""
        return min(s.took for s in self._samples) * 500 if self._samples else None
