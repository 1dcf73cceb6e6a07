"""Slide windows over one or two series in rebased sums: exact at any price level, numpy only.

Cumulative sums run over chunks, each about its own origin (and, for a pair, about the regression
line of its first window), so that neither the price level nor near collinearity costs digits. The
few windows in which a sum still cancelled, say after a bad tick left, are summed again directly.
An origin depends on nothing after the chunk's first window: every value is prefix invariant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from quantdesk.bars.arrays import FloatArray

BoolArray = npt.NDArray[np.bool_]

#: A running sum this many times its window's own sum has cancelled too many digits.
_CANCELLED = 1e4
_EPS = float(np.finfo(np.float64).eps)
#: Deviations below this share of the level are the rounding of the inputs, not variance.
_ROUNDING = 8 * _EPS
#: Rows x window of one block of the direct sums (8 MB a matrix).
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class RollingFit:
    """Hold the regression of y on x over each full window, arrays of length max(0, n - w + 1).

    Element i covers rows i .. i + w - 1. ``rss`` = Syy - beta Sxy. Where a leg does not vary,
    everything but the means is NaN; where the points lie on a line to the last digit, ``rss`` is 0.
    """

    y_mean: FloatArray
    x_mean: FloatArray
    beta: FloatArray
    sxx: FloatArray
    rss: FloatArray

    @property
    def alpha(self) -> FloatArray:
        """Return the intercepts."""
        return np.asarray(self.y_mean - self.beta * self.x_mean, np.float64)

    @property
    def correlation(self) -> FloatArray:
        """Return Pearson's r; within [-1, 1] by construction, NaN where a leg does not vary."""
        explained = self.beta * np.sqrt(self.sxx)
        with np.errstate(all="ignore"):
            return np.asarray(explained / np.sqrt(explained**2 + self.rss), np.float64)


def all_equal(values: FloatArray, window: int) -> BoolArray:
    """Return for each full window (n - w + 1) whether all its values are the same, exactly."""
    rows = np.arange(len(values))
    changed = np.r_[True, values[1:] != values[:-1]]
    run = rows - np.maximum.accumulate(np.where(changed, rows, 0)) + 1
    return np.asarray(run[window - 1 :] >= window, np.bool_)


