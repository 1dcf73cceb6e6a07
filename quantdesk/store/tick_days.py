"""Sum up the ticks of UTC days, and find what another store lacks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import IntArray
from quantdesk.store.base import Reader, TickArrays
from quantdesk.types import Instrument, Interval, Tick

DAY_MS = 86_400_000
#: So many ticks are read, and written, at once.
BLOCK = 20_000
#: Two stores are compared tick by tick in stretches of about so many of both.
STRETCH = 500_000
_COLUMNS = {"agg_id": "<i8", "ts": "<i8", "price": "<f8", "quantity": "<f8", "is_buyer_maker": "<i8", "trades": "<i8"}

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TickDay:
    """Name a day by its start (ms), the end of what was read of it, and prove its ticks by count and checksum."""

    start: int
    end: int
    count: int
    checksum: str


class DayDigest:
    """Sum up ticks as they pass, ascending: count, checksum of the exact columns, trades by second of the day."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._hashes = [blake2b(digest_size=16) for _ in _COLUMNS]
        self._seconds = np.zeros(DAY_MS // 1_000, np.int64)
        self.count = 0

    def add(self, block: TickArrays) -> None:
        """Take the next block; where blocks are cut makes no difference."""
        for column, (name, kind) in zip(self._hashes, _COLUMNS.items(), strict=True):
            column.update(np.ascontiguousarray(getattr(block, name), kind).tobytes())
        np.add.at(self._seconds, (block.ts - self._start) // 1_000, block.trades)
        self.count += len(block)

    def until(self, end: int) -> TickDay:
        """Return the sum of what has passed."""
        whole = blake2b(b"".join(column.digest() for column in self._hashes), digest_size=16)
        return TickDay(self._start, end, self.count, whole.hexdigest())

    def trades_of(self, open_times: IntArray, interval: Interval) -> IntArray:
        """Return how many trades passed of each bar that opens at these times of the day."""
        trades = self._seconds.reshape(-1, interval.ms // 1_000).sum(axis=1)
        return np.asarray(trades[(open_times - self._start) // interval.ms], np.int64)


@dataclass(frozen=True, slots=True)
class Compared:
    """Tell of each tick of ours whether the other store lacks it or holds it with other content.

    ``strange`` are the ids of ticks that only the other store has.
    """

    lacking: Mask
    differing: Mask
    strange: IntArray


def compared(ours: TickArrays, theirs: TickArrays) -> Compared:
    """Compare all the ticks of one stretch of time; a tick is known by its time and id together."""
    ts, ids = np.r_[ours.ts, theirs.ts], np.r_[ours.agg_id, theirs.agg_id]
    order = np.lexsort((np.arange(len(ts)), ids, ts))
    pairs = np.flatnonzero((np.diff(ts[order]) == 0) & (np.diff(ids[order]) == 0))
    mine, other = order[pairs], order[pairs + 1] - len(ours)
    lacking, unmatched = np.ones(len(ours), np.bool_), np.ones(len(theirs), np.bool_)
    lacking[mine], unmatched[other] = False, False
    differing = np.zeros(len(ours), np.bool_)
    for name in _COLUMNS:
        differing[mine] |= getattr(ours, name)[mine] != getattr(theirs, name)[other]
    return Compared(lacking, differing, theirs.agg_id[unmatched])


def joined(blocks: list[TickArrays]) -> TickArrays:
    """Return blocks as one."""
    return TickArrays(
        np.concatenate([np.empty(0, np.int64), *(b.agg_id for b in blocks)]),
        np.concatenate([np.empty(0, np.int64), *(b.ts for b in blocks)]),
        np.concatenate([np.empty(0), *(b.price for b in blocks)]),
        np.concatenate([np.empty(0), *(b.quantity for b in blocks)]),
        np.concatenate([np.empty(0, np.int64), *(b.is_buyer_maker for b in blocks)]),
        np.concatenate([np.empty(0, np.int64), *(b.trades for b in blocks)]),
    )


def chosen(block: TickArrays, rows: Mask) -> TickArrays:
    """Return some of the ticks."""
    return TickArrays(
        block.agg_id[rows],
        block.ts[rows],
        block.price[rows],
        block.quantity[rows],
        block.is_buyer_maker[rows],
        block.trades[rows],
    )


def ticks_of(symbol: str, block: TickArrays) -> list[Tick]:
    """Return ticks one by one, as a store takes them."""
    columns = (block.agg_id, block.price, block.quantity, block.ts, block.is_buyer_maker, block.trades)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Tick(symbol, i, price, quantity, ts, bool(maker), n) for i, price, quantity, ts, maker, n in rows]


def stretches(start: int, end: int, ticks: int) -> Iterator[tuple[int, int]]:
    """Yield [start, end), which holds so many ``ticks``, in stretches of time that are compared at once."""
    length = -(-(end - start) // (ticks // STRETCH + 1))
    for low in range(start, end, length):
        yield low, min(end, low + length)


def first_ts(reader: Reader, instrument: Instrument, start: int | None) -> int | None:
    """Return the time of the first tick with ts >= start, or None."""
    block = next(reader.load_ticks(instrument, start, None, chunk=1), None)
    return int(block.ts[0]) if block is not None else None
