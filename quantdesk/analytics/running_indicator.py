"""Keep an indicator one bar at a time: the same work for each bar, whatever the window."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import inf, isfinite, nan, sqrt
from typing import Protocol

import numpy as np

from quantdesk.analytics.indicators import DAY_MS, Indicator, IndicatorBars, IndicatorKind, there
from quantdesk.analytics.online import OnlineMoments
from quantdesk.bars.arrays import FloatArray

#: One bar: open time (ms), high, low, close, volume.
Row = tuple[int, float, float, float, float]


class RunningIndicator(Protocol):
    """Take bars in order; a row without a bar returns NaN and changes nothing."""

    def append(self, row: Row) -> tuple[float, ...]:
        """Take the next bar and return the values of the indicator's lines with it."""

    def preview(self, row: Row) -> tuple[float, ...]:
        """Return what ``append`` would, and change nothing: the bar is still forming."""


class _Average:
    """Keep SMA or Bollinger bands."""

    def __init__(self, indicator: Indicator) -> None:
        self._moments, self._indicator = OnlineMoments(indicator.bars), indicator
        self._off = indicator.deviations * sqrt((indicator.bars - 1) / indicator.bars)

    def append(self, row: Row) -> tuple[float, ...]:
        return self._lines(*self._moments.append(row[3]))

    def preview(self, row: Row) -> tuple[float, ...]:
        return self._lines(*self._moments.peek(row[3]))

    def _lines(self, mean: float, deviation: float) -> tuple[float, ...]:
        if self._indicator.kind is IndicatorKind.SMA:
            return (mean,)
        off = self._off * (deviation if isfinite(deviation) else 0.0)
        return mean, mean + off, mean - off


class _Exponential:
    """Keep an EMA, begun with the mean of its first bars."""

    def __init__(self, indicator: Indicator, value: float = nan) -> None:
        self._bars, self._share = indicator.bars, 2 / (indicator.bars + 1)
        self._first: list[float] = []
        self._value = value

    def append(self, row: Row) -> tuple[float, ...]:
        found = self.preview(row)
        if isfinite(found[0]):
            self._value = found[0]
        elif isfinite(row[3]):
            self._first.append(row[3])
        return found

    def preview(self, row: Row) -> tuple[float, ...]:
        close = row[3]
        if not isfinite(close):
            return (nan,)
        if isfinite(self._value):
            return (self._value + self._share * (close - self._value),)
        if len(self._first) + 1 < self._bars:
            return (nan,)
        return (float(np.mean([*self._first, close])),)


class _OfTheDay:
    """Keep the VWAP since 00:00 UTC."""

    def __init__(self) -> None:
        self._day, self._origin, self._weighed, self._weight = -1, 0.0, 0.0, 0.0

    def append(self, row: Row) -> tuple[float, ...]:
        if _weighs(row):
            self._day, self._origin, self._weighed, self._weight = self._with(row)
            return self._now(self._origin, self._weighed, self._weight)
        return (nan,)

    def preview(self, row: Row) -> tuple[float, ...]:
        return self._now(*self._with(row)[1:]) if _weighs(row) else (nan,)

    def _with(self, row: Row) -> tuple[int, float, float, float]:
        ms, high, low, close, volume = row
        price = (high + low + close) / 3
        if ms // DAY_MS != self._day:
            return ms // DAY_MS, price, 0.0, volume
        return self._day, self._origin, self._weighed + (price - self._origin) * volume, self._weight + volume

    def _now(self, origin: float, weighed: float, weight: float) -> tuple[float, ...]:
        return (weighed / weight + origin,) if 0 < weight < inf else (nan,)


class _RollingVwap:
    """Keep the VWAP of the last bars."""

    def __init__(self, indicator: Indicator) -> None:
        self._weighed, self._weight = OnlineMoments(indicator.bars), OnlineMoments(indicator.bars)
        self._origin = nan

    def append(self, row: Row) -> tuple[float, ...]:
        if not _weighs(row):
            return (nan,)
        product = self._product(row)
        if not isfinite(self._origin):
            self._origin = (row[1] + row[2] + row[3]) / 3
        return self._now(self._weighed.append(product)[0], self._weight.append(row[4])[0])

    def preview(self, row: Row) -> tuple[float, ...]:
        if not _weighs(row):
            return (nan,)
        return self._now(self._weighed.peek(self._product(row))[0], self._weight.peek(row[4])[0])

    def _product(self, row: Row) -> float:
        price = (row[1] + row[2] + row[3]) / 3
        return (price - self._origin) * row[4] if isfinite(self._origin) else 0.0

    def _now(self, weighed: float, weight: float) -> tuple[float, ...]:
        return (weighed / weight + self._origin,) if 0 < weight < inf else (nan,)


def _weighs(row: Row) -> bool:
    return all(map(isfinite, row)) and row[4] >= 0


def running(indicator: Indicator) -> RunningIndicator:
    """Return an indicator that has seen no bar."""
    if indicator.kind is IndicatorKind.EMA:
        return _Exponential(indicator)
    if indicator.kind is IndicatorKind.VWAP_DAY:
        return _OfTheDay()
    return _RollingVwap(indicator) if indicator.kind is IndicatorKind.VWAP else _Average(indicator)


def resumed(indicator: Indicator, bars: IndicatorBars, lines: Sequence[FloatArray]) -> RunningIndicator:
    """Return an indicator that has seen all ``bars`` (n), whose ``lines`` are known; one window is read."""
    held = np.flatnonzero(there(indicator.kind, bars))
    if indicator.kind is IndicatorKind.EMA and len(held) >= indicator.bars:
        return _Exponential(indicator, float(lines[0][held[-1]]))
    if indicator.kind is IndicatorKind.VWAP_DAY:
        held = held[bars.times[held] // DAY_MS == bars.times[held[-1]] // DAY_MS] if len(held) else held
    else:
        held = held[-indicator.bars :]
    made = running(indicator)
    for row in rows_of(bars, held.tolist()):
        made.append(row)
    return made


def rows_of(bars: IndicatorBars, rows: Sequence[int] | range | None = None) -> list[Row]:
    """Return bars as plain rows, all of them or those of some row numbers."""
    at = slice(None) if rows is None else np.asarray(rows, np.int64)
    return list(
        zip(
            bars.times[at].tolist(),
            bars.high[at].tolist(),
            bars.low[at].tolist(),
            bars.close[at].tolist(),
            bars.volume[at].tolist(),
            strict=True,
        )
    )


def previews(held: RunningIndicator, rows: Sequence[Row]) -> list[tuple[float, ...]]:
    """Return the values of bars that are not counted yet, each as if those before it had closed."""
    if len(rows) == 1:
        return [held.preview(rows[0])]
    ahead = copy.deepcopy(held)
    return [ahead.append(row) for row in rows]
