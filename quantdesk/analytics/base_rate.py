"""Say how often a level of z is passed by chance: on random walks, and on the pair's own history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from quantdesk.analytics.online import ExponentialMoments
from quantdesk.analytics.rolling import rolling_moments
from quantdesk.analytics.spread import regression_z, walk_forward_z
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import FloatArray

#: A walk looks the same at every scale: a longer window is simulated by one of this many steps.
_LONGEST = 240
_LONGEST_HALF_LIFE = 20
#: What is kept of a simulation: quantiles of |z|.
_QUANTILES = 4_001


@dataclass(frozen=True, slots=True)
class BaseRate:
    """Hold the shares of bars with |z| >= ``threshold``: by chance, and in ``history`` (None without any).

    ``random_walk`` is of a spread that is a random walk, for the regressions of two independent walks:
    what the level is worth when there is nothing in the pair. ``bars`` is the size of the history.
    """

    kind: ZKind
    window: int
    threshold: float
    random_walk: float
    history: float | None
    bars: int

    @property
    def label(self) -> str:
        """Return both rates in words."""
        chance = f"|z| ≥ {self.threshold:g} on {100 * self.random_walk:.1f} % of the bars of a random walk"
        own = "" if self.history is None else f", on {100 * self.history:.1f} % of the last {self.bars:,} bars"
        return chance + own


def base_rate(kind: ZKind | str, window: int, threshold: float = 2.0, history: FloatArray | None = None) -> BaseRate:
    """Return how often |z| of a kind and window reaches a threshold by chance, and in a history of z.

    The walks are simulated once a kind and window, with a fixed seed, in 50 ms at most, and right to
    about 0.01. Windows above 240 (half-lives above 20) take the rate there: a walk has no scale.
    ``history`` is a z series of that kind; its NaN do not count. Raises ValueError for a negative threshold
    or a window below 3.
    """
    kind = ZKind(kind)
    if not threshold >= 0:
        raise ValueError(f"a threshold must not be negative, but is {threshold}")
    if window < 1 or (window < 3 and kind is not ZKind.EWM):
        raise ValueError(f"a z needs a window of at least 3, not {window}")
    quantiles = _walk_quantiles(kind, min(window, _LONGEST_HALF_LIFE if kind is ZKind.EWM else _LONGEST))
    below = np.interp(threshold, quantiles, np.linspace(0.0, 1.0, len(quantiles)), left=0.0, right=1.0)
    own, bars = None, 0
    if history is not None:
        values = np.abs(history[np.isfinite(history)])
        bars = len(values)
        own = float((values >= threshold).mean()) if bars else None
    return BaseRate(kind, window, threshold, float(1.0 - below), own, bars)


@lru_cache(maxsize=64)
def _walk_quantiles(kind: ZKind, window: int) -> FloatArray:
    """Return the quantiles of |z| on simulated walks."""
    random = np.random.default_rng(1)
    if kind is ZKind.ROLLING:
        walk = random.standard_normal(400_000).cumsum()
        means, deviations = rolling_moments(walk, window)
        z = (walk[window - 1 :] - means) / deviations
    elif kind.fits_own_line:
        y, x = random.standard_normal((2, 200_000)).cumsum(axis=1)
        z = (walk_forward_z if kind is ZKind.WALK_FORWARD else regression_z)(y, x, window).z
    elif kind is ZKind.EWM:
        moments = ExponentialMoments(window)
        walk = random.standard_normal(50_000).cumsum()
        found = np.array([moments.append(value) for value in walk.tolist()])
        z = ((walk - found[:, 0]) / found[:, 1])[20 * window :]
    else:
        walks = random.standard_normal((1_600, _LONGEST)).cumsum(axis=1)
        if kind is ZKind.FULL_SAMPLE:
            z = (walks - walks.mean(axis=1, keepdims=True)) / walks.std(axis=1, ddof=1, keepdims=True)
        else:
            counts = np.arange(1, _LONGEST + 1)
            means = walks.cumsum(axis=1) / counts
            squares = (walks * walks).cumsum(axis=1) - counts * means * means
            late = slice(_LONGEST // 4, None)
            z = (walks - means)[:, late] / np.sqrt(squares / (counts - 1.0).clip(1.0))[:, late]
    # Neighbours say nearly the same: every fourth one is enough to rank.
    z = np.abs(z.ravel()[::4])
    z = z[np.isfinite(z)]
    quantiles = np.asarray(np.quantile(z, np.linspace(0.0, 1.0, _QUANTILES)), np.float64)
    quantiles.setflags(write=False)
    return quantiles
