"""Follow a hedge ratio that wanders: a Kalman filter on [slope, intercept], one code for batch and live.

E. Chan, Algorithmic Trading (2013), section 3.3: the state is a random walk with covariance
V_w = delta/(1 - delta) I a bar, the observation y = slope x + intercept + noise of variance V_e. Chan's
constants are in squared prices; here both legs are first standardised by the mean and deviation of
the formation rows, so that neither units nor levels change a result. Nothing after those rows is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, isfinite, log, nan, pi, sqrt

import numpy as np

from quantdesk.analytics.hedge import OlsFit, ols
from quantdesk.analytics.spread import joint_rows, scattered
from quantdesk.bars.arrays import FloatArray

#: The first eighth of the formation rows starts the filter by OLS; after a quarter its errors weigh the noise.
_START_SHARE, _SETTLE_SHARE = 8, 4
#: Fewer rows carry neither a first line nor an estimate of two variances.
FEWEST_FORMATION = 40
#: ln of the least and most ratio delta/(1 - delta) / V_e that is looked at.
_RATIOS = (-25.0, 2.0)
_Steps = list[tuple[float, float]]


class KalmanFilter:
    """Hold the state after the bars so far, in standardised units; ``step`` takes one more.

    ``mean`` = [slope, intercept]; covariance ``p00``, ``p01``, ``p11``; ``drift`` = delta/(1 - delta) is added
    to both variances each bar, ``noise`` = V_e. ``unit_y`` = (mean, deviation) of y, ``unit_x`` of x.
    """

    __slots__ = ("_my", "_sx", "_sy", "_x0", "drift", "intercept", "noise", "p00", "p01", "p11", "slope")

    def __init__(self, unit_y: tuple[float, float], unit_x: tuple[float, float], drift: float, noise: float) -> None:
        self._my, self._sy = unit_y
        self._x0, self._sx = unit_x
        self.drift, self.noise = drift, noise
        self.slope = self.intercept = self.p00 = self.p01 = self.p11 = 0.0

    def step(self, y: float, x: float) -> tuple[float, float]:
        """Take one bar in the legs' units; return forecast error e and its deviation sqrt(Q), in y's unit.

        Both are of the forecast made before the bar: e / sqrt(Q) is the signal. A bar in which a leg
        is not finite returns NaN and changes nothing: it is in no window.
        """
        if not (-inf < y < inf and -inf < x < inf):
            return nan, nan
        u = (x - self._x0) / self._sx
        p00, p01, p11 = self.p00 + self.drift, self.p01, self.p11 + self.drift
        error = (y - self._my) / self._sy - self.slope * u - self.intercept
        a, b = p00 * u + p01, p01 * u + p11
        variance = a * u + b + self.noise
        if not 0 < variance < inf:
            return nan, nan
        gain0, gain1 = a / variance, b / variance
        self.slope += gain0 * error
        self.intercept += gain1 * error
        self.p00, self.p01, self.p11 = p00 - gain0 * a, p01 - gain0 * b, p11 - gain1 * b
        return error * self._sy, sqrt(variance) * self._sy

    @property
    def beta(self) -> float:
        """Return the hedge ratio after the last bar, in the legs' units."""
        return self.slope * self._sy / self._sx

    @property
    def beta_deviation(self) -> float:
        """Return the standard deviation of ``beta``, given the noise."""
        return sqrt(max(self.p00, 0.0)) * self._sy / self._sx

    @property
    def alpha(self) -> float:
        """Return the intercept after the last bar, in the unit of y."""
        return self._my + self._sy * self.intercept - self.beta * self._x0


