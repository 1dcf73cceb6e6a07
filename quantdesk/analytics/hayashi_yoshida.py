"""Correlate two legs that trade at different moments without aligning them (Hayashi and Yoshida 2005)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from quantdesk.analytics.realised import block_count, block_influence, correlation_of, spread_of_sum, varies
from quantdesk.analytics.ticks import TickLeg, common_span
from quantdesk.bars.arrays import FloatArray, IntArray

#: With fewer returns in a leg there is no correlation worth a number.
FEWEST_RETURNS = 20
#: Returns of the slower leg in one block of the standard error.
BLOCK_RETURNS = 10


@dataclass(frozen=True, slots=True)
class HayashiYoshida:
    """Hold the correlation of log returns of two legs from ``start`` to ``end`` (ms), both inclusive.

    ``covariance`` is in squared log return over the whole span. ``correlation`` is not cut to
    [-1, 1]. ``stderr`` is that of the correlation; NaN below 80 returns of the slower leg.
    ``reason`` says in words why there is no value (the numbers are NaN then), else it is empty.
    """

    covariance: float
    correlation: float
    stderr: float
    returns_y: int
    returns_x: int
    start: int | None
    end: int | None
    reason: str = ""


def overlap_sums(times_y: IntArray, logs_y: FloatArray, times_x: IntArray, logs_x: FloatArray) -> FloatArray:
    """Return for each return of y (n - 1) its product with all that x did in intervals that overlap it.

    Their sum is the covariance: Sum_ij dy_i dx_j 1{(t_{i-1}, t_i] meets (s_{j-1}, s_j]}. The
    intervals of x that meet the i-th of y run without a hole from the last tick of x at or before
    t_{i-1} to the first at or after t_i, so their sum is one difference. O(n log m), in fact
    near O(n + m): the times ascend. Times strictly ascending; both legs need one tick at least.
    """
    after = np.searchsorted(times_x, times_y, "right")
    before = np.maximum(after - 1, 0)
    until = np.where(times_x[before] == times_y, before, np.minimum(after, len(times_x) - 1))
    return np.asarray(np.diff(logs_y) * (logs_x[until[1:]] - logs_x[before[:-1]]), np.float64)


def hayashi_yoshida(y: TickLeg, x: TickLeg) -> HayashiYoshida:
    """Return covariance and correlation of the legs' log returns over the time in which both trade.

    rho = HY / sqrt(Sum dy^2 Sum dx^2), the sums over all ticks of each leg in that time. Unbiased
    for legs whose prices follow one diffusion each; bid-ask bounce adds to the sums below the root
    and so draws the value towards 0. The standard error is from up to 50 blocks of time by the
    correlation's derivative, so it holds when volatility changes.
    """
    y, x = common_span(y, x)
    nan = float("nan")
    both = len(y) > 0 and len(x) > 0
    nothing = HayashiYoshida(
        nan,
        nan,
        nan,
        max(len(y) - 1, 0),
        max(len(x) - 1, 0),
        min(int(y.times[0]), int(x.times[0])) if both else None,
        max(int(y.times[-1]), int(x.times[-1])) if both else None,
    )
    logs_y, logs_x = y.logs, x.logs
    reason = flaw_of(logs_y, logs_x)
    if reason:
        return replace(nothing, reason=reason)
    products = overlap_sums(y.times, logs_y, x.times, logs_x)
    squares_y, squares_x = np.diff(logs_y) ** 2, np.diff(logs_x) ** 2
    covariance = float(products.sum())
    rho = correlation_of(covariance, float(squares_y.sum()), float(squares_x.sum()))
    edges = block_edges(y, x)
    error = nan
    if len(edges):
        terms = ((y, products), (y, squares_y), (x, squares_x))
        error = spread_of_sum(block_influence(*(block_sums(leg.times, values, edges) for leg, values in terms)))
    return replace(nothing, covariance=covariance, correlation=rho, stderr=error)


def flaw_of(logs_y: FloatArray, logs_x: FloatArray) -> str:
    """Say in words why two legs have no tick correlation; empty where they have one."""
    if min(len(logs_y), len(logs_x)) <= FEWEST_RETURNS:
        ticks = f"{len(logs_y)} ticks of y and {len(logs_x)} of x"
        return f"{ticks} in the time both legs trade; {FEWEST_RETURNS + 1} of each are needed"
    for name, logs in (("y", logs_y), ("x", logs_x)):
        if not varies(logs):
            return f"the price of {name} does not vary"
    return ""


def block_edges(y: TickLeg, x: TickLeg) -> IntArray:
    """Return the b - 1 times (ms) between blocks with equally many ticks of the slower leg; empty for none."""
    slower = y if len(y) <= len(x) else x
    blocks = block_count(len(slower) - 1, BLOCK_RETURNS)
    rows: npt.NDArray[np.int64] = np.arange(1, blocks, dtype=np.int64) * (len(slower) - 1) // max(blocks, 1)
    return slower.times[rows]


def block_sums(times: IntArray, values: FloatArray, edges: IntArray) -> FloatArray:
    """Sum the values of a leg's returns (n - 1) by block; a return belongs to the block its interval ends in."""
    starts = np.searchsorted(times[1:], edges, "right")
    total = np.concatenate([[0.0], np.cumsum(values)])
    bounds = np.concatenate([[0], starts, [len(values)]])
    return np.asarray(np.diff(total[bounds]), np.float64)
