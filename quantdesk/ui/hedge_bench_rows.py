"""Write a hedge bench as rows of words, each with the sentence that explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.hedge_bench import BenchRow
from quantdesk.bars.arrays import FloatArray
from quantdesk.model.hedge_bench import Bench
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.ui.charts.ticks import decimals_of_scale, number
from quantdesk.ui.hedge_words import hedge_name, hedge_tip

translate = QCoreApplication.translate
NONE = "–"
_BASIS_POINTS = 1e4


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold the text of a cell and what it says under the pointer."""

    text: str
    tip: str = ""


def heads() -> tuple[Cell, ...]:
    """Return the columns, each with its meaning in plain words."""
    return (
        Cell(
            translate("bench", "Method"),
            translate("bench", "How β is estimated. ✓ marks the one that draws the spread now."),
        ),
        Cell(
            translate("bench", "β now"),
            translate(
                "bench", "How much of x is held against one y (prices), or dollars of x against a dollar of y (logs)."
            ),
        ),
        Cell(
            translate("bench", "± 2 se"),
            translate(
                "bench",
                "Two standard errors of β. They take the residuals for independent, which a spread's are not: "
                "the true band is wider.",
            ),
        ),
        Cell(
            translate("bench", "Var. of changes"),
            translate(
                "bench",
                "What the hedge leaves of the variance of y's changes, on the bars after the formation: "
                "0 % is a perfect hedge, 100 % none. In brackets: as a multiple of the best row.",
            ),
        ),
        Cell(
            translate("bench", "Var. of spread"),
            translate("bench", "The same in levels: the variance of the hedged y over that of y, after the formation."),
        ),
        Cell(
            translate("bench", "Half-life"),
            translate("bench", "Bars until half of a deviation of the hedged y is gone, after the formation."),
        ),
        Cell(
            translate("bench", "p, fitted"),
            translate(
                "bench",
                "Engle and Granger's test on the formation bars, with a table that knows that β was fitted there: "
                "how often two unrelated legs look at least as tied as these.",
            ),
        ),
        Cell(
            translate("bench", "p, after"),
            translate("bench", "Dickey and Fuller's test on the bars after the formation, which β has not seen."),
        ),
        Cell(
            translate("bench", "Turnover"),
            translate(
                "bench", "Value of x traded a bar because β moved, in basis points (0.01 %) of the value of y held."
            ),
        ),
        Cell(translate("bench", "Why not"), translate("bench", "Why a value is missing.")),
    )


def bench_cells(bench: Bench, row: BenchRow, adopted: HedgeMethod | None) -> tuple[Cell, ...]:
    """Return the cells of a row in the order of ``heads``."""
    method = HedgeMethod.of_bench(row.method)
    name = hedge_name(method)
    mark = "✓ " if method is adopted else ""
    stated = bench.settings.kalman_delta if method is HedgeMethod.KALMAN else 0.0
    tip = hedge_tip(method) + ("\n" + translate("bench", "δ {0} as stated.").format(f"{stated:g}") if stated else "")
    tip += "\n" + translate("bench", "It draws the spread now.") if mark else ""
    return (
        Cell(mark + name, tip),
        _beta(row),
        _band(row),
        _variance(row.change_variance, bench.best, row.reasons.get("change_variance", "")),
        _variance(row.spread_variance, None, row.reasons.get("spread_variance", "")),
        _half_life(row),
        _p(row.fitted_p, row.fitted_test, row.reasons.get("fitted_p", "")),
        _p(row.given_p, row.given_test, row.reasons.get("given_p", "")),
        _turnover(row),
        _reasons(row),
    )


def beta_now(row: BenchRow) -> float:
    """Return the newest ratio of a row, NaN without one."""
    return _newest(row.path)


def beta_text(value: float) -> str:
    """Write a ratio with five digits."""
    return number(value, decimals_of_scale(abs(value), 5)) if math.isfinite(value) else NONE


