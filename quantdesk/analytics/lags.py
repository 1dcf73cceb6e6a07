"""Fit every lag of an augmented Dickey-Fuller regression at once, from one triangular factor.

The regressors are the level and the changes one, two, ... bars earlier, about their means (and
trend). Their Gram matrix costs two passes a lag, not one a pair: neighbouring elements share all but
their ends. One Cholesky factor of it holds the residual sum of squares and the t ratio of every nested
regression; where the columns are nearly dependent, a QR factor of the columns themselves takes its
place. statsmodels fits each regression anew, 3 s at 10,000 rows; it is the oracle in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quantdesk.analytics.mackinnon import Terms
from quantdesk.bars.arrays import FloatArray

Criterion = Literal["AIC", "BIC", "t-stat"]

#: Rows of one block of the regressor matrix, so that memory stays flat on long series.
_BLOCK = 20_000
#: Rows that are multiplied with all of their lags while they stay in the processor's cache.
_IN_CACHE = 1 << 14
#: What is left of a column below this share of it is rounding: it depends on those before.
_DEPENDENT = 1e-10
#: Below this share of its square a column's remainder has lost too many digits in a Gram matrix.
_ILL_CONDITIONED = 1e-5
#: The 95 % quantile of the normal distribution, at which the t-stat rule stops.
_SIGNIFICANT = 1.6448536269514722
_PARAMETERS = {"n": 0, "c": 1, "ct": 2}


@dataclass(frozen=True, slots=True)
class LagFits:
    """Hold the regressions with 0 .. most lags on the same ``rows`` rows, from one factor R.

    ``factor`` is upper triangular, its columns level, changes 1 .. most bars earlier, change; ``lengths``
    are those of the columns before their means were taken off.
    """

    factor: FloatArray
    lengths: FloatArray
    rows: int
    terms: Terms

    @property
    def most(self) -> int:
        """Return the largest lag."""
        return len(self.lengths) - 2

    @property
    def parameters(self) -> FloatArray:
        """Return the number of coefficients at each lag."""
        return np.arange(1.0, self.most + 2) + _PARAMETERS[self.terms]

    @property
    def rss(self) -> FloatArray:
        """Return the residual sum of squares at each lag."""
        explained = np.append(self.factor[:, -1] ** 2, np.zeros(self.most + 2 - len(self.factor)))
        return np.asarray(explained[::-1].cumsum()[::-1][1:], np.float64)

    def independent(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which regressors (level, lag 1, lag 2, ...) add something to those before them."""
        diagonal = np.append(np.abs(np.diag(self.factor)), np.zeros(len(self.lengths)))[: len(self.lengths) - 1]
        return np.asarray(diagonal > _DEPENDENT * self.lengths[:-1], np.bool_)

    def flaw(self) -> str | None:
        """Say in words why the regression with all lags has no t ratio; None if it has one."""
        if self.rows <= self.parameters[-1]:
            return f"{self.rows + 1 + self.most} observations leave nothing over at lag {self.most}"
        if not self.independent().all():
            return "the series and its lagged changes are linearly dependent"
        if not abs(float(self.factor[-1, -1])) > _DEPENDENT * self.lengths[-1]:
            return "the test regression fits exactly: there is no statistic"
        return None

    def statistic(self) -> float:
        """Return the t ratio of the level with all lags; only where there is no flaw."""
        corner = np.zeros(len(self.factor) - 1)
        corner[0] = 1.0
        # The first row of the inverse of R gives the first coefficient and its variance.
        row = np.linalg.solve(self.factor[:-1, :-1].T, corner)
        scale = self.factor[-1, -1] ** 2 / (self.rows - self.parameters[-1])
        return float(row @ self.factor[:-1, -1] / np.sqrt(scale * (row @ row)))

    def choose(self, criterion: Criterion) -> int:
        """Return the lag with the smallest criterion, or the largest one that is significant (t-stat).

        Lags whose change depends linearly on the earlier ones are not considered: they add nothing.
        """
        independent = np.append(self.independent(), False)
        usable = max(int(independent.argmin()), 1)
        rss = self.rss[:usable]
        if criterion == "t-stat":
            freedom = self.rows - self.parameters[:usable]
            with np.errstate(all="ignore"):
                ratios = np.abs(self.factor[:usable, -1]) / np.sqrt(rss / freedom)
            return int(np.append(np.flatnonzero(ratios >= _SIGNIFICANT), 0).max())
        penalty = 2.0 if criterion == "AIC" else float(np.log(self.rows))
        with np.errstate(divide="ignore"):
            return int(np.argmin(self.rows * np.log(rss) + penalty * self.parameters[:usable]))


