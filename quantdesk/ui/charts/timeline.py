"""Map between rows, the x axis of every chart, and times in ms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


class TimeLine:
    """Hold the open times of n bars: closed ones, then the few that are still forming."""

    def __init__(self, times: IntArray | None = None, tail: IntArray | None = None, step_ms: int = 0) -> None:
        self.times: IntArray = np.empty(0, np.int64) if times is None else times
        self.tail: IntArray = np.empty(0, np.int64) if tail is None else tail
        self.step_ms = step_ms or self._usual_step()

    def __len__(self) -> int:
        return len(self.times) + len(self.tail)

    def with_tail(self, tail: IntArray) -> TimeLine:
        """Return the same closed bars with another tail."""
        return TimeLine(self.times, tail, self.step_ms)

    def at(self, rows: npt.ArrayLike) -> IntArray:
        """Return the times of rows (any shape); rows outside are continued at the usual step."""
        wanted = np.asarray(rows, np.int64)
        n, closed = len(self), len(self.times)
        if n == 0:
            return wanted * self.step_ms
        inside = np.clip(wanted, 0, n - 1)
        times = np.empty(wanted.shape, np.int64)
        forming = inside >= closed
        if closed:
            times[...] = self.times[np.minimum(inside, closed - 1)]
        if forming.any():
            times[forming] = self.tail[inside[forming] - closed]
        return times + (wanted - inside) * self.step_ms

    def row_at_or_before(self, ms: float) -> int:
        """Return the last row that starts at or before a time; -1 if none does."""
        if len(self.tail) and ms >= self.tail[0]:
            return len(self.times) + int(np.searchsorted(self.tail, ms, side="right")) - 1
        return int(np.searchsorted(self.times, ms, side="right")) - 1

    def time_of(self, x: float) -> float:
        """Return the time (ms) at a fractional row, between two bars interpolated."""
        row = int(np.floor(x))
        left, right = (int(t) for t in self.at([row, row + 1]))
        return left + (x - row) * (right - left)

    def x_of(self, ms: float) -> float:
        """Return the fractional row of a time; the inverse of ``time_of``."""
        n = len(self)
        if n == 0:
            return ms / self.step_ms
        first, last = (int(t) for t in self.at([0, n - 1]))
        if ms < first:
            return (ms - first) / self.step_ms
        if ms >= last:
            return n - 1 + (ms - last) / self.step_ms
        row = self.row_at_or_before(ms)
        left, right = (int(t) for t in self.at([row, row + 1]))
        return row + (ms - left) / max(1, right - left)

    def _usual_step(self) -> int:
        times = self.times[-1_000:] if len(self.times) > 1 else self.tail
        return max(1, int(np.median(np.diff(times)))) if len(times) > 1 else 60_000
