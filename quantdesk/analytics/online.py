"""Keep a sliding regression, and moments, one bar at a time: plain floats, the same work whatever the window.

The sums are those of ``rolling.py``, rebased: deviations from an origin and from the line that the
window had when it was last summed anew. That happens every ``window`` bars, and at once where a sum
is left over from much larger ones (a bad tick that left, a level that moved away). Both forms agree
to 1e-9 of their scale.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite, nan, sqrt
from operator import mul
from typing import NamedTuple, Self

from quantdesk.analytics.rolling import CANCELLED, ROUNDING

_NOISE = ROUNDING**2
_make = tuple.__new__


class Fit(NamedTuple):
    """Hold the regression of y on x over one window; NaN where a number does not exist.

    ``rss`` = Syy - beta Sxy is 0 where the points lie on a line to the last digit; ``sigma`` =
    sqrt(rss / (w - 2)) is NaN there: nothing can be judged by it.
    """

    y_mean: float
    x_mean: float
    beta: float
    alpha: float
    sxx: float
    rss: float
    correlation: float
    sigma: float

    def z_of(self, y: float, x: float) -> float:
        """Return (y - alpha - beta x) / sigma; of the bar after the window it is the walk-forward z."""
        z = ((y - self.y_mean) - self.beta * (x - self.x_mean)) / self.sigma
        return z if -inf < z < inf else nan


#: What a window that is not full yet says.
NO_FIT = Fit(nan, nan, nan, nan, nan, nan, nan, nan)


class OnlineFit:
    """Regress y on x over the last ``window`` bars; a bar with a missing leg is in no window.

    ``append`` costs 1 to 2 µs. Raises ValueError for a window below 3.
    """

    __slots__ = (
        "_at",
        "_dx",
        "_full",
        "_last_x",
        "_last_y",
        "_left",
        "_most_r",
        "_most_x",
        "_noise",
        "_residual",
        "_run_x",
        "_run_y",
        "_slope",
        "_sr",
        "_srr",
        "_sx",
        "_sxr",
        "_sxx",
        "_x",
        "_x0",
        "_y",
        "_y0",
        "fit",
        "window",
    )

    def __init__(self, window: int) -> None:
        if window < 3:
            raise ValueError(f"a regression needs a window of at least 3, not {window}")
        self.window, self.fit = window, NO_FIT
        self._noise = window * _NOISE
        self._y, self._x = [0.0] * window, [0.0] * window
        self._dx, self._residual = [0.0] * window, [0.0] * window
        self._at, self._left, self._full = 0, window, False  # the next place, bars until summed anew
        self._last_y, self._last_x, self._run_y, self._run_x = nan, nan, 0, 0
        self._y0 = self._x0 = self._slope = 0.0
        self._sx = self._sr = self._sxx = self._sxr = self._srr = self._most_x = self._most_r = 0.0

    @classmethod
    def filled(cls, window: int, y: Iterable[float], x: Iterable[float]) -> Self:
        """Return a regression that has taken these bars; the last ``window`` finite ones are all it needs."""
        made = cls(window)
        for bar in zip(y, x, strict=True):
            made.append(*bar)
        return made

    def append(self, y: float, x: float) -> Fit:
        """Take the next bar and return the fit of the window that ends with it; ``fit`` keeps it.

        A bar in which a leg is not finite returns ``NO_FIT`` and changes nothing.
        """
        if not (-inf < y < inf and -inf < x < inf):
            return NO_FIT
        self._run_y = self._run_y + 1 if y == self._last_y else 1
        self._run_x = self._run_x + 1 if x == self._last_x else 1
        self._last_y, self._last_x = y, x
        at, window = self._at, self.window
        self._y[at], self._x[at] = y, x
        self._at = at + 1 if at + 1 < window else 0
        left = self._left - 1
        if left > 0:
            self._left = left
            if not self._full:
                return NO_FIT
            dx = x - self._x0
            residual = (y - self._y0) - self._slope * dx
            old_dx, old_residual = self._dx[at], self._residual[at]
            self._dx[at], self._residual[at] = dx, residual
            self._sx += dx - old_dx
            self._sr += residual - old_residual
            self._sxr += dx * residual - old_dx * old_residual
            self._sxx = sxx = self._sxx + (dx * dx - old_dx * old_dx)
            self._srr = srr = self._srr + (residual * residual - old_residual * old_residual)
            if sxx > self._most_x:  # noqa: PLR1730  # max() would cost 5 % of the whole
                self._most_x = sxx
            if srr > self._most_r:  # noqa: PLR1730
                self._most_r = srr
        else:
            self._full = True
            self._sum_anew()
        self.fit = fit = self._fit_now(y)
        return fit

    def _fit_now(self, y: float) -> Fit:
        """Work the sums out, summed anew first where they have cancelled."""
        window, noise, sx, sr, x0, slope = self.window, self._noise, self._sx, self._sr, self._x0, self._slope
        if self._run_x >= window or self._run_y >= window:
            return self._flat()
        mean_x, mean_r = sx / window, sr / window
        sxx = self._sxx - sx * mean_x
        sxr = self._sxr - sx * mean_r
        gain = sxr / sxx if sxx else nan
        rss = self._srr - sr * mean_r - gain * sxr
        most_r = self._most_r
        sound = self._most_x <= CANCELLED * sxx and (most_r <= CANCELLED * rss or most_r <= noise * y * y)
        if not sound and self._left != window:
            self._sum_anew()
            return self._fit_now(y)
        beta = slope + gain
        y_mean, x_mean, square = self._y0 + slope * mean_x + mean_r, x0 + mean_x, beta * beta
        level_y, level_x = noise * y_mean * y_mean, noise * x_mean * x_mean
        syy = rss + square * sxx
        if not (level_x < sxx < inf and level_y < syy < inf):
            return self._flat()
        alpha = y_mean - beta * x_mean
        if rss > level_y + square * level_x:
            sigma, correlation = sqrt(rss / (window - 2)), beta * sqrt(sxx / syy)
            # A tenth of the whole cost would be the named tuple's own constructor.
            return _make(Fit, (y_mean, x_mean, beta, alpha, sxx, rss, correlation, sigma))
        return Fit(y_mean, x_mean, beta, alpha, sxx, 0.0, 1.0 if beta > 0 else -1.0, nan)

    def _flat(self) -> Fit:
        """Return the means alone, summed directly: a leg does not vary."""
        y_mean = self._last_y if self._run_y >= self.window else _centred(self._y)[0]
        x_mean = self._last_x if self._run_x >= self.window else _centred(self._x)[0]
        return Fit(y_mean, x_mean, nan, nan, nan, nan, nan, nan)

    def _sum_anew(self) -> None:
        """Rebase on the window's own means and line, and sum it again."""
        self._left = self.window
        self._y0, dy = _centred(self._y)
        self._x0, dx = _centred(self._x)
        sxx = sum(map(mul, dx, dx))
        slope = sum(map(mul, dx, dy)) / sxx if sxx else 0.0
        self._slope = slope = slope if isfinite(slope) else 0.0
        self._dx, self._residual = dx, [b - slope * a for a, b in zip(dx, dy, strict=True)]
        self._sx, self._sr = sum(dx), sum(self._residual)
        self._sxx = self._most_x = sxx
        self._sxr = sum(map(mul, dx, self._residual))
        self._srr = self._most_r = sum(map(mul, self._residual, self._residual))


