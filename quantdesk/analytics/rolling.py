"""Slide windows over one or two series in rebased sums: exact at any price level, numpy only.

Cumulative sums run over chunks, each about its own origin (and, for a pair, about the regression
line of its first window), so that neither the price level nor near collinearity costs digits. The
few windows in which a sum still cancelled, say after a bad tick left, are summed again directly.
An origin depends on nothing after the chunk's first window: every value is prefix invariant.
A few chunks at a time are worked on in buffers that stay in the processor's cache.
``online.py`` keeps the same sums one bar at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from quantdesk.bars.arrays import FloatArray

BoolArray = npt.NDArray[np.bool_]

#: A running sum this many times its window's own sum has cancelled too many digits.
CANCELLED = 1e4
#: Deviations below this share of the level are the rounding of the inputs, not variance.
ROUNDING = 8 * float(np.finfo(np.float64).eps)
#: Running sums beyond this are not trusted without a second look.
_LARGEST = 1e300
#: Rows x window of one block of the direct sums (8 MB a matrix).
_BLOCK = 1 << 20
#: Pairs of doubles of one buffer: enough that calls cost little, few enough for a cache (four of 0.8 MB).
_BUFFER = 3 << 14
#: Outputs of one segment.
_SEGMENT = 1 << 16


_ComplexArray = npt.NDArray[np.complex128]
_Sums = TypeVar("_Sums", FloatArray, _ComplexArray)


class _Buffers:
    """Lend the same memory to one piece after another."""

    def __init__(self, count: int, window: int) -> None:
        self._memory = np.empty((count, 2 * max(_BUFFER, _size(window) + window)))

    def real(self, index: int, shape: tuple[int, int]) -> FloatArray:
        """Return buffer ``index`` as doubles."""
        return self._memory[index, : shape[0] * shape[1]].reshape(shape)

    def complex(self, index: int, shape: tuple[int, int]) -> _ComplexArray:
        """Return buffer ``index`` as pairs of doubles."""
        return self._memory[index, : 2 * shape[0] * shape[1]].view(np.complex128).reshape(shape)


@dataclass(frozen=True, slots=True)
class RollingFit:
    """Hold the regression of y on x over each full window, arrays of length max(0, n - w + 1).

    Element i covers rows i .. i + w - 1. ``rss`` = Syy - beta Sxy. Where a leg does not vary,
    everything but the means is NaN (and the other leg's mean is not summed a second time); where the
    points lie on a line to the last digit, ``rss`` is 0.
    """

    y_mean: FloatArray
    x_mean: FloatArray
    beta: FloatArray
    sxx: FloatArray
    rss: FloatArray

    @property
    def alpha(self) -> FloatArray:
        """Return the intercepts."""
        alpha = self.beta * self.x_mean
        return np.subtract(self.y_mean, alpha, out=alpha)

    @property
    def correlation(self) -> FloatArray:
        """Return Pearson's r; within [-1, 1] by construction, NaN where a leg does not vary."""
        with np.errstate(all="ignore"):
            explained = np.sqrt(self.sxx)
            explained *= self.beta
            total = explained * explained
            total += self.rss
            explained /= np.sqrt(total, out=total)
        return explained


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
    outputs = len(values) - window + 1
    if outputs < 1:
        return np.empty(0), np.empty(0)
    means, squares = np.empty(outputs), np.empty(outputs)
    buffers = _Buffers(3, window)
    with np.errstate(all="ignore"):
        for rows, (chunks,) in _pieces(window, values):
            mean, square = (column[rows].reshape(len(chunks), -1) for column in (means, squares))
            pair, running = (buffers.complex(i, chunks.shape) for i in range(2))
            origin = chunks[:, :window].mean(axis=1, keepdims=True)
            np.subtract(chunks, origin, out=pair.real)
            np.multiply(pair.real, pair.real, out=pair.imag)
            sums = _window_sums(pair, window, running, buffers.complex(2, mean.shape))
            np.multiply(sums.real, 1 / window, out=mean)
            np.multiply(sums.real, mean, out=square)
            np.subtract(sums.imag, square, out=square)
            mean += origin
            # Running sums of squares only grow: the last bounds them all, and every deviation with them.
            most, least = running.imag[:, -1], square.min(axis=1)
            level = np.abs(origin[:, 0]) + np.sqrt(most)
            sound = (most <= CANCELLED * least) & (least > window * (ROUNDING * level) ** 2) & (most < _LARGEST)
            for row in np.flatnonzero(~sound):
                _mend_moments(chunks[row], window, running.imag[row, window - 1 :], mean[row], square[row])
        squares /= window - 1
        return means, np.sqrt(squares, out=squares)


def _mend_moments(values: FloatArray, window: int, running: FloatArray, mean: FloatArray, square: FloatArray) -> None:
    """Sum the doubtful windows of one chunk directly; NaN for the squares of those that do not vary."""
    flat = all_equal(values, window)
    np.copyto(mean, values[window - 1 :], where=flat)
    windows = sliding_window_view(values, window)
    for rows in _blocks(~(running <= CANCELLED * square) & ~flat, window):
        mean[rows], centred = _centred(windows[rows])
        square[rows] = (centred * centred).sum(axis=1)
    flat |= ~(square > window * (ROUNDING * mean) ** 2) | ~np.isfinite(square)
    square[flat] = np.nan


def rolling_fit(y: FloatArray, x: FloatArray, window: int) -> RollingFit:
    """Regress y on x (with a constant) over every full window; y and x finite, of equal length."""
    outputs = len(y) - window + 1
    if outputs < 1:
        none = np.empty(0)
        return RollingFit(none, none, none, none, none)
    columns = np.empty((5, outputs))
    buffers = _Buffers(4, window)
    with np.errstate(all="ignore"):
        for rows, (chunks_y, chunks_x) in _pieces(window, y, x):
            fit = RollingFit(*(column[rows].reshape(len(chunks_y), -1) for column in columns))
            running, sound = _fit_chunks(chunks_y, chunks_x, window, fit, buffers)
            for row in np.flatnonzero(~sound):
                part = RollingFit(fit.y_mean[row], fit.x_mean[row], fit.beta[row], fit.sxx[row], fit.rss[row])
                ends = running[row, window - 1 :]
                _mend_fit(chunks_y[row], chunks_x[row], window, part, ends.real, ends.imag)
    return RollingFit(*columns)


def _fit_chunks(
    y: FloatArray, x: FloatArray, window: int, fit: RollingFit, buffers: _Buffers
) -> tuple[_ComplexArray, BoolArray]:
    """Fill in the fits of some chunks.

    Return the running sums of squares, of x as real and of the residual as imaginary parts, and
    which chunks are sound throughout.
    """
    y_mean, x_mean, beta, sxx, rss = fit.y_mean, fit.x_mean, fit.beta, fit.sxx, fit.rss
    y0, x0 = (leg[:, :window].mean(axis=1, keepdims=True) for leg in (y, x))
    dx, dy = (np.subtract(leg, mean, out=buffers.real(i, y.shape)) for i, (leg, mean) in enumerate(((x, x0), (y, y0))))
    head_x, head_y = dx[:, :window], dy[:, :window]
    slope = np.einsum("ij,ij->i", head_x, head_y)[:, None] / np.einsum("ij,ij->i", head_x, head_x)[:, None]
    slope[~np.isfinite(slope)] = 0.0
    # Two sums in one pass: dx as real, the residual as imaginary parts.
    pair = buffers.complex(2, y.shape)
    pair.real = dx
    dx *= slope
    np.subtract(dy, dx, out=pair.imag)
    sums = _window_sums(pair, window, buffers.complex(0, y.shape), buffers.complex(3, beta.shape))
    product = np.multiply(pair.real, pair.imag, out=buffers.real(0, y.shape))
    _window_sums(product, window, buffers.real(1, y.shape), beta)
    flat = pair.view(np.float64)
    flat *= flat
    running = buffers.complex(0, y.shape)
    squares = _window_sums(pair, window, running, buffers.complex(1, beta.shape))
    scratch = buffers.complex(2, beta.shape)
    np.multiply(sums.view(np.float64), sums.view(np.float64), out=scratch.view(np.float64))
    scratch.view(np.float64)[...] *= 1 / window
    squares.view(np.float64)[...] -= scratch.view(np.float64)
    spare = np.multiply(sums.real, sums.imag, out=buffers.real(2, beta.shape))
    spare *= 1 / window
    beta -= spare
    np.copyto(sxx, squares.real)
    np.divide(beta, sxx, out=spare)
    beta *= spare
    np.subtract(squares.imag, beta, out=rss)
    np.add(spare, slope, out=beta)
    np.multiply(sums.real, 1 / window, out=x_mean)
    np.multiply(sums.imag, 1 / window, out=y_mean)
    y_mean += np.multiply(x_mean, slope, out=spare)
    y_mean += y0
    x_mean += x0
    return running, _sound_chunks(y0, x0, slope, running[:, -1], fit, window)


def _sound_chunks(
    y0: FloatArray, x0: FloatArray, slope: FloatArray, most: _ComplexArray, fit: RollingFit, window: int
) -> BoolArray:
    """Return which chunks need no second look, from bounds on all that they hold.

    Running sums of squares only grow: the last (``most``) bounds them, and every deviation with them.
    """
    most_x, most_r, least_x, least_r = most.real, most.imag, fit.sxx.min(axis=1), fit.rss.min(axis=1)
    steepest = np.abs(slope[:, 0])
    level_x = np.abs(x0[:, 0]) + np.sqrt(most_x)
    level_y = np.abs(y0[:, 0]) + steepest * np.sqrt(most_x) + np.sqrt(most_r)
    steepest = steepest + np.sqrt(most_r / least_x)
    sound = (most_x <= CANCELLED * least_x) & (most_r <= CANCELLED * least_r)
    sound &= (least_x > window * (ROUNDING * level_x) ** 2) & (least_r > _noise(level_y, level_x, steepest, window))
    return np.asarray(sound & (most_r + steepest**2 * most_x < _LARGEST), np.bool_)


def _mend_fit(
    y: FloatArray, x: FloatArray, window: int, fit: RollingFit, running_x: FloatArray, running_r: FloatArray
) -> None:
    """Sum the doubtful windows of one chunk directly, and say which have no residual or no value at all."""
    y_mean, x_mean, beta, sxx, rss = fit.y_mean, fit.x_mean, fit.beta, fit.sxx, fit.rss
    # A running sum no larger than the rounding of one price needs no second look: rss is 0.
    on_line = running_r <= window * (ROUNDING * y[window - 1 :]) ** 2
    sound = (running_x <= CANCELLED * sxx) & ((running_r <= CANCELLED * rss) | on_line)
    flat_y, flat_x = all_equal(y, window), all_equal(x, window)
    flat = flat_y | flat_x
    for mean, leg, same in ((y_mean, y, flat_y), (x_mean, x, flat_x)):
        np.copyto(mean, leg[window - 1 :], where=same)
    windows_y, windows_x = sliding_window_view(y, window), sliding_window_view(x, window)
    for rows in _blocks(~sound & ~flat, window):
        y_mean[rows], dy = _centred(windows_y[rows])
        x_mean[rows], dx = _centred(windows_x[rows])
        sxx[rows] = (dx * dx).sum(axis=1)
        beta[rows] = (dx * dy).sum(axis=1) / sxx[rows]
        residual = dy - beta[rows][:, None] * dx
        rss[rows] = (residual * residual).sum(axis=1)
    syy = rss + beta * beta * sxx
    flat |= ~(sxx > window * (ROUNDING * x_mean) ** 2) | ~(syy > window * (ROUNDING * y_mean) ** 2)
    flat |= ~np.isfinite(syy)
    rss[rss <= _noise(y_mean, x_mean, beta, window)] = 0.0
    for column in (beta, sxx, rss):
        column[flat] = np.nan


def _noise(y_mean: FloatArray, x_mean: FloatArray, beta: FloatArray, window: int) -> FloatArray:
    """Return the residual sum of squares that rounding of the inputs alone makes."""
    return np.asarray(window * ROUNDING**2 * (y_mean**2 + (beta * x_mean) ** 2), np.float64)


def _size(window: int) -> int:
    """Return the outputs of one chunk: many enough that its first window is a small share."""
    return max(8 * window, 512)


def segments(outputs: int, window: int) -> Iterator[slice]:
    """Yield parts of the outputs, each some whole chunks, that are worked on one after another.

    The fit of rows start .. stop + w - 1 is the very same as that part of the whole fit; what is made
    of it on the way needs no memory of the whole length, whose first use costs as much as the sums.
    """
    size = _size(window)
    step = size * max(1, _SEGMENT // size)
    for start in range(0, outputs, step):
        yield slice(start, min(start + step, outputs))


def _pieces(window: int, *series: FloatArray) -> Iterator[tuple[slice, list[FloatArray]]]:
    """Yield (rows of output, each series as (chunks, c + w - 1)); chunks overlap by w - 1, the last is short."""
    size, outputs = _size(window), len(series[0]) - window + 1
    group, whole = max(1, _BUFFER // (size + window - 1)), outputs // size
    if whole:
        views = [sliding_window_view(values, size + window - 1)[::size] for values in series]
        for first in range(0, whole, group):
            last = min(first + group, whole)
            yield slice(first * size, last * size), [view[first:last] for view in views]
    if whole * size < outputs:
        yield slice(whole * size, outputs), [values[None, whole * size :] for values in series]


def _window_sums(values: _Sums, window: int, running: _Sums, sums: _Sums) -> _Sums:
    """Put the running sums and those of each window, (chunks, c + w - 1) and (chunks, c), where told."""
    np.cumsum(values, axis=1, out=running)
    sums[:, 0] = running[:, window - 1]
    ends, starts, rest = (a.view(np.float64) for a in (running[:, window:], running[:, :-window], sums[:, 1:]))
    np.subtract(ends, starts, out=rest)
    return sums


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
