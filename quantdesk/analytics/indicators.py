"""Compute the lines drawn over candles: SMA, EMA, VWAP and Bollinger bands, whole arrays at once.

A row without a bar (no trades, or missing ones) has no value: nothing is carried forward. Windows count
bars that are there, so that a hole makes no window shorter. ``running_indicator.py`` keeps the same one bar
at a time; both agree to 1e-9, and no value depends on a later bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from quantdesk.analytics.rolling import BoolArray, rolling_moments
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.config import ConfigError

SHORTEST, LONGEST = 2, 5_000
LEAST_DEVIATIONS, MOST_DEVIATIONS = 0.1, 10.0
DAY_MS = 86_400_000
#: Bars of one block of the exponential average; its weights may shrink to this within one.
_BLOCK, _LEAST_WEIGHT = 4_096, 1e-200


class IndicatorKind(StrEnum):
    """Name what can be drawn over candles."""

    SMA = "sma"
    EMA = "ema"
    VWAP_DAY = "vwap_day"
    VWAP = "vwap"
    BOLLINGER = "bollinger"

    @property
    def counts_bars(self) -> bool:
        """Return whether it has a window of bars: the VWAP of the day begins at 00:00 UTC instead."""
        return self is not IndicatorKind.VWAP_DAY


@dataclass(frozen=True, slots=True)
class Indicator:
    """Choose an indicator: ``bars`` of its window, ``deviations`` of a Bollinger band. Raises ConfigError."""

    kind: IndicatorKind
    bars: int = 20
    deviations: float = 2.0

    def __post_init__(self) -> None:
        if not SHORTEST <= self.bars <= LONGEST:
            raise ConfigError(f"an indicator counts {SHORTEST} to {LONGEST} bars, not {self.bars}")
        if not LEAST_DEVIATIONS <= self.deviations <= MOST_DEVIATIONS:
            raise ConfigError(
                f"a Bollinger band lies {LEAST_DEVIATIONS} to {MOST_DEVIATIONS:g} deviations off, not {self.deviations}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its lines, the middle one first."""
        return ("middle", "upper", "lower") if self.kind is IndicatorKind.BOLLINGER else ("value",)


@dataclass(frozen=True, slots=True, eq=False)
class IndicatorBars:
    """Hold n bars by open time (ms), ascending; NaN where there is no bar."""

    times: IntArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice) -> IndicatorBars:
        return IndicatorBars(self.times[rows], self.high[rows], self.low[rows], self.close[rows], self.volume[rows])


def there(kind: IndicatorKind, bars: IndicatorBars) -> BoolArray:
    """Return which rows (n) hold a bar that an indicator counts: with a close, and with a volume where it weighs."""
    held = np.isfinite(bars.close)
    if kind in (IndicatorKind.VWAP, IndicatorKind.VWAP_DAY):
        held &= np.isfinite(bars.high) & np.isfinite(bars.low) & np.isfinite(bars.volume) & (bars.volume >= 0)
    return held


def indicator_lines(indicator: Indicator, bars: IndicatorBars) -> tuple[FloatArray, ...]:
    """Return the lines (n each) of an indicator in the order of its ``names``, read-only; NaN = no value.

    Prices are in the closes' unit. SMA: mean of the last closes. EMA: e = e + 2 / (bars + 1) (close - e),
    begun with the mean of the first ``bars`` closes. VWAP: sum of volume x (high + low + close) / 3 over the
    volume, of the last bars or since 00:00 UTC. Bollinger (2001): SMA and ``deviations`` population standard
    deviations off it, 0 where the closes do not vary.
    """
    kind, held = indicator.kind, there(indicator.kind, bars)
    if kind is IndicatorKind.EMA:
        found: tuple[FloatArray, ...] = (_exponential(bars.close[held], indicator.bars),)
    elif kind is IndicatorKind.VWAP_DAY:
        found = (_of_the_day(bars.times[held], *_weighed(bars, held)),)
    elif kind is IndicatorKind.VWAP:
        found = (_padded(_rolling_vwap(*_weighed(bars, held), indicator.bars), int(held.sum())),)
    else:
        n, (mean, deviation) = int(held.sum()), rolling_moments(bars.close[held], indicator.bars)
        found = (_padded(mean, n),)
        if kind is IndicatorKind.BOLLINGER:
            off = _padded(population(deviation, indicator) * indicator.deviations, n)
            found = (found[0], found[0] + off, found[0] - off)
    return tuple(_spread_out(line, held) for line in found)


def population(deviation: FloatArray, indicator: Indicator) -> FloatArray:
    """Return population deviations from those with ddof 1; 0 where a window did not vary."""
    return np.nan_to_num(deviation, nan=0.0) * math.sqrt((indicator.bars - 1) / indicator.bars)


def typical(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Return the price that stands for a whole bar in a VWAP."""
    price: FloatArray = (high + low + close) / 3
    return price


def _weighed(bars: IndicatorBars, held: BoolArray) -> tuple[FloatArray, FloatArray]:
    return typical(bars.high[held], bars.low[held], bars.close[held]), bars.volume[held]


def _spread_out(line: FloatArray, held: BoolArray) -> FloatArray:
    """Put the values of the bars that are there at their rows."""
    out = line if held.all() else np.full(len(held), np.nan)
    if out is not line:
        out[held] = line
    out.setflags(write=False)
    return out


def _padded(values: FloatArray, n: int) -> FloatArray:
    """Return the values of full windows at the rows (n) that they end with."""
    out = np.full(n, np.nan)
    out[n - len(values) :] = values
    return out


def _exponential(closes: FloatArray, bars: int) -> FloatArray:
    out = np.full(len(closes), np.nan)
    if len(closes) < bars:
        return out
    share = 2 / (bars + 1)
    keep = 1 - share
    seed = closes[:bars].mean()
    out[bars - 1] = seed
    rest = closes[bars:]
    # Within a block e[t] = keep^(t+1) (e before + share sum of close[i] keep^-(i+1)): all terms of one sign.
    size = max(1, min(_BLOCK, int(math.log(_LEAST_WEIGHT) / math.log(keep))))
    weights = keep ** np.arange(1, size + 1, dtype=np.float64)
    for start in range(0, len(rest), size):
        block = rest[start : start + size] - seed
        some = weights[: len(block)]
        part = np.cumsum(block * (share / some))
        part += out[bars - 1 + start] - seed
        part *= some
        out[bars + start : bars + start + len(block)] = part + seed
    return out


def _rolling_vwap(price: FloatArray, volume: FloatArray, bars: int) -> FloatArray:
    if len(price) < bars:
        return np.empty(0)
    # About an origin the products stay small, whatever the level of the price.
    origin = price[0]
    weighed, _ = rolling_moments((price - origin) * volume, bars)
    weight, _ = rolling_moments(volume, bars)
    with np.errstate(all="ignore"):
        found: FloatArray = weighed / weight + origin
    found[~np.isfinite(found) | (weight <= 0)] = np.nan
    return found


def _of_the_day(times: IntArray, price: FloatArray, volume: FloatArray) -> FloatArray:
    out = np.empty(len(price))
    starts = np.flatnonzero(np.diff(times // DAY_MS, prepend=-1)).tolist()
    with np.errstate(all="ignore"):
        for start, stop in pairwise([*starts, len(price)]):
            day, origin = slice(start, stop), price[start]
            out[day] = np.cumsum((price[day] - origin) * volume[day]) / np.cumsum(volume[day]) + origin
    out[~np.isfinite(out)] = np.nan
    return out
