"""Make price paths that are functions of the day: the same seconds for the same seed, in any order."""

from __future__ import annotations

import math

import numpy as np

from quantdesk.bars.arrays import FloatArray
from quantdesk.simulator.market import Recent

DAY_SECONDS = 86_400

#: 2026-11-01: the day on which every walk stands at its stated price.
ANCHOR_DAY = 20_758
_DAYS = 60_000
_KEPT_DAYS = 4

#: A factor of 2**-this is far above the smallest double; longer sums of powers are cut into pieces.
_HALVINGS = 400


class Walk:
    """Walk geometrically with ``sigma`` a day, one step a second, through ``price`` on the anchor day.

    The levels at midnight are a walk of their own; the seconds between two of them are a bridge, so
    that any day can be made without the days before it.
    """

    def __init__(self, seed: tuple[int, ...], price: float, sigma: float) -> None:
        self._seed = seed
        self._price = price
        self._sigma = sigma
        steps = np.random.default_rng([*seed, 0]).standard_normal(_DAYS) * sigma
        levels = np.cumsum(steps)
        self._levels = levels - levels[ANCHOR_DAY]
        self.day = Recent(self._day, _KEPT_DAYS)

    def _day(self, day: int) -> FloatArray:
        """Return the price at each second of a day and at the midnight that ends it (86,401 values)."""
        steps = np.random.default_rng([*self._seed, 1, day]).standard_normal(DAY_SECONDS)
        walk = np.concatenate([[0.0], np.cumsum(steps * (self._sigma / math.sqrt(DAY_SECONDS)))])
        start, end = self._levels[day], self._levels[day + 1]
        bridge = walk + np.linspace(0.0, 1.0, DAY_SECONDS + 1) * (end - start - walk[-1])
        return np.asarray(self._price * np.exp(start + bridge))


class OrnsteinUhlenbeck:
    """Revert to zero with a half-life in seconds (an hour at most) and a standard deviation ``std``."""

    def __init__(self, seed: tuple[int, ...], half_life: float, std: float) -> None:
        if not 0 < half_life <= 3_600:
            raise ValueError("the half-life must be above 0 and at most an hour")
        self._seed = seed
        self._half_life = half_life
        self._sigma = std * math.sqrt(1.0 - self._decay(2.0))
        self.day = Recent(self._day, _KEPT_DAYS)

    def _decay(self, seconds: float) -> float:
        return float(0.5 ** (seconds / self._half_life))

    def _noise(self, day: int) -> FloatArray:
        return np.random.default_rng([*self._seed, 1, day]).standard_normal(DAY_SECONDS) * self._sigma

    def _day(self, day: int) -> FloatArray:
        """Return the value at each second of a day and at the midnight that ends it (86,401 values).

        It starts a day early from zero: after 24 half-lives and more the start is forgotten.
        """
        noise = np.concatenate([self._noise(day - 1), self._noise(day), self._noise(day + 1)[:1]])
        piece = max(1, int(_HALVINGS * self._half_life))
        values, last = [], 0.0
        for begin in range(0, len(noise), piece):
            part = noise[begin : begin + piece]
            powers = 0.5 ** (np.arange(1, len(part) + 1) / self._half_life)
            values.append(powers * (last + np.cumsum(part / powers)))
            last = float(values[-1][-1])
        return np.concatenate(values)[DAY_SECONDS:]


class Coupled:
    """Follow alpha + beta · (another path) + a mean-reverting spread."""

    def __init__(self, other: Walk, alpha: float, beta: float, spread: OrnsteinUhlenbeck) -> None:
        self._other = other
        self._alpha = alpha
        self._beta = beta
        self._spread = spread
        self.day = Recent(self._day, _KEPT_DAYS)

    def _day(self, day: int) -> FloatArray:
        return np.asarray(self._alpha + self._beta * self._other.day(day) + self._spread.day(day))


Path = Walk | Coupled


def price_at(path: Path, ts: FloatArray) -> FloatArray:
    """Return the price at times (ms since 1970) of one day, straight between the seconds."""
    if len(ts) == 0:
        return np.empty(0)
    day = int(ts[0]) // (DAY_SECONDS * 1_000)
    seconds = ts / 1_000 - day * DAY_SECONDS
    whole = seconds.astype(np.int64)
    prices = path.day(day)
    return np.asarray(prices[whole] + (seconds - whole) * (prices[whole + 1] - prices[whole]))
