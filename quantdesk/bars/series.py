"""Keep the bars of one instrument and interval as growing columns that panels and models read."""

from __future__ import annotations

from itertools import count

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray
from quantdesk.bars.builder import Bar

BoolArray = npt.NDArray[np.bool_]
_FLOATS = ("open", "high", "low", "close", "volume", "quote_volume")
_STANDINGS = count(1)


class BarSeries:
    """Hold at most ``capacity`` bars ascending in open time; the oldest fall out.

    Bars built from trades take precedence over source bars (klines, files) of the same open time.
    ``version`` rises with every change, so that a reader knows when to pull again. ``standing`` is a number
    of no other series; it changes with all that is more than bars coming, or being written, after the last
    closed one: who has read up to there needs to read what is newer only.
    """

    def __init__(self, capacity: int = 200_000) -> None:
        self._capacity = capacity
        self._size = 0
        self._start = 0
        self._allocate(1_024)
        self.version = 0
        self.standing = next(_STANDINGS)

    def __len__(self) -> int:
        return self._size

    @property
    def last_time(self) -> int | None:
        """Return the open time (ms) of the newest bar."""
        return int(self._times[self._start + self._size - 1]) if self._size else None

    def upsert(self, bar: Bar) -> None:
        """Put a bar built from trades in its place: the last, a new last, or an older one."""
        self.version += 1
        last = self.last_time
        if last is None or bar.open_time > last:
            self._append(bar)
            return
        row = self._row_of(bar.open_time)
        there = bool(self._times[row] == bar.open_time)
        if self._closed[row : self._start + self._size].any() and not (there and self._is_same(row, bar)):
            self.standing = next(_STANDINGS)
        if not there:
            row = self._insert_row(row)
        self._write(row, bar)

    def merge(
        self, bars: BarArrays, *, from_trades: bool, closed: bool = True, giving_way: IntArray | None = None
    ) -> None:
        """Merge a block of bars, e.g. history read from the store or klines from REST.

        ``giving_way`` names open times of bars built from trades that source bars may replace
        (partial ones).
        """
        if len(bars) == 0:
            return
        self.version += 1
        held = self.arrays()
        held_trades = self.from_trades()
        held_closed = self.closed()
        held_revision = self.revisions()
        keep = np.ones(len(bars), bool)
        if not from_trades:
            standing = held_trades if giving_way is None else held_trades & ~np.isin(held.open_time, giving_way)
            keep = ~np.isin(bars.open_time, held.open_time[standing])
        shut_until = held.open_time[held_closed][-1:]
        if len(shut_until) and keep.any() and bars.open_time[keep].min() <= shut_until[0]:
            self.standing = next(_STANDINGS)
        drop = np.isin(held.open_time, bars.open_time[keep])
        times = np.concatenate([held.open_time[~drop], bars.open_time[keep]])
        order = np.argsort(times, kind="stable")[-self._capacity :]
        new = int(keep.sum())
        flags = np.concatenate([held_trades[~drop], np.full(new, from_trades)])[order]
        shut = np.concatenate([held_closed[~drop], np.full(new, closed)])[order]
        revision = np.concatenate([held_revision[~drop], np.zeros(new, np.int64)])[order]
        trades = np.concatenate([held.trades[~drop], bars.trades[keep]])[order]
        columns = {n: np.concatenate([getattr(held, n)[~drop], getattr(bars, n)[keep]])[order] for n in _FLOATS}
        size = len(order)
        self._allocate(max(1_024, size + size // 4))
        self._start, self._size = 0, size
        self._times[:size], self._trades[:size] = times[order], trades
        self._from_trades[:size], self._closed[:size], self._revision[:size] = flags, shut, revision
        for name, column in columns.items():
            self._columns[name][:size] = column

    def replace_from(
        self, open_time: int, bars: BarArrays, from_trades: BoolArray, closed: BoolArray, revisions: IntArray
    ) -> None:
        """Put these bars, ascending, in place of all that open at ``open_time`` or later; n flags each."""
        self.version += 1
        old = slice(self._row_of(open_time), self._start + self._size)
        count = int(np.flatnonzero(self._closed[old])[-1]) + 1 if self._closed[old].any() else 0
        new = (bars.open_time, bars.trades, revisions, from_trades, closed, *(getattr(bars, n) for n in _FLOATS))
        rows = slice(old.start, old.start + count)
        if not all(np.array_equal(mine[rows], its[:count]) for mine, its in zip(self._all(), new, strict=True)):
            self.standing = next(_STANDINGS)
        self._size = old.start - self._start
        size = self._size + len(bars)
        if self._start + size > len(self._times):
            held, keep = self._all(), slice(self._start, self._start + self._size)
            self._allocate(max(1_024, size + size // 4))
            for column, previous in zip(self._all(), held, strict=True):
                column[: self._size] = previous[keep]
            self._start = 0
        rows = slice(self._start + self._size, self._start + size)
        self._times[rows], self._trades[rows] = bars.open_time, bars.trades
        self._from_trades[rows], self._closed[rows], self._revision[rows] = from_trades, closed, revisions
        for name in _FLOATS:
            self._columns[name][rows] = getattr(bars, name)
        excess = max(0, size - self._capacity)
        self._start, self._size = self._start + excess, size - excess

    def drop(self, start: int, end: int, *, sources: bool = False) -> None:
        """Forget the bars that open in [start, end) (ms), or of them those alone that were not built from trades."""
        span = self._span()
        goes = (self._times[span] >= start) & (self._times[span] < end)
        if sources:
            goes &= ~self._from_trades[span]
        if not goes.any():
            return
        left = int((~goes).sum())
        for column in self._all():
            column[self._start : self._start + left] = column[span][~goes]
        self._size = left
        self.version += 1
        self.standing = next(_STANDINGS)

    def clear(self) -> None:
        """Forget every bar."""
        self._start = self._size = 0
        self.version += 1
        self.standing = next(_STANDINGS)

    def arrays(self, last: int | None = None) -> BarArrays:
        """Return copies of all bars, or of the ``last`` ones, the forming one included."""
        return self._copied(self._span(last))

    def times(self, last: int | None = None) -> IntArray:
        """Return a copy of all open times (ms), or of the ``last`` ones."""
        return self._times[self._span(last)].copy()

    def since(self, open_time: int) -> BarArrays:
        """Return copies of the bars with this open time or a later one."""
        return self._copied(slice(self._row_of(open_time), self._start + self._size))

    def count_since(self, open_time: int) -> int:
        """Return how many bars have this open time or a later one."""
        return self._start + self._size - self._row_of(open_time)

    def has(self, open_time: int) -> bool:
        """Return whether there is a bar of this open time."""
        row = self._row_of(open_time)
        return row < self._start + self._size and bool(self._times[row] == open_time)

    def is_from_trades(self, open_time: int) -> bool:
        """Return whether there is a bar of this open time built from trades that we hold."""
        return self.has(open_time) and bool(self._from_trades[self._row_of(open_time)])

    def built_at(self, times: IntArray) -> IntArray:
        """Return those of n ascending open times at which a bar built from trades that we hold stands."""
        span = self._span()
        held, built = self._times[span], self._from_trades[span]
        if not len(held):
            return times[:0]
        rows = np.minimum(np.searchsorted(held, times), len(held) - 1)
        return np.asarray(times[(held[rows] == times) & built[rows]], np.int64)

    def _copied(self, span: slice) -> BarArrays:
        columns = {name: self._columns[name][span].copy() for name in _FLOATS}
        return BarArrays(open_time=self._times[span].copy(), trades=self._trades[span].copy(), **columns)

    def closed(self, last: int | None = None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which bars (or the ``last`` ones) are closed (a copy, one flag a bar)."""
        return self._closed[self._span(last)].copy()

    def from_trades(self, last: int | None = None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which bars were built from trades that we hold (a copy, one flag a bar)."""
        return self._from_trades[self._span(last)].copy()

    def revisions(self, last: int | None = None) -> IntArray:
        """Return the revision of each bar (or of the ``last`` ones, a copy)."""
        return self._revision[self._span(last)].copy()

    def _span(self, last: int | None = None) -> slice:
        skipped = 0 if last is None else max(0, self._size - last)
        return slice(self._start + skipped, self._start + self._size)

    def _allocate(self, rows: int) -> None:
        self._times: IntArray = np.zeros(rows, np.int64)
        self._trades: IntArray = np.zeros(rows, np.int64)
        self._revision: IntArray = np.zeros(rows, np.int64)
        self._from_trades = np.zeros(rows, np.bool_)
        self._closed = np.zeros(rows, np.bool_)
        self._columns: dict[str, FloatArray] = {name: np.zeros(rows) for name in _FLOATS}

    def _all(self) -> list[np.ndarray[tuple[int], np.dtype[np.generic]]]:
        flags = [self._times, self._trades, self._revision, self._from_trades, self._closed]
        return [*flags, *self._columns.values()]

    def _row_of(self, open_time: int) -> int:
        return self._start + int(np.searchsorted(self._times[self._span()], open_time))

    def _append(self, bar: Bar) -> None:
        if self._start + self._size == len(self._times):
            self._make_room()
        if self._size == self._capacity:
            self._start += 1
            self._size -= 1
        self._size += 1
        self._write(self._start + self._size - 1, bar)

    def _make_room(self) -> None:
        old, span, size = self._all(), self._span(), self._size
        self._allocate(min(max(1_024, 2 * size), self._capacity + self._capacity // 4 + 16))
        for column, previous in zip(self._all(), old, strict=True):
            column[:size] = previous[span]
        self._start = 0

    def _insert_row(self, row: int) -> int:
        if self._start + self._size == len(self._times):
            row -= self._start
            self._make_room()
        end = self._start + self._size
        for column in self._all():
            column[row + 1 : end + 1] = column[row:end].copy()
        self._size += 1
        if self._size > self._capacity:
            self._start += 1
            self._size -= 1
        return row

    def _is_same(self, row: int, bar: Bar) -> bool:
        whole = (self._trades[row], self._revision[row], self._closed[row], self._from_trades[row])
        if whole != (bar.trades, bar.revision, bar.closed, True):
            return False
        return all(self._columns[name][row] == getattr(bar, name) for name in _FLOATS)

    def _write(self, row: int, bar: Bar) -> None:
        self._times[row], self._trades[row] = bar.open_time, bar.trades
        self._revision[row], self._closed[row] = bar.revision, bar.closed
        self._from_trades[row] = True
        for name in _FLOATS:
            self._columns[name][row] = getattr(bar, name)
