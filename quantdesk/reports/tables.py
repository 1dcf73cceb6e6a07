"""Lay the numbers of an analysis out as tables: each with its method, its lag and its sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quantdesk.analytics.analysis import HEDGE_NAMES, PairAnalysis
from quantdesk.analytics.kpss import KpssResult
from quantdesk.analytics.stationarity import TestResult
from quantdesk.reports.words import figure, probability, row, table, text

_N, _HOW = "n", "how"


def hedge_table(analysis: PairAnalysis) -> str:
    """Return every hedge ratio with the way it was made."""
    per = "value of x per value of y" if analysis.options.log else "units of x per unit of y"
    heads = (("", "method"), (_N, "β"), (_N, "α"), (_HOW, "how"))
    rows = []
    for name, ratio in analysis.hedges.items():
        alpha = "" if ratio.alpha is None else figure(ratio.alpha)
        how = text(ratio.label if ratio.beta is not None else ratio.reason)
        rows.append(row(HEDGE_NAMES[name], ((_N, figure(ratio.beta)), (_N, alpha), (_HOW, how))))
    return table(f"Hedge ratio <small>{per}, whole sample</small>", heads, rows)


def test_table(analysis: PairAnalysis) -> str:
    """Return every test: statistic, 5 % critical value, p and what it says, lag, method and sample."""
    found = analysis.evidence
    heads = (("", "test"), (_N, "statistic"), (_N, "5 %"), (_N, "p"), ("", "at 5 %"), (_HOW, "method, sample, lag"))
    rows = [
        _unit_root_row("Engle-Granger, y on x", found.engle_granger, found.reasons.get("engle_granger", "")),
        _unit_root_row(
            "Engle-Granger, x on y", found.engle_granger_reverse, found.reasons.get("engle_granger_reverse", "")
        ),
    ]
    if found.combined_p is not None:
        rows.append(
            row(
                "Engle-Granger, both",
                (
                    (_N, ""),
                    (_N, ""),
                    (_N, probability(found.combined_p)),
                    _says(found.combined_p < 0.05, "cointegrated", "not rejected"),
                    (_HOW, "min(1, 2 · smaller p): taking the better direction is a selection"),
                ),
            )
        )
    rows += [
        _unit_root_row(f"Engle-Granger, {name} lag", test, "")
        for name, test in found.by_criterion.items()
        if test is not found.engle_granger
    ]
    rows.append(_unit_root_row("ADF of the spread", found.adf, found.reasons.get("adf", "")))
    rows.append(_kpss_row(found.kpss, found.reasons.get("kpss", "")))
    rows += _johansen_rows(analysis)
    rows.append(_cusum_row(analysis))
    return table("Tests", heads, rows)


def reversion_table(analysis: PairAnalysis) -> str:
    """Return the spread's moments and how fast it reverts."""
    found = analysis.evidence
    spread = found.spread
    heads = (("", "spread y − βx"), (_N, "value"), (_HOW, "how"))
    whole = f"whole sample, n={len(spread)}; a description, not a signal"
    mean, deviation = (float(spread.mean()), float(spread.std(ddof=1))) if len(spread) > 1 else (None, None)
    rows = [
        row("last", ((_N, figure(float(spread[-1]) if len(spread) else None)), (_HOW, text(analysis.unit)))),
        row("mean", ((_N, figure(mean)), (_HOW, whole))),
        row("standard deviation", ((_N, figure(deviation)), (_HOW, f"{whole}; ddof 1"))),
    ]
    life = found.half_life
    how = "−ln 2/λ, Δs = λ s₋₁ + μ + ε by OLS" if life is not None else text(found.reasons["half_life"])
    rows.append(row("half-life", ((_N, f"{figure(life, 4)} bars" if life is not None else "none"), (_HOW, how))))
    hurst, size = found.hurst, found.effective
    how = text(hurst.label if hurst else found.reasons.get("hurst", ""))
    rows.append(row("Hurst exponent", ((_N, text(hurst.text) if hurst else "none"), (_HOW, how))))
    how = text(size.label if size else found.reasons.get("effective", ""))
    rows.append(row("effective sample", ((_N, figure(size.size, 4) if size else "none"), (_HOW, how))))
    return table("Spread and reversion", heads, rows)


