"""Test whether a spread reverts, by statsmodels; every result says what it is and how it was made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from quantdesk.analytics.hedge import finite_pairs, ols
from quantdesk.analytics.lags import choose_lag, flaw_of, longest_lag
from quantdesk.analytics.rolling import ROUNDING
from quantdesk.bars.arrays import FloatArray

Autolag = Literal["AIC", "BIC"]

#: Where statsmodels' coint itself gives up: R^2 this close to 1 leaves no residual to test.
COLLINEAR = 100 * float(np.sqrt(np.finfo(np.float64).eps))
#: Below this many observations the test regression has no statistic.
_FEWEST = 4
#: Least squares puts lambda about 4/n too low (Kendall 1954): below 30 rows that alone gives walks one of 5 bars.
FEWEST_HALF_LIFE = 30


class NoValueError(ValueError):
    """Say in words why a statistic does not exist for these data."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """Hold one test. ``lag_method`` is "AIC", "BIC" or "as given"; critical values by "1%", "5%", "10%".

    ``method`` names the test and its null; ``fitted_beta`` says that the tested spread came from a
    beta fitted on the same data, which makes a plain ADF p-value too small.
    """

    method: str
    statistic: float
    p_value: float
    lags: int
    lag_method: str
    observations: int
    critical_values: Mapping[str, float]
    fitted_beta: bool
    __test__: ClassVar[bool] = False  # pytest would take the name for a test of its own

    @property
    def label(self) -> str:
        """Return the test with everything a reader needs to repeat it."""
        return f"{self.method}, n={self.observations}, lag {self.lags} ({self.lag_method})"

    @property
    def rejects(self) -> bool:
        """Return whether the null of a unit root (of no cointegration) is rejected at 5 %."""
        return self.p_value < 0.05


def engle_granger(
    y: FloatArray,
    x: FloatArray,
    lag: int | None = None,
    autolag: Autolag | None = "BIC",
    *,
    direction: str = "y on x",
) -> TestResult:
    """Test for no cointegration of y on x with a constant (Engle and Granger 1987, MacKinnon 2010).

    ``lag`` is used as given; without it ``autolag`` chooses up to Schwert's bound. ``direction`` names
    the legs in the label. Rows in which a leg is not finite are left out. Raises NoValueError where
    the test does not exist.
    """
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools.tools import add_constant
    from statsmodels.tsa.stattools import coint

    y, x = finite_pairs(y, x)
    _check_legs(y, x)
    # The test does not change when a leg is shifted or scaled; its arithmetic is best near one.
    y, x = standardised(y), standardised(x)

    def run() -> TestResult:
        # coint keeps its lag to itself: choose it on the same residuals by the same rule.
        residual = np.asarray(OLS(y, add_constant(x, prepend=False)).fit().resid)
        used = _used_lag(residual, lag, autolag, constant=False)
        statistic, p_value, critical = coint(y, x, trend="c", maxlag=used, autolag=None)
        named = dict(zip(("1%", "5%", "10%"), (float(c) for c in critical), strict=True))
        name = f"Engle-Granger (MacKinnon), {direction}, constant"
        return _result(name, (statistic, p_value, used, named), lag, autolag, len(y), fitted_beta=True)

    return _guarded(run, lag, len(y), trend_terms=0)


def adf(
    series: FloatArray, lag: int | None = None, autolag: Autolag | None = "BIC", *, fitted_beta: bool = False
) -> TestResult:
    """Test for a unit root in a series (augmented Dickey-Fuller with a constant, MacKinnon's p).

    Fit for a spread whose beta was given. On a beta fitted on the same data it rejects 15 % of
    independent walks at 5 %: pass ``fitted_beta`` so that the result says so. Raises NoValueError.
    """
    series = np.asarray(series, np.float64)
    series = series[np.isfinite(series)]
    if len(series) < _FEWEST:
        raise NoValueError(f"{len(series)} observations are too few for a unit root test")
    if is_flat(series):
        raise NoValueError("the spread does not vary")

    series = standardised(series)

    def run() -> TestResult:
        used = _used_lag(series, lag, autolag, constant=True)
        found = _adfuller(series, regression="c", maxlag=used, autolag=None)
        named = {name: float(value) for name, value in found[4].items()}
        name = "ADF, constant" + (", beta fitted on the same data: p too small" if fitted_beta else "")
        numbers = (found[0], found[1], found[2], named)
        return _result(name, numbers, lag, autolag, len(series), fitted_beta=fitted_beta)

    return _guarded(run, lag, len(series), trend_terms=1)


def combined_p(first: TestResult | None, second: TestResult | None) -> float | None:
    """Return min(1, 2 min(p)) of both directions (Bonferroni): choosing the better one is a selection.

    None where either does not exist.
    """
    if first is None or second is None:
        return None
    return min(1.0, 2.0 * min(first.p_value, second.p_value))


def half_life(spread: FloatArray) -> float | None:
    """Return -ln 2 / lambda in bars, from Δs = lambda s₋₁ + mu + ε by least squares.

    None where lambda >= 0 (the spread does not revert), where it does not vary, or below 30 rows:
    ``no_half_life`` says which.
    """
    spread = np.asarray(spread, np.float64)
    spread = spread[np.isfinite(spread)]
    if len(spread) < FEWEST_HALF_LIFE or is_flat(spread):
        return None
    slope = ols(np.diff(spread), spread[:-1]).beta
    # A steady climb has lambda 0; what rounding leaves of it is no half-life.
    return float(-np.log(2) / slope) if slope < -1e-12 else None


def no_half_life(spread: FloatArray) -> str:
    """Return in words why a spread has no half-life."""
    spread = np.asarray(spread, np.float64)
    spread = spread[np.isfinite(spread)]
    if len(spread) < FEWEST_HALF_LIFE:
        return f"{len(spread)} observations are too few for a half-life: {FEWEST_HALF_LIFE} are needed"
    return "the spread does not vary" if is_flat(spread) else "the spread does not revert to its mean"


def _check_legs(y: FloatArray, x: FloatArray) -> None:
    """Raise NoValueError where coint would warn, fail or answer minus infinity."""
    if len(y) < _FEWEST:
        raise NoValueError(f"{len(y)} joint observations are too few for a cointegration test")
    for name, leg in (("y", y), ("x", x)):
        if is_flat(leg):
            raise NoValueError(f"{name} does not vary")
    r_squared = ols(y, x).r_squared
    if not r_squared < 1 - COLLINEAR:
        raise NoValueError(f"the legs are almost perfectly collinear (R² = {r_squared:.9g}): nothing is left to test")


def is_flat(values: FloatArray) -> bool:
    """Return whether finite values vary by no more than their rounding."""
    largest = float(np.abs(values).max())
    return bool(np.ptp(values) <= ROUNDING * largest)


def standardised(values: FloatArray) -> FloatArray:
    """Return values about their mean in units of their deviation (ddof 0); they must vary."""
    return np.asarray((values - values.mean()) / values.std(), np.float64)


def _used_lag(series: FloatArray, lag: int | None, autolag: Autolag | None, *, constant: bool) -> int:
    """Return the lag as given or as adfuller would choose it; NoValueError where it gives no statistic."""
    if lag is not None:
        used = lag
    elif autolag is None:
        used = longest_lag(len(series), constant=constant)
    else:
        used = choose_lag(series, autolag, constant=constant)
    flaw = flaw_of(series, used, constant=constant)
    if flaw is not None:
        raise NoValueError(flaw)
    return used


def _adfuller(series: FloatArray, *, regression: str, maxlag: int | None, autolag: Autolag | None) -> Any:
    """Call adfuller for its tuple; 0.15 asks how to answer, 0.14 does not know the question."""
    from statsmodels.tsa.stattools import adfuller

    options: dict[str, Any] = {"regression": regression, "maxlag": maxlag, "autolag": autolag}
    if "result_object" in inspect.signature(adfuller).parameters:
        options["result_object"] = False
    return adfuller(series, **options)


def _guarded(run: Callable[[], TestResult], lag: int | None, observations: int, *, trend_terms: int) -> TestResult:
    """Run a test; turn what statsmodels refuses, and numbers that are none, into NoValueError."""
    if lag is not None and not 0 <= lag <= observations // 2 - trend_terms - 1:
        raise NoValueError(f"lag {lag} does not fit {observations} observations")
    try:
        with np.errstate(all="ignore"):
            result = run()
    except NoValueError:
        raise
    except (ValueError, np.linalg.LinAlgError) as error:
        raise NoValueError(f"statsmodels refuses: {error}") from error
    if not (np.isfinite(result.statistic) and np.isfinite(result.p_value)):
        raise NoValueError("the test regression fits exactly: there is no statistic")
    return result


def _result(
    name: str,
    numbers: tuple[float, float, int, dict[str, float]],
    lag: int | None,
    autolag: Autolag | None,
    observations: int,
    *,
    fitted_beta: bool,
) -> TestResult:
    statistic, p_value, lags, critical = numbers
    return TestResult(
        name,
        float(statistic),
        float(p_value),
        int(lags),
        "as given" if lag is not None else str(autolag),
        observations,
        MappingProxyType(critical),
        fitted_beta,
    )
