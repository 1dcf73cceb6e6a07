"""Show how the correlation of two legs falls as the sampling interval shortens (Epps 1979)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.hayashi_yoshida import HayashiYoshida, flaw_of, hayashi_yoshida
from quantdesk.analytics.realised import block_count, block_influence, correlation_of, spread_of_sum
from quantdesk.analytics.ticks import TickLeg, common_span, previous_tick
from quantdesk.bars.arrays import FloatArray, IntArray

#: Each interval is sampled from this many starting points, evenly apart within it.
OFFSETS = 10
SHORTEST_MS, LONGEST_MS = 1_000, 300_000
#: A price older than this is none.
MAX_AGE_MS = 10_000
#: With fewer returns that do not overlap there is no point on the curve.
FEWEST_RETURNS = 10
#: Returns that do not overlap in one block of the standard error.
BLOCK_RETURNS = 10


@dataclass(frozen=True, slots=True)
class EppsCurve:
    """Hold the correlation by sampling interval; read-only columns of length k, NaN = no value.

    ``returns`` counts all returns of the 10 offsets, ``independent`` those of one offset (what the
    standard error may rely on). ``reasons`` says for each interval why it has no value, "" where it
    has one. ``hayashi_yoshida`` is the value without sampling; ``rate_y`` and ``rate_x`` are ticks
    per second of the time both legs trade.
    """

    intervals_ms: IntArray
    correlation: FloatArray
    stderr: FloatArray
    returns: IntArray
    independent: IntArray
    reasons: tuple[str, ...]
    hayashi_yoshida: HayashiYoshida
    rate_y: float
    rate_x: float
    max_age_ms: int

    def __post_init__(self) -> None:
        for name in ("intervals_ms", "correlation", "stderr", "returns", "independent"):
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.intervals_ms)

    @property
    def by_asynchrony(self) -> FloatArray:
        """Return the curve (k) that independent Poisson trading at these rates makes of the Hayashi-Yoshida value."""
        factor = poisson_factor(self.intervals_ms / 1_000, self.rate_y, self.rate_x)
        return np.asarray(self.hayashi_yoshida.correlation * factor, np.float64)


def log_spaced(count: int = 12, shortest_ms: int = SHORTEST_MS, longest_ms: int = LONGEST_MS) -> IntArray:
    """Return sampling intervals (ms), evenly spaced in their logarithm, whole multiples of 10 ms."""
    spaced = np.geomspace(shortest_ms, longest_ms, count)
    return np.unique(np.rint(spaced / OFFSETS).astype(np.int64)) * OFFSETS


def poisson_factor(interval_s: FloatArray, rate_y: float, rate_x: float) -> FloatArray:
    """Return rho_D / rho of previous-tick sampling when both legs trade as independent Poisson processes.

    1 + (1/D) [a/(b(a+b)) (e^(-bD) - 1) + b/(a(a+b)) (e^(-aD) - 1)] with D in seconds and the rates
    a, b per second; 0 for D -> 0, 1 for D -> infinity. NaN where a rate is not positive.
    """
    interval = np.asarray(interval_s, np.float64)
    if not (rate_y > 0 and rate_x > 0):
        return np.full(interval.shape, np.nan)
    both = rate_y + rate_x
    first = rate_y / (rate_x * both) * np.expm1(-rate_x * interval)
    second = rate_x / (rate_y * both) * np.expm1(-rate_y * interval)
    return np.asarray(1 + (first + second) / interval, np.float64)


def epps_curve(y: TickLeg, x: TickLeg, intervals_ms: IntArray | None = None, max_age_ms: int = MAX_AGE_MS) -> EppsCurve:
    """Return the realised correlation of log returns at each sampling interval (ms; 12 from 1 s to 5 min).

    Prices are the previous tick's, none where it is older than ``max_age_ms``; a return needs both
    legs' prices at both of its ends. rho = Sum ry rx / sqrt(Sum ry^2 Sum rx^2), without taking off
    means (as Hayashi-Yoshida), summed over 10 offsets of the grid. The standard error is from
    blocks of time; with fewer than 80 independent returns it is (1 - rho^2) / sqrt(n - 1). Raises
    ValueError for an interval that is not a positive multiple of 10 ms.
    """
    intervals = log_spaced() if intervals_ms is None else np.array(intervals_ms, np.int64)
    if not bool(((intervals > 0) & (intervals % OFFSETS == 0)).all()):
        raise ValueError(f"a sampling interval must be a positive multiple of {OFFSETS} ms")
    without = hayashi_yoshida(y, x)
    cut_y, cut_x = common_span(y, x)
    flaw = flaw_of(cut_y.logs, cut_x.logs)
    seconds = (without.end - without.start) / 1_000 if without.start is not None and without.end is not None else 0.0
    rates = [max(len(leg) - 1, 0) / seconds if seconds > 0 else 0.0 for leg in (cut_y, cut_x)]
    points = [_NONE if flaw else _point(y, x, int(step), max_age_ms, without) for step in intervals]
    return EppsCurve(
        intervals,
        np.array([point.correlation for point in points], np.float64),
        np.array([point.stderr for point in points], np.float64),
        np.array([point.returns for point in points], np.int64),
        np.array([point.independent for point in points], np.int64),
        tuple(flaw or point.reason for point in points),
        without,
        rates[0],
        rates[1],
        max_age_ms,
    )


@dataclass(frozen=True, slots=True)
class _Point:
    correlation: float
    stderr: float
    returns: int
    independent: int
    reason: str


_NONE = _Point(float("nan"), float("nan"), 0, 0, "")


def _point(y: TickLeg, x: TickLeg, interval: int, max_age_ms: int, span: HayashiYoshida) -> _Point:
    """Return the correlation at one interval: returns over 10 steps of a grid ten times as fine."""
    assert span.start is not None
    assert span.end is not None
    grid = np.arange(span.start, span.end + 1, interval // OFFSETS, dtype=np.int64)
    logs_y, logs_x = (np.log(previous_tick(leg, grid, max_age_ms)) for leg in (y, x))
    return_y, return_x = logs_y[OFFSETS:] - logs_y[:-OFFSETS], logs_x[OFFSETS:] - logs_x[:-OFFSETS]
    good = np.isfinite(return_y) & np.isfinite(return_x)
    return_y, return_x = return_y[good], return_x[good]
    returns, independent = len(return_y), len(return_y) // OFFSETS
    if independent < FEWEST_RETURNS:
        words = f"{independent} returns that do not overlap; {FEWEST_RETURNS} are needed"
        return _Point(float("nan"), float("nan"), returns, independent, words)
    products = return_y * return_x, return_y * return_y, return_x * return_x
    covariance, variance_y, variance_x = (float(column.sum()) for column in products)
    rho = correlation_of(covariance, variance_y, variance_x)
    if np.isnan(rho):
        return _Point(rho, rho, returns, independent, "a leg's sampled price does not vary")
    blocks = block_count(independent, BLOCK_RETURNS)
    if blocks:
        starts = np.arange(blocks) * returns // blocks
        error = spread_of_sum(block_influence(*(np.add.reduceat(column, starts) for column in products)))
    else:
        error = max(1 - rho * rho, 0.0) / float(np.sqrt(independent - 1))
    return _Point(rho, error, returns, independent, "")
