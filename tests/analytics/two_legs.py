"""Simulate two legs of one known correlation that trade at moments of their own."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from quantdesk.analytics.ticks import TickLeg, collapse

PAST = 2_000


def simulated(
    seconds: int, rate_y: float, rate_x: float, rho: float, *, lag_ms: int = 0, seed: int = 0
) -> tuple[TickLeg, TickLeg]:
    """Return legs whose ticks are Poisson at these rates (1/s); x repeats y's moves ``lag_ms`` later."""
    rng = np.random.default_rng(seed)
    n = seconds * 1_000
    own, other = rng.standard_normal(n + PAST), rng.standard_normal(n + PAST)
    path_y = np.cumsum(own) * 3e-6
    path_x = np.cumsum(rho * own + np.sqrt(1 - rho * rho) * other) * 3e-6
    at_y, at_x = (np.flatnonzero(rng.random(n) < rate / 1_000) for rate in (rate_y, rate_x))
    return (
        collapse(at_y, 100 * np.exp(path_y[at_y + PAST])),
        collapse(at_x, 2_000 * np.exp(path_x[at_x + PAST - lag_ms])),
    )


@st.composite
def legs(draw: st.DrawFn, least: int = 1) -> TickLeg:
    """Draw a leg of few ticks, so that many share a timestamp with those of another."""
    times = draw(st.lists(st.integers(0, 60), min_size=least, max_size=25, unique=True))
    prices = draw(st.lists(st.floats(50, 200), min_size=len(times), max_size=len(times)))
    return collapse(sorted(times), prices)
