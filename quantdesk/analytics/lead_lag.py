"""Find which leg moves first, and by how many milliseconds (Hoffmann, Rosenbaum and Yoshida 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from quantdesk.analytics.hayashi_yoshida import block_edges, block_sums, flaw_of, overlap_sums
from quantdesk.analytics.realised import block_influence, correlation_of, spread_of_sum
from quantdesk.analytics.ticks import TickLeg, common_span
from quantdesk.bars.arrays import FloatArray, IntArray

LONGEST_MS, STEP_MS = 1_000, 20
#: How rarely a leader may be named where there is none.
SIGNIFICANCE = 0.01


@dataclass(frozen=True, slots=True)
class LeadLag:
    """Hold the Hayashi-Yoshida correlation by lag; read-only columns of length k, lags (ms) ascending.

    At a positive lag y leads: y's returns are set against what x did so much LATER. ``lag_ms`` is
    the lag of the largest absolute correlation ``peak`` (a tie goes to the lag nearest 0), ``ratio``
    the lead-lag ratio Sum_{lag>0} rho^2 / Sum_{lag<0} rho^2 (above 1: y leads; Huth and Abergel 2014).
    ``leader`` is "y", "x" or "" for no clear leader; ``reason`` says in words why there is none, or
    why there is no value at all (``lag_ms`` is None then).
    """

    lags_ms: IntArray
    correlation: FloatArray
    lag_ms: int | None
    peak: float
    peak_stderr: float
    ratio: float
    leader: str
    reason: str
    returns_y: int
    returns_x: int

    def __post_init__(self) -> None:
        self.lags_ms.setflags(write=False)
        self.correlation.setflags(write=False)


def lag_grid(longest_ms: int = LONGEST_MS, step_ms: int = STEP_MS) -> IntArray:
    """Return the lags -longest .. longest (ms) in steps, 0 among them. Raises ValueError where that is none."""
    if not 0 < step_ms <= longest_ms:
        raise ValueError(f"the lags need a step above 0 and no longer than {longest_ms} ms, not {step_ms}")
    half = np.arange(0, longest_ms + 1, step_ms, dtype=np.int64)
    return np.concatenate([-half[:0:-1], half])


def lead_lag(y: TickLeg, x: TickLeg, lags_ms: IntArray | None = None) -> LeadLag:
    """Return the contrast HY(lag) of two legs over the time in which both trade, and who leads.

    The leg x is moved back by each lag and correlated by Hayashi and Yoshida; the denominator is the
    same for every lag. A leader is named only where ALL of this holds, else ``reason`` says which
    does not: the peak is not at lag 0 and not at either end of the lags; |peak| is more than
    c standard errors from 0, and |peak| - |value at 0| more than c standard errors of that
    difference (both from blocks of time). c = the normal quantile of 1 - 0.01 / (2 k), Bonferroni
    over the k lags looked at, since the peak was chosen among them. Raises ValueError where the
    lags do not ascend or 0 is not one.
    """
    lags = lag_grid() if lags_ms is None else np.array(lags_ms, np.int64)
    if not bool((lags[1:] > lags[:-1]).all()) or 0 not in lags:
        raise ValueError("the lags must ascend, and 0 must be one of them")
    y, x = common_span(y, x)
    counts = (max(len(y) - 1, 0), max(len(x) - 1, 0))
    logs_y, logs_x = y.logs, x.logs
    nan = float("nan")
    flaw = flaw_of(logs_y, logs_x)
    if flaw:
        return LeadLag(lags, np.full(len(lags), nan), None, nan, nan, nan, "", flaw, *counts)
    squares = [np.diff(logs) ** 2 for logs in (logs_y, logs_x)]
    variances = [float(column.sum()) for column in squares]
    # The leg with fewer ticks asks: there are fewer places to look up.
    swap = len(x) < len(y)

    def terms(lag: int) -> FloatArray:
        if swap:
            return overlap_sums(x.times - lag, logs_x, y.times, logs_y)
        return overlap_sums(y.times + lag, logs_y, x.times, logs_x)

    curve = np.array([correlation_of(float(terms(lag).sum()), *variances) for lag in lags.tolist()], np.float64)
    top = _peak(np.abs(curve), lags)
    zero = int(np.flatnonzero(lags == 0)[0])
    asks, edges = (x if swap else y), block_edges(y, x)
    parts = [block_sums(leg.times, column, edges) for leg, column in zip((y, x), squares, strict=True)]

    def influence(row: int) -> FloatArray:
        sums = block_sums(asks.times, terms(int(lags[row])), edges)
        return np.asarray(block_influence(sums, *parts) * np.sign(curve[row]), np.float64)

    errors = (nan, nan)
    if len(edges):
        at_top = influence(top)
        errors = (spread_of_sum(at_top), spread_of_sum(at_top - influence(zero)))
    reason = _doubt(curve, lags, top, zero, errors)
    later, sooner = (float((curve[side] ** 2).sum()) for side in (lags > 0, lags < 0))
    ratio = later / sooner if sooner > 0 else nan
    leader = "" if reason else ("y" if lags[top] > 0 else "x")
    return LeadLag(lags, curve, int(lags[top]), float(curve[top]), errors[0], ratio, leader, reason, *counts)


def _peak(height: FloatArray, lags: IntArray) -> int:
    tied = np.flatnonzero(height == height.max())
    return int(tied[np.argmin(np.abs(lags[tied]))])


def _doubt(curve: FloatArray, lags: IntArray, top: int, zero: int, errors: tuple[float, float]) -> str:
    """Say why no leg leads clearly; empty where one does."""
    bound = NormalDist().inv_cdf(1 - SIGNIFICANCE / (2 * len(lags)))
    height, gain = abs(float(curve[top])), abs(float(curve[top])) - abs(float(curve[zero]))
    if top == zero:
        return "no clear leader: the legs go together best without a lag"
    if np.isnan(errors[0]):
        return "no clear leader: too few ticks to tell the peak from chance"
    if not height > bound * errors[0]:
        return f"no clear leader: the peak of {height:.3f} is within {bound:.1f} standard errors of 0"
    if not gain > bound * errors[1]:
        return f"no clear leader: the peak at {lags[top]} ms is not clearly above the value without a lag"
    if top in (0, len(lags) - 1):
        return f"no clear leader: the peak is at the longest lag looked at ({lags[top]} ms); look further"
    return ""
