"""Delete what a person names of an instrument: count it first, book it as dropped, then let it go slice by slice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from quantdesk.store.base import IdRun, Reader, RowSpan, StoreError
from quantdesk.store.files import Cancelled
from quantdesk.types import Instrument, Interval

#: Trades deleted in one transaction: new ones wait no longer than that takes.
SLICE = 4_000
_DAY_MS = 86_400_000
#: The newest trades of what is being recorded stay: the feed still works on them.
YOUNGEST_MS = 600_000
_LATEST = 253_402_214_400_000
#: A bar of any interval from trades lies in one of these: a span that cuts none cuts no bar.
_GRAIN = Interval.M5.ms


class Part(StrEnum):
    """Name what of an instrument is to go."""

    TRADES = "trades"
    SOURCE_BARS = "source bars"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class DropOrder:
    """Name what is to go: of [start, end) in ms, None = from the first, to the last.

    ``interval`` narrows source bars to one interval. Trades go without their bars; everything is trades, bars,
    source bars and the holes of the ledger.
    """

    instrument: Instrument
    part: Part
    interval: str = ""
    start: int | None = None
    end: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """Return [start, end) in ms."""
        return self.start or 0, _LATEST if self.end is None else self.end

    @property
    def is_whole(self) -> bool:
        """Tell whether there is no bound in time."""
        return self.start is None and self.end is None


@dataclass(frozen=True, slots=True)
class DropCount:
    """Count what an order names; times in ms of the first and the last row of it, None where it names nothing."""

    trades: int
    bars: int
    source_bars: int
    first_ts: int | None
    last_ts: int | None

    @property
    def rows(self) -> int:
        """Return all rows."""
        return self.trades + self.bars + self.source_bars


@dataclass(frozen=True, slots=True)
class Dropped:
    """Tell what went, and how many bars could not: a server keeps those of trades that its retention dropped."""

    trades: int
    bars: int
    source_bars: int
    bars_left: int = 0


def count_dropped(reader: Reader, order: DropOrder) -> DropCount:
    """Count the rows that an order names; raises StoreError."""
    instrument, (start, end) = order.instrument, order.span
    spans = []
    trades = bars = source = 0
    if order.part is not Part.SOURCE_BARS:
        trades = reader.count_ticks(instrument, start, end)
        first, last = reader.first_tick(instrument, start, end), reader.newest_tick(instrument, start, end)
        spans += [(first.ts, last.ts)] if first is not None and last is not None else []
    if order.part is Part.EVERYTHING:
        for interval in Interval:
            found = reader.trade_bar_span(instrument, interval.value, order.start, order.end)
            bars += found.rows
            spans += [(found.first_ts, found.last_ts)] if found.first_ts is not None else []  # type: ignore[list-item]  # both or none
    if order.part is not Part.TRADES:
        names = [order.interval] if order.interval else reader.source_intervals(instrument)
        for name in names:
            found = reader.source_bar_span(instrument, name, order.start, order.end)
            source += found.rows
            spans += [(found.first_ts, found.last_ts)] if found.first_ts is not None else []  # type: ignore[list-item]  # both or none
    first_ts = min((low for low, _ in spans), default=None)
    return DropCount(trades, bars, source, first_ts, max((high for _, high in spans), default=None))


def check_order(order: DropOrder, *, is_recorded: bool, newest_ts: int | None) -> None:
    """Raise StoreError in words where an order may not be carried out.

    ``is_recorded``: this program records the instrument now; ``newest_ts`` (ms) is its last trade.
    """
    start, end = order.span
    if start >= end:
        raise StoreError("the span ends before it begins: nothing would be deleted")
    symbol = order.instrument.symbol
    if order.part is Part.EVERYTHING and (start % _GRAIN or (order.end is not None and end % _GRAIN)):
        raise StoreError("a span of everything begins and ends on five minutes: it may not cut a bar")
    if not is_recorded or order.part is Part.SOURCE_BARS:
        return
    if order.end is None:
        raise StoreError(
            f"{symbol} is being recorded: name a span that ended before, or remove it from the market first"
        )
    if newest_ts is not None and end > newest_ts - YOUNGEST_MS:
        raise StoreError(f"{symbol} is being recorded: its last {YOUNGEST_MS // 60_000} minutes cannot be deleted")


class Deletion:
    """Carry out one order; ``call`` runs an act on the store's writing thread and waits for it.

    Cancelled between two slices, what went is booked and the rest is as it was.
    """

    def __init__(
        self,
        reader: Reader,
        call: Callable[[Callable[[Any], Any]], Any],
        order: DropOrder,
        progress: Callable[[float, str], None] = lambda done, words: None,
        cancelled: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reader, self._call, self._order = reader, call, order
        self._progress, self._cancelled, self._clock = progress, cancelled, clock
        self._done = 0
        self._total = 1

    def run(self) -> Dropped:
        """Delete; raises Cancelled and StoreError."""
        order, instrument = self._order, self._order.instrument
        start, end = order.span
        count = count_dropped(self._reader, order)
        self._total = max(1, count.rows)
        trades = source = left = 0
        if order.part is not Part.SOURCE_BARS:
            trades = self._drop_trades(start, end)
        if order.part is Part.EVERYTHING:
            self._drop_bars()
            self._act(lambda store: store.give_up_holes(instrument, start, end))
        if order.part is not Part.TRADES:
            source = self._drop_source_bars()
        if order.part is Part.EVERYTHING:
            self._act(lambda store: store.settle())
            left = self._bars_left()
        if order.part is Part.EVERYTHING and order.is_whole and not left:
            self._act(lambda store: store.forget_ledger(instrument))
        return Dropped(trades, count.bars - left, source, left)

    def _drop_trades(self, start: int, end: int) -> int:
        instrument, keep = self._order.instrument, self._order.part is Part.TRADES
        gone, at = 0, self._reader.first_tick(instrument, start, end)
        while at is not None:
            # Day by day: what is booked as dropped is soon gone, and a stop leaves the other days as they were.
            until = min(end, at.ts - at.ts % _DAY_MS + _DAY_MS)
            gone += self._drop_day(at.ts, until, keep_bars=keep)
            at = self._reader.first_tick(instrument, until, end)
        return gone

    def _drop_day(self, start: int, end: int, *, keep_bars: bool) -> int:
        instrument = self._order.instrument
        runs, now = self._reader.id_runs(instrument, start, end), int(self._clock() * 1_000)
        self._tell(0, "trades")
        self._act(lambda store: store.book_dropped(instrument, runs, now))
        late: list[IdRun] = []

        def drop(store: Any, low: int) -> tuple[int, int | None]:
            # The feed may have filled a hole since the day was booked: in one turn of the store with its end.
            strays = store.unbooked(instrument, low, end, SLICE)
            if strays:
                late.extend(strays)
                store.book_dropped(instrument, strays, now)
            return store.drop_ticks(instrument, low, end, SLICE, keep_bars=keep_bars)  # type: ignore[no-any-return]

        gone, low = 0, start
        try:
            while True:
                went: int
                left: int | None
                went, left = self._act(partial(drop, low=low))
                gone += went
                self._tell(went, "trades")
                if left is None:
                    return gone
                low = left
        finally:
            if late:  # behind the feed's own rows, which say that it has filled them
                self._act(lambda store: store.book_dropped(instrument, late, now))

    def _drop_bars(self) -> int:
        instrument, (start, end) = self._order.instrument, self._order.span
        spans = [self._reader.trade_bar_span(instrument, interval.value, start, end) for interval in Interval]
        return self._by_day(spans, "bars", lambda store, low, high: store.drop_trade_bars(instrument, low, high))

    def _drop_source_bars(self) -> int:
        name, instrument, (start, end) = self._order.interval, self._order.instrument, self._order.span
        names = [name] if name else self._reader.source_intervals(instrument)
        spans = [self._reader.source_bar_span(instrument, one, start, end) for one in names]
        words = "source bars"
        return self._by_day(spans, words, lambda store, low, high: store.drop_source_bars(instrument, name, low, high))

    def _by_day(self, spans: Sequence[RowSpan], words: str, act: Callable[[Any, int, int], int]) -> int:
        firsts = [span.first_ts for span in spans if span.first_ts is not None]
        lasts = [span.last_ts for span in spans if span.last_ts is not None]
        gone, low, stop = 0, min(firsts, default=0), max(lasts, default=-1) + 1
        while low < stop:
            high = min(stop, low - low % _DAY_MS + _DAY_MS)
            went = int(self._act(lambda store, low=low, high=high: act(store, low, high)))  # type: ignore[misc]  # a lambda's default
            gone += went
            self._tell(went, words)
            low = high
        return gone

    def _bars_left(self) -> int:
        instrument, order = self._order.instrument, self._order
        spans = (self._reader.trade_bar_span(instrument, i.value, order.start, order.end) for i in Interval)
        return sum(span.rows for span in spans)

    def _act(self, act: Callable[[Any], Any]) -> Any:
        return self._call(act)

    def _tell(self, rows: int, words: str) -> None:
        """Count rows that went; raise Cancelled where no more are to go."""
        self._done += rows
        symbol = self._order.instrument.symbol
        self._progress(min(1.0, self._done / self._total), f"{symbol}: {self._done:,} rows deleted, {words}")
        if self._cancelled():
            raise Cancelled(f"stopped: {self._done:,} rows were deleted, the others are as they were")
