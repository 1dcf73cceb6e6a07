"""Measure how long a trade takes from its receipt to the paint that shows it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from quantdesk.types import Latency

#: So many trades wait at most for a paint; more of one paint tell nothing new.
MOST_WAITING = 2_000
#: The percentiles speak of so many trades.
KEPT = 4_000


class PaintLatency:
    """Follow trades in three steps: ``received`` by the model, ``pulled`` for a paint, ``painted``.

    Only trades of ``shown`` symbols count: the others wait for nobody.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.shown: frozenset[str] = frozenset()
        self._clock_ns = clock_ns
        self._waiting: list[int] = []
        self._in_paint: list[int] = []
        self._painted_at: int | None = None
        self._samples: deque[float] = deque(maxlen=KEPT)

    def received(self, symbol: str) -> None:
        """Note that a trade has come."""
        if symbol in self.shown and len(self._waiting) < MOST_WAITING:
            self._waiting.append(self._clock_ns())

    def pulled(self) -> None:
        """Note that the next paint shows what has come so far; settle the paint before."""
        self._settle()
        self._in_paint += self._waiting
        del self._in_paint[MOST_WAITING:]
        self._waiting = []

    def painted(self) -> None:
        """Note that a panel was painted; the last one of a paint counts."""
        self._painted_at = self._clock_ns()

    def forget(self) -> None:
        """Drop what waits: while nothing can be seen, no paint is due."""
        self._waiting, self._in_paint, self._painted_at = [], [], None

    def report(self) -> Latency:
        """Return the percentiles (ms) of the newest trades that were painted."""
        self._settle()
        if not self._samples:
            return Latency()
        p50, p95, p99 = np.percentile(np.array(self._samples), (50, 95, 99)).tolist()
        return Latency(p50, p95, p99, len(self._samples))

    def _settle(self) -> None:
        painted, self._painted_at = self._painted_at, None
        if painted is not None:
            self._samples.extend((painted - came) / 1e6 for came in self._in_paint)
            self._in_paint = []
