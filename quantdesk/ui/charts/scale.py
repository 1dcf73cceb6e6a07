"""Place prices on a linear or logarithmic axis, and write them as they are, in percent or indexed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from quantdesk.ui.charts.pyramid import FloatArray
from quantdesk.ui.charts.ticks import ValueTicks, decimals_for, nice_step, value_ticks

#: A logarithmic axis that spans less than this has labels at one even step.
_EVEN_BELOW = 1.5
#: Labels that differ by more than this share are the same in every decade.
_ADAPTS_BELOW = 0.5
_FIRST_BLOCK = 64


class PriceScale(StrEnum):
    """Name the scales of the price axis."""

    LINEAR = "linear"
    LOG = "log"
    PERCENT = "percent"
    INDEXED = "indexed"


@dataclass(frozen=True, slots=True)
class Scale:
    """Hold a kind of scale and the price at which percent is 0 and the index 100.

    The plot's own coordinate is the price, or its decimal logarithm.
    """

    kind: PriceScale = PriceScale.LINEAR
    base: float = math.nan

    @property
    def is_log(self) -> bool:
        """Tell whether equal ratios take equal room."""
        return self.kind is PriceScale.LOG

    @property
    def is_relative(self) -> bool:
        """Tell whether the axis is written against the base."""
        return self.kind in (PriceScale.PERCENT, PriceScale.INDEXED)

    def to_plot(self, price: float) -> float:
        """Return the coordinate of a price."""
        return math.log10(price) if self.is_log and price > 0 else price

    def from_plot(self, place: float) -> float:
        """Return the price at a coordinate."""
        return 10.0 ** min(place, 300.0) if self.is_log else place

    def written(self, price: float) -> float:
        """Return what the axis says at a price: the price, percent or the index."""
        if not self.is_relative:
            return price
        return price / self.base * 100 - (100 if self.kind is PriceScale.PERCENT else 0)

    def ticks(self, low: float, high: float, pixels: float, spacing: float) -> ValueTicks:
        """Return the prices to label between two coordinates; step and decimals are those of what is written."""
        if self.is_log:
            return log_ticks(low, high, pixels, spacing)
        if not self.is_relative:
            return value_ticks(low, high, pixels, spacing)
        found = value_ticks(self.written(low), self.written(high), pixels, spacing)
        zero = 100.0 if self.kind is PriceScale.PERCENT else 0.0
        return ValueTicks((found.values + zero) / 100 * self.base, found.step, found.decimals)

    def price_decimals(self, ticks: ValueTicks) -> int:
        """Return the decimals that tell the prices of two neighbouring labels apart."""
        if not self.is_relative:
            return ticks.decimals
        return max(0, math.ceil(-math.log10(ticks.step / 100 * self.base)))


def log_ticks(low: float, high: float, pixels: float, spacing: float) -> ValueTicks:
    """Return round prices between two decimal logarithms, at least ``spacing`` pixels apart."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or pixels <= 0 or max(-low, high) > 300:
        return ValueTicks(np.empty(0), 1.0, 0)
    bottom, top = 10.0**low, 10.0**high
    growth = math.expm1((high - low) * spacing / pixels * math.log(10))
    if top / bottom < _EVEN_BELOW:
        # Near the top equal steps stand closest.
        step = nice_step(top * growth / (1 + growth))
        first, last = math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9)
        return ValueTicks(np.arange(first, last + 1, dtype=np.float64) * step, step, decimals_for(step))
    if growth > _ADAPTS_BELOW:
        return _decade_ticks(low, high, growth)
    values: list[float] = []
    value, least = bottom, math.inf
    while True:
        # A step of its own for each label: wide apart high up, fine below.
        step = nice_step(value * growth)
        value = math.ceil((value if not values else value * (1 + growth)) / step - 1e-9) * step
        if value > top * (1 + 1e-9) or len(values) > pixels:
            break
        values.append(value)
        least = min(least, step)
    least = least if values else 1.0
    return ValueTicks(np.array(values), least, decimals_for(least))


def _decade_ticks(low: float, high: float, growth: float) -> ValueTicks:
    """Return the same round prices in every decade, or but one in several decades; each exceeds the last by growth."""
    every = max(1, math.ceil(math.log10(1 + growth) - 1e-9))
    heads = next((heads for most, heads in ((1.0, (1, 2, 5)), (2.0, (1, 3))) if growth <= most), (1,))
    powers = range(math.floor(low / every) * every, math.ceil(high) + 1, every)
    values = np.array([head * 10.0**power for power in powers for head in heads])
    inside = values[(values >= 10.0**low * (1 - 1e-9)) & (values <= 10.0**high * (1 + 1e-9))]
    least = 10.0 ** math.floor(math.log10(inside[0]) + 1e-9) if len(inside) else 1.0
    return ValueTicks(inside, least, decimals_for(least))


def first_finite(columns: tuple[FloatArray, ...], first: int, last: int) -> int | None:
    """Return the first row of first..last at which all columns (n,) are positive numbers; None if there is none."""
    first, stop, block = max(0, first), min(last + 1, *(len(column) for column in columns)), _FIRST_BLOCK
    while first < stop:
        end = min(stop, first + block)
        there = np.logical_and.reduce([np.isfinite(c[first:end]) & (c[first:end] > 0) for c in columns])
        if there.any():
            return first + int(there.argmax())
        first, block = end, block * 4
    return None