def schwert_lag(observations: int, terms: Terms) -> int:
    """Return Schwert's bound 12 (n/100)^(1/4), cut to what the sample can carry (as adfuller does)."""
    schwert = int(np.ceil(12.0 * (observations / 100.0) ** 0.25))
    return min(observations // 2 - _PARAMETERS[terms] - 1, schwert)


def longest_lag(observations: int, *, constant: bool) -> int:
    """Return Schwert's bound without or with a constant."""
    return schwert_lag(observations, "c" if constant else "n")


def choose_lag(series: FloatArray, criterion: Criterion, *, constant: bool) -> int:
    """Return the lag 0 .. longest_lag that the criterion chooses, all on the same rows."""
    most = longest_lag(len(series), constant=constant)
    return 0 if most < 1 else fit_lags(series, most, "c" if constant else "n").choose(criterion)


def flaw_of(series: FloatArray, lag: int, *, constant: bool) -> str | None:
    """Say in words why the test regression with this lag has no statistic; None if it has one."""
    return fit_lags(series, lag, "c" if constant else "n").flaw()


def fit_lags(series: FloatArray, most: int, terms: Terms) -> LagFits:
    """Fit the regressions with 0 .. ``most`` lags of a finite series on the same n - 1 - most rows."""
    rows = len(series) - 1 - most
    change = np.diff(series)
    squares = np.cumsum(np.r_[0.0, change * change])
    lengths = np.empty(most + 2)
    level = series[most:-1]
    ends = len(change) - np.arange(most + 1)
    lengths[0] = level @ level
    lengths[1:] = np.roll(squares[ends] - squares[most - np.arange(most + 1)], -1)
    lengths = np.sqrt(lengths)
    factor = None
    if rows > most + 2 + _PARAMETERS[terms]:
        factor = _gram_factor(series, most, terms)
    if factor is None:
        factor = _column_factor(series, most, terms)
    return LagFits(factor, lengths, rows, terms)


def _gram_factor(series: FloatArray, most: int, terms: Terms) -> FloatArray | None:
    """Return R by way of the Gram matrix; None where that would cost too many digits."""
    change, level = np.diff(series), series[most:-1]
    rows = len(level)
    if terms != "n":
        # Constants taken off first: what the windows' own means then differ by is small.
        change, level = change - change.mean(), level - level.mean()
    left = np.empty((3 if terms == "ct" else 2, rows))
    if terms == "ct":
        left[2] = _fixed_terms(rows, terms)[:, 1]
        level = level - (left[2] @ level) * left[2]
    left[0], left[1] = change[most:], level
    products = np.zeros((most + 1, len(left)))
    for start in range(0, rows, _IN_CACHE):
        part = np.ascontiguousarray(left[:, start : start + _IN_CACHE])
        lagged = change[start : start + part.shape[1] + most]
        for lag in range(most + 1):
            products[lag] += part @ lagged[most - lag : most - lag + part.shape[1]]
    gram = np.empty((most + 2, most + 2))
    inner = gram[1:, 1:]
    head, tail = change[:most][::-1], change[::-1][:most]
    inner[0] = inner[:, 0] = products[:, 0]
    for lag in range(most):
        inner[lag + 1, 1:] = inner[lag, :-1] + head[lag] * head - tail[lag] * tail
    gram[0, 0] = level @ level
    gram[0, 1:] = gram[1:, 0] = products[:, 1]
    if terms != "n":
        sums = change[most:].sum() + np.r_[0.0, np.cumsum(head - tail)]
        inner -= np.outer(sums, sums / rows)
    if terms == "ct":
        along = products[:, 2]
        inner -= np.outer(along, along)
    order = np.r_[0, np.arange(2, most + 2), 1]
    gram = gram[np.ix_(order, order)]
    scale = np.sqrt(np.diag(gram))
    try:
        with np.errstate(all="ignore"):
            factor = np.linalg.cholesky(gram / np.outer(scale, scale)).T
    except np.linalg.LinAlgError:
        return None
    remainder = np.diag(factor)
    if not bool((remainder * remainder > _ILL_CONDITIONED).all()):
        return None
    return np.asarray(factor * scale, np.float64)


def _column_factor(series: FloatArray, most: int, terms: Terms) -> FloatArray:
    """Return R of the columns themselves, about their means (and trend)."""
    change = np.diff(series)
    level = series[most:-1]
    lagged = sliding_window_view(change, most + 1)[:, ::-1]
    order = np.r_[0, np.arange(2, most + 2), 1]
    fixed = _fixed_terms(len(level), terms)
    coefficients = np.column_stack([fixed.T @ level, *(fixed.T @ lagged[:, k] for k in range(most + 1))])
    factor = np.empty((0, most + 2))
    for start in range(0, len(level), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = np.column_stack([level[rows], lagged[rows]]) - fixed[rows] @ coefficients
        factor = np.asarray(np.linalg.qr(np.vstack([factor, block[:, order]]), mode="r"), np.float64)
    return factor


def _fixed_terms(rows: int, terms: Terms) -> FloatArray:
    """Return orthonormal columns of the deterministic terms (rows, 0 .. 2)."""
    if terms == "n":
        return np.empty((rows, 0))
    constant = np.full((rows, 1), 1 / np.sqrt(rows))
    if terms == "c":
        return constant
    trend = np.arange(rows) - (rows - 1) / 2
    length = float(np.sqrt(trend @ trend))
    return np.column_stack([constant, trend / length if length else trend])
