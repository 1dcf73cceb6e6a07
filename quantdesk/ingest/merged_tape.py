"""Merge streams of stored trades and bars by time into one tape that a replay plays, in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from quantdesk.bars.arrays import BarArrays
from quantdesk.ingest.tape import PlayedBar, Precision, Recorded
from quantdesk.store.base import Reader, TickArrays
from quantdesk.types import Instrument, Tick

#: So many rows of one stream are in memory at a time.
BLOCK_ROWS = 5_000


class MergedTape:
    """Iterate over several streams, each ascending in time, as over one; each iteration starts anew.

    ``streams`` is asked for them at each start. Of equal times the earlier stream comes first.
    """

    def __init__(
        self,
        precision: Precision,
        extent: tuple[int, int] | None,
        streams: Callable[[], Sequence[Iterator[Recorded]]],
    ) -> None:
        self._precision, self._extent, self._streams = precision, extent, streams
        self.skipped = 0
        self.damage = ""

    def precision(self) -> Precision:
        """Return tick and step size by symbol, as the source knows them."""
        return dict(self._precision)

    def extent(self) -> tuple[int, int] | None:
        """Return the first and the last time (ms)."""
        return self._extent

    def __iter__(self) -> Iterator[Recorded]:
        return heapq.merge(*self._streams(), key=lambda recorded: recorded[0])


def tick_stream(symbol: str, blocks: Iterable[TickArrays]) -> Iterator[Recorded]:
    """Yield the trades of blocks that ascend in (ts, agg_id)."""
    for block in blocks:
        columns = (block.agg_id, block.price, block.quantity, block.ts, block.is_buyer_maker, block.trades)
        for agg_id, price, quantity, ts, maker, trades in zip(*(c.tolist() for c in columns), strict=True):
            yield ts / 1_000, Tick(symbol, agg_id, price, quantity, ts, bool(maker), trades)


def bar_stream(
    symbol: str, interval: str, length_ms: int, blocks: Iterable[BarArrays], end: int | None = None
) -> Iterator[Recorded]:
    """Yield bars one by one at the time they close, without those that close after ``end`` (ms)."""
    for bars in blocks:
        for row, open_time in enumerate(bars.open_time.tolist()):
            closes = open_time + length_ms
            if end is not None and closes > end:
                return
            yield closes / 1_000, PlayedBar(symbol, interval, closes, bars[row : row + 1])


@dataclass(frozen=True, slots=True)
class Span:
    """Name what to play of a store: the legs, and from when (ms) to before when."""

    legs: tuple[Instrument, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Held:
    """Tell what a store has of one instrument; ``start`` and ``end`` (ms) span trades and bars.

    ``traded`` are the times (ms) of the first and the last trade, None where only bars are held.
    """

    instrument: Instrument
    ticks: int
    start: int
    end: int
    traded: tuple[int, int] | None


def held_spans(reader: Reader, length_of: Callable[[str], int]) -> list[Held]:
    """Return what can be replayed of a store, by venue and symbol; reads a few rows of each instrument."""
    found = []
    for stored in reader.instruments():
        leg = stored.instrument
        first_ts, last_ts = stored.first_ts, stored.last_ts
        traded = None if first_ts is None or last_ts is None else (first_ts, last_ts)
        times = list(traded or ())
        for interval in reader.intervals(leg):
            first = next((block.bars.open_time for block in reader.iter_bars(leg, interval, chunk=1)), None)
            last = reader.load_bars(leg, interval, limit=1).bars.open_time
            if first is not None and len(first) and len(last):
                times += [int(first[0]), int(last[0]) + length_of(interval)]
        if times:
            found.append(Held(leg, stored.ticks, min(times), max(times), traded))
    return found


def span_tape(reader: Reader, span: Span, length_of: Callable[[str], int]) -> MergedTape:
    """Return a tape of a stored span: trades where they are held, bars as bars before the first of them.

    ``length_of`` turns an interval's name into ms. Raises StoreError where the store cannot be read.
    """
    firsts = {leg.symbol: _first_trade(reader, leg, span) for leg in span.legs}

    def streams() -> list[Iterator[Recorded]]:
        found: list[Iterator[Recorded]] = []
        for leg in span.legs:
            first = firsts[leg.symbol]
            until = span.end if first is None else first
            if first is not None:
                found.append(tick_stream(leg.symbol, reader.load_ticks(leg, first, span.end, BLOCK_ROWS)))
            for interval in reader.intervals(leg):
                held = reader.iter_bars(leg, interval, span.start, until, BLOCK_ROWS)
                blocks = (stored.bars for stored in held)
                found.append(bar_stream(leg.symbol, interval, length_of(interval), blocks, span.end))
        return found

    precision = {leg.symbol: (leg.tick_size, leg.step_size) for leg in span.legs}
    return MergedTape(precision, (span.start, span.end), streams)


def _first_trade(reader: Reader, leg: Instrument, span: Span) -> int | None:
    for block in reader.load_ticks(leg, span.start, span.end, 1):
        return int(block.ts[0])
    return None
