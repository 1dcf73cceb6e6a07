"""Hold bars as columns, build them from trades and fold them, exactly at tick and step precision."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Quote volume is price x quantity; more decimals than this are noise in a double.
MAX_QUOTE_DECIMALS = 8
#: Sums below this fit 64 bits with room for the rounding of the estimate.
_MAX_UNITS = float(2**62)


def quote_decimals(price_decimals: int, quantity_decimals: int) -> int:
    """Return the decimals at which quote volume is exact."""
    return min(MAX_QUOTE_DECIMALS, price_decimals + quantity_decimals)


def _summed(values: FloatArray, starts: npt.NDArray[np.intp], digits: int) -> FloatArray:
    """Sum groups of numbers that are whole in units of 10**-digits, exactly while 64 bits hold them."""
    units = np.rint(values * 10.0**digits)
    if float(units.sum()) < _MAX_UNITS:
        return np.asarray(np.add.reduceat(units.astype(np.int64), starts) / 10**digits, np.float64)
    return np.asarray(np.round(np.add.reduceat(values, starts), digits), np.float64)


def _quote_sums(
    price: FloatArray, quantity: FloatArray, starts: npt.NDArray[np.intp], price_decimals: int, quantity_decimals: int
) -> FloatArray:
    """Sum price x quantity of groups of trades, in whole units of tick x step while 64 bits hold them."""
    digits = quote_decimals(price_decimals, quantity_decimals)
    ticks, steps = np.rint(price * 10.0**price_decimals), np.rint(quantity * 10.0**quantity_decimals)
    if float(ticks @ steps) < _MAX_UNITS:
        units = np.add.reduceat(ticks.astype(np.int64) * steps.astype(np.int64), starts)
        return np.asarray(np.round(units / 10 ** (price_decimals + quantity_decimals), digits), np.float64)
    return np.asarray(np.round(np.add.reduceat(price * quantity, starts), digits), np.float64)


@dataclass(frozen=True, slots=True)
class BarArrays:
    """Hold n bars as read-only columns of length n, ascending in ``open_time`` (ms)."""

    open_time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quote_volume: FloatArray
    trades: IntArray

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, rows: slice | IntArray | npt.NDArray[np.bool_]) -> BarArrays:
        return BarArrays(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def empty(cls) -> BarArrays:
        """Return no bars."""
        ints, floats = np.empty(0, np.int64), np.empty(0)
        return cls(ints, floats, floats, floats, floats, floats, floats, ints)

    @classmethod
    def from_rows(cls, rows: list[tuple[int, float, float, float, float, float, float, int]]) -> BarArrays:
        """Return bars from (open_time, open, high, low, close, volume, quote_volume, trades) rows."""
        if not rows:
            return cls.empty()
        columns = list(zip(*rows, strict=True))
        types = (np.int64, *([np.float64] * 6), np.int64)
        return cls(*(np.array(c, t) for c, t in zip(columns, types, strict=True)))  # type: ignore[arg-type]  # numpy cannot say "column i has type i"


def bars_from_trades(
    ts: IntArray,
    ids: IntArray,
    price: FloatArray,
    quantity: FloatArray,
    trades: IntArray,
    *,
    interval_ms: int,
    price_decimals: int,
    quantity_decimals: int,
) -> BarArrays:
    """Build bars of ``interval_ms`` from trades in any order (all arrays of length n).

    Open and close belong to the lowest and highest id of the bucket. Sums are taken in integer
    steps and rounded to the step. A bucket without a trade makes no bar.
    """
    if len(ts) == 0:
        return BarArrays.empty()
    bucket = ts - ts % interval_ms
    order = np.lexsort((ids, bucket))
    bucket, price, quantity, trades = bucket[order], price[order], quantity[order], trades[order]
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    ends = np.r_[starts[1:], len(bucket)] - 1
    return BarArrays(
        bucket[starts],
        price[starts],
        np.maximum.reduceat(price, starts),
        np.minimum.reduceat(price, starts),
        price[ends],
        _summed(quantity, starts, quantity_decimals),
        _quote_sums(price, quantity, starts, price_decimals, quantity_decimals),
        np.add.reduceat(trades, starts),
    )


def fold(bars: BarArrays, interval_ms: int, price_decimals: int, quantity_decimals: int) -> BarArrays:
    """Fold bars into a longer interval; equal to building them from the trades."""
    if len(bars) == 0:
        return bars
    bucket = bars.open_time - bars.open_time % interval_ms
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    ends = np.r_[starts[1:], len(bucket)] - 1
    digits = quote_decimals(price_decimals, quantity_decimals)
    return BarArrays(
        bucket[starts],
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
        _summed(bars.volume, starts, quantity_decimals),
        _summed(bars.quote_volume, starts, digits),
        np.add.reduceat(bars.trades, starts),
    )
