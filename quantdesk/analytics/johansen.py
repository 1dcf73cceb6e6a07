"""Test two legs for cointegration as equals: Johansen's eigenvalues, both statistics and the hedge ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.hedge import finite_pairs
from quantdesk.analytics.quiet import quiet
from quantdesk.analytics.stationarity import NoValueError, is_flat
from quantdesk.bars.arrays import FloatArray

#: An eigenvalue this near one leaves a combination of the legs that fits exactly.
_EXACT = 1 - 1e-8
#: Levels of the columns of both tables of critical values.
CRITICAL_LEVELS = ("10%", "5%", "1%")


@dataclass(frozen=True, slots=True)
class JohansenResult:
    """Hold one Johansen test of two legs; row r of each statistic tests "at most r relations".

    ``trace``, ``max_eigen`` and ``eigenvalues`` (descending) have length 2. The critical values are
    (2, 3), columns 10 %, 5 %, 1 % (``CRITICAL_LEVELS``). ``eigenvector`` = (v_y, v_x) belongs to the
    largest eigenvalue, scaled to v_y = 1, since its length and sign are arbitrary; so
    ``beta`` = -v_x / v_y is units of x per unit of y (dollars per dollar for logs).
    """

    trace: FloatArray
    max_eigen: FloatArray
    eigenvalues: FloatArray
    critical_values_trace: FloatArray
    critical_values_max_eigen: FloatArray
    beta: float
    eigenvector: FloatArray
    observations: int
    k_ar_diff: int
    det_order: int

    def __post_init__(self) -> None:
        for name in ("trace", "max_eigen", "eigenvalues", "critical_values_trace", "critical_values_max_eigen"):
            getattr(self, name).setflags(write=False)
        self.eigenvector.setflags(write=False)

    def rank(self, level: str = "5%") -> int:
        """Return how many relations the trace test finds at a level: 0, 1, or 2 (both legs stationary)."""
        column = CRITICAL_LEVELS.index(level)
        rejected = self.trace > self.critical_values_trace[:, column]
        return 0 if not rejected[0] else 1 + int(rejected[1])

    @property
    def label(self) -> str:
        """Return the test with everything a reader needs to repeat it."""
        terms = {-1: "no constant", 0: "constant", 1: "linear trend"}[self.det_order]
        return f"Johansen, {terms}, n={self.observations}, {self.k_ar_diff} lagged differences"


def johansen(y: FloatArray, x: FloatArray, k_ar_diff: int = 1, det_order: int = 0) -> JohansenResult:
    """Return Johansen's test of (y, x) with ``k_ar_diff`` lagged differences (Johansen 1988, 1991).

    ``det_order`` -1: no deterministic term, 0: constant, 1: linear trend. Rows in which a leg is not
    finite are left out. statsmodels computes it; the legs are standardised first, which changes
    no statistic. The tables for a constant assume legs that drift: of independent walks without
    drift the trace test rejects 11 % at a nominal 5 %, the largest eigenvalue 6.5 % (measured at
    n = 500). Raises NoValueError where the test does not exist, ValueError for a bad argument.
    """
    if det_order not in (-1, 0, 1):
        raise ValueError(f"the deterministic terms must be -1, 0 or 1, not {det_order}")
    if k_ar_diff < 0:
        raise ValueError(f"the number of lagged differences must not be negative, but is {k_ar_diff}")
    y, x = finite_pairs(y, x)
    # Residuals of both equations after lags and constants, and two covariances more.
    fewest = 3 * k_ar_diff + 8
    if len(y) < fewest:
        raise NoValueError(f"{len(y)} joint observations are too few for Johansen's test: it needs {fewest}")
    scales = []
    for name, leg in (("y", y), ("x", x)):
        if is_flat(leg):
            raise NoValueError(f"{name} does not vary")
        scales.append(float(leg.std()))
    shifts = (y.mean(), x.mean()) if det_order >= 0 else (0.0, 0.0)
    legs = np.column_stack([(leg - shift) / scale for leg, shift, scale in zip((y, x), shifts, scales, strict=True)])
    found = _eigen(legs, det_order, k_ar_diff)
    eigenvalues, vector = np.array(found.eig, np.float64), np.array(found.evec[:, 0], np.float64) / np.array(scales)
    if not vector[0] * scales[0] != 0:
        raise NoValueError("the relation holds x alone: there is no hedge ratio")
    vector = vector / vector[0]
    return JohansenResult(
        trace=np.array(found.trace_stat, np.float64),
        max_eigen=np.array(found.max_eig_stat, np.float64),
        eigenvalues=eigenvalues,
        critical_values_trace=np.array(found.trace_stat_crit_vals, np.float64),
        critical_values_max_eigen=np.array(found.max_eig_stat_crit_vals, np.float64),
        beta=float(-vector[1]),
        eigenvector=vector,
        observations=len(y),
        k_ar_diff=k_ar_diff,
        det_order=det_order,
    )


def _eigen(legs: FloatArray, det_order: int, k_ar_diff: int):  # type: ignore[no-untyped-def]  # statsmodels' own type
    """Run statsmodels' test; NoValueError where it fails or the legs are collinear."""
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    try:
        with quiet():
            found = coint_johansen(legs, det_order, k_ar_diff)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise NoValueError(f"the legs leave nothing to test: {error}") from error
    eigenvalues = np.asarray(found.eig)
    sound = not np.iscomplexobj(eigenvalues) and bool(np.isfinite(eigenvalues).all())
    if not sound or not bool(((eigenvalues > -1e-12) & (eigenvalues < _EXACT)).all()):
        raise NoValueError("the legs are almost perfectly collinear: nothing is left to test")
    if not bool(np.isfinite(np.r_[found.trace_stat, found.max_eig_stat, found.evec.ravel()]).all()):
        raise NoValueError("the test has no finite statistic")
    return found