class OnlineMoments:
    """Keep mean and standard deviation (ddof 1) of the last ``window`` values; a value not finite is left out."""

    __slots__ = (
        "_at",
        "_deviation",
        "_full",
        "_last",
        "_left",
        "_most",
        "_origin",
        "_run",
        "_s",
        "_ss",
        "_v",
        "window",
    )

    def __init__(self, window: int) -> None:
        if window < 2:
            raise ValueError(f"a deviation needs a window of at least 2, not {window}")
        self.window, self._full = window, False
        self._v, self._deviation = [0.0] * window, [0.0] * window
        self._at, self._left, self._last, self._run = 0, window, nan, 0
        self._origin = self._s = self._ss = self._most = 0.0

    @classmethod
    def filled(cls, window: int, values: Iterable[float]) -> Self:
        """Return moments that have taken these values; the last ``window`` finite ones are all they need."""
        made = cls(window)
        for value in values:
            made.append(value)
        return made

    def append(self, value: float) -> tuple[float, float]:
        """Take the next value; return (mean, deviation) of the window that ends with it, NaN where there is none."""
        if not -inf < value < inf:
            return nan, nan
        self._run = self._run + 1 if value == self._last else 1
        self._last = value
        at, window = self._at, self.window
        self._v[at] = value
        self._at = at + 1 if at + 1 < window else 0
        left = self._left - 1
        if left > 0:
            self._left = left
            if not self._full:
                return nan, nan
            deviation, old = value - self._origin, self._deviation[at]
            self._deviation[at] = deviation
            self._s += deviation - old
            self._ss = squares = self._ss + (deviation * deviation - old * old)
            self._most = max(self._most, squares)
        else:
            self._full = True
            self._sum_anew()
        mean = self._s / window
        square = self._ss - self._s * mean
        if not self._most <= CANCELLED * square and self._left != window and self._run < window:
            self._sum_anew()
            mean = self._s / window
            square = self._ss - self._s * mean
        if self._run >= window:
            return value, nan
        mean += self._origin
        if window * _NOISE * mean * mean < square < inf:
            return mean, sqrt(square / (window - 1))
        return mean, nan

    def peek(self, value: float) -> tuple[float, float]:
        """Return what ``append`` would, and keep the window as it is."""
        window = self.window
        if not -inf < value < inf or (not self._full and self._left > 1):
            return nan, nan
        if value == self._last and self._run + 1 >= window:
            return value, nan
        if self._full:
            deviation, old = value - self._origin, self._deviation[self._at]
            total = self._s + (deviation - old)
            squares = self._ss + (deviation * deviation - old * old)
            mean, square = total / window + self._origin, squares - total * total / window
        if not self._full or not max(self._most, squares) <= CANCELLED * square:
            values = self._v.copy()
            values[self._at] = value
            mean, deviations = _centred(values)
            square = sum(map(mul, deviations, deviations))
        return mean, sqrt(square / (window - 1)) if window * _NOISE * mean * mean < square < inf else nan

    def _sum_anew(self) -> None:
        self._left = self.window
        self._origin, self._deviation = _centred(self._v)
        self._s = sum(self._deviation)
        self._ss = self._most = sum(map(mul, self._deviation, self._deviation))


