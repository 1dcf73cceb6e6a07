"""Choose what the evidence draws over time: p in windows, the CUSUM of the residuals, and the rolling slope."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.breaks import CUSUM_BOUND_5
from quantdesk.analytics.evidence import FEWEST_PATH_BARS, FEWEST_TEST_BARS, PairEvidence
from quantdesk.bars.arrays import FloatArray
from quantdesk.ui.charts.ticks import decimals_of_scale, number
from quantdesk.ui.evidence_rows import p_text
from quantdesk.ui.evidence_shapes import Drawing, Guide, PClass

#: The axis of p ends here: what is smaller is drawn at its foot.
SMALLEST_P = 1e-4
_P_BOUNDS = (0.01, 0.05, 0.10)


def _tr(text: str) -> str:
    return QCoreApplication.translate("evidence", text)


def titles() -> dict[str, str]:
    """Return the title of each chart, in their order."""
    return {
        "p": _tr("p over time"),
        "cusum": _tr("CUSUM of residuals"),
        "beta": _tr("Rolling β ± 2 standard errors"),
    }


def empty_words(name: str, evidence: PairEvidence) -> str:
    """Say why a chart has nothing to show, and how many bars it still needs."""
    keys = {"p": "p_over_time", "cusum": "cusum", "beta": "rolling_beta"}
    reason = evidence.reasons.get(keys[name], "")
    fewest = {"p": FEWEST_PATH_BARS + 1, "cusum": FEWEST_TEST_BARS, "beta": 0}[name]
    missing = fewest - evidence.observations
    if missing > 0:
        return _tr("Needs {0} more bars of both legs.").format(missing)
    return reason[:1].upper() + reason[1:] + "." if reason else _tr("There is no value.")


def p_drawing(evidence: PairEvidence) -> Drawing | None:
    """Return Engle-Granger's p over windows, each held from its window's last bar to the next one's."""
    path = evidence.p_over_time
    if path is None or not bool(np.isfinite(path.p_value).any()):
        return None
    held = np.full(len(evidence.times), np.nan)
    for row, p in zip(path.rows.tolist(), path.p_value.tolist(), strict=True):
        held[row : row + path.step] = p
    kinds = np.where(np.isfinite(held), np.searchsorted(np.array(_P_BOUNDS), held, "right"), -1).astype(np.int64)
    classes = (
        PClass(_tr("p < 0.01"), "ok", 1.0),
        PClass(_tr("< 0.05"), "ok", 0.55),
        PClass(_tr("< 0.10"), "warn", 0.6),
        PClass(_tr("≥ 0.10"), "crosshair", 0.35),
    )

    def read(row: int) -> str:
        p = float(held[row])
        if not math.isfinite(p):
            return _tr("no window ends here yet") if row < path.rows[0] else _tr("no value")
        return f"p {p_text(p)} ({classes[int(kinds[row])].words.removeprefix('p ')})"

    good = path.p_value[np.isfinite(path.p_value)]
    share = 100 * float((good < 0.05).mean())
    summary = _tr("{0}. Below 0.05 in {1} % of {2} overlapping windows.").format(
        path.label, number(share, 0), len(good)
    )
    return Drawing(
        title=_tr("p over time, y on x, windows of {0:,} bars").format(path.window),
        times=evidence.times,
        values=np.clip(held, SMALLEST_P, 1.0),
        color="z",
        limits=(SMALLEST_P, 1.0),
        read=read,
        summary=summary,
        guides=(Guide(0.05, _tr("5 %"), "level"),),
        log=True,
        strip=kinds,
        classes=classes,
    )


def cusum_drawing(evidence: PairEvidence) -> Drawing | None:
    """Return the CUSUM's path between its 5 % bounds, with a mark where it is farthest out if it breaks."""
    found = evidence.cusum
    if found is None:
        return None
    far = 1.12 * max(CUSUM_BOUND_5, float(np.abs(found.path).max()))

    def read(row: int) -> str:
        value = float(found.path[row])
        beyond = _tr("beyond the bound") if abs(value) > CUSUM_BOUND_5 else _tr("within ±{0}").format(CUSUM_BOUND_5)
        return f"{number(value, 3)}, {beyond}"

    says = _tr("It breaks: the largest is {0}.") if found.breaks else _tr("No break: the largest is {0}.")
    return Drawing(
        title=_tr("CUSUM of residuals, bound ±{0}").format(CUSUM_BOUND_5),
        times=evidence.times,
        values=found.path,
        color="spread",
        limits=(-far, far),
        read=read,
        summary=f"{found.label}. {says.format(number(found.statistic, 3))}",
        guides=(Guide(CUSUM_BOUND_5, _tr("5 %"), "level"), Guide(-CUSUM_BOUND_5, _tr("5 %"), "level")),
        mark=(found.row, _tr("break")) if found.breaks else None,
    )


def beta_drawing(evidence: PairEvidence, frozen: float) -> Drawing | None:
    """Return the rolling slope with its band of two standard errors, and the frozen line's slope (NaN = none)."""
    rolling = evidence.rolling_beta
    if rolling is None:
        return None
    lower, upper = rolling.lower, rolling.upper
    limits = _limits(lower, upper, frozen)
    if limits is None:
        return None
    digits = decimals_of_scale(abs(evidence.fit.beta), 4)

    def read(row: int) -> str:
        if not math.isfinite(rolling.beta[row]):
            return _tr("no window ends here yet")
        return f"β {number(float(rolling.beta[row]), digits)} ± {number(2 * float(rolling.stderr[row]), digits)}"

    known = math.isfinite(frozen)
    line = _tr("frozen β {0}").format(number(frozen, digits)) if known else _tr("no frozen β")
    return Drawing(
        title=_tr("β over {0:,} bars ± 2 se; {1}").format(rolling.window, line),
        times=evidence.times,
        values=rolling.beta,
        color="leg_x",
        limits=limits,
        read=read,
        summary=_tr("{0}; {1}.").format(rolling.label, line),
        lower=lower,
        upper=upper,
        guides=(Guide(frozen, number(frozen, digits), "refit"),) if known else (),
    )


def _limits(lower: FloatArray, upper: FloatArray, frozen: float) -> tuple[float, float] | None:
    """Return the span of nearly all of the band and the frozen slope: one wild window may not flatten the rest."""
    low, high = lower[np.isfinite(lower)], upper[np.isfinite(upper)]
    if len(low) == 0 or len(high) == 0:
        return None
    ends = [float(np.quantile(low, 0.01)), float(np.quantile(high, 0.99)), *([frozen] if math.isfinite(frozen) else [])]
    size = max(ends) - min(ends) or abs(ends[0]) or 1.0
    return min(ends) - 0.08 * size, max(ends) + 0.08 * size
