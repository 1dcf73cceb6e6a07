"""Choose the lag of an augmented Dickey-Fuller regression from one triangular factor.

statsmodels fits each nested regression anew, 3 s at 10,000 rows; one QR factor of all regressors
holds the residual sums of squares of all of them. It stays the oracle in the tests: same lag chosen.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quantdesk.bars.arrays import FloatArray

#: Rows of one block of the regressor matrix, so that memory stays flat on long series.
_BLOCK = 20_000
#: What is left of a column below this share of it is rounding: it depends on those before.
_DEPENDENT = 1e-10


def longest_lag(observations: int, *, constant: bool) -> int:
    """Return Schwert's bound 12 (n/100)^(1/4), cut to what the sample can carry (as adfuller does)."""
    schwert = int(np.ceil(12.0 * (observations / 100.0) ** 0.25))
    return min(observations // 2 - int(constant) - 1, schwert)


def choose_lag(series: FloatArray, criterion: Literal["AIC", "BIC"], *, constant: bool) -> int:
    """Return the lag 0 .. longest_lag with the smallest criterion, all on the same rows.

    Lags whose change depends linearly on the earlier ones are not considered: they add nothing.
    """
    most = longest_lag(len(series), constant=constant)
    if most < 1:
        return 0
    factor, lengths = _factor(series, most, constant=constant)
    independent = np.append(_independent(factor, lengths), False)
    usable = max(int(independent.argmin()), 1)
    explained = np.append(factor[:, -1] ** 2, np.zeros(most + 2 - len(factor)))
    rss = explained[::-1].cumsum()[::-1][1:]
    rows = len(series) - 1 - most
    parameters = np.arange(1, most + 2) + int(constant)
    penalty = 2.0 if criterion == "AIC" else float(np.log(rows))
    with np.errstate(divide="ignore"):
        return int(np.argmin((rows * np.log(rss) + penalty * parameters)[:usable]))


def flaw_of(series: FloatArray, lag: int, *, constant: bool) -> str | None:
    """Say in words why the test regression with this lag has no statistic; None if it has one."""
    factor, lengths = _factor(series, lag, constant=constant)
    if len(series) - 1 - lag <= lag + 1 + int(constant):
        return f"{len(series)} observations leave nothing over at lag {lag}"
    if not _independent(factor, lengths).all():
        return "the series and its lagged changes are linearly dependent"
    if not abs(float(factor[-1, -1])) > _DEPENDENT * lengths[-1]:
        return "the test regression fits exactly: there is no statistic"
    return None


def _independent(factor: FloatArray, lengths: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which regressors (level, lag 1, lag 2, ...) add something to those before them."""
    diagonal = np.append(np.abs(np.diag(factor)), np.zeros(len(lengths)))[: len(lengths) - 1]
    return np.asarray(diagonal > _DEPENDENT * lengths[:-1], np.bool_)


def _factor(series: FloatArray, most: int, *, constant: bool) -> tuple[FloatArray, FloatArray]:
    """Return R of the columns level, changes 1 .. most bars earlier, change; and their lengths.

    With a constant, R is that of the columns about their means; the lengths are about zero, so that
    a column which is constant but for rounding counts as dependent.
    """
    change = np.diff(series)
    level = series[most:-1]
    lagged = sliding_window_view(change, most + 1)[:, ::-1]
    means = np.zeros(most + 2)
    if constant:
        means = np.r_[level.mean(), [change[most - k : len(change) - k].mean() for k in range(most + 1)]]
    order = np.r_[0, np.arange(2, most + 2), 1]
    factor, squares = np.empty((0, most + 2)), np.zeros(most + 2)
    for start in range(0, len(level), _BLOCK):
        block = np.column_stack([level[start : start + _BLOCK], lagged[start : start + _BLOCK]])[:, order]
        squares += (block * block).sum(axis=0)
        factor = np.asarray(np.linalg.qr(np.vstack([factor, block - means[order]]), mode="r"), np.float64)
    return factor, np.sqrt(squares)
