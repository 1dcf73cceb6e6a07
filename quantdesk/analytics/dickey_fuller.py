"""Compute Dickey-Fuller and Engle-Granger statistics from the factor in ``lags.py``: milliseconds at 10,000 rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from quantdesk.analytics.hedge import finite_pairs
from quantdesk.analytics.lags import Criterion, fit_lags, schwert_lag
from quantdesk.analytics.mackinnon import Terms, critical_values, p_value
from quantdesk.analytics.stationarity import COLLINEAR, is_flat
from quantdesk.bars.arrays import FloatArray, IntArray

_FEWEST = 4
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class UnitRootFit:
    """Hold one test regression: its t ratio, MacKinnon's p and critical values, and how the lag came about.

    ``observations`` are the rows of the regression, n - 1 - lag. Where there is no statistic it is
    NaN, as is p, and ``flaw`` says why in words.
    """

    statistic: float
    p_value: float
    lag: int
    lag_method: str
    observations: int
    critical_values: Mapping[str, float]
    terms: Terms
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class RollingTest:
    """Hold a test over windows: for window i its last row, statistic, p and lag (k each, read-only).

    NaN where a window has no statistic. ``window`` counts joint rows.
    """

    rows: IntArray
    statistic: FloatArray
    p_value: FloatArray
    lag: IntArray
    window: int
    step: int
    label: str

    def __post_init__(self) -> None:
        for column in (self.rows, self.statistic, self.p_value, self.lag):
            column.setflags(write=False)


def dickey_fuller(
    series: FloatArray, terms: Terms = "c", lag: int | None = None, criterion: Criterion | None = "AIC"
) -> UnitRootFit:
    """Test a finite series for a unit root: Δs on s₋₁, lagged Δs and terms (Said and Dickey 1984).

    ``lag`` is used as given; without it the criterion chooses up to Schwert's bound, or the bound
    itself is used (None). The lag is chosen on the rows that the bound leaves, the statistic is of all rows
    that the chosen lag leaves, as statsmodels' ``adfuller``. 0.3 ms at n = 1,000, 10 ms at 100,000.
    """
    return _tested(np.asarray(series, np.float64), terms, lag, criterion, series=1)


def residual_fit(
    y: FloatArray, x: FloatArray, lag: int | None = None, criterion: Criterion | None = "AIC"
) -> UnitRootFit:
    """Test for no cointegration: the residual of y on x and a constant (Engle and Granger 1987).

    The residual is tested without terms of its own; p and critical values are MacKinnon's for two legs,
    the latter for n - 1 observations, as statsmodels' ``coint``. Rows in which a leg is not finite are
    left out. Legs of different length raise ValueError.
    """
    y, x = finite_pairs(y, x)
    return _residual_fit(y, x, lag, criterion)


def rolling_engle_granger(
    y: FloatArray, x: FloatArray, window: int, step: int = 1, lag: int | Criterion = "BIC"
) -> RollingTest:
    """Return the Engle-Granger test of each window of joint rows, every ``step`` rows from the first full one.

    Nothing depends on a later row; the last window may end up to step - 1 rows before the last. ``lag`` is
    a number or a criterion, which chooses anew in each window. A window of 500 costs 0.2 ms at a given lag and
    0.6 ms with a criterion. The windows overlap and are many: of independent walks some show a small p at
    some time. Raises ValueError for a window below 20 or a step below 1.
    """
    if window < 20 or step < 1:
        raise ValueError(
            f"a path of tests needs a window of at least 20 and a step of at least 1, not {window}, {step}"
        )
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    joint = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    used_y, used_x = y[joint], x[joint]
    ends = np.arange(window, len(joint) + 1, step)
    given, criterion = (lag, None) if isinstance(lag, int) else (None, lag)
    fits = [_residual_fit(used_y[e - window : e], used_x[e - window : e], given, criterion) for e in ends]
    method = f"lag {lag}" if isinstance(lag, int) else f"lag by {lag}"
    return RollingTest(
        rows=joint[ends - 1].astype(np.int64),
        statistic=np.array([fit.statistic for fit in fits], np.float64),
        p_value=np.array([fit.p_value for fit in fits], np.float64),
        lag=np.array([fit.lag for fit in fits], np.int64),
        window=window,
        step=step,
        label=f"Engle-Granger (MacKinnon), y on x, constant, over {window} bars every {step}, {method}",
    )


def _residual_fit(y: FloatArray, x: FloatArray, lag: int | None, criterion: Criterion | None) -> UnitRootFit:
    terms: Terms = "c"
    method = "as given" if lag is not None else str(criterion)
    if len(y) < _FEWEST:
        flaw = f"{len(y)} joint observations are too few for a cointegration test"
        return UnitRootFit(np.nan, np.nan, lag or 0, method, 0, _NONE, terms, flaw)
    for name, leg in (("y", y), ("x", x)):
        if is_flat(leg):
            return UnitRootFit(np.nan, np.nan, lag or 0, method, 0, _NONE, terms, f"{name} does not vary")
    dy, dx = _unit(y), _unit(x)
    correlation = float(dx @ dy)
    residual = dy - correlation * dx
    if not 1 - float(residual @ residual) < 1 - COLLINEAR:
        flaw = f"the legs are almost perfectly collinear (R² = {correlation**2:.9g}): nothing is left to test"
        return UnitRootFit(np.nan, np.nan, lag or 0, method, 0, _NONE, terms, flaw)
    return _tested(residual * np.sqrt(len(y)), terms, lag, criterion, series=2)


def _tested(
    values: FloatArray, terms: Terms, lag: int | None, criterion: Criterion | None, *, series: int
) -> UnitRootFit:
    """Choose the lag and fit. A residual (``series`` 2) gets no terms, but the figures for them."""
    n, method = len(values), "as given" if lag is not None else str(criterion)
    own: Terms = terms if series == 1 else "n"

    def nothing(flaw: str, used: int = 0) -> UnitRootFit:
        return UnitRootFit(np.nan, np.nan, used, method, 0, _NONE, terms, flaw)

    if n < _FEWEST:
        return nothing(f"{n} observations are too few for a unit root test")
    if is_flat(values):
        return nothing("the series does not vary")
    if own != "n":
        # A constant shifts and its arithmetic is best near zero.
        values = values - values.mean()
    most = schwert_lag(n, own)
    if lag is not None and not 0 <= lag <= n // 2 - (0, 1, 2)[("n", "c", "ct").index(own)] - 1:
        return nothing(f"lag {lag} does not fit {n} observations", lag)
    if most < 0:
        return nothing(f"{n} observations are too few for a unit root test")
    used = lag
    if used is None:
        used = most if criterion is None or most < 1 else fit_lags(values, most, own).choose(criterion)
    fits = fit_lags(values, used, own)
    flaw = fits.flaw()
    statistic = fits.statistic() if flaw is None else np.nan
    if flaw is None and not np.isfinite(statistic):
        flaw = "the test regression fits exactly: there is no statistic"
    if flaw is not None:
        return nothing(flaw, used)
    sample = fits.rows if series == 1 else n - 1
    p, critical = p_value(statistic, terms, series), critical_values(sample, terms, series)
    return UnitRootFit(statistic, p, used, method, fits.rows, critical, terms)


def _unit(values: FloatArray) -> FloatArray:
    """Return the deviations from the mean, scaled to length one."""
    deviation = values - values.mean()
    deviation -= deviation.mean()
    return np.asarray(deviation / np.sqrt(deviation @ deviation), np.float64)
