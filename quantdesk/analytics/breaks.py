"""Look for breaks in a hedge line: the CUSUM of its residuals and its slope over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.hedge import finite_pairs, ols
from quantdesk.analytics.rolling import rolling_fit
from quantdesk.analytics.stationarity import NoValueError, is_flat
from quantdesk.bars.arrays import FloatArray

#: A Brownian bridge leaves ±1.358 in 5 % of cases (Kolmogorov; Ploberger and Krämer 1992, table 1).
CUSUM_BOUND_5 = 1.358
_FEWEST = 12


@dataclass(frozen=True, slots=True)
class CusumResult:
    """Hold the OLS-CUSUM of a line: ``path`` (n, read-only) starts near and ends at zero.

    ``statistic`` = max |path| with the long-run deviation of the residuals (Bartlett kernel of
    ``lags``); ``plain_statistic`` is Ploberger and Krämer's own, which takes residuals for
    independent and so "finds" a break in nearly every spread. ``row`` is where |path| is largest.
    """

    path: FloatArray
    statistic: float
    plain_statistic: float
    p_value: float
    row: int
    lags: int
    observations: int

    def __post_init__(self) -> None:
        self.path.setflags(write=False)

    @property
    def breaks(self) -> bool:
        """Return whether the path leaves the 5 % bound."""
        return self.statistic > CUSUM_BOUND_5

    @property
    def label(self) -> str:
        """Return the test with everything a reader needs to repeat it."""
        scale = f"long-run variance, Bartlett, {self.lags} lags (Andrews)"
        return f"OLS-CUSUM (Ploberger-Krämer), {scale}, 5 % bound {CUSUM_BOUND_5}, n={self.observations}"


@dataclass(frozen=True, slots=True)
class RollingBeta:
    """Hold the slope over the last ``window`` rows at each row (n each, read-only), NaN before there is one.

    ``stderr`` is the classical standard error; it takes residuals for independent, so that a band of
    two of them is too narrow where the spread is autocorrelated.
    """

    beta: FloatArray
    stderr: FloatArray
    window: int

    def __post_init__(self) -> None:
        self.beta.setflags(write=False)
        self.stderr.setflags(write=False)

    @property
    def lower(self) -> FloatArray:
        """Return beta - 2 standard errors."""
        return np.asarray(self.beta - 2 * self.stderr, np.float64)

    @property
    def upper(self) -> FloatArray:
        """Return beta + 2 standard errors."""
        return np.asarray(self.beta + 2 * self.stderr, np.float64)

    @property
    def label(self) -> str:
        """Return the method with everything a reader needs to repeat it."""
        return f"rolling OLS beta ± 2 standard errors, window {self.window}, n={len(self.beta)}"


def cusum(y: FloatArray, x: FloatArray) -> CusumResult:
    """Return the OLS-CUSUM of y on x with a constant: W_t = sum of residuals up to t / (s sqrt(n)).

    Ploberger and Krämer (1992), Econometrica 60:271. s^2 is the long-run variance of the residuals
    (Andrews 1991, AR(1) plug-in for the Bartlett kernel, rho at most 1 - 1/sqrt(n) after Sul, Phillips
    and Choi 2005). With s^2 = rss/(n - 2), the plain form, 98 % of unbroken lines whose spread is
    AR(0.9) leave the bound; with the long-run one 1 to 3 %: a walking hedge leg makes it conservative.
    Rows in which a leg is not finite are left out, and ``row`` counts the others. Raises NoValueError.
    """
    y, x = finite_pairs(y, x)
    n = len(y)
    if n < _FEWEST:
        raise NoValueError(f"{n} joint observations are too few for a CUSUM")
    fit = ols(y, x)
    if not np.isfinite(fit.beta):
        raise NoValueError("x does not vary")
    dy = y - y.mean()
    residual = dy - fit.beta * (x - x.mean())
    residual -= residual.mean()
    squares = float(residual @ residual)
    if is_flat(y) or not squares > n * (1e-10 * float(np.abs(dy).max())) ** 2:
        raise NoValueError("the line fits exactly: there are no residuals")
    rho = min(float(residual[1:] @ residual[:-1]) / squares, 1 - 1 / np.sqrt(n))
    plug_in = 4 * rho * rho / (1 - rho * rho) ** 2
    lags = int(min(1.1447 * (plug_in * n) ** (1 / 3), n // 4))
    long_run = squares + 2 * float((1 - np.arange(1, lags + 1) / (lags + 1)) @ _autocovariances(residual, lags))
    sums = residual.cumsum()
    path = sums / np.sqrt(long_run)
    row = int(np.abs(path).argmax())
    statistic = float(abs(path[row]))
    plain = statistic * float(np.sqrt(long_run / (squares * n / (n - 2))))
    return CusumResult(path, statistic, plain, bridge_p(statistic), row, lags, n)


def _autocovariances(values: FloatArray, lags: int) -> FloatArray:
    """Return the sums of v_t v_{t-k} for k = 1 .. lags, by one Fourier transform."""
    size = 1 << (2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(values, size)
    return np.asarray(np.fft.irfft(spectrum * spectrum.conj(), size)[1 : lags + 1], np.float64)


def bridge_p(statistic: float) -> float:
    """Return the probability that a Brownian bridge's largest |value| exceeds the statistic (Kolmogorov)."""
    from scipy.stats import kstwobign

    return float(kstwobign.sf(statistic))


def rolling_beta(y: FloatArray, x: FloatArray, window: int) -> RollingBeta:
    """Return the slope of y on x over each window of joint rows, with se = sqrt(rss/(w - 2)/Sxx).

    Rows in which a leg is not finite have no value and are in no window. Raises ValueError below 3.
    """
    if window < 3:
        raise ValueError(f"a slope with an error needs a window of at least 3, not {window}")
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    joint = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    fit = rolling_fit(y[joint], x[joint], window)
    with np.errstate(all="ignore"):
        stderr = np.sqrt(fit.rss / (window - 2) / fit.sxx)
    columns = []
    for values in (fit.beta, stderr):
        column = np.full(len(y), np.nan)
        column[joint[window - 1 :]] = values
        columns.append(column)
    return RollingBeta(columns[0], columns[1], window)