@dataclass(frozen=True, slots=True)
class KalmanHedge:
    """Hold a filtered hedge ratio, n rows each, read-only; NaN up to the end of the formation rows.

    ``beta[t]`` and ``alpha[t]`` use rows up to t; ``lower`` and ``upper`` are 2 standard deviations away, given
    the noise. ``error[t]`` and ``deviation[t]`` = sqrt(Q) are of the forecast from t - 1. ``delta`` and
    ``noise`` = V_e are in standardised units, ``log_likelihood`` is that of the formation rows. ``live`` goes on
    from the last row. Where there is no filter all is NaN, ``live`` None, and ``reason`` says why.
    """

    beta: FloatArray
    lower: FloatArray
    upper: FloatArray
    alpha: FloatArray
    error: FloatArray
    deviation: FloatArray
    formation: int
    delta: float
    noise: float
    log_likelihood: float
    live: KalmanFilter | None
    reason: str | None = None

    @property
    def signal(self) -> FloatArray:
        """Return e / sqrt(Q): the forecast error in its own deviations."""
        with np.errstate(all="ignore"):
            return np.asarray(self.error / self.deviation, np.float64)


def kalman_hedge(
    y: FloatArray, x: FloatArray, formation: int, *, delta: float | None = None, noise: float | None = None
) -> KalmanHedge:
    """Filter the hedge ratio of y on x over all joint rows, set up on the first ``formation`` of them.

    The first eighth of these starts the state by OLS; ``delta`` (0 .. 1) and ``noise`` (V_e), where not
    given, are those most likely on the last three quarters. All of them are burn-in and hidden: the
    signal begins after them. A bad tick moves the state and fades, it does not leave at once.
    Raises ValueError for a delta or noise out of range, or a formation below 40 rows.
    """
    if formation < FEWEST_FORMATION:
        raise ValueError(f"a Kalman filter needs at least {FEWEST_FORMATION} rows of formation, not {formation}")
    if delta is not None and not 0 < delta < 1:
        raise ValueError(f"delta must be between 0 and 1, not {delta}")
    if noise is not None and not 0 < noise < inf:
        raise ValueError(f"the variance of the noise must be positive, not {noise}")
    rows = joint_rows(np.asarray(y, np.float64), np.asarray(x, np.float64))
    used_y, used_x = (np.asarray(leg, np.float64) if rows is None else leg[rows] for leg in (y, x))
    size, found = len(y), _set_up(used_y, used_x, formation, delta, noise)
    if isinstance(found, str):
        none = scattered(np.empty(0), None, size)
        return KalmanHedge(none, none, none, none, none, none, formation, nan, nan, nan, None, found)
    live, likelihood = found
    columns = np.empty((5, len(used_y) - formation))
    for row, (one_y, one_x) in enumerate(zip(used_y[formation:].tolist(), used_x[formation:].tolist(), strict=True)):
        error, deviation = live.step(one_y, one_x)
        columns[:, row] = live.beta, live.beta_deviation, live.alpha, error, deviation
    beta, band, alpha, error_column, deviation_column = columns
    places = None if rows is None else rows[formation:]
    beta, lower, upper, alpha, errors, deviations = (
        scattered(column, places, size)
        for column in (beta, beta - 2 * band, beta + 2 * band, alpha, error_column, deviation_column)
    )
    used_delta = live.drift / (1 + live.drift)
    return KalmanHedge(
        beta, lower, upper, alpha, errors, deviations, formation, used_delta, live.noise, likelihood, live
    )


@dataclass(frozen=True, slots=True)
class _Formation:
    """Hold the rows after the first line, which starts a filter, and how many of them it settles in."""

    pairs: list[tuple[float, float]]
    unit_y: tuple[float, float]
    unit_x: tuple[float, float]
    first: OlsFit
    inverse: FloatArray
    settled: int

    def filtered(self, drift: float, noise: float) -> tuple[KalmanFilter, _Steps]:
        """Return a filter after the rows, and its errors and deviations in standardised units."""
        kalman = KalmanFilter(self.unit_y, self.unit_x, drift, noise)
        kalman.slope, kalman.intercept = self.first.beta, self.first.alpha
        p00, p01, _, p11 = (self.inverse * noise).ravel().tolist()
        kalman.p00, kalman.p01, kalman.p11 = p00, p01, p11
        unit = self.unit_y[1]
        steps = [kalman.step(*pair) for pair in self.pairs]
        return kalman, [(error / unit, deviation / unit) for error, deviation in steps[self.settled :]]


