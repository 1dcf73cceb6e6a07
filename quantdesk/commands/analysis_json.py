"""Turn an analysis into the object that ``analyze --json`` prints: plain numbers, null for what is none."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantdesk.analytics.analysis import PairAnalysis
from quantdesk.analytics.breaks import CUSUM_BOUND_5
from quantdesk.analytics.johansen import CRITICAL_LEVELS
from quantdesk.analytics.kpss import KpssResult
from quantdesk.analytics.stationarity import TestResult


def as_json(analysis: PairAnalysis) -> dict[str, Any]:
    """Return the analysis as JSON knows it, numbers not rounded; the keys are a promise to scripts."""
    pair, found, options = analysis.pair, analysis.evidence, analysis.options
    spread, size, hurst, ticks = found.spread, found.effective, found.hurst, analysis.tick_correlation
    numbers: dict[str, Any] = {
        "sample": "whole sample",
        "y": pair.name_y,
        "x": pair.name_x,
        "interval": pair.interval,
        "start_ms": int(analysis.times[0]),
        "end_ms": int(analysis.times[-1]),
        "log": options.log,
        "observations": len(analysis.times),
        "hedge": _hedges(analysis),
        "spread": {
            "mean": float(spread.mean()),
            "std": float(spread.std(ddof=1)),
            "last": float(spread[-1]),
            "half_life": found.half_life,
            "hurst": None if hurst is None else hurst.value,
            "effective_sample": None if size is None else size.size,
        },
        "z": {
            "window": options.window,
            "last": float(analysis.z[-1]),
            "kind": analysis.z_name,
            "base_rate": analysis.base_rate.random_walk,
            "beyond": analysis.base_rate.history,
            "threshold": analysis.base_rate.threshold,
            "label": analysis.z_label,
            "look_ahead": analysis.looks_ahead,
        },
        "correlation": {
            "returns": analysis.returns_correlation,
            "hayashi_yoshida": None if ticks is None else ticks.correlation,
        },
        "tests": {
            "engle_granger": _test(found.engle_granger),
            "engle_granger_reverse": _test(found.engle_granger_reverse),
            "engle_granger_combined": None if found.combined_p is None else {"p_value": found.combined_p},
            "engle_granger_by_criterion": {name: _test(test) for name, test in found.by_criterion.items()},
            "adf": _test(found.adf, fitted_beta=True),
            "kpss": _kpss(found.kpss),
            "johansen": _johansen(analysis),
            "cusum": _cusum(analysis),
        },
        "verdict": _verdict(analysis),
        "notes": list(analysis.notes),
    }
    plain: dict[str, Any] = _plain(numbers)
    return plain


def _hedges(analysis: PairAnalysis) -> dict[str, Any]:
    """Return every method's numbers; ``beta`` is in each. OLS of x on y stands beside that of y on x."""
    fit = analysis.evidence.fit
    shown: dict[str, Any] = {}
    for key, ratio in analysis.hedges.items():
        shown[key] = {"beta": ratio.beta, "label": ratio.label}
        if ratio.alpha is not None:
            shown[key]["alpha"] = ratio.alpha
        shown[key].update(ratio.details)
    reverse = shown.pop("ols_reverse")
    shown["ols"].update(alpha=fit.alpha, beta=fit.beta, r_squared=fit.r_squared, stderr=fit.stderr_beta)
    shown["ols"]["beta_reverse"] = reverse["beta"]
    return shown


def _test(result: TestResult | None, *, fitted_beta: bool = False) -> dict[str, Any] | None:
    if result is None:
        return None
    shown: dict[str, Any] = {
        "statistic": result.statistic,
        "p_value": result.p_value,
        "lags": result.lags,
        "lag_method": result.lag_method,
        "critical_values": dict(result.critical_values),
        "label": result.label,
    }
    if fitted_beta:
        shown["fitted_beta"] = result.fitted_beta
    return shown


def _kpss(result: KpssResult | None) -> dict[str, Any] | None:
    """Return KPSS; ``p_bound`` is "<" or ">" where p is clipped to 0.01 or 0.10, else null."""
    if result is None:
        return None
    return {
        "statistic": result.statistic,
        "p_value": result.p_value,
        "p_bound": result.bound or None,
        "lags": result.lags,
        "lag_method": result.lag_method,
        "critical_values": dict(result.critical_values),
        "critical_5_used": result.critical_5,
        "label": result.label,
        "fitted_beta": result.fitted_beta,
    }


def _johansen(analysis: PairAnalysis) -> dict[str, Any] | None:
    """Return Johansen's test; each array has an entry for r = 0 and one for r = 1."""
    result = analysis.evidence.johansen
    if result is None:
        return None
    return {
        "trace": result.trace.tolist(),
        "max_eigen": result.max_eigen.tolist(),
        "eigenvalues": result.eigenvalues.tolist(),
        "critical_values_trace": result.critical_values_trace.tolist(),
        "critical_values_max_eigen": result.critical_values_max_eigen.tolist(),
        "critical_levels": list(CRITICAL_LEVELS),
        "rank": result.rank(),
        "det_order": result.det_order,
        "k_ar_diff": result.k_ar_diff,
        "label": result.label,
    }


def _cusum(analysis: PairAnalysis) -> dict[str, Any] | None:
    result = analysis.evidence.cusum
    if result is None:
        return None
    return {
        "statistic": result.statistic,
        "plain_statistic": result.plain_statistic,
        "p_value": result.p_value,
        "critical_5": CUSUM_BOUND_5,
        "largest_ms": int(analysis.times[result.row]),
        "lags": result.lags,
        "label": result.label,
    }


def _verdict(analysis: PairAnalysis) -> dict[str, Any] | None:
    verdict = analysis.evidence.verdict
    if verdict is None:
        return None
    return {
        "agreement": verdict.agreement.value,
        "cointegrated": verdict.cointegrated,
        "headline": verdict.headline,
        "remarks": list(verdict.remarks),
    }


def _plain(value: Any) -> Any:
    """Return a value that JSON knows: no NumPy number, no NaN or infinity."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None
    return value
