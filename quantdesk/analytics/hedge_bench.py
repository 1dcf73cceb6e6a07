"""Compare the ways to estimate a hedge ratio: each fitted on the same first rows, judged on the rows after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from quantdesk.analytics.breaks import rolling_beta
from quantdesk.analytics.dickey_fuller import dickey_fuller, residual_fit
from quantdesk.analytics.hedge import finite_pairs, ols, ols_through_origin, total_least_squares
from quantdesk.analytics.johansen import johansen
from quantdesk.analytics.kalman import FEWEST_FORMATION, kalman_hedge
from quantdesk.analytics.stationarity import Autolag, NoValueError, half_life, no_half_life
from quantdesk.bars.arrays import FloatArray

#: Fewer rows after the formation say nothing about a hedge.
FEWEST_AFTER = 20
FROZEN = ("OLS", "OLS, no intercept", "OLS, x on y", "TLS", "Johansen")
MOVING = ("rolling OLS", "Kalman")
_MOVES = "its ratio moves: nothing is fitted once"


@dataclass(frozen=True, slots=True)
class BenchRow:
    """Hold one method. Arrays have one value a joint row (read-only), NaN where the method has none yet.

    ``beta`` is the one fitted on the formation rows (for moving methods the last of them). ``path[t]``
    uses rows up to t, for frozen methods it is ``beta`` from the end of the formation on; ``lower`` and ``upper``
    are 2 standard errors away where the method has one.

    After the formation one unit of y is held against path[t - 1] of x from t - 1 to t. Its gain is
    Δy_t - path[t - 1] Δx_t; ``change_variance`` = Var(gain) / Var(Δy), 0 a perfect hedge, 1 none
    (1 - Ederington's effectiveness); ``spread_variance`` = Var(sum of gains) / Var(y), in levels. ``half_life`` (bars)
    is that of the sum of gains, for a frozen beta the spread itself. ``turnover`` is the mean
    |path[t] - path[t - 1]| x_t / y_t: dollars of x traded a bar for each dollar of y held (prices; for logs
    the mean |Δbeta|, the same unit).

    ``fitted_p`` is the p on the formation rows by ``fitted_test``, ``given_p`` that of an ADF on the
    sum of gains after them, where the ratio was known beforehand. ``reasons`` says by field name why
    a value is None.
    """

    method: str
    beta: float | None
    path: FloatArray
    lower: FloatArray
    upper: FloatArray
    change_variance: float | None
    spread_variance: float | None
    half_life: float | None
    turnover: float | None
    fitted_test: str
    fitted_p: float | None
    given_test: str
    given_p: float | None
    reasons: Mapping[str, str]

    def __post_init__(self) -> None:
        for column in (self.path, self.lower, self.upper):
            column.setflags(write=False)


@dataclass(frozen=True, slots=True)
class _Estimate:
    """Hold what a method found: its path and band, and the test of its own that goes with it."""

    path: FloatArray
    lower: FloatArray
    upper: FloatArray
    fitted_test: str = ""
    fitted_p: float | None = None
    reason: str | None = None
    test_reason: str | None = None


def hedge_bench(
    y: FloatArray,
    x: FloatArray,
    formation: int,
    *,
    log: bool = False,
    lag: int | None = None,
    autolag: Autolag = "BIC",
    k_ar_diff: int = 1,
    delta: float | None = None,
) -> tuple[BenchRow, ...]:
    """Return a row for each method in FROZEN and MOVING, on n joint rows of prices (logs with ``log``).

    Rows in which a leg is not finite are left out. The first ``formation`` rows fit the frozen methods
    and set up the moving ones: the rolling line has a window of ``formation`` rows. ``lag`` or ``autolag`` is
    of the unit root tests, ``k_ar_diff`` of Johansen's, ``delta`` of the Kalman filter (None = the most
    likely one). 0.03 s at 5,000 rows. Raises ValueError for a
    formation below 40 rows.
    """
    if formation < FEWEST_FORMATION:
        raise ValueError(f"a bench needs a formation of at least {FEWEST_FORMATION} rows, not {formation}")
    y, x = finite_pairs(y, x)
    sample = _Sample(y, x, formation, log, lag, autolag, k_ar_diff, delta)
    methods = (
        sample.by_ols,
        sample.through_origin,
        sample.reverse,
        sample.by_tls,
        sample.by_johansen,
        sample.by_rolling,
        sample.by_kalman,
    )
    return tuple(_row(name, method, sample) for name, method in zip(FROZEN + MOVING, methods, strict=True))


@dataclass(frozen=True, slots=True)
class _Sample:
    """Hold the joint rows and how they are tested; each method fits its own ratio on them."""

    y: FloatArray
    x: FloatArray
    formation: int
    log: bool
    lag: int | None
    autolag: Autolag
    k_ar_diff: int
    delta: float | None

    def head(self) -> tuple[FloatArray, FloatArray]:
        return self.y[: self.formation], self.x[: self.formation]

    def by_ols(self) -> _Estimate:
        y, x = self.head()
        fit = ols(y, x)
        return self._frozen(fit.beta, fit.stderr_beta, *self._engle_granger(y, x, "y on x"))

    def through_origin(self) -> _Estimate:
        fit = ols_through_origin(*self.head())
        why = "no table exists for a residual without a constant"
        return self._frozen(fit.beta, fit.stderr_beta, test_reason=why)

    def reverse(self) -> _Estimate:
        y, x = self.head()
        fit = ols(x, y)
        beta = 1 / fit.beta if fit.beta else float("nan")
        # To first order the error of 1/b is that of b over b squared.
        return self._frozen(beta, fit.stderr_beta * beta**2, *self._engle_granger(x, y, "x on y"))

    def by_tls(self) -> _Estimate:
        why = "no table exists for a total least squares residual"
        return self._frozen(total_least_squares(*self.head()).beta, test_reason=why)

    def by_johansen(self) -> _Estimate:
        why = "trace statistic and critical values instead of a p: see the Johansen test"
        return self._frozen(johansen(*self.head(), self.k_ar_diff).beta, test_reason=why)

    def by_rolling(self) -> _Estimate:
        found = rolling_beta(self.y, self.x, self.formation)
        return _Estimate(found.beta, found.lower, found.upper, test_reason=_MOVES)

    def by_kalman(self) -> _Estimate:
        found = kalman_hedge(self.y, self.x, self.formation, delta=self.delta)
        return _Estimate(found.beta, found.lower, found.upper, reason=found.reason, test_reason=_MOVES)

    def _engle_granger(self, y: FloatArray, x: FloatArray, direction: str) -> tuple[str, float | None, str | None]:
        fit = residual_fit(y, x, self.lag, self.autolag)
        name = f"Engle-Granger, {direction}, n={len(y)}, lag {fit.lag} ({fit.lag_method})"
        return (name, fit.p_value, None) if fit.flaw is None else (name, None, fit.flaw)

    def _frozen(
        self,
        beta: float,
        stderr: float = float("nan"),
        test: str = "",
        p: float | None = None,
        test_reason: str | None = None,
    ) -> _Estimate:
        """Hold one beta from the last formation row on."""
        path = np.full(len(self.y), np.nan)
        path[self.formation - 1 :] = beta
        return _Estimate(path, path - 2 * stderr, path + 2 * stderr, test, p, None, test_reason)


def _row(name: str, method: Callable[[], _Estimate], sample: _Sample) -> BenchRow:
    """Run a method and judge it on the rows after the formation."""
    y, x, formation = sample.y, sample.x, sample.formation
    try:
        found = method()
    except NoValueError as error:
        none = np.full(len(y), np.nan)
        found = _Estimate(none, none.copy(), none.copy(), reason=str(error), test_reason=str(error))
    # A filter shows nothing before it has left the formation rows.
    start = formation - int(name != "Kalman")
    path, reason = found.path[start:], found.reason
    if len(y) < formation:
        reason = f"{len(y)} joint rows are fewer than the {formation} of the formation"
    elif reason is None and not bool(np.isfinite(path[:1]).any()):
        reason = "a leg does not vary in the formation rows" if len(path) else "no row follows the formation"
    beta = float(path[0]) if reason is None else None
    reasons: dict[str, str] = {} if reason is None else {"beta": reason}
    if found.fitted_p is None:
        reasons["fitted_p"] = str(found.test_reason or reason)
    outcome = _outcome(y[start:], x[start:], path, sample, reason)
    return BenchRow(
        method=name,
        beta=beta,
        path=found.path,
        lower=found.lower,
        upper=found.upper,
        change_variance=outcome.change_variance,
        spread_variance=outcome.spread_variance,
        half_life=outcome.half_life,
        turnover=outcome.turnover,
        fitted_test=found.fitted_test,
        fitted_p=found.fitted_p,
        given_test=outcome.test,
        given_p=outcome.p_value,
        reasons=MappingProxyType({**outcome.reasons, **reasons}),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Hold what the rows after the formation say of a method."""

    reasons: Mapping[str, str]
    change_variance: float | None = None
    spread_variance: float | None = None
    half_life: float | None = None
    turnover: float | None = None
    test: str = ""
    p_value: float | None = None