def _set_up(
    y: FloatArray, x: FloatArray, formation: int, delta: float | None, noise: float | None
) -> tuple[KalmanFilter, float] | str:
    """Return the filter at the end of the formation rows and its log likelihood, or why there is none."""
    if len(y) < formation:
        return f"{len(y)} joint observations are fewer than the {formation} of the formation"
    y, x = y[:formation], x[:formation]
    start = max(formation // _START_SHARE, FEWEST_FORMATION // 2)
    settled = max(formation // _SETTLE_SHARE - start, 0)
    for name, leg in (("y", y), ("x", x)):
        if not float(leg.std()) > 1e-15 * float(np.abs(leg).max()):
            return f"{name} does not vary"
    unit_y, unit_x = (float(y.mean()), float(y.std())), (float(x.mean()), float(x.std()))
    u, v = (x[:start] - unit_x[0]) / unit_x[1], (y[:start] - unit_y[0]) / unit_y[1]
    first = ols(v, u)
    if not isfinite(first.beta):
        return "x does not vary in the rows that start the filter"
    residual = v - first.alpha - first.beta * u
    if not float(residual @ residual) > start * 1e-20:
        return "the legs lie on a line: there is no noise to filter"
    inverse = np.linalg.inv(np.array([[u @ u, u.sum()], [u.sum(), start]]))
    pairs = list(zip(y[start:].tolist(), x[start:].tolist(), strict=True))
    kalman, steps = _most_likely_filter(_Formation(pairs, unit_y, unit_x, first, inverse, settled), delta, noise)
    return kalman, _likelihood(steps)


def _most_likely_filter(formation: _Formation, delta: float | None, noise: float | None) -> tuple[KalmanFilter, _Steps]:
    """Return the filter with the given variances, those not given being the most likely ones."""
    drift = None if delta is None else delta / (1 - delta)
    low, high = _RATIOS
    if drift is not None and noise is None:
        given = drift
        logs = (log(given) - high, log(given) - low)
        noise = exp(_largest_at(lambda n: _likelihood(formation.filtered(given, exp(n))[1]), *logs))
    elif drift is None and noise is not None:
        level = noise
        logs = (log(level) + low, log(level) + high)
        drift = exp(_largest_at(lambda d: _likelihood(formation.filtered(exp(d), level)[1]), *logs))
    elif drift is None:
        # With both free the scale of all variances has a closed form: one number is searched for.
        ratio = exp(_largest_at(lambda r: _profile(formation.filtered(exp(r), 1.0)[1]), low, high))
        noise = _scale(formation.filtered(ratio, 1.0)[1])
        drift = ratio * noise
    assert drift is not None and noise is not None
    return formation.filtered(drift, noise)


def _likelihood(steps: _Steps) -> float:
    return sum(-0.5 * (log(2 * pi * d * d) + (e / d) ** 2) for e, d in steps)


def _scale(steps: _Steps) -> float:
    return sum((e / d) ** 2 for e, d in steps) / len(steps)


def _profile(steps: _Steps) -> float:
    """Return the log likelihood at the best scale of all variances, but for a constant."""
    return -0.5 * (len(steps) * log(_scale(steps)) + sum(2 * log(d) for _, d in steps))


def _largest_at(value: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function is largest: a grid of 19, then a golden section between its neighbours."""
    grid = np.linspace(low, high, 19)
    best = int(np.argmax([value(float(point)) for point in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    golden = (sqrt(5.0) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    value_left, value_right = value(left), value(right)
    while high - low > 0.02:
        if value_left >= value_right:
            high, right, value_right = right, left, value_left
            left = high - golden * (high - low)
            value_left = value(left)
        else:
            low, left, value_left = left, right, value_right
            right = low + golden * (high - low)
            value_right = value(right)
    return (low + high) / 2
