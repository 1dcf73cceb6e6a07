"""Turn sums of products of returns into a correlation with a standard error that believes no distribution."""

from __future__ import annotations

import numpy as np

from quantdesk.analytics.rolling import ROUNDING
from quantdesk.bars.arrays import FloatArray

#: Blocks that a standard error is taken from: enough for a variance, each long beside what overlaps.
MOST_BLOCKS, FEWEST_BLOCKS = 50, 8


def varies(logs: FloatArray) -> bool:
    """Return whether log prices vary by more than their rounding."""
    if len(logs) < 2:
        return False
    return bool(np.ptp(logs) > ROUNDING * (1 + float(np.abs(logs).max())))


def correlation_of(covariance: float, variance_y: float, variance_x: float) -> float:
    """Return c / sqrt(v_y v_x), NaN where a variance is not positive. May leave [-1, 1] in small samples."""
    if not (variance_y > 0 and variance_x > 0):
        return float("nan")
    return float(covariance / np.sqrt(variance_y) / np.sqrt(variance_x))


def block_influence(covariance: FloatArray, variance_y: FloatArray, variance_x: FloatArray) -> FloatArray:
    """Return what each block adds to the correlation (b), from the blocks' own sums (b each).

    The correlation's derivative: psi = c_b/sqrt(VyVx) - rho/2 (vy_b/Vy + vx_b/Vx); psi sums to 0.
    """
    total_y, total_x = float(variance_y.sum()), float(variance_x.sum())
    rho = correlation_of(float(covariance.sum()), total_y, total_x)
    scale = np.sqrt(total_y) * np.sqrt(total_x)
    return np.asarray(covariance / scale - rho / 2 * (variance_y / total_y + variance_x / total_x), np.float64)


def spread_of_sum(influence: FloatArray) -> float:
    """Return the standard error of a sum of b nearly independent terms: sqrt(b/(b-1) Sum (psi - mean)^2)."""
    blocks = len(influence)
    if blocks < 2:
        return float("nan")
    deviation = influence - influence.mean()
    return float(np.sqrt(blocks / (blocks - 1) * float(deviation @ deviation)))


def block_count(independent: int, each: int) -> int:
    """Return how many blocks of at least ``each`` returns there are, 0 where they are too few for an error."""
    blocks = min(MOST_BLOCKS, independent // each)
    return blocks if blocks >= FEWEST_BLOCKS else 0