def rolling_moments(values: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation (ddof 1) of each full window, n - w + 1 each.

    ``values`` must be finite. The deviation is NaN, never 0, where a window does not vary.
    """
    if len(values) < window:
        return np.empty(0), np.empty(0)
    outputs = len(values) - window + 1
    with np.errstate(all="ignore"):
        chunks = _chunks(values, window)
        origin = chunks[:, :window].mean(axis=1, keepdims=True)
        deviation = chunks - origin
        total, _ = _window_sums(deviation, window)
        squares, running = _window_sums(deviation * deviation, window)
        mean = (origin + total / window).ravel()[:outputs]
        square = (squares - total * total / window).ravel()[:outputs]
        flat = all_equal(values, window)
        doubtful = ~(running.ravel()[:outputs] <= _CANCELLED * square) & ~flat
        windows = sliding_window_view(values, window)
        for rows in _blocks(doubtful, window):
            block = windows[rows]
            mean[rows], centred = _centred(block)
            square[rows] = (centred * centred).sum(axis=1)
        flat |= ~(square > window * (_ROUNDING * mean) ** 2) | ~np.isfinite(square)
        deviation_out = np.sqrt(np.where(flat, np.nan, square) / (window - 1))
    return mean, deviation_out


def rolling_fit(y: FloatArray, x: FloatArray, window: int) -> RollingFit:
    """Regress y on x (with a constant) over every full window; y and x finite, of equal length."""
    if len(y) < window:
        none = np.empty(0)
        return RollingFit(none, none, none, none, none)
    with np.errstate(all="ignore"):
        fit, doubtful = _fit_chunks(y, x, window)
        y_mean, x_mean, beta, sxx, rss = fit.y_mean, fit.x_mean, fit.beta, fit.sxx, fit.rss
        flat = all_equal(y, window) | all_equal(x, window)
        windows_y, windows_x = sliding_window_view(y, window), sliding_window_view(x, window)
        for rows in _blocks(doubtful & ~flat, window):
            y_mean[rows], dy = _centred(windows_y[rows])
            x_mean[rows], dx = _centred(windows_x[rows])
            sxx[rows] = (dx * dx).sum(axis=1)
            beta[rows] = (dx * dy).sum(axis=1) / sxx[rows]
            residual = dy - beta[rows][:, None] * dx
            rss[rows] = (residual * residual).sum(axis=1)
        syy = rss + beta * beta * sxx
        flat |= ~(sxx > window * (_ROUNDING * x_mean) ** 2) | ~(syy > window * (_ROUNDING * y_mean) ** 2)
        flat |= ~np.isfinite(syy)
        rss[rss <= _noise(y_mean, x_mean, beta, window)] = 0.0
        for column in (beta, sxx, rss):
            column[flat] = np.nan
    return fit


def _fit_chunks(y: FloatArray, x: FloatArray, window: int) -> tuple[RollingFit, BoolArray]:
    """Return the fits and which of them are doubtful, n - w + 1 each."""
    outputs = len(y) - window + 1
    chunks_y, chunks_x = _chunks(y, window), _chunks(x, window)
    y0 = chunks_y[:, :window].mean(axis=1, keepdims=True)
    x0 = chunks_x[:, :window].mean(axis=1, keepdims=True)
    dx = chunks_x - x0
    residual = chunks_y - y0
    head_x, head_y = dx[:, :window], residual[:, :window]
    slope = (head_x * head_y).sum(axis=1, keepdims=True) / (head_x * head_x).sum(axis=1, keepdims=True)
    slope[~np.isfinite(slope)] = 0.0
    residual -= slope * dx
    sum_x, _ = _window_sums(dx, window)
    sum_r, _ = _window_sums(residual, window)
    sum_xr, _ = _window_sums(dx * residual, window)
    sum_xx, running_x = _window_sums(dx * dx, window)
    sum_rr, running_r = _window_sums(residual * residual, window)
    sxx = sum_xx - sum_x * sum_x / window
    sxr = sum_xr - sum_x * sum_r / window
    gain = sxr / sxx
    rss = sum_rr - sum_r * sum_r / window - gain * sxr
    beta = slope + gain
    y_mean = y0 + slope * (sum_x / window) + sum_r / window
    x_mean = x0 + sum_x / window
    # A running sum no larger than the rounding of one price needs no second look: rss is 0.
    on_line = running_r.ravel()[:outputs] <= window * (_ROUNDING * y[window - 1 :]) ** 2
    sound_x = (running_x <= _CANCELLED * sxx).ravel()[:outputs]
    sound_r = (running_r <= _CANCELLED * rss).ravel()[:outputs]
    columns = [column.ravel()[:outputs] for column in (y_mean, x_mean, beta, sxx, rss)]
    return RollingFit(*columns), np.asarray(~(sound_x & (sound_r | on_line)), np.bool_)


def _noise(y_mean: FloatArray, x_mean: FloatArray, beta: FloatArray, window: int) -> FloatArray:
    """Return the residual sum of squares that rounding of the inputs alone makes."""
    return np.asarray(window * _ROUNDING**2 * (y_mean**2 + (beta * x_mean) ** 2), np.float64)


def _chunks(values: FloatArray, window: int) -> FloatArray:
    """View a series as (chunks, c + w - 1) rows that overlap by w - 1, the end padded."""
    size = max(2 * window, 256)
    outputs = len(values) - window + 1
    count = -(-outputs // size)
    padded = np.full(count * size + window - 1, values[-1])
    padded[: len(values)] = values
    return sliding_window_view(padded, size + window - 1)[::size]


def _window_sums(chunks: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return the sums over each window and the running sums at its end, (chunks, c) each."""
    running = np.cumsum(chunks, axis=1)
    ends = running[:, window - 1 :]
    sums = ends.copy()
    sums[:, 1:] -= running[:, :-window]
    return sums, ends


def _centred(windows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the means (k) of windows (k, w) and the deviations from them, in two passes."""
    mean = windows.mean(axis=1)
    mean = mean + (windows - mean[:, None]).mean(axis=1)
    return mean, windows - mean[:, None]


def _blocks(wanted: BoolArray, window: int) -> list[npt.NDArray[np.intp]]:
    """Cut the wanted rows into blocks whose windows fit the memory of one block."""
    rows = np.flatnonzero(wanted)
    step = max(1, _BLOCK // window)
    return [rows[start : start + step] for start in range(0, len(rows), step)]
