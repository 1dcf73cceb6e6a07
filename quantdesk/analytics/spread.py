"""Form the spread of a pair and judge each bar of it by what was known before that bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.rolling import rolling_fit
from quantdesk.bars.arrays import FloatArray

#: A line and its residual variance need two parameters and one more observation.
SHORTEST_WINDOW = 3


@dataclass(frozen=True, slots=True)
class ZSeries:
    """Hold the walk-forward regression z, arrays of length n, NaN where there is no value.

    ``alpha[t]``, ``beta[t]`` and ``sigma[t]`` were fitted on the ``window`` observations before t;
    ``next_*`` were fitted on the last ones and judge the bar that is still forming.
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


def walk_forward_z(y: FloatArray, x: FloatArray, window: int) -> ZSeries:
    """Return z_t = (y_t - alpha - beta x_t) / sigma with the line of rows t - w .. t - 1.

    sigma^2 = (Syy - beta Sxy) / (w - 2). The first value is at the (w + 1)-th row. Rows in which a
    leg is missing (not finite) have no value and are in no window: the window is the last w joint
    observations. A leg that does not vary, or points exactly on a line, give NaN, never 0 or
    infinity. Raises ValueError for a window below 3 or legs of different length.
    """
    if window < SHORTEST_WINDOW:
        raise ValueError(f"a regression z needs a window of at least {SHORTEST_WINDOW}, not {window}")
    if len(y) != len(x):
        raise ValueError(f"the legs must be of one length, not {len(y)} and {len(x)}")
    joint = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    used_y, used_x = np.asarray(y, np.float64)[joint], np.asarray(x, np.float64)[joint]
    fit = rolling_fit(used_y, used_x, window)
    with np.errstate(all="ignore"):
        sigma = np.sqrt(np.where(fit.rss > 0, fit.rss, np.nan) / (window - 2))
        ahead_y, ahead_x = used_y[window:], used_x[window:]
        z = ((ahead_y - fit.y_mean[:-1]) - fit.beta[:-1] * (ahead_x - fit.x_mean[:-1])) / sigma[:-1]
        z[~np.isfinite(z)] = np.nan
        alpha, beta = fit.alpha, fit.beta
    rows, size = joint[window:], len(y)
    return ZSeries(
        z=_scattered(z, rows, size),
        alpha=_scattered(alpha[:-1], rows, size),
        beta=_scattered(beta[:-1], rows, size),
        sigma=_scattered(sigma[:-1], rows, size),
        next_alpha=float(alpha[-1]) if len(alpha) else float("nan"),
        next_beta=float(beta[-1]) if len(beta) else float("nan"),
        next_sigma=float(sigma[-1]) if len(sigma) else float("nan"),
    )


def _scattered(values: FloatArray, rows: np.ndarray[tuple[int], np.dtype[np.intp]], size: int) -> FloatArray:
    """Return an array of NaN with the values at their rows, read-only."""
    out = np.full(size, np.nan)
    out[rows] = values
    out.setflags(write=False)
    return out
