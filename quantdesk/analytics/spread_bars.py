"""Make open, high, low and close of a pair's spread from the trades of both legs.

The spread moves whenever a leg trades: its value at a trade is the formula of that price and of the other leg's
previous one, never of a later one. High and low are the extremes of these values; those of the legs' own bars do not
happen at one moment, so that y.high - beta x.low is a bound and no price anybody could have had.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from quantdesk.analytics.rolling import BoolArray
from quantdesk.bars.arrays import FloatArray, IntArray

#: A leg's price that is older than this (ms) is nobody's price any more: there is no spread until it trades again.
LARGEST_AGE_MS = 60_000


class Formula(StrEnum):
    """Name what is made of the two prices."""

    DIFFERENCE = "y - beta x"
    LOG = "ln y - beta ln x"
    RATIO = "y / x"

    def of(self, y: FloatArray, x: FloatArray, beta: FloatArray, alpha: FloatArray | float = 0.0) -> FloatArray:
        """Return the value of each pair of prices (n), NaN where there is none; a ratio takes no beta and no alpha."""
        with np.errstate(all="ignore"):
            if self is Formula.RATIO:
                found = y / x
            elif self is Formula.LOG:
                found = np.log(y) - beta * np.log(x) - alpha
            else:
                found = y - beta * x - alpha
        return np.where(np.isfinite(found), found, np.nan)


@dataclass(frozen=True, slots=True)
class LegTrades:
    """Hold n trades of one leg, ascending in (time, id): times (ms), ids, prices."""

    times: IntArray
    ids: IntArray
    prices: FloatArray

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Carry:
    """Hold the newest price of each leg and when (ms) it was made; None before its first trade."""

    y: tuple[int, float] | None = None
    x: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class BarGrid:
    """Hold the m bars that trades are put into: open times (ms), ascending, each ``interval_ms`` long at most.

    ``beta`` (m) is the hedge ratio that was known before each bar, NaN = none: the bar has no value. ``alpha`` (m)
    is taken off where it is given.
    """

    open_time: IntArray
    interval_ms: int
    beta: FloatArray
    alpha: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class SpreadBars:
    """Hold m bars of a spread, read-only; NaN where neither leg's trades gave a value.

    ``moves`` counts the trades of the bar at which the value was another than before, the first value being one.
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    moves: FloatArray

    def __post_init__(self) -> None:
        for column in fields(self):
            getattr(self, column.name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.close)

    @classmethod
    def empty(cls, rows: int = 0) -> SpreadBars:
        """Return bars without a value."""
        none = np.full(rows, np.nan)
        return cls(none, none.copy(), none.copy(), none.copy(), np.zeros(rows))

    def then(self, later: SpreadBars) -> SpreadBars:
        """Return the bars of both, of the same m rows: ``later`` holds what came after."""
        none, more = np.isnan(self.open), np.isfinite(later.close)
        return SpreadBars(
            np.where(none, later.open, self.open),
            np.fmax(self.high, later.high),
            np.fmin(self.low, later.low),
            np.where(more, later.close, self.close),
            self.moves + later.moves,
        )


@dataclass(frozen=True, slots=True)
class _Merged:
    """Hold both legs' prices as they stood after each of k moments, and at which of them both were fresh."""

    times: IntArray
    y: FloatArray
    x: FloatArray
    fresh: BoolArray


def fold_spread(
    carry: Carry, y: LegTrades, x: LegTrades, grid: BarGrid, formula: Formula, largest_age_ms: int = LARGEST_AGE_MS
) -> tuple[SpreadBars, Carry]:
    """Return the bars of the grid (m) that these trades make after what is carried, and what to carry on.

    The trades of both legs are taken by (time, id); two of the same time and id are one moment. A value exists once
    both legs have traded and neither price is older than ``largest_age_ms`` (ms) at that moment. Folding all trades
    at once, or one stretch of time after another joined by ``SpreadBars.then``, is the same: trades that came later
    change no value before them. A trade outside the grid moves the prices and no bar.
    """
    merged, known = _merge(carry, y, x, largest_age_ms)
    after = _carried(carry, y, x)
    rows = np.searchsorted(grid.open_time, merged.times, "right") - 1
    inside = np.zeros(len(rows), np.bool_)
    placed = rows >= 0
    inside[placed] = merged.times[placed] < grid.open_time[rows[placed]] + grid.interval_ms
    inside[: 1 if known else 0] = False  # what is carried was counted where it happened
    count = len(grid.open_time)
    if not inside.any():
        return SpreadBars.empty(count), after
    beta = np.full(len(rows), np.nan)
    beta[inside] = grid.beta[rows[inside]]
    if formula is Formula.RATIO:
        beta = np.where(inside, 1.0, np.nan)
    alpha: FloatArray | float = 0.0
    if grid.alpha is not None:
        alpha = np.zeros(len(rows))
        alpha[inside] = grid.alpha[rows[inside]]
    values = np.where(merged.fresh & inside, formula.of(merged.y, merged.x, beta, alpha), np.nan)
    # The value before, by the ratio of this bar: another ratio is no move of the market.
    shift = _before(merged)
    before = np.where(shift.fresh, formula.of(shift.y, shift.x, beta, alpha), np.nan)
    there = np.isfinite(values)
    return _reduced(values[there], (values != before)[there], rows[there], count), after


