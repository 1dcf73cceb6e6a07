"""Lay an analysis out as a table for people."""

from __future__ import annotations

import math
from textwrap import fill

from quantdesk.analytics.analysis import HEDGE_NAMES, PairAnalysis
from quantdesk.analytics.breaks import CUSUM_BOUND_5
from quantdesk.analytics.johansen import CRITICAL_LEVELS
from quantdesk.analytics.stationarity import TestResult
from quantdesk.analytics.utc_text import span_text

_WIDTH = 34
_TESTS = (
    ("engle_granger", "Engle-Granger, y on x"),
    ("engle_granger_reverse", "Engle-Granger, x on y"),
    ("adf", "ADF"),
)


def as_text(analysis: PairAnalysis) -> str:
    """Return the numbers of an analysis as aligned lines, the verdict first, notes last."""
    pair, unit = analysis.pair, analysis.unit
    title = f"{pair.name_y} on {pair.name_x}, {unit}, {pair.interval}, {span_text(analysis.times)} UTC, whole sample"
    blocks = [
        [title, line("observations", len(analysis.times))],
        _verdict(analysis),
        _hedges(analysis),
        _spread(analysis),
        _z(analysis),
        _correlation(analysis),
        _tests(analysis),
    ]
    if analysis.evidence.adf is not None and not analysis.evidence.beta_given:
        blocks.append(
            ["Caution: beta was fitted on this sample, so the p of the ADF is too small; Engle-Granger's is not."]
        )
    blocks.append([f"note: {note}" for note in analysis.notes])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def line(name: str, value: float | str | None, remark: str = "") -> str:
    """Return one aligned line: name, value, remark."""
    shown = value if isinstance(value, str) else _number(value)
    return f"{name:<{_WIDTH}}{shown:>14}  {remark}".rstrip()


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _verdict(analysis: PairAnalysis) -> list[str]:
    verdict = analysis.evidence.verdict
    if verdict is None:
        return []
    wrapped = [fill(r, 110, initial_indent="  - ", subsequent_indent="    ") for r in verdict.remarks]
    return [*fill(verdict.headline, 110).splitlines(), *wrapped]


def _hedges(analysis: PairAnalysis) -> list[str]:
    fit = analysis.evidence.fit
    lines: list[str] = []
    for name, ratio in analysis.hedges.items():
        remark = ratio.label if ratio.beta is not None else ratio.reason
        lines.append(line(f"hedge ratio beta ({HEDGE_NAMES[name]})", ratio.beta, remark))
        if name == "ols":
            lines += [
                line("  standard error", fit.stderr_beta),
                line("  alpha", fit.alpha),
                line("  R squared", fit.r_squared),
            ]
    return lines


def _spread(analysis: PairAnalysis) -> list[str]:
    found = analysis.evidence
    spread, hurst, size = found.spread, found.hurst, found.effective
    life = found.reasons.get("half_life", "bars")
    return [
        line("spread last", float(spread[-1]), "y - beta x"),
        line("spread mean", float(spread.mean())),
        line("spread deviation", float(spread.std(ddof=1)), "ddof 1"),
        line("half-life", found.half_life, life),
        line("Hurst exponent", hurst.text, hurst.label) if hurst else _none("Hurst exponent", "hurst", analysis),
        line("effective sample", size.size, size.label) if size else _none("effective sample", "effective", analysis),
    ]


def _none(title: str, name: str, analysis: PairAnalysis) -> str:
    return line(title, None, analysis.evidence.reasons.get(name, ""))


def _z(analysis: PairAnalysis) -> list[str]:
    rates = analysis.base_rate
    lines = [line("z last", float(analysis.z[-1]), analysis.z_label)]
    lines.append(
        line("  base rate", f"{100 * rates.random_walk:.1f} %", "share of the bars of a random walk beyond ±2")
    )
    if rates.history is not None:
        lines.append(line("  beyond ±2 here", f"{100 * rates.history:.1f} %", f"of {rates.bars:,} bars"))
    return lines


def _correlation(analysis: PairAnalysis) -> list[str]:
    lines = [line("correlation of returns", analysis.returns_correlation, "Pearson, log returns of bars")]
    ticks = analysis.tick_correlation
    if ticks is not None:
        counted = f"log returns of trades, {ticks.returns_y:,} and {ticks.returns_x:,}"
        lines.append(line("  Hayashi-Yoshida", ticks.correlation, ticks.reason or counted))
    return lines


def _tests(analysis: PairAnalysis) -> list[str]:
    found = analysis.evidence
    lines: list[str] = []
    for name, title in _TESTS:
        test = getattr(found, name)
        lines += [_none(title, name, analysis)] if test is None else _unit_root(test)
        if name == "engle_granger_reverse":
            remark = "Engle-Granger in both directions, min(1, 2 x smaller p)"
            lines.append(line("cointegration p", found.combined_p, found.reasons.get("combined_p", remark)))
    kpss = found.kpss
    if kpss is None:
        lines.append(_none("KPSS", "kpss", analysis))
    else:
        source = ", Shin's value for a fitted beta" if kpss.fitted_beta else ""
        lines += [kpss.label, line("  statistic", kpss.statistic, f"5% {kpss.critical_5:.3f}{source}")]
        lines.append(line("  p", kpss.p_text, "null: stationary"))
    return lines + _johansen(analysis) + _cusum(analysis)


def _unit_root(test: TestResult) -> list[str]:
    critical = ", ".join(f"{level} {value:.3f}" for level, value in test.critical_values.items())
    return [test.label, line("  statistic", test.statistic, critical), line("  p", test.p_value)]


def _johansen(analysis: PairAnalysis) -> list[str]:
    found = analysis.evidence.johansen
    if found is None:
        return [_none("Johansen", "johansen", analysis)]
    lines = [found.label]
    tests = (
        ("trace", found.trace, found.critical_values_trace),
        ("max-eigen", found.max_eigen, found.critical_values_max_eigen),
    )
    for name, values, critical in tests:
        for r in range(2):
            bounds = ", ".join(f"{k} {v:.3f}" for k, v in zip(CRITICAL_LEVELS, critical[r].tolist(), strict=True))
            lines.append(line(f"  {name}, r = {r}", float(values[r]), bounds))
    return lines


def _cusum(analysis: PairAnalysis) -> list[str]:
    found = analysis.evidence.cusum
    if found is None:
        return [_none("CUSUM", "cusum", analysis)]
    return [found.label, line("  statistic", found.statistic, f"5% {CUSUM_BOUND_5}"), line("  p", found.p_value)]