def _outcome(y: FloatArray, x: FloatArray, path: FloatArray, sample: _Sample, reason: str | None) -> _Outcome:
    """Hold one unit of y against the path of the bar before, over the given rows."""
    names = ("change_variance", "spread_variance", "half_life", "turnover", "given_p")
    if reason is None and len(path) < FEWEST_AFTER + 1:
        reason = f"{max(0, len(path) - 1)} rows after the formation are too few to judge by"
    if reason is not None:
        return _Outcome(dict.fromkeys(names, reason))
    reasons: dict[str, str] = {}
    change = np.diff(y)
    gain = change - path[:-1] * np.diff(x)
    held = np.isfinite(gain)
    total = np.r_[0.0, gain[held].cumsum()]
    change_variance = _ratio(gain[held], change[held])
    spread_variance = _ratio(total[1:], y[1:][held])
    if change_variance is None or spread_variance is None:
        reasons["change_variance"] = reasons["spread_variance"] = "y does not vary after the formation"
    decay = half_life(total)
    if decay is None:
        reasons["half_life"] = no_half_life(total)
    traded = np.abs(np.diff(path)) * (1.0 if sample.log else np.abs(x[1:] / y[1:]))
    traded = traded[np.isfinite(traded)]
    if len(traded) == 0:
        reasons["turnover"] = "the ratio has no two values in a row"
    test = dickey_fuller(total, "c", sample.lag, sample.autolag)
    if test.flaw is not None:
        reasons["given_p"] = test.flaw
    return _Outcome(
        reasons,
        change_variance,
        spread_variance,
        decay,
        float(traded.mean()) if len(traded) else None,
        f"ADF, constant, ratio given, n={len(total)}, lag {test.lag} ({test.lag_method})",
        None if test.flaw is not None else test.p_value,
    )


def _ratio(part: FloatArray, whole: FloatArray) -> float | None:
    """Return a ratio of variances; None where the whole does not vary."""
    if len(whole) < 2 or bool((whole == whole[0]).all()):
        return None
    return float(part.var() / whole.var())
