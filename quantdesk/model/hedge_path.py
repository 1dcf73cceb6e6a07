"""Follow a hedge line that moves: rolling OLS, or a Kalman filter that goes on where it stopped."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.kalman import FEWEST_FORMATION, KalmanFilter, kalman_hedge
from quantdesk.analytics.spread import walk_forward_z
from quantdesk.analytics.stationarity import NoValueError
from quantdesk.bars.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class HedgePath:
    """Hold k rows, ascending in ``times`` (ms): the line that was known once each of them had closed.

    ``deviation`` is that of the residuals of a rolling window, or of the filter's forecast of the row.
    ``live`` is the filter after the last row; it is copied, never stepped in place.
    """

    times: IntArray
    alpha: FloatArray
    beta: FloatArray
    deviation: FloatArray
    live: KalmanFilter | None = None

    def at(self, times: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (beta, alpha, deviation) in force at each time: of the last row before it, NaN where there is none."""
        row = np.searchsorted(self.times, times, "left") - 1
        known = row >= 0
        beta, alpha, deviation = (
            np.where(known, column[row], np.nan) if len(column) else np.full(len(times), np.nan)
            for column in (self.beta, self.alpha, self.deviation)
        )
        return beta, alpha, deviation

    def since(self, oldest: int) -> HedgePath:
        """Return the path without the rows that no bar from ``oldest`` (ms) on needs."""
        start = max(0, int(np.searchsorted(self.times, oldest, "left")) - 1)
        if start == 0:
            return self
        rows = slice(start, None)
        return HedgePath(self.times[rows], self.alpha[rows], self.beta[rows], self.deviation[rows], self.live)


def rolling_path(times: IntArray, y: FloatArray, x: FloatArray, window: int) -> HedgePath:
    """Return the line of the last ``window`` rows at each row, NaN before there are as many."""
    walk = walk_forward_z(y, x, window)
    # The line that judges a row was known once the row before it had closed.
    alpha = np.r_[walk.alpha[1:], walk.next_alpha]
    beta, deviation = np.r_[walk.beta[1:], walk.next_beta], np.r_[walk.sigma[1:], walk.next_sigma]
    return HedgePath(times, alpha, beta, deviation)


def kalman_start(times: IntArray, y: FloatArray, x: FloatArray, delta: float | None = None) -> HedgePath:
    """Return a filter set up on all the given rows, with ``delta`` where it is stated, else the most likely one.

    Raises NoValueError where there is no filter.
    """
    if len(y) < FEWEST_FORMATION:
        raise NoValueError(f"{len(y)} bars of both legs are too few for a Kalman filter: it needs {FEWEST_FORMATION}")
    found = kalman_hedge(y, x, len(y), delta=delta)
    if found.live is None:
        raise NoValueError(f"there is no Kalman filter: {found.reason}")
    live = found.live
    return HedgePath(times[-1:], np.array([live.alpha]), np.array([live.beta]), np.array([np.nan]), live)


def kalman_extended(path: HedgePath, times: IntArray, y: FloatArray, x: FloatArray) -> HedgePath:
    """Return the path with the rows after its last one filtered; bars that came late do not change it."""
    start = int(np.searchsorted(times, path.times[-1], "right"))
    if start == len(times) or path.live is None:
        return path
    live = copy(path.live)
    found = np.empty((3, len(times) - start))
    for row, (one_y, one_x) in enumerate(zip(y[start:].tolist(), x[start:].tolist(), strict=True)):
        _, deviation = live.step(one_y, one_x)
        found[:, row] = live.alpha, live.beta, deviation
    old = (path.alpha, path.beta, path.deviation)
    alpha, beta, deviations = (np.r_[before, after] for before, after in zip(old, found, strict=True))
    return HedgePath(np.r_[path.times, times[start:]], alpha, beta, deviations, live)
