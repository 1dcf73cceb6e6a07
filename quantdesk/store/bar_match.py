"""Read bars of two stores side by side and find where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import BarArrays, IntArray, quote_decimals
from quantdesk.store.base import StoredBars, TradeBars
from quantdesk.types import Instrument

Columns = dict[str, npt.NDArray[Any]]
Mask = npt.NDArray[np.bool_]

_BARS = tuple(field.name for field in fields(BarArrays))
_PRICES = ("open", "high", "low", "close")
_FROM_TRADES = ("trades", "partial")
#: Sums of many doubles agree this far.
_ROUNDING = 1e-12


def columns_of(block: StoredBars | TradeBars) -> Columns:
    """Return a block as columns by name."""
    columns: Columns = {name: getattr(block.bars, name) for name in _BARS}
    if isinstance(block, StoredBars):
        return {**columns, "origin": np.array(block.origin, object)}
    return {**columns, "first_id": block.first_id, "last_id": block.last_id}


def bars_of(columns: Columns) -> BarArrays:
    """Return columns as bars."""
    return BarArrays(*(columns[name] for name in _BARS))


def trade_bars_of(columns: Columns) -> TradeBars:
    """Return columns as bars with the ids of their trades."""
    return TradeBars(bars_of(columns), columns["first_id"], columns["last_id"])


def rows_of(columns: Columns, rows: Mask | IntArray | slice) -> Columns:
    """Return some of the rows."""
    return {name: column[rows] for name, column in columns.items()}


class Ahead:
    """Hand out bars up to a time from blocks that were cut elsewhere; one block is held."""

    def __init__(self, blocks: Iterator[StoredBars | TradeBars]) -> None:
        self._blocks = blocks
        self._rest: Columns | None = None

    def below(self, end: int) -> Iterator[Columns]:
        """Yield what is left with open_time < end, block by block."""
        while True:
            if self._rest is None or not len(self._rest["open_time"]):
                block = next(self._blocks, None)
                if block is None:
                    return
                self._rest = columns_of(block)
            cut = int(np.searchsorted(self._rest["open_time"], end))
            found, self._rest = rows_of(self._rest, slice(cut)), rows_of(self._rest, slice(cut, None))
            if cut:
                yield found
            if len(self._rest["open_time"]):
                return

    def between(self, start: int, end: int) -> Columns | None:
        """Return the bars with start <= open_time < end, or None; those before are passed over."""
        parts = [rows_of(part, part["open_time"] >= start) for part in self.below(end)]
        parts = [part for part in parts if len(part["open_time"])]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else None


def places(ours: Columns, theirs: Columns | None) -> IntArray:
    """Return where each of our bars stands among theirs, -1 where it does not."""
    if theirs is None or not len(theirs["open_time"]):
        return np.full(len(ours["open_time"]), -1, np.int64)
    at = np.searchsorted(theirs["open_time"], ours["open_time"])
    at = np.minimum(at, len(theirs["open_time"]) - 1)
    return np.where(theirs["open_time"][at] == ours["open_time"], at, -1).astype(np.int64)


def unequal(ours: Columns, theirs: Columns) -> Mask:
    """Tell which bars of the same times differ in any digit or in their origin; NaN equals NaN."""
    differing = np.zeros(len(ours["open_time"]), np.bool_)
    for name, mine in ours.items():
        differing |= _differs(mine, theirs[name])
    return differing


def falls_short(ours: Columns, theirs: Columns, instrument: Instrument, unfinished: Mask) -> Mask:
    """Tell which bars of another store's read view are less than ours of the same times, at step precision.

    Theirs may know more: more trades of a bar, or trades where we have a bar of another source. An
    ``unfinished`` bar of ours (recording began or ended in it) may be partial there.
    """
    volume, quote = 10.0**instrument.quantity_decimals, _quote_scale(instrument)
    same = ours["trades"] == theirs["trades"]
    for name in _PRICES:
        same &= ~_differs(ours[name], theirs[name])
    for name, scale in (("volume", volume), ("quote_volume", quote)):
        same &= ~_apart(ours[name], theirs[name], scale)
    mine, other = ours["origin"], theirs["origin"]
    built, built_there = np.isin(mine, _FROM_TRADES), np.isin(other, _FROM_TRADES)
    partial, partial_there = mine == "partial", other == "partial"
    whole_there = built_there & ~partial_there
    more = theirs["trades"] > ours["trades"]
    equal = same & ((mine == other) | (partial & whole_there) | (unfinished & built & partial_there))
    fuller = built & built_there & more & (partial | ~partial_there | unfinished)
    better = (whole_there & ~built) | (partial & ~built_there)
    return np.asarray(~(equal | fuller | better), np.bool_)


def _differs(mine: npt.NDArray[Any], other: npt.NDArray[Any]) -> Mask:
    differing = mine != other
    if mine.dtype.kind == "f":
        differing &= ~(np.isnan(mine) & np.isnan(other))
    return np.asarray(differing, np.bool_)


def _apart(mine: npt.NDArray[Any], other: npt.NDArray[Any], scale: float) -> Mask:
    """Tell which sums differ by a step, or where a double cannot hold steps by more than its rounding."""
    unknown = np.isnan(mine) | np.isnan(other)
    apart = np.abs(mine - other) > np.maximum(0.5 / scale, _ROUNDING * np.abs(mine))
    return np.asarray(np.where(unknown, np.isnan(mine) != np.isnan(other), apart), np.bool_)


def _quote_scale(instrument: Instrument) -> float:
    return float(10.0 ** quote_decimals(instrument.price_decimals, instrument.quantity_decimals))
