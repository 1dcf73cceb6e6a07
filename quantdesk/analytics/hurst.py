"""Measure how the variance of a spread's moves grows with their length: the Hurst exponent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.hedge import ols
from quantdesk.analytics.rolling import ROUNDING
from quantdesk.analytics.stationarity import NoValueError, is_flat
from quantdesk.bars.arrays import FloatArray, IntArray

FIRST_LAG, LAST_LAG = 2, 20
#: With fewer observations the variance at the longest lag rests on hardly two separate moves.
_FEWEST = 3 * LAST_LAG


@dataclass(frozen=True, slots=True)
class HurstResult:
    """Hold a Hurst exponent: below 0.5 the spread reverts, at 0.5 it walks, above it trends.

    ``exponent`` is half the slope of log variance on log lag, whatever it came to; ``value`` is it
    where it can be one, in (0, 1), else None. ``lags`` and ``variances`` are read-only, 19 each.
    """

    exponent: float
    lags: IntArray
    variances: FloatArray
    r_squared: float
    observations: int

    def __post_init__(self) -> None:
        self.lags.setflags(write=False)
        self.variances.setflags(write=False)

    @property
    def value(self) -> float | None:
        """Return the exponent; None where it is outside (0, 1) and so not valid."""
        return self.exponent if 0.0 < self.exponent < 1.0 else None

    @property
    def text(self) -> str:
        """Return the exponent as it may be shown, "not valid" with the number where it is impossible."""
        return f"{self.exponent:.3f}" if self.value is not None else f"not valid ({self.exponent:.3f})"

    @property
    def label(self) -> str:
        """Return the method with everything a reader needs to repeat it."""
        span = f"τ = {int(self.lags[0])}..{int(self.lags[-1])}"
        return f"Hurst, slope/2 of log Var(s(t+τ) − s(t)) on log τ, {span}, n={self.observations}"


def hurst(spread: FloatArray) -> HurstResult:
    """Return H = slope/2 of log Var(s_{t+tau} - s_t) on log tau, tau = 2 .. 20, by least squares.

    For self-similar moves the variance grows as tau^(2H) (Mandelbrot and Van Ness 1968). Values that
    are not finite are left out. Raises NoValueError below 60 values or where the spread does not vary.
    """
    spread = np.asarray(spread, np.float64)
    spread = spread[np.isfinite(spread)]
    if len(spread) < _FEWEST:
        raise NoValueError(f"{len(spread)} observations are too few for a Hurst exponent: it needs {_FEWEST}")
    if is_flat(spread):
        raise NoValueError("the spread does not vary")
    lags = np.arange(FIRST_LAG, LAST_LAG + 1, dtype=np.int64)
    variances = np.array([np.var(spread[lag:] - spread[:-lag]) for lag in lags.tolist()])
    smallest = (ROUNDING * float(np.abs(spread).max())) ** 2
    if not bool((variances > smallest).all()):
        raise NoValueError("moves of some length do not vary: there is no exponent")
    fit = ols(np.log(variances), np.log(lags.astype(np.float64)))
    return HurstResult(fit.beta / 2, lags, variances, fit.r_squared, len(spread))