def covered(
    grid: IntArray, interval_ms: int, trades: LegTrades, high: FloatArray, low: FloatArray, close: FloatArray
) -> BoolArray:
    """Tell for each bar (m, open times in ms) whether the trades at hand are the ones its leg's bar was made of.

    They are if their extremes and their last price are the bar's. A bar without a trade (close NaN) needs none.
    """
    found = np.isnan(close)
    rows = np.searchsorted(grid, trades.times, "right") - 1
    inside = rows >= 0
    inside[inside] = trades.times[inside] < grid[rows[inside]] + interval_ms
    rows, prices = rows[inside], trades.prices[inside]
    if len(rows) == 0:
        return found
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    at = rows[starts]
    last = prices[np.r_[starts[1:], len(rows)] - 1]
    most, least = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
    same = (most == high[at]) & (least == low[at]) & (last == close[at])
    found[at] = same
    return found


def _merge(carry: Carry, y: LegTrades, x: LegTrades, largest_age_ms: int) -> tuple[_Merged, bool]:
    """Put both streams in order and carry each leg's price on; tell whether the first moment is what was carried."""
    held = [price for price in (carry.y, carry.x) if price is not None]
    times, ids = np.r_[y.times, x.times], np.r_[y.ids, x.ids]
    order = _order(times, ids)
    times, ids = times[order], ids[order]
    of_y = order < len(y)
    prices = np.r_[y.prices, x.prices][order]
    if held:
        first = max(time for time, _ in held)
        times, ids, of_y = np.r_[first, times], np.r_[-1, ids], np.r_[False, of_y]
        prices = np.r_[np.nan, prices]
    there = np.r_[np.full(1 if held else 0, False), np.full(len(order), True)]
    columns = []
    for mine, known in ((of_y & there, carry.y), (~of_y & there, carry.x)):
        columns.append(_carried_on(mine, prices, known))
        columns.append(_carried_on(mine, times.astype(np.float64), known, of_time=True))
    price_y, time_y, price_x, time_x = columns
    with np.errstate(invalid="ignore"):
        fresh = (times - time_y <= largest_age_ms) & (times - time_x <= largest_age_ms)
    # Of two trades at one moment only the second is followed by a value: nobody saw the pair in between.
    ends = np.ones(len(times), np.bool_)
    ends[:-1] = (times[1:] != times[:-1]) | (ids[1:] != ids[:-1])
    return _Merged(times[ends], price_y[ends], price_x[ends], np.asarray(fresh[ends], np.bool_)), bool(held)


def _order(times: IntArray, ids: IntArray) -> IntArray:
    """Return what sorts by (time, id); two ascending runs joined in one number merge in a tenth of the time."""
    if len(times) == 0:
        return np.empty(0, np.int64)
    first, least = int(times.min()), int(ids.min())
    bits = (int(ids.max()) - least).bit_length()
    if (int(times.max()) - first).bit_length() + bits > 62:
        return np.lexsort((ids, times))
    return np.argsort((times - first) << bits | (ids - least), kind="stable")


def _carried_on(
    mine: BoolArray, values: FloatArray, known: tuple[int, float] | None, *, of_time: bool = False
) -> FloatArray:
    """Return for each moment the newest of a leg's own values up to it, at first the known one."""
    at = np.maximum.accumulate(np.where(mine, np.arange(len(mine)), -1))
    first = np.nan if known is None else float(known[0]) if of_time else known[1]
    return np.where(at >= 0, values[at], first) if len(at) else np.empty(0)


def _carried(carry: Carry, y: LegTrades, x: LegTrades) -> Carry:
    new_y = (int(y.times[-1]), float(y.prices[-1])) if len(y) else carry.y
    new_x = (int(x.times[-1]), float(x.prices[-1])) if len(x) else carry.x
    return Carry(new_y, new_x)


def _before(merged: _Merged) -> _Merged:
    """Return the prices one moment earlier, none before the first."""
    none = np.full(min(1, len(merged.times)), np.nan)
    return _Merged(
        merged.times,
        np.r_[none, merged.y[:-1]],
        np.r_[none, merged.x[:-1]],
        np.r_[np.zeros(len(none), np.bool_), merged.fresh[:-1]],
    )


def _reduced(values: FloatArray, moved: BoolArray, rows: IntArray, count: int) -> SpreadBars:
    """Reduce the values of each bar; rows ascend."""
    out = [np.full(count, np.nan) for _ in range(4)]
    moves = np.zeros(count)
    if len(rows):
        starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
        at = rows[starts]
        out[0][at] = values[starts]
        out[1][at] = np.maximum.reduceat(values, starts)
        out[2][at] = np.minimum.reduceat(values, starts)
        out[3][at] = values[np.r_[starts[1:], len(rows)] - 1]
        moves[at] = np.add.reduceat(moved.astype(np.float64), starts)
    return SpreadBars(out[0], out[1], out[2], out[3], moves)
