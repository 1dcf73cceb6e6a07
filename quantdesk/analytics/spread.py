"""Form the spread of a pair and judge each bar of it by what was known before that bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.rolling import rolling_fit, segments
from quantdesk.bars.arrays import FloatArray, IntArray

#: A line and its residual variance need two parameters and one more observation.
SHORTEST_WINDOW = 3


@dataclass(frozen=True, slots=True)
class ZSeries:
    """Hold a regression z, arrays of length n, NaN where there is no value.

    ``alpha[t]``, ``beta[t]`` and ``sigma[t]`` are of the line that judges t: fitted on the ``window``
    observations before t (walk-forward) or up to t. ``next_*`` were fitted on the last observations
    and judge the bar that is still forming.
    """

    z: FloatArray
    alpha: FloatArray
    beta: FloatArray
    sigma: FloatArray
    next_alpha: float
    next_beta: float
    next_sigma: float

    def z_of(self, y: float, x: float) -> float:
        """Return the z of one further observation; NaN where there is none."""
        value = (y - self.next_alpha - self.next_beta * x) / self.next_sigma
        return value if np.isfinite(value) else float("nan")


def spread_of(y: FloatArray, x: FloatArray, beta: float | FloatArray) -> FloatArray:
    """Return y - beta x, in the unit of y; alpha is not taken off."""
    return np.asarray(y - beta * x, np.float64)


def regression_z(y: FloatArray, x: FloatArray, window: int) -> ZSeries:
    """Return z_t = e_t / s of the line of rows t - w + 1 .. t, for looking at, not for acting on.

    e_t = (y_t - mean y) - beta (x_t - mean x), s^2 = (Syy - beta Sxy) / (w - 2). Row t is in its own
    window, which pulls the line towards it: |z| cannot exceed (w - 1)/sqrt(w) sqrt((w - 2)/(w - 1)).
    The first value is at the w-th row. Missing rows, flat legs and errors as in ``walk_forward_z``.
    """
    return _regression(y, x, window, ahead=0)


def walk_forward_z(y: FloatArray, x: FloatArray, window: int) -> ZSeries:
    """Return z_t = (y_t - alpha - beta x_t) / sigma with the line of rows t - w .. t - 1.

    sigma^2 = (Syy - beta Sxy) / (w - 2). The first value is at the (w + 1)-th row. Rows in which a
    leg is missing (not finite) have no value and are in no window: the window is the last w joint
    observations. A leg that does not vary, or points exactly on a line, give NaN, never 0 or
    infinity. Raises ValueError for a window below 3 or legs of different length.
    """
    return _regression(y, x, window, ahead=1)


def _regression(y: FloatArray, x: FloatArray, window: int, *, ahead: int) -> ZSeries:
    """Judge each row by the window that ends ``ahead`` rows before it."""
    if window < SHORTEST_WINDOW:
        raise ValueError(f"a regression z needs a window of at least {SHORTEST_WINDOW}, not {window}")
    if len(y) != len(x):
        raise ValueError(f"the legs must be of one length, not {len(y)} and {len(x)}")
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    rows = joint_rows(y, x)
    used_y, used_x = (y, x) if rows is None else (y[rows], x[rows])
    outputs, first = max(0, len(used_y) - window + 1), window - 1 + ahead
    # What judges row t stands at t - ahead in its window's terms: the last ones judge a row still to come.
    lines = np.empty((3, outputs))
    z = np.empty(max(0, len(used_y) - first))
    for part in segments(outputs, window):
        rows_in = slice(part.start, part.stop + window - 1)
        alpha, beta, deviation = (line[part] for line in lines)
        fit = rolling_fit(used_y[rows_in], used_x[rows_in], window)
        with np.errstate(all="ignore"):
            np.sqrt(np.multiply(fit.rss, 1 / (window - 2), out=deviation), out=deviation)
            if not deviation.min() > 0:
                deviation[~(deviation > 0)] = np.nan
            np.copyto(beta, fit.beta)
            np.copyto(alpha, fit.alpha)
            judged = slice(part.start + first, min(part.stop + first, len(used_y)))
            count = judged.stop - judged.start
            into = z[part.start : part.start + count]
            np.subtract(used_x[judged], fit.x_mean[:count], out=into)
            into *= fit.beta[:count]
            fit.y_mean[:count] -= used_y[judged]
            into += fit.y_mean[:count]
            into /= deviation[:count]
            np.negative(into, out=into)
            into[np.isinf(into)] = np.nan
    places = None if rows is None else rows[first:]
    count = len(z)
    columns = [scattered(values, places, len(y)) for values in (z, *lines[:, :count])]
    newest = lines[:, -1].tolist() if outputs else [float("nan")] * 3
    return ZSeries(columns[0], columns[1], columns[2], columns[3], newest[0], newest[1], newest[2])


def joint_rows(y: FloatArray, x: FloatArray) -> IntArray | None:
    """Return the rows at which both legs are finite; None where all are."""
    finite = np.isfinite(y)
    finite &= np.isfinite(x)
    return None if bool(finite.all()) else np.flatnonzero(finite).astype(np.int64)


def scattered(values: FloatArray, rows: IntArray | None, size: int) -> FloatArray:
    """Return ``size`` values, read-only: NaN but at ``rows`` (None: at the end). All of them are taken as they are."""
    if rows is None and len(values) == size and values.base is None:
        values.setflags(write=False)
        return values
    out = np.empty(size)
    if rows is None:
        out[: size - len(values)] = np.nan
        out[size - len(values) :] = values
    else:
        out[:] = np.nan
        out[rows] = values
    out.setflags(write=False)
    return out
