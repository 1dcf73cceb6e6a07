"""Test the null that a spread is stationary (KPSS), the other way round from a unit root test."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from quantdesk.analytics.quiet import quiet
from quantdesk.analytics.stationarity import NoValueError, is_flat, standardised
from quantdesk.bars.arrays import FloatArray

#: The table of Kwiatkowski et al. (1992) ends here on both sides.
SMALLEST_P, LARGEST_P = 0.01, 0.10
#: Shin (1994), table 1, constant and one regressor: for a residual whose beta was fitted.
SHIN_CRITICAL = MappingProxyType({"10%": 0.231, "5%": 0.314, "2.5%": 0.421, "1%": 0.533})
_FEWEST = 12


@dataclass(frozen=True, slots=True)
class KpssResult:
    """Hold one KPSS test. ``p_value`` is clipped to [0.01, 0.10]; ``bound`` says where the true one lies.

    ``bound`` is "<" (below 0.01), ">" (above 0.10) or "" (p as interpolated). ``critical_values`` by
    level are KPSS's; with ``fitted_beta`` they are too lax, and ``critical_5`` is Shin's value.
    """

    method: str
    statistic: float
    p_value: float
    bound: Literal["<", ">", ""]
    lags: int
    lag_method: str
    observations: int
    critical_values: Mapping[str, float]
    fitted_beta: bool

    @property
    def p_text(self) -> str:
        """Return p as it may be shown: "<0.01", ">0.10" or three decimals."""
        return f"{self.bound}{self.p_value:.2f}" if self.bound else f"{self.p_value:.3f}"

    @property
    def critical_5(self) -> float:
        """Return the 5 % critical value that fits: Shin's (1994) where beta was fitted on the same data."""
        return SHIN_CRITICAL["5%"] if self.fitted_beta else self.critical_values["5%"]

    @property
    def rejects(self) -> bool:
        """Return whether stationarity is rejected at 5 %."""
        return self.statistic > self.critical_5

    @property
    def label(self) -> str:
        """Return the test with everything a reader needs to repeat it."""
        return f"{self.method}, n={self.observations}, lag {self.lags} ({self.lag_method})"


def kpss(series: FloatArray, lag: int | None = None, *, fitted_beta: bool = False) -> KpssResult:
    """Test whether a series is stationary about a constant (Kwiatkowski, Phillips, Schmidt and Shin 1992).

    eta = sum S_t^2 / (n^2 s^2(l)), S the partial sums of the deviations, s^2 with a Bartlett kernel of
    ``lag`` or of the lag by Hobijn, Franses and Ooms (1998). On the residual of a fitted line pass
    ``fitted_beta``: its 5 % value is 0.314 (Shin 1994), not 0.463, so the p shown is too large.
    Values that are not finite are left out. Raises NoValueError where the test does not exist.
    """
    series = np.asarray(series, np.float64)
    series = series[np.isfinite(series)]
    if len(series) < _FEWEST:
        raise NoValueError(f"{len(series)} observations are too few for a KPSS test")
    if is_flat(series):
        raise NoValueError("the spread does not vary")
    if lag is not None and not 0 <= lag < len(series):
        raise NoValueError(f"lag {lag} does not fit {len(series)} observations")
    try:
        statistic, p_value, lags, critical = _kpss(standardised(series), "auto" if lag is None else lag)
    except (ValueError, OverflowError, np.linalg.LinAlgError) as error:
        raise NoValueError(f"statsmodels refuses: {error}") from error
    if not np.isfinite(statistic):
        raise NoValueError("the long-run variance vanishes: there is no statistic")
    bound: Literal["<", ">", ""] = "<" if statistic > critical["1%"] else ">" if statistic < critical["10%"] else ""
    return KpssResult(
        "KPSS, constant" + (", beta fitted on the same data: p too large" if fitted_beta else ""),
        float(statistic),
        float(np.clip(p_value, SMALLEST_P, LARGEST_P)),
        bound,
        int(lags),
        "Hobijn et al." if lag is None else "as given",
        len(series),
        MappingProxyType({name: float(critical[name]) for name in ("1%", "2.5%", "5%", "10%")}),
        fitted_beta,
    )


def _kpss(series: FloatArray, lags: int | str) -> Any:
    """Call statsmodels for its tuple, without its warning that p is clipped: ``bound`` says so."""
    from statsmodels.tools.sm_exceptions import InterpolationWarning
    from statsmodels.tsa.stattools import kpss as oracle

    options: dict[str, Any] = {"regression": "c", "nlags": lags}
    if "result_object" in inspect.signature(oracle).parameters:
        options["result_object"] = False  # 0.15 asks how to answer, 0.14 does not know the question
    with quiet(InterpolationWarning):
        return oracle(series, **options)
