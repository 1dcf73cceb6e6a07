"""Correlate the legs by their returns, not their levels: independent walks look alike in levels."""

from __future__ import annotations

import numpy as np

from quantdesk.analytics.hedge import finite_pairs
from quantdesk.analytics.rolling import rolling_fit
from quantdesk.bars.arrays import FloatArray

_ROUNDING = 8 * float(np.finfo(np.float64).eps)


def logs_of(closes: FloatArray) -> FloatArray:
    """Return natural logarithms; NaN where a price is not positive or not finite."""
    closes = np.asarray(closes, np.float64)
    with np.errstate(all="ignore"):
        return np.where(closes > 0, np.log(closes), np.nan)


def rolling_correlation(y: FloatArray, x: FloatArray, window: int) -> FloatArray:
    """Return Pearson's r of the last ``window`` log returns at each row, from closes of length n.

    Rows without two positive prices are left out jointly and have no value. The first value is at
    the (window + 1)-th joint row; NaN where a leg's returns do not vary. Raises ValueError for a
    window below 3.
    """
    if window < 3:
        raise ValueError(f"a correlation needs a window of at least 3 returns, not {window}")
    log_y, log_x = logs_of(y), logs_of(x)
    joint = np.flatnonzero(np.isfinite(log_y) & np.isfinite(log_x))
    log_y, log_x = log_y[joint], log_x[joint]
    fit = rolling_fit(np.diff(log_y), np.diff(log_x), window)
    with np.errstate(all="ignore"):
        values = fit.correlation
        # A difference of logs carries their rounding; returns that vary by no more do not vary.
        least_y = window * (_ROUNDING * (1 + np.abs(log_y[window:]))) ** 2
        least_x = window * (_ROUNDING * (1 + np.abs(log_x[window:]))) ** 2
        values[~((fit.rss + fit.beta**2 * fit.sxx > least_y) & (fit.sxx > least_x))] = np.nan
    out = np.full(len(y), np.nan)
    out[joint[window:]] = values
    out.setflags(write=False)
    return out


def returns_correlation(y: FloatArray, x: FloatArray) -> float | None:
    """Return Pearson's r of all log returns of two series of closes; None where there is none."""
    log_y, log_x = finite_pairs(logs_of(y), logs_of(x))
    if len(log_y) < 3:
        return None
    deviations = []
    for logs in (log_y, log_x):
        returns = np.diff(logs)
        deviation = returns - returns.mean()
        if not float(deviation @ deviation) > len(returns) * (_ROUNDING * (1 + float(np.abs(logs).max()))) ** 2:
            return None
        deviations.append(deviation / np.sqrt(deviation @ deviation))
    return float(np.clip(deviations[0] @ deviations[1], -1.0, 1.0))
