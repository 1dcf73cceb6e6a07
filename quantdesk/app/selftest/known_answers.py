"""Check the statistics by answers that are published: NIST's regression, MacKinnon's critical values."""

from __future__ import annotations

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok

#: NIST Statistical Reference Datasets, "Norris" (ozone monitors), 36 pairs of y and x with certified answers.
_NORRIS_Y = (
    0.1, 338.8, 118.1, 888.0, 9.2, 228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3, 0.1, 778.1, 668.8, 339.3, 448.9,
    10.8, 557.7, 228.3, 998.0, 888.8, 119.6, 0.3, 0.6, 557.6, 339.3, 888.0, 998.5, 778.9, 10.2, 117.6, 228.9, 668.4,
    449.2, 0.2,
)  # fmt: skip
_NORRIS_X = (
    0.2, 337.4, 118.2, 884.6, 10.1, 226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4, 0.6, 775.5, 666.9, 338.0, 447.5,
    11.6, 556.0, 228.1, 995.8, 887.6, 120.2, 0.3, 0.3, 556.8, 339.1, 887.2, 999.0, 779.0, 11.1, 118.3, 229.2, 669.1,
    448.9, 0.5,
)  # fmt: skip
_INTERCEPT, _SLOPE = -0.262323073774029, 1.00211681802045
#: Errors of the standard kind that NIST certifies with them.
_INTERCEPT_ERROR, _SLOPE_ERROR = 0.232818234301152, 0.429796848199937e-3
#: MacKinnon (2010), table 2: critical values are b0 + b1/T + b2/T² + b3/T³, with a constant, one and two series.
_UNIT_ROOT = {
    "1%": (-3.43035, -6.5393, -16.786, -79.433),
    "5%": (-2.86154, -2.8903, -4.234, -40.040),
    "10%": (-2.56677, -1.5384, -2.809, 0.0),
}
_COINTEGRATION = {
    "5%": (-3.33613, -6.1101, -6.823, 0.0),
    "10%": (-3.04445, -4.2412, -2.720, 0.0),
}
#: Least squares by QR keep about 12 of the certified 15 digits; the tables have no rounding to allow for.
_OLS_TOLERANCE, _TABLE_TOLERANCE = 1e-9, 1e-9
#: MacKinnon's (1994) p value surface is itself good to about three digits.
_P_TOLERANCE = 1e-3


def check_statistics(_: Ground) -> Finding:
    """Compare statsmodels' answers, and the desk's own tests made with them, with published ones."""
    worst = max(_regression_error(), _table_error())
    p_error = _p_value_error()
    words = f"largest deviation {worst:.1e} (allowed {_OLS_TOLERANCE:.0e}), of p {p_error:.1e} ({_P_TOLERANCE:.0e})"
    if not (worst <= max(_OLS_TOLERANCE, _TABLE_TOLERANCE) and p_error <= _P_TOLERANCE):
        return failed(f"the answers are not the published ones: {words}")
    return ok(f"NIST's certified regression and MacKinnon's critical values are met: {words}")


def _regression_error() -> float:
    """Return the largest relative error of a regression whose answer NIST certifies."""
    import numpy as np
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools.tools import add_constant

    fitted = OLS(np.array(_NORRIS_Y), add_constant(np.array(_NORRIS_X))).fit()
    found = (*fitted.params, *fitted.bse)
    certified = (_INTERCEPT, _SLOPE, _INTERCEPT_ERROR, _SLOPE_ERROR)
    return max(abs(float(one) / other - 1) for one, other in zip(found, certified, strict=True))


def _table_error() -> float:
    """Return the largest error of the critical values that the desk's own tests show."""
    import numpy as np

    from quantdesk.analytics.stationarity import adf, engle_granger

    y, x = np.array(_NORRIS_Y), np.array(_NORRIS_X)
    tests = ((adf(y, lag=0), _UNIT_ROOT), (engle_granger(y, np.sqrt(x), lag=0), _COINTEGRATION))
    errors: list[float] = [
        abs(float(found.critical_values[level]) - sum(b / (len(y) - 1) ** power for power, b in enumerate(row)))
        for found, table in tests
        for level, row in table.items()
    ]
    return max(errors)


def _p_value_error() -> float:
    """Return how far the p value at the asymptotic 5 % critical value is from 5 %."""
    from statsmodels.tsa.adfvalues import mackinnonp

    found = (mackinnonp(_UNIT_ROOT["5%"][0], "c", 1), mackinnonp(_COINTEGRATION["5%"][0], "c", 2))
    return max(abs(float(p) - 0.05) for p in found)