def window_words(bench: Bench, span: str) -> str:
    """Say what was fitted on which bars and what judges; ``span`` are the formation bars in words."""
    after = len(bench.times) - bench.formation
    unit = translate("bench", "log prices") if bench.log else translate("bench", "prices")
    words = translate("bench", "{unit}: fitted on {fitted} bars, {span}; judged on the {after} after.").format(
        unit=unit[:1].upper() + unit[1:], fitted=f"{bench.formation:,}", span=span, after=f"{after:,}"
    )
    if bench.own_window:
        return words
    return (
        words
        + " "
        + translate(
            "bench",
            "Too few bars have followed the pair's own formation window to judge by, so these are earlier ones: "
            "a frozen ratio that is adopted is fitted on the pair's own.",
        )
    )


def bench_text(bench: Bench, title: str, words: str, adopted: HedgeMethod | None) -> str:
    """Return the whole bench as lines with tabs, the tests named in full, for pasting elsewhere."""
    lines = [title, words, "\t".join([*(head.text for head in heads()[:-1]), translate("bench", "Tests and reasons")])]
    for row in bench.rows:
        cells = [cell.text for cell in bench_cells(bench, row, adopted)[:-1]]
        notes = [test for test in (row.fitted_test, row.given_test) if test]
        notes += [f"{name}: {reason}" for name, reason in row.reasons.items()]
        lines.append("\t".join([*cells, "; ".join(notes)]))
    return "\n".join(lines)


def _beta(row: BenchRow) -> Cell:
    now = beta_now(row)
    if not math.isfinite(now):
        return Cell(NONE, row.reasons.get("beta", ""))
    fitted = "" if row.beta is None else beta_text(row.beta)
    return Cell(beta_text(now), translate("bench", "At the end of the formation bars: {0}").format(fitted or NONE))


def _band(row: BenchRow) -> Cell:
    wide = (_newest(row.upper) - _newest(row.lower)) / 2
    if not math.isfinite(wide):
        return Cell(NONE, row.reasons.get("beta") or translate("bench", "This method comes without an error of its β."))
    text = number(wide, decimals_of_scale(abs(beta_now(row)), 5))
    if not any(digit in "123456789" for digit in text):
        text = number(wide, decimals_of_scale(wide, 2))
    low, high = beta_text(_newest(row.lower)), beta_text(_newest(row.upper))
    return Cell(text, translate("bench", "β from {0} to {1}").format(low, high))


def _variance(value: float | None, best: float | None, reason: str) -> Cell:
    if value is None:
        return Cell(NONE, reason)
    share = 100 * value
    text = f"{number(share, decimals_of_scale(share, 3))} %"
    if best is None:
        return Cell(text)
    if value == best:
        return Cell(translate("bench", "{0} (best)").format(text))
    return Cell(f"{text} (×{number(value / best, 2)})" if best > 0 else text)


def _half_life(row: BenchRow) -> Cell:
    if row.half_life is None:
        return Cell(NONE, row.reasons.get("half_life", ""))
    return Cell(translate("bench", "{0} bars").format(number(row.half_life, 1)))


def _p(value: float | None, test: str, reason: str) -> Cell:
    if value is None:
        return Cell(NONE, reason)
    name = "EG" if test.startswith("Engle") else "ADF"
    return Cell(f"{name} {'< 0.001' if value < 0.001 else number(value, 3)}", f"{test}: p {value:.4g}")


def _turnover(row: BenchRow) -> Cell:
    if row.turnover is None:
        return Cell(NONE, row.reasons.get("turnover", ""))
    points = _BASIS_POINTS * row.turnover
    text = "0" if points == 0 else number(points, decimals_of_scale(points, 2))
    return Cell(translate("bench", "{0} bp").format(text))


def _reasons(row: BenchRow) -> Cell:
    """Return the reason that hides most first; the others under the pointer."""
    found = list(dict.fromkeys(row.reasons.get(name, "") for name in ("beta", "change_variance", *row.reasons)))
    found = [reason for reason in found if reason]
    return Cell(found[0], "\n".join(found)) if found else Cell("")


def _newest(values: FloatArray) -> float:
    there = np.flatnonzero(np.isfinite(values))
    return float(values[there[-1]]) if len(there) else math.nan
