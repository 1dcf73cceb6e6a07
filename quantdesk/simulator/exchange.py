"""Be the exchange behind the sockets: what is visible now of trades, quotes and bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from quantdesk.bars.arrays import IntArray
from quantdesk.simulator import market
from quantdesk.simulator.clock import Clock, WallClock
from quantdesk.simulator.market import (
    MINUTE_MS,
    BookColumns,
    Listing,
    Source,
    TradeColumns,
    agreeing,
    fold_minutes,
    minute_row,
)

#: REST's aggregate trades reach back this far.
REACH_MS = 48 * 3_600_000
#: The symbols were listed this long before the start: klines reach back to here.
LISTED_DAYS = 90
FUNDING_MS = 8 * 3_600_000

INTERVALS = {
    f"{count}{unit}": count * ms
    for unit, ms, counts in (
        ("m", MINUTE_MS, (1, 3, 5, 15, 30)),
        ("h", 3_600_000, (1, 2, 4, 6, 8, 12)),
        ("d", 86_400_000, (1,)),
    )
    for count in counts
}

Columns = TypeVar("Columns", TradeColumns, BookColumns)


@dataclass(frozen=True, slots=True)
class Mark:
    """Carry mark and index price as numbers, and the next funding time (ms)."""

    price: float
    index: float
    funding_ts: int


class Cursor(Generic[Columns]):
    """Walk through columns minute by minute, handing out what has been published since the last time."""

    def __init__(self, load: Callable[[int], Columns], after_ms: int) -> None:
        self._load: Callable[[int], Columns] = load
        self._minute = after_ms // MINUTE_MS - 1
        self._row = 0
        self.take(after_ms)

    def take(self, now_ms: int) -> list[Columns]:
        """Return the rows whose event time has come, in order."""
        parts: list[Columns] = []
        while self._minute <= now_ms // MINUTE_MS:
            block = self._load(self._minute)
            end = int(np.searchsorted(block.event, now_ms, "right"))
            if end > self._row:
                parts.append(block[self._row : end])
                self._row = end
            if end < len(block) or now_ms < (self._minute + 1) * MINUTE_MS:
                break
            self._minute += 1
            self._row = 0
        return parts


class Exchange:
    """Answer for a source's market at the clock's time.

    Trades are kept from ``history_minutes`` before the start; bars before that come from the price
    path alone. A trade is visible once its event time E has come, on the stream and in REST alike.
    """

    def __init__(self, source: Source, clock: Clock | None = None, *, history_minutes: int = 60) -> None:
        self.reach_ms = REACH_MS
        self.source = source
        self.clock = clock or WallClock()
        self.started_ms = self.clock.now_ms()
        self.symbols: dict[str, Listing] = {listing.symbol: listing for listing in source.listings}
        self.first_minute = self.started_ms // MINUTE_MS - history_minutes
        self.listed_ms = (self.started_ms // 86_400_000 - LISTED_DAYS) * 86_400_000
        self._settled: dict[tuple[str, int], IntArray] = {}

    def now_ms(self) -> int:
        """Return the exchange's time."""
        return self.clock.now_ms()

    def trade_cursor(self, symbol: str, after_ms: int) -> Cursor[TradeColumns]:
        """Return a cursor over the trades published after that time."""
        return Cursor(lambda minute: self.source.trades(symbol, minute), after_ms)

    def book_cursor(self, symbol: str, after_ms: int) -> Cursor[BookColumns]:
        """Return a cursor over the best quotes published after that time."""
        return Cursor(lambda minute: self.source.books(symbol, minute), after_ms)

    def generated(self, symbol: str) -> TradeColumns:
        """Return every trade made so far, from the first one kept: the oracle of tests."""
        now = self.now_ms()
        last = now // MINUTE_MS
        return TradeColumns.joined([self._visible(symbol, m, now) for m in range(self.first_minute, last + 1)])

    def trades_from_id(self, symbol: str, from_id: int, limit: int) -> TradeColumns:
        """Return up to ``limit`` trades ascending from the id, or from the first one within reach."""
        now = self.now_ms()
        low, high = self._reach(now) // MINUTE_MS, now // MINUTE_MS
        while low < high:  # the last minute that starts at or below the id
            middle = (low + high + 1) // 2
            if self.source.first_id(symbol, middle) <= from_id:
                low = middle
            else:
                high = middle - 1
        return self._collect(symbol, low, now, limit, lambda part: part.ids >= from_id)

    def trades_between(self, symbol: str, start_ms: int, end_ms: int, limit: int) -> TradeColumns:
        """Return up to ``limit`` trades ascending with start <= T <= end, as far as they are within reach."""
        now = self.now_ms()
        low = max(start_ms, self._reach(now)) // MINUTE_MS
        return self._collect(symbol, low, now, limit, lambda part: (part.ts >= start_ms) & (part.ts <= end_ms), end_ms)

    def archived(self, symbol: str, day: int) -> Iterator[TradeColumns]:
        """Yield a whole day's trades (days count from 1970) minute by minute.

        Those of minutes whose trades are not kept agree with the bars that are told of them.
        """
        first = day * 86_400_000 // MINUTE_MS
        bars = self.source.old_minutes(symbol, first, first + 1_440)
        for row, minute in zip(bars, range(first, first + 1_440), strict=True):
            trades = self.source.trades(symbol, minute)
            yield trades if minute >= self.first_minute else agreeing(trades, row)

    def last_trades(self, symbol: str, limit: int) -> TradeColumns:
        """Return the newest ``limit`` trades ascending."""
        now = self.now_ms()
        minute = now // MINUTE_MS
        parts = [self._visible(symbol, minute, now)]
        while sum(map(len, parts)) < limit and minute > self.first_minute:
            minute -= 1
            parts.insert(0, self._visible(symbol, minute, now))
        return TradeColumns.joined(parts)[-limit:]

    def bars(self, symbol: str, interval: str, start_ms: int, end_ms: int) -> IntArray:
        """Return bars whose open time is in [start, end], shape (bars, 12); the last may be forming.

        A bar without trades stands at the close before it; before the first trade there are no bars.
        """
        length = INTERVALS[interval]
        now = self.now_ms()
        begin = -(-max(start_ms, self.listed_ms) // length) * length
        end = min(end_ms // length * length + length, now // MINUTE_MS * MINUTE_MS + MINUTE_MS)
        if begin >= end:
            return np.empty((0, 12), np.int64)
        return fold_minutes(self._minutes(symbol, begin // MINUTE_MS, -(-end // MINUTE_MS), now), length)

    def last_price(self, symbol: str) -> int:
        """Return the newest trade's price in units, or the last bar's close."""
        trades = self.last_trades(symbol, 1)
        if len(trades):
            return int(trades.price[-1])
        minute = self.first_minute
        table = self._minutes(symbol, minute - 1_440, minute, self.now_ms())
        return int(table[-1, market.CLOSE]) if len(table) else self.symbols[symbol].tick_units

    def book(self, symbol: str) -> BookColumns:
        """Return the best quote now (one row, or none)."""
        now = self.now_ms()
        for minute in (now // MINUTE_MS, now // MINUTE_MS - 1):
            block = self.source.books(symbol, minute)
            rows = int(np.searchsorted(block.event, now, "right"))
            if rows:
                return block[rows - 1 : rows]
        return block[:0]

    def mark(self, symbol: str) -> Mark:
        """Return the mark price, which follows the last trade."""
        price = self.last_price(symbol) / 10 ** self.symbols[symbol].price_digits
        return Mark(price, price * 1.0001, (self.now_ms() // FUNDING_MS + 1) * FUNDING_MS)

    def _reach(self, now: int) -> int:
        return max(self.first_minute * MINUTE_MS, now - self.reach_ms)

    def _visible(self, symbol: str, minute: int, now: int) -> TradeColumns:
        block = self.source.trades(symbol, minute)
        if now >= (minute + 1) * MINUTE_MS + self.source.latency_ms:
            return block
        return block[: int(np.searchsorted(block.event, now, "right"))]

    def _collect(
        self,
        symbol: str,
        minute: int,
        now: int,
        limit: int,
        wanted: Callable[[TradeColumns], market.BoolArray],
        end_ms: int | None = None,
    ) -> TradeColumns:
        reach = self._reach(now)
        parts = [self.source.trades(symbol, minute)[:0]]
        missing = limit
        last = min(now, now if end_ms is None else end_ms) // MINUTE_MS
        for at in range(minute, last + 1):
            part = self._visible(symbol, at, now)
            part = part[wanted(part) & (part.ts >= reach)][:missing]
            parts.append(part)
            missing -= len(part)
            if missing == 0:
                break
        return TradeColumns.joined(parts)

    def _minutes(self, symbol: str, start: int, end: int, now: int) -> IntArray:
        """Return minutes [start, end) that have prices; an empty one stands at the close before it."""
        known = min(max(start, self.first_minute), end)
        parts = [self.source.old_minutes(symbol, start, known)]
        parts += [self._minute(symbol, minute, now)[np.newaxis] for minute in range(known, end)]
        table = np.concatenate(parts)
        traded = table[:, market.TRADES] > 0
        if not traded.any():
            return table[:0]
        table = table[int(traded.argmax()) :]
        traded = table[:, market.TRADES] > 0
        source = np.maximum.accumulate(np.where(traded, np.arange(len(table)), 0))
        for column in (market.OPEN, market.HIGH, market.LOW, market.CLOSE):
            table[~traded, column] = table[source[~traded], market.CLOSE]
        return table

    def _minute(self, symbol: str, minute: int, now: int) -> IntArray:
        key = (symbol, minute)
        if key in self._settled:
            return self._settled[key]
        row = minute_row(self._visible(symbol, minute, now), minute)
        if now >= (minute + 1) * MINUTE_MS + self.source.latency_ms:
            self._settled[key] = row
        return row
