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
_KEPT_MINUTES = 3
_MINUTE_MS, _SECOND_MS, _MINUTE_SECONDS = 60_000, 1_000, 60

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
        self.minute = Recent(self._minute, _KEPT_MINUTES)

    def _minute(self, minute: int) -> FloatArray:
        """Return the price at each millisecond of a minute (60,000 values); whole seconds are the day's."""
        sigma = self._sigma / math.sqrt(DAY_SECONDS)
        return np.asarray(np.exp(_between(np.log(_seconds(self.day, minute)), sigma, (*self._seed, 2, minute))))

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
        self.minute = Recent(self._minute, _KEPT_MINUTES)

    def _minute(self, minute: int) -> FloatArray:
        """Return the value at each millisecond of a minute (60,000 values); whole seconds are the day's."""
        return _between(_seconds(self.day, minute), self._sigma, (*self._seed, 2, minute))

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
        self.minute = Recent(self._minute, _KEPT_MINUTES)

    def _minute(self, minute: int) -> FloatArray:
        return np.asarray(self._alpha + self._beta * self._other.minute(minute) + self._spread.minute(minute))

    def _day(self, day: int) -> FloatArray:
        return np.asarray(self._alpha + self._beta * self._other.day(day) + self._spread.day(day))


Path = Walk | Coupled


def price_at(path: Path, ts: FloatArray) -> FloatArray:
    """Return the price at times (ms since 1970): a diffusion from second to second, not a straight line.

    On a straight line the squared moves between trades would vanish the more there are of them, and
    with them every correlation of trades.
    """
    at = np.asarray(ts, np.int64)
    minutes = at // _MINUTE_MS
    out = np.empty(len(at))
    for minute in np.unique(minutes).tolist():
        rows = minutes == minute
        out[rows] = path.minute(minute)[at[rows] - minute * _MINUTE_MS]
    return out


def _seconds(day: Recent[int, FloatArray], minute: int) -> FloatArray:
    """Return the 61 values of a day at the seconds of a minute, the next minute's first among them."""
    number, within = divmod(minute * _MINUTE_SECONDS, DAY_SECONDS)
    return day(number)[within : within + _MINUTE_SECONDS + 1]


def _between(seconds: FloatArray, sigma: float, seed: tuple[int, ...]) -> FloatArray:
    """Return the values at each millisecond from second to second: a Brownian bridge of ``sigma`` a second."""
    steps = np.random.default_rng(seed).standard_normal((_MINUTE_SECONDS, _SECOND_MS)) * (sigma / math.sqrt(_SECOND_MS))
    walk = np.cumsum(steps, axis=1)
    share = np.arange(_SECOND_MS) / _SECOND_MS
    bridge = np.concatenate([np.zeros((_MINUTE_SECONDS, 1)), walk[:, :-1]], axis=1) - share * walk[:, -1:]
    return np.asarray((seconds[:-1, None] + share * np.diff(seconds)[:, None] + bridge).ravel())
