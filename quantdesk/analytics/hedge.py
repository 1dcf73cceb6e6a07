"""Estimate how much of the hedge leg x balances one unit of the dependent leg y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.rolling import ROUNDING
from quantdesk.bars.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class OlsFit:
    """Hold a regression of y on x; NaN where a number does not exist.

    ``beta`` is units of x per unit of y for prices, dollars of x per dollar of y for logs.
    ``stderr_beta`` is the classical standard error with n - 2 degrees of freedom (n - 1 without a
    constant); ``r_squared`` is uncentred without a constant.
    """

    alpha: float
    beta: float
    r_squared: float
    stderr_beta: float
    n: int


@dataclass(frozen=True, slots=True)
class TlsFit:
    """Hold a total least squares line; NaN where there is none. ``beta`` has the units of ``OlsFit``."""

    alpha: float
    beta: float
    n: int


def ols(y: FloatArray, x: FloatArray) -> OlsFit:
    """Fit y = alpha + beta x by least squares on the rows where both are finite.

    beta = Sxy/Sxx, alpha = mean(y) - beta mean(x) (Engle and Granger 1987, step 1). Fewer than two
    rows or a constant x: no line, every number NaN. A constant y: beta 0, no r_squared.
    """
    y, x = finite_pairs(y, x)
    n = len(y)
    nothing = OlsFit(float("nan"), float("nan"), float("nan"), float("nan"), n)
    if n < 2 or bool((x == x[0]).all()):
        return nothing
    with np.errstate(all="ignore"):
        x_mean, dx = _centred(x)
        y_mean, dy = _centred(y)
        sxx, syy = float(dx @ dx), float(dy @ dy)
        if not sxx > n * (ROUNDING * x_mean) ** 2 or not np.isfinite(sxx):
            return nothing
        beta = float(dx @ dy) / sxx
        residual = dy - beta * dx
        rss = float(residual @ residual)
        r_squared = 1.0 - rss / syy if syy > n * (ROUNDING * y_mean) ** 2 else float("nan")
        stderr = float(np.sqrt(rss / (n - 2) / sxx)) if n > 2 else float("nan")
    return OlsFit(y_mean - beta * x_mean, beta, r_squared, stderr, n)


def ols_through_origin(y: FloatArray, x: FloatArray) -> OlsFit:
    """Fit y = beta x by least squares (beta = Sum xy / Sum x^2) on the rows where both are finite."""
    y, x = finite_pairs(y, x)
    n = len(y)
    squares = float(x @ x)
    if n < 1 or not squares > 0:
        return OlsFit(0.0, float("nan"), float("nan"), float("nan"), n)
    beta = float(x @ y) / squares
    residual = y - beta * x
    rss, total = float(residual @ residual), float(y @ y)
    stderr = float(np.sqrt(rss / (n - 1) / squares)) if n > 1 else float("nan")
    return OlsFit(0.0, beta, 1.0 - rss / total if total > 0 else float("nan"), stderr, n)


def total_least_squares(y: FloatArray, x: FloatArray) -> TlsFit:
    """Fit the line with the least squared distances square to it, on the rows where both are finite.

    beta = [Syy - Sxx + sqrt((Syy - Sxx)^2 + 4 Sxy^2)] / (2 Sxy), alpha = mean(y) - beta mean(x)
    (Pearson 1901, Phil. Mag. 2:559). Both legs count alike: x on y gives 1/beta. It takes the errors
    of both for equally large in their own units, so scaling one leg changes the line: use logs.
    Fewer than two rows, or legs without covariance: no line, NaN.
    """
    y, x = finite_pairs(y, x)
    n = len(y)
    nothing = TlsFit(float("nan"), float("nan"), n)
    if n < 2 or bool((x == x[0]).all()) or bool((y == y[0]).all()):
        return nothing
    with np.errstate(all="ignore"):
        x_mean, dx = _centred(x)
        y_mean, dy = _centred(y)
        sxx, syy, sxy = float(dx @ dx), float(dy @ dy), float(dx @ dy)
        varies = sxx > n * (ROUNDING * x_mean) ** 2 and syy > n * (ROUNDING * y_mean) ** 2
        if not varies or not abs(sxy) > ROUNDING * np.sqrt(sxx * syy) or not np.isfinite(sxx * syy):
            return nothing
        difference = syy - sxx
        root = float(np.hypot(difference, 2 * sxy))
        # Of two equal forms the one that adds, so that no digits cancel.
        beta = (difference + root) / (2 * sxy) if difference > 0 else 2 * sxy / (root - difference)
    return TlsFit(y_mean - beta * x_mean, beta, n)


def finite_pairs(y: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return y and x at the rows where both are finite numbers; lengths must agree (ValueError)."""
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    if y.shape != x.shape or y.ndim != 1:
        raise ValueError(f"the legs must be of one length, not {y.shape} and {x.shape}")
    good = np.isfinite(y) & np.isfinite(x)
    return (y, x) if bool(good.all()) else (y[good], x[good])


def _centred(values: FloatArray) -> tuple[float, FloatArray]:
    mean = float(values.mean())
    mean += float((values - mean).mean())
    return mean, values - mean
