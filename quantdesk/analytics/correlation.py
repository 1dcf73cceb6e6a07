"""Correlate the legs by their returns, not their levels: independent walks look alike in levels."""

from __future__ import annotations

from math import isfinite

import numpy as np

from quantdesk.analytics.hedge import finite_pairs
from quantdesk.analytics.online import OnlineFit
from quantdesk.analytics.rolling import ROUNDING, RollingFit, rolling_fit, segments
from quantdesk.analytics.spread import joint_rows, scattered
from quantdesk.bars.arrays import FloatArray


def logs_of(closes: FloatArray) -> FloatArray:
    """Return natural logarithms; NaN where a price is not positive or not finite."""
    closes = np.asarray(closes, np.float64)
    with np.errstate(all="ignore"):
        logs = np.log(closes)
    if not (len(logs) == 0 or np.isfinite(logs.sum())):
        logs[~np.isfinite(logs)] = np.nan
    return logs


def rolling_correlation(y: FloatArray, x: FloatArray, window: int) -> FloatArray:
    """Return Pearson's r of the last ``window`` log returns at each row, from closes of length n.

    Rows without two positive prices are left out jointly and have no value. The first value is at
    the (window + 1)-th joint row; NaN where a leg's returns do not vary. Raises ValueError for a
    window below 3.
    """
    if window < 3:
        raise ValueError(f"a correlation needs a window of at least 3 returns, not {window}")
    log_y, log_x = logs_of(y), logs_of(x)
    rows = joint_rows(log_y, log_x)
    if rows is not None:
        log_y, log_x = log_y[rows], log_x[rows]
    values = np.empty(max(0, len(log_y) - window))
    for part in segments(len(values), window):
        logs = slice(part.start, part.stop + window)
        values[part] = _correlation(log_y[logs], log_x[logs], window)
    return scattered(values, None if rows is None else rows[window:], len(y))


def _correlation(log_y: FloatArray, log_x: FloatArray, window: int) -> FloatArray:
    """Return r of each full window of returns; NaN where they vary by no more than the logs' rounding."""
    fit = rolling_fit(np.diff(log_y), np.diff(log_x), window)
    values = fit.correlation
    if not _all_vary(fit, log_y, log_x, window):
        with np.errstate(all="ignore"):
            sound = fit.rss + fit.beta**2 * fit.sxx > _least(np.abs(log_y[window:]), window)
            values[~(sound & (fit.sxx > _least(np.abs(log_x[window:]), window)))] = np.nan
    return values


def _all_vary(fit: RollingFit, log_y: FloatArray, log_x: FloatArray, window: int) -> bool:
    """Return whether the least of all sums is above what the largest of all logs leaves in rounding."""
    level_y, level_x = (max(logs.max(), -logs.min()) for logs in (log_y, log_x))
    return bool(fit.rss.min() > _least(level_y, window) and fit.sxx.min() > _least(level_x, window))


def _least(logs: FloatArray, window: int) -> FloatArray:
    """Return the sum of squares that the rounding of logs leaves in their differences."""
    return np.asarray(window * (ROUNDING * (1 + logs)) ** 2, np.float64)


class OnlineCorrelation:
    """Carry ``rolling_correlation`` on from the rows it begins with, given as logs: 3 µs a row whatever the window."""

    __slots__ = ("_fit", "_last")

    def __init__(self, window: int, log_y: FloatArray, log_x: FloatArray) -> None:
        rows = joint_rows(log_y, log_x)
        logs = [(leg if rows is None else leg[rows])[-window - 1 :] for leg in (log_y, log_x)]
        self._fit = OnlineFit.filled(window, *(np.diff(leg).tolist() for leg in logs))
        self._last = (float(logs[0][-1]), float(logs[1][-1])) if len(logs[0]) else None

    def append(self, log_y: FloatArray, log_x: FloatArray) -> FloatArray:
        """Take n further rows; return Pearson's r of the window that ends with each (n), NaN where there is none."""
        window, found = self._fit.window, np.full(len(log_y), np.nan)
        least_y, least_x = (_least(np.abs(logs), window).tolist() for logs in (log_y, log_x))
        for row, (y, x) in enumerate(zip(log_y.tolist(), log_x.tolist(), strict=True)):
            if not (isfinite(y) and isfinite(x)):
                continue
            last, self._last = self._last, (y, x)
            if last is None:
                continue
            fit = self._fit.append(y - last[0], x - last[1])
            if fit.rss + fit.beta**2 * fit.sxx > least_y[row] and fit.sxx > least_x[row]:
                found[row] = fit.correlation
        return found


def returns_correlation(y: FloatArray, x: FloatArray) -> float | None:
    """Return Pearson's r of all log returns of two series of closes; None where there is none."""
    log_y, log_x = finite_pairs(logs_of(y), logs_of(x))
    if len(log_y) < 3:
        return None
    deviations = []
    for logs in (log_y, log_x):
        returns = np.diff(logs)
        deviation = returns - returns.mean()
        if not float(deviation @ deviation) > len(returns) * (ROUNDING * (1 + float(np.abs(logs).max()))) ** 2:
            return None
        deviations.append(deviation / np.sqrt(deviation @ deviation))
    return float(np.clip(deviations[0] @ deviations[1], -1.0, 1.0))
