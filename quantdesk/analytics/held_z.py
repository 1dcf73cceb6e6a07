"""Judge each bar's spread by its past values with the hedge ratio in force at that bar held all through."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan

import numpy as np

from quantdesk.analytics.rolling import ROUNDING, RollingFit, rolling_fit, rolling_moments
from quantdesk.analytics.spread import regression_z
from quantdesk.analytics.zscore import FEWEST, ZKind
from quantdesk.bars.arrays import FloatArray

_Moments = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class PairMoments:
    """Hold weighted moments of two legs: of r = (y - y0) - slope (x - x0) and of dx = x - x0.

    ``slope`` only keeps r small; whatever it is, the moments of y - beta x follow for every beta.
    ``squares`` is the sum of the squared weights, ``rr``, ``rx`` and ``xx`` are sums about the means.
    """

    y0: float
    x0: float
    slope: float
    decay: float
    count: int = 0
    weight: float = 0.0
    squares: float = 0.0
    mean_r: float = 0.0
    mean_x: float = 0.0
    rr: float = 0.0
    rx: float = 0.0
    xx: float = 0.0

    def column(self, y: FloatArray, x: FloatArray) -> FloatArray:
        """Return the moments after each further row, (n, 7): weight, squares, means of r and x, rr, rx, xx.

        Every row fades by ``decay`` with each that follows (West 1979; decay 1: Welford 1962). The
        rows must be finite; 1 to 2 µs a row.
        """
        decay, weight, squares = self.decay, self.weight, self.squares
        mean_r, mean_x, rr, rx, xx = self.mean_r, self.mean_x, self.rr, self.rx, self.xx
        dx = x - self.x0
        rows = []
        for value, leg in zip(((y - self.y0) - self.slope * dx).tolist(), dx.tolist(), strict=True):
            weight = decay * weight + 1.0
            squares = decay * decay * squares + 1.0
            off_r, off_x = value - mean_r, leg - mean_x
            mean_r += off_r / weight
            mean_x += off_x / weight
            after_x = leg - mean_x
            rr = decay * rr + off_r * (value - mean_r)
            rx = decay * rx + off_r * after_x
            xx = decay * xx + off_x * after_x
            rows.append((weight, squares, mean_r, mean_x, rr, rx, xx))
        return np.array(rows, np.float64).reshape(-1, 7)


@dataclass(frozen=True, slots=True)
class FormingZ:
    """Judge the bar after the last one by a kind that counts it among its own window.

    ``y`` and ``x`` are the last ``window`` - 1 rows, or ``moments`` those of all rows. A kind that
    needs all rows at once ("full-sample") has no value for a bar that is not over.
    """

    kind: ZKind
    window: int
    y: FloatArray
    x: FloatArray
    moments: PairMoments | None = None

    def z_of(self, y: float, x: float, beta: float) -> float:
        """Return z with one more row, NaN where there is none; ``beta`` is not asked for by "regression"."""
        if not (isfinite(y) and isfinite(x)) or self.kind in (ZKind.WALK_FORWARD, ZKind.FULL_SAMPLE):
            return nan
        if self.moments is not None:
            return self._by_moments(self.moments, y, x, beta)
        if len(self.y) < self.window - 1:
            return nan
        legs = np.append(self.y, y), np.append(self.x, x)
        if self.kind is ZKind.REGRESSION:
            return float(regression_z(*legs, self.window).z[-1])
        return float(_rolling(*legs, np.full(self.window, beta), self.window)[-1])

    def _by_moments(self, before: PairMoments, y: float, x: float, beta: float) -> float:
        z, _ = carried(self.kind, self.window, before, np.array([y]), np.array([x]), np.array([beta]))
        return float(z[0])


def held_z(
    kind: ZKind, y: FloatArray, x: FloatArray, beta: FloatArray, window: int
) -> tuple[FloatArray, PairMoments | None]:
    """Return (z, moments) of kind "rolling", "expanding" or "ewm": z (n) read-only, NaN = no value.

    z_t = (e_t - mean) / sigma with e_s = y_s - beta_t x_s over the rows s of t's window, t among
    them: the ratio of bar t is held over all of it, so a refit or a moving ratio, which shifts the
    level of the spread, does not pass for a move of the spread. With one ratio throughout it is
    ``z_series`` of that ratio. ``y``, ``x`` and ``beta`` (n) in; the legs must be finite, a ratio that
    is not gives no value. Windows, deviations and first values as in ``z_series``. The moments are those
    after the last row, for ``forming``; "rolling" has none. Raises ValueError for another kind, lengths
    that differ, or a window below 20 (1: "ewm").
    """
    if not kind.takes_ratio:
        raise ValueError(f"the {kind} z takes no hedge ratio that is held")
    if not y.shape == x.shape == beta.shape or y.ndim != 1:
        raise ValueError(f"legs and hedge ratio must be of one length, not {y.shape}, {x.shape} and {beta.shape}")
    if window < (1 if kind is ZKind.EWM else FEWEST):
        raise ValueError(f"the {kind} z needs a window of at least {FEWEST} bars, not {window}")
    moments: PairMoments | None = None
    if kind is ZKind.ROLLING:
        z = _rolling(y, x, beta, window)
    else:
        z, moments = carried(kind, window, _start(kind, y, x, beta, window), y, x, beta)
    z.setflags(write=False)
    return z, moments


def carried(
    kind: ZKind, window: int, before: PairMoments, y: FloatArray, x: FloatArray, beta: FloatArray
) -> tuple[FloatArray, PairMoments]:
    """Return z (n) of n further rows by "expanding" or "ewm" and the moments after them: the same in one piece or many.

    ``before`` are the moments of all rows so far. The rows must be finite; 1 to 2 µs each.
    """
    state = before.column(y, x)
    z = _judged(before, state, y, x, beta)
    z[: max(0, _first(kind, window) - before.count)] = np.nan
    if not len(state):
        return z, before
    values = (float(value) for value in state[-1])
    count = before.count + len(state)
    return z, PairMoments(before.y0, before.x0, before.slope, before.decay, count, *values)


def forming(
    kind: ZKind, y: FloatArray, x: FloatArray, beta: FloatArray, window: int, moments: PairMoments | None = None
) -> FormingZ:
    """Return what judges the bar after these rows; ``moments`` are those of ``held_z`` on the very same rows."""
    if kind in (ZKind.EXPANDING, ZKind.EWM):
        known = held_z(kind, y, x, beta, window)[1] if moments is None else moments
        return FormingZ(kind, window, np.empty(0), np.empty(0), known)
    last = slice(max(0, len(y) - window + 1), None)
    return FormingZ(kind, window, y[last].copy(), x[last].copy())


def _first(kind: ZKind, window: int) -> int:
    """Return the first row that has a value."""
    return (FEWEST if kind is ZKind.EWM else window) - 1


def _start(kind: ZKind, y: FloatArray, x: FloatArray, beta: FloatArray, window: int) -> PairMoments:
    finite = beta[np.isfinite(beta)]
    slope = float(finite[0]) if len(finite) else 0.0
    decay = 1.0 if kind is ZKind.EXPANDING else 2.0 ** (-1.0 / window)
    return PairMoments(float(y[0]) if len(y) else 0.0, float(x[0]) if len(x) else 0.0, slope, decay)


def _judged(start: PairMoments, state: FloatArray, y: FloatArray, x: FloatArray, beta: FloatArray) -> FloatArray:
    """Return z of rows whose moments, themselves counted, are ``state``."""
    weight, squares, mean_r, mean_x, rr, rx, xx = state.T
    with np.errstate(all="ignore"):
        off = beta - start.slope
        dx = x - start.x0
        r = (y - start.y0) - start.slope * dx
        freedom = weight - squares / weight
        square = rr - 2.0 * off * rx + off * off * xx
        sigma = np.sqrt(square / np.where(freedom > 0, freedom, np.nan))
        return _divided((r - mean_r) - off * (dx - mean_x), sigma, y, beta * x)


def _rolling(y: FloatArray, x: FloatArray, beta: FloatArray, window: int) -> FloatArray:
    """Return z by the last ``window`` rows: with slope b fitted there, S_ee(beta) = rss + (beta - b)^2 S_xx."""
    out = np.full(len(y), np.nan)
    if len(y) < window:
        return out
    fit, rows = rolling_fit(y, x, window), slice(window - 1, None)
    flat = bool(np.isnan(fit.beta).any())
    own = (rolling_moments(y, window), rolling_moments(x, window)) if flat else None
    out[rows] = judged_by_fit(fit, own, y[rows], x[rows], beta[rows], window)
    return out


def judged_by_fit(
    fit: RollingFit,
    own: tuple[_Moments, _Moments] | None,
    y: FloatArray,
    x: FloatArray,
    held: FloatArray,
    window: int,
) -> FloatArray:
    """Return the "rolling" z of n rows from the fits of the windows that end with them and the ratios held (n each).

    ``own`` are mean and deviation (ddof 1) of y and of x over the same windows; None where both legs vary in all.
    """
    with np.errstate(all="ignore"):
        square = fit.rss + (held - fit.beta) ** 2 * fit.sxx
        off = (y - fit.y_mean) - held * (x - fit.x_mean)
        if own is not None:
            # A leg that stands still adds nothing: what is left is the other leg's own variance, about its own mean.
            (mean_y, own_y), (mean_x, own_x) = ((mean, np.nan_to_num(deviation) ** 2) for mean, deviation in own)
            flat = np.isnan(fit.beta)
            square = np.where(flat, (own_y + held**2 * own_x) * (window - 1), square)
            off = np.where(flat, (y - mean_y) - held * (x - mean_x), off)
        return _divided(off, np.sqrt(square / (window - 1)), y, held * x)


def _divided(off: FloatArray, sigma: FloatArray, y: FloatArray, hedge: FloatArray) -> FloatArray:
    """Return off / sigma; NaN where the spread varies by no more than the rounding of its legs."""
    clear = sigma > ROUNDING * np.maximum(np.abs(y), np.abs(hedge))
    z = np.where(clear & (sigma < inf), off / sigma, np.nan)
    z[~np.isfinite(z)] = np.nan
    return z
