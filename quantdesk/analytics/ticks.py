"""Hold the trades of a leg as prices in time, and sample two legs that do not trade at the same moments."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class TickLeg:
    """Hold n prices of one leg at strictly ascending times (int64 ms); read-only, every price positive.

    Make it with ``collapse``; the constructor raises ValueError for anything else.
    """

    times: IntArray
    prices: FloatArray

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.prices.shape:
            raise ValueError("a leg needs one price for each time")
        if not bool((self.times[1:] > self.times[:-1]).all()):
            raise ValueError("the times of a leg must ascend without repeats")
        if not bool((np.isfinite(self.prices) & (self.prices > 0)).all()):
            raise ValueError("every price of a leg must be a positive number")
        _freeze(self)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def logs(self) -> FloatArray:
        """Return the natural logarithms of the prices (n)."""
        return np.asarray(np.log(self.prices), np.float64)

    def between(self, start: int, end: int) -> TickLeg:
        """Return the ticks with start <= time <= end (ms)."""
        low, high = np.searchsorted(self.times, [start, end + 1]).tolist()
        return TickLeg(self.times[low:high], self.prices[low:high])


@dataclass(frozen=True, slots=True)
class RefreshSample:
    """Hold both legs' prices at the m refresh times (ms); read-only columns of length m.

    ``kept`` is 2m / (n_y + n_x), the share of the ticks that the sampling uses.
    """

    times: IntArray
    y: FloatArray
    x: FloatArray
    kept: float

    def __post_init__(self) -> None:
        for name in ("times", "y", "x"):
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.times)


def collapse(times: npt.ArrayLike, prices: npt.ArrayLike) -> TickLeg:
    """Return a leg with the LAST price of each timestamp, from trades in the order they were made.

    ``times`` (ms, ascending, repeats allowed) and ``prices`` are of length n. A price that is not a
    positive number is left out. Raises ValueError where times descend or the lengths differ.
    """
    at, price = np.asarray(times, np.int64), np.asarray(prices, np.float64)
    if at.ndim != 1 or at.shape != price.shape:
        raise ValueError(f"each trade needs one time and one price, not {at.shape} and {price.shape}")
    if not bool((at[1:] >= at[:-1]).all()):
        raise ValueError("the trades must be in the order of their times")
    good = np.isfinite(price) & (price > 0)
    at, price = at[good], price[good]
    last = np.append(at[1:] != at[:-1], True)[: len(at)]
    return TickLeg(at[last], price[last])


def common_span(y: TickLeg, x: TickLeg) -> tuple[TickLeg, TickLeg]:
    """Return both legs cut to the time in which both trade: from the later first to the earlier last tick."""
    if len(y) == 0 or len(x) == 0:
        return y.between(0, -1), x.between(0, -1)
    start, end = max(int(y.times[0]), int(x.times[0])), min(int(y.times[-1]), int(x.times[-1]))
    return y.between(start, end), x.between(start, end)


def previous_tick(leg: TickLeg, grid: IntArray, max_age_ms: int) -> FloatArray:
    """Return the newest price at or before each grid time (ms), length of the grid, read-only.

    A price older than ``max_age_ms`` is NaN, never carried further, as is a time before the first
    tick. Raises ValueError for a negative age.
    """
    if max_age_ms < 0:
        raise ValueError(f"the largest age of a price cannot be {max_age_ms} ms")
    out = np.full(len(grid), np.nan)
    if len(leg):
        row = np.searchsorted(leg.times, grid, "right") - 1
        newest = np.maximum(row, 0)
        fresh = (row >= 0) & (grid - leg.times[newest] <= max_age_ms)
        out[fresh] = leg.prices[newest[fresh]]
    out.setflags(write=False)
    return out


def refresh_time(y: TickLeg, x: TickLeg) -> RefreshSample:
    """Sample both legs whenever each has traded anew (Barndorff-Nielsen, Hansen, Lunde and Shephard 2011).

    The first refresh time is when both have traded once, each further one when both have traded
    since the last: t_1 = max(y_1, x_1), t_{j+1} = max over the legs of their first tick after t_j.
    Prices are those in force at that time. Vectorised, O(n log n).

    In the merged order a run of ticks of one leg ends at the first tick of the other. A run of two
    or more always begins a new wait (what is left of it comes after the refresh at its first tick),
    as does the run behind a common tick; in the single ticks behind it every second one refreshes.
    """
    times, place = np.unique(np.concatenate([y.times, x.times]), return_inverse=True)
    side = np.zeros(len(times), np.int8)  # 1: y, 2: x, 3: both at once
    side[place[: len(y)]] += 1
    side[place[len(y) :]] += 2
    both = side == 3
    new = np.ones(len(times), np.bool_)
    new[1:] = (side[1:] != side[:-1]) | both[1:] | both[:-1]
    first = np.flatnonzero(new)
    length, common = np.diff(np.append(first, len(times))), both[first]
    rows = np.arange(len(first))
    anchor = (rows == 0) | (length > 1) | common
    anchor[1:] |= common[:-1]
    waits = ~common & ((rows - np.maximum.accumulate(np.where(anchor, rows, 0))) % 2 == 0)
    refreshed = common.copy()
    refreshed[1:] |= waits[:-1]
    at = times[first[refreshed]]
    prices = [leg.prices[np.searchsorted(leg.times, at, "right") - 1] if len(at) else np.empty(0) for leg in (y, x)]
    total = len(y) + len(x)
    return RefreshSample(at, prices[0], prices[1], 2 * len(at) / total if total else 0.0)


def _freeze(leg: TickLeg) -> None:
    for field in fields(leg):
        array = getattr(leg, field.name)
        if array.flags.writeable:
            array = array.copy()
            array.setflags(write=False)
            object.__setattr__(leg, field.name, array)