class ExponentialMoments:
    """Keep mean and standard deviation under weights that halve every ``half_life`` values.

    The k-th value before the newest weighs 2^(-k / half_life). Both are free of bias from the start:
    mean = Sum w v / W, variance = Sum w (v - mean)^2 / (W - Sum w^2 / W), as pandas' ewm with
    adjust=True and bias=False. A half-life of infinity weighs all alike (Welford 1962). A bad value
    fades by half each half-life and leaves no rounding behind. Raises ValueError unless positive.
    """

    __slots__ = ("_decay", "_mean", "_square", "_weight", "_weight_of_squares", "count", "half_life")

    def __init__(self, half_life: float) -> None:
        if not half_life > 0:
            raise ValueError(f"a half-life must be positive, not {half_life}")
        self.half_life, self.count = half_life, 0
        self._decay = 2.0 ** (-1.0 / half_life)
        self._mean = self._square = self._weight = self._weight_of_squares = 0.0

    def append(self, value: float) -> tuple[float, float]:
        """Take the next value; return (mean, deviation) with it, NaN where there is none.

        A value that is not finite, or too large to be squared, is left out.
        """
        decay = self._decay
        weight = decay * self._weight + 1.0
        off = value - self._mean
        mean = self._mean + off / weight
        square = decay * self._square + off * (value - mean)
        if not -inf < square < inf:
            return nan, nan
        self.count += 1
        self._mean, self._square, self._weight = mean, square, weight
        self._weight_of_squares = decay * decay * self._weight_of_squares + 1.0
        freedom = weight - self._weight_of_squares / weight
        if freedom > 0 and square > weight * _NOISE * mean * mean:
            return mean, sqrt(square / freedom)
        return mean, nan


def _centred(values: list[float]) -> tuple[float, list[float]]:
    """Return the mean, in two passes, and the deviations from it."""
    mean = sum(values) / len(values)
    mean += sum([value - mean for value in values]) / len(values)
    return mean, [value - mean for value in values]
