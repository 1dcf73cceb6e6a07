"""Count how many independent observations a correlated spread is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.stationarity import NoValueError, is_flat
from quantdesk.bars.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class EffectiveSample:
    """Hold the effective size n (1 - rho)/(1 + rho), at most n; ``rho`` is the autocorrelation at one bar."""

    size: float
    rho: float
    observations: int

    @property
    def label(self) -> str:
        """Return the formula with its numbers."""
        return f"n(1 − ρ₁)/(1 + ρ₁), at most n, ρ₁ = {self.rho:.4f}, n={self.observations}"


def effective_sample(spread: FloatArray) -> EffectiveSample:
    """Return n (1 - rho)/(1 + rho), capped at n, with rho the first autocorrelation of the spread.

    The size of an independent sample whose mean would vary as much (Bartlett 1935, for an AR(1)).
    rho = sum d_t d_{t-1} / sum d^2 about the mean. Values that are not finite are left out. Raises
    NoValueError below 4 values or where the spread does not vary.
    """
    spread = np.asarray(spread, np.float64)
    spread = spread[np.isfinite(spread)]
    if len(spread) < 4:
        raise NoValueError(f"{len(spread)} observations are too few for an autocorrelation")
    if is_flat(spread):
        raise NoValueError("the spread does not vary")
    deviation = spread - spread.mean()
    rho = float(deviation[1:] @ deviation[:-1]) / float(deviation @ deviation)
    return EffectiveSample(min(float(len(spread)), len(spread) * (1 - rho) / (1 + rho)), rho, len(spread))
