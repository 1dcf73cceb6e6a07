"""Remember the newest trades of one symbol: bounded, cheap to add to, in order when they are read."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, fields

import numpy as np

from quantdesk.bars.arrays import FloatArray, IntArray

#: What is kept of a symbol: half an hour and so many trades, 7 MB; 8 MB with those still to be put in order.
KEPT_MS = 30 * 60_000
MOST_TRADES = 300_000
#: So many new trades wait at least before they are put in order.
_FEWEST_WAITING = 4_096


@dataclass(frozen=True, slots=True)
class TradePrices:
    """Hold n trades as read-only columns, strictly ascending in (time, id): times in ms, ids, prices."""

    times: IntArray
    ids: IntArray
    prices: FloatArray

    def __post_init__(self) -> None:
        for column in fields(self):
            getattr(self, column.name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice) -> TradePrices:
        return TradePrices(self.times[rows], self.ids[rows], self.prices[rows])

    @classmethod
    def empty(cls) -> TradePrices:
        """Return no trades."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


class RecentTrades:
    """Take trades in any order; ``read`` gives the newest of them in order, each once.

    ``kept_ms`` counts back from the newest trade. ``dropped`` counts the trades that were young
    enough and still had to go, because there were more than ``most``. Adding one costs three appends and
    every eighth of what is held (4,096 at least) one merge, so that it is O(1) a trade.
    """

    __slots__ = ("_held", "_ids", "_kept_ms", "_most", "_prices", "_room", "_times", "dropped")

    def __init__(self, kept_ms: int = KEPT_MS, most: int = MOST_TRADES) -> None:
        self._kept_ms, self._most = kept_ms, most
        self._held = TradePrices.empty()
        # An append to these is a third of a store into a numpy array.
        self._times, self._ids, self._prices = array("q"), array("q"), array("d")
        self._room = _FEWEST_WAITING
        self.dropped = 0

    def add(self, time: int, agg_id: int, price: float) -> None:
        """Take one trade made at ``time`` (ms)."""
        self._times.append(time)
        self._ids.append(agg_id)
        self._prices.append(price)
        if len(self._times) >= self._room:
            self._merge()

    def extend(self, times: IntArray, ids: IntArray, prices: FloatArray) -> None:
        """Take n trades at once, in any order."""
        self._times.frombytes(np.asarray(times, np.int64).tobytes())
        self._ids.frombytes(np.asarray(ids, np.int64).tobytes())
        self._prices.frombytes(np.asarray(prices, np.float64).tobytes())
        if len(self._times) >= self._room:
            self._merge()

    def read(self) -> TradePrices:
        """Return the newest trades; what was returned never changes, so a job may have it without a copy."""
        if self._times:
            self._merge()
        return self._held

    def since(self, time: int) -> TradePrices:
        """Return the trades made at ``time`` (ms) or later, without putting all others in order."""
        held = self._held[int(np.searchsorted(self._held.times, time)) :]
        if not self._times:
            return held
        times = np.array(self._times, np.int64)
        young = times >= time
        if not young.any():
            return held
        ids, prices = np.array(self._ids, np.int64)[young], np.array(self._prices, np.float64)[young]
        joined = np.r_[held.times, times[young]], np.r_[held.ids, ids], np.r_[held.prices, prices]
        return TradePrices(*_in_order(*joined))

    def drop(self, start: int, end: int) -> None:
        """Forget the trades made in [start, end) (ms)."""
        held = self.read()
        stay = (held.times < start) | (held.times >= end)
        self._held = TradePrices(held.times[stay], held.ids[stay], held.prices[stay])

    def _merge(self) -> None:
        """Put the waiting trades among those held and let go what is too old or too much."""
        held = self._held
        times = np.concatenate([held.times, np.frombuffer(self._times, np.int64)])
        ids = np.concatenate([held.ids, np.frombuffer(self._ids, np.int64)])
        prices = np.concatenate([held.prices, np.frombuffer(self._prices, np.float64)])
        self._times, self._ids, self._prices = array("q"), array("q"), array("d")
        times, ids, prices = _in_order(times, ids, prices)
        young = int(np.searchsorted(times, times[-1] - self._kept_ms))
        first = max(young, len(times) - self._most)
        self.dropped += first - young
        # Copies: a slice would keep what was let go alive.
        self._held = TradePrices(times[first:].copy(), ids[first:].copy(), prices[first:].copy())
        self._room = max(_FEWEST_WAITING, len(self._held) // 8)


def _rises(times: IntArray, ids: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each trade but the first whether it comes after the one before (n - 1)."""
    later, same = times[1:] > times[:-1], times[1:] == times[:-1]
    return np.asarray(later | (same & (ids[1:] > ids[:-1])))


def _in_order(times: IntArray, ids: IntArray, prices: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the trades ascending, each once."""
    if _rises(times, ids).all():
        return times, ids, prices
    # A repair brought trades from before, or some came twice.
    order = np.lexsort((ids, times))
    order = order[np.append(True, _rises(times[order], ids[order]))]
    return times[order], ids[order], prices[order]
