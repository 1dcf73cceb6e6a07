"""Publish the market in time: trades, quotes, klines and mark prices to those who subscribed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from quantdesk.bars.arrays import IntArray
from quantdesk.simulator import market, payloads
from quantdesk.simulator.exchange import INTERVALS, Cursor, Exchange
from quantdesk.simulator.market import MINUTE_MS, BookColumns, Listing, TradeColumns
from quantdesk.simulator.streams import MARKET, PUBLIC, StreamServer
from quantdesk.simulator.truth_log import TruthLog

KLINE_MS = 250
MARK_MS, FAST_MARK_MS = 3_000, 1_000
#: So much later than E, at most, are frames sent: the pace of the tape in seconds.
PACE = 0.02
#: Trades from before the start go to the log in pieces, so that the streams never wait for it.
_LOG_PIECE = 2_000


@dataclass(slots=True)
class _KlineState:
    open_time: int
    trades: int = 0


class Tape:
    """Carry what the exchange has published so far to its streams, each time it is advanced."""

    def __init__(self, exchange: Exchange, streams: StreamServer, log: TruthLog | None) -> None:
        now = exchange.now_ms()
        self._exchange = exchange
        self._streams = streams
        self._log = log
        self._trades: dict[str, Cursor[TradeColumns]] = {s: exchange.trade_cursor(s, now) for s in exchange.symbols}
        self._books: dict[str, Cursor[BookColumns]] = {s: exchange.book_cursor(s, now) for s in exchange.symbols}
        self._names = {symbol.lower(): symbol for symbol in exchange.symbols}
        self._klines: dict[str, _KlineState] = {}
        self._slots = dict.fromkeys((KLINE_MS, MARK_MS, FAST_MARK_MS), now)
        self._backlog = self._history(now)

    def advance(self) -> None:
        """Publish everything whose time has come."""
        now = self._exchange.now_ms()
        for symbol, listing in self._exchange.symbols.items():
            stream = f"{symbol.lower()}@bookTicker"
            for books in self._books[symbol].take(now):
                if self._streams.wanted(PUBLIC, stream):
                    for payload in payloads.book_tickers(listing, books):
                        self._streams.publish(PUBLIC, stream, payload)
            stream = f"{symbol.lower()}@aggTrade"
            for trades in self._trades[symbol].take(now):
                if self._log is not None:
                    self._log.append(listing, trades)
                if self._streams.wanted(MARKET, stream):
                    for payload in payloads.agg_trades(listing, trades):
                        self._streams.publish(MARKET, stream, payload)
        if self._comes(KLINE_MS, now):
            self._publish_klines(now)
        for period, ending in ((MARK_MS, ""), (FAST_MARK_MS, "@1s")):
            if self._comes(period, now):
                self._publish_marks(now, ending)
        if self._log is not None:
            self._log_history(1)

    def finish(self) -> None:
        """Log what is not logged yet."""
        if self._log is not None:
            self._log_history(None)

    def _history(self, started_ms: int) -> Iterator[tuple[Listing, TradeColumns]]:
        """Yield the trades published up to the start, in pieces."""
        for minute in range(self._exchange.first_minute, started_ms // MINUTE_MS + 1):
            for symbol, listing in self._exchange.symbols.items():
                block = self._exchange.source.trades(symbol, minute)
                end = int(np.searchsorted(block.event, started_ms, "right"))
                for begin in range(0, end, _LOG_PIECE):
                    yield listing, block[begin : min(end, begin + _LOG_PIECE)]

    def _log_history(self, pieces: int | None) -> None:
        assert self._log is not None
        for listing, trades in islice(self._backlog, pieces):
            self._log.append(listing, trades)
        self._log.flush()

    def _comes(self, period: int, now: int) -> bool:
        due = now // period > self._slots[period] // period
        if due:
            self._slots[period] = now
        return due

    def _publish_marks(self, now: int, ending: str) -> None:
        for symbol in self._exchange.symbols:
            stream = f"{symbol.lower()}@markPrice{ending}"
            if self._streams.wanted(MARKET, stream):
                mark = self._exchange.mark(symbol)
                self._streams.publish(MARKET, stream, payloads.mark_price(symbol, mark, now))

    def _publish_klines(self, now: int) -> None:
        wanted = [stream for stream in self._streams.streams_wanted(MARKET) if "@kline_" in stream]
        for stream in self._klines.keys() - set(wanted):
            del self._klines[stream]
        for stream in wanted:
            name, _, interval = stream.partition("@kline_")
            symbol = self._names.get(name)
            if symbol is not None and interval in INTERVALS:
                self._publish_kline(stream, symbol, interval, now)

    def _publish_kline(self, stream: str, symbol: str, interval: str, now: int) -> None:
        """Send the bars that have ended since the last time, closed, then the forming one if it changed."""
        length = INTERVALS[interval]
        settled = now - self._exchange.source.latency_ms
        current = settled // length * length
        state = self._klines.setdefault(stream, _KlineState(current))
        bars = self._exchange.bars(symbol, interval, state.open_time, current)
        for bar in bars[bars[:, market.OPEN_TIME] < current]:
            self._send_kline(stream, symbol, interval, bar, now, closed=True)
        if current != state.open_time:
            state.open_time, state.trades = current, 0
        for bar in bars[bars[:, market.OPEN_TIME] == current]:
            trades = int(bar[market.TRADES])
            if trades != state.trades:
                self._send_kline(stream, symbol, interval, bar, now, closed=False)
                state.trades = trades

    def _send_kline(self, stream: str, symbol: str, interval: str, bar: IntArray, now: int, *, closed: bool) -> None:
        listing = self._exchange.symbols[symbol]
        payload = payloads.kline(listing, interval, np.asarray(bar), now, closed)
        self._streams.publish(MARKET, stream, payload)