def correlation_table(analysis: PairAnalysis) -> str:
    """Return the correlations of the legs' returns."""
    heads = (("", "correlation"), (_N, "value"), (_HOW, "how"))
    how = f"Pearson, log returns of bars, n={max(0, len(analysis.times) - 1)}"
    rows = [row("returns of bars", ((_N, figure(analysis.returns_correlation, 4)), (_HOW, how)))]
    ticks = analysis.tick_correlation
    if ticks is not None:
        error = f", standard error {figure(ticks.stderr, 3)}" if np.isfinite(ticks.stderr) else ""
        how = ticks.reason or f"log returns of trades, n={ticks.returns_y} (y), {ticks.returns_x} (x){error}"
        rows.append(row("Hayashi-Yoshida", ((_N, figure(ticks.correlation, 4)), (_HOW, text(how)))))
    return table("Correlation", heads, rows)


def _says(rejects: bool, yes: str, no: str, css: str = "yes") -> tuple[str, str]:
    return (css, yes) if rejects else ("no", no)


def _absent(name: str, reason: str) -> str:
    return row(text(name), ((_N, "none"), (_N, ""), (_N, ""), ("no", ""), (_HOW, text(reason))))


def _unit_root_row(name: str, test: TestResult | None, reason: str) -> str:
    if test is None:
        return _absent(name, reason)
    cells = (
        (_N, figure(test.statistic, 5)),
        (_N, figure(test.critical_values["5%"], 4)),
        (_N, probability(test.p_value)),
        _says(test.rejects, "rejects a unit root", "not rejected"),
        (_HOW, text(test.label)),
    )
    return row(text(name), cells)


def _kpss_row(test: KpssResult | None, reason: str) -> str:
    if test is None:
        return _absent("KPSS of the spread", reason)
    source = " (Shin)" if test.fitted_beta else ""
    cells = (
        (_N, figure(test.statistic, 5)),
        (_N, figure(test.critical_5, 3) + source),
        (_N, text(test.p_text)),
        _says(test.rejects, "rejects stationarity", "not rejected", "against"),
        (_HOW, text(test.label)),
    )
    return row("KPSS of the spread", cells)


def _johansen_rows(analysis: PairAnalysis) -> Iterator[str]:
    found = analysis.evidence.johansen
    if found is None:
        yield _absent("Johansen", analysis.evidence.reasons.get("johansen", ""))
        return
    tests = (
        ("trace", found.trace, found.critical_values_trace),
        ("max-eigen", found.max_eigen, found.critical_values_max_eigen),
    )
    for name, values, critical in tests:
        for r in range(2):
            bound = float(critical[r, 1])
            cells = (
                (_N, figure(float(values[r]), 5)),
                (_N, figure(bound, 4)),
                (_N, ""),
                _says(float(values[r]) > bound, f"more than {r}" if r else "a relation", "not rejected"),
                (_HOW, text(found.label)),
            )
            yield row(f"Johansen {name}, r = {r}", cells)


def _cusum_row(analysis: PairAnalysis) -> str:
    found = analysis.evidence.cusum
    if found is None:
        return _absent("CUSUM of residuals", analysis.evidence.reasons.get("cusum", ""))
    cells = (
        (_N, figure(found.statistic, 5)),
        (_N, "1.358"),
        (_N, probability(found.p_value)),
        _says(found.breaks, "a break", "not rejected", "against"),
        (_HOW, text(f"{found.label}; taken for independent the statistic would be {figure(found.plain_statistic, 4)}")),
    )
    return row("CUSUM of residuals", cells)
