"""Hold the live market: bars, quotes and states of every symbol, told by the feed on the loop's thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from quantdesk.bars.agreement import KlineCheck
from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray
from quantdesk.bars.builder import Bar
from quantdesk.bars.derived import derived_of
from quantdesk.bars.series import BarSeries
from quantdesk.model.kline_checks import KlineChecks
from quantdesk.model.paint_latency import PaintLatency
from quantdesk.model.recent_trades import RecentTrades, TradePrices
from quantdesk.model.symbol_bars import SymbolBars
from quantdesk.store.base import StoredBars, TickArrays
from quantdesk.types import BookTicker, FeedStatus, Gap, Instrument, Kline, MarkPrice, Origin, StoreStatus, Tick


@dataclass(frozen=True, slots=True)
class LegQuote:
    """Show the newest prices of one symbol; None = not heard yet. Times in exchange ms."""

    symbol: str
    last: float | None = None
    last_quantity: float | None = None
    last_trade_ts: int | None = None
    bid: float | None = None
    ask: float | None = None
    mark: float | None = None
    index: float | None = None
    funding_rate: float | None = None
    next_funding_ts: int | None = None


class _Leg:
    """Gather what is known of one symbol."""

    __slots__ = ("bars", "checks", "quote", "recent", "trade")

    def __init__(self, instrument: Instrument) -> None:
        self.bars = SymbolBars(instrument)
        self.checks = KlineChecks()
        self.recent = RecentTrades()
        self.quote = LegQuote(instrument.symbol)
        self.trade: Tick | None = None


class MarketModel(QObject):
    """Listen to a feed (ingest.listener.FeedListener) and offer its bars (SeriesSource).

    ``ticked(symbol)`` once a turn of the loop that brought trades; ``bar_closed(symbol, interval, open_times)``
    for bars closed or revised, once a turn of the loop; ``series_changed(symbol, interval)`` for merged history;
    ``reload_wanted(symbol, start_ms, end_ms)`` when late trades changed bars that only the store knows
    whole: load them again once the store has written; ``restarted`` when all of it was forgotten: hedge
    lines made of it know what is still to come.
    """

    ticked = Signal(str)
    bar_closed = Signal(str, str, object)
    series_changed = Signal(str, str)
    status_changed = Signal()
    symbols_changed = Signal()
    reload_wanted = Signal(str, object, object)
    restarted = Signal()

    def __init__(self, origin: Origin = Origin.LIVE, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._origin = origin
        self._tells_when_asked = False
        self._legs: dict[str, _Leg] = {}
        self._removed: set[str] = set()
        self._live_since: int | None = None
        self._exchange_ms: int | None = None
        self._feed_status = FeedStatus()
        self._store_status = StoreStatus()
        self._touched: set[str] = set()
        self._closed: dict[tuple[str, str], set[int]] = {}
        self._changed: set[tuple[str, str]] = set()
        self._news = self._timer(0)
        self._news.timeout.connect(self._on_news)
        self._turn = self._timer(0)
        self._turn.timeout.connect(self.tell)
        self.latency = PaintLatency()

    @property
    def origin(self) -> Origin:
        """Return whether this is the market, a replay or the simulator."""
        return self._origin

    @property
    def live_since(self) -> int | None:
        """Return the exchange time (ms) when the feed first told the time, or None."""
        return self._live_since

    @property
    def exchange_ms(self) -> int | None:
        """Return the newest exchange time (ms), or None."""
        return self._exchange_ms

    @property
    def feed_status(self) -> FeedStatus:
        """Return the feed's newest state."""
        return self._feed_status

    @property
    def store_status(self) -> StoreStatus:
        """Return the store's newest state."""
        return self._store_status

    def set_store_status(self, status: StoreStatus) -> None:
        """Take the store's state for the status bar."""
        if status != self._store_status:
            self._store_status = status
            self.status_changed.emit()

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols in the order they came."""
        return tuple(self._legs)

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals of a symbol, shortest first."""
        leg = self._legs.get(symbol)
        return leg.bars.intervals() if leg else ()

    def series(self, symbol: str, interval: str) -> BarSeries | None:
        """Return the bars, or None for an unknown symbol or interval."""
        leg = self._legs.get(symbol)
        return leg.bars.series(interval) if leg else None

    def instrument(self, symbol: str) -> Instrument | None:
        """Return venue, tick and step of a symbol."""
        leg = self._legs.get(symbol)
        return leg.bars.instrument if leg else None

    def statistic_closes(self, symbol: str, interval: str) -> FloatArray | None:
        """Return None: statistics use the bars' own closes."""
        return None

    def partial_times(self, symbol: str, interval: str) -> IntArray:
        """Return the open times of shown bars of which trades are missing."""
        leg = self._legs.get(symbol)
        return leg.bars.partial_times(interval) if leg else np.empty(0, np.int64)

    def qualities(self, symbol: str, interval: str, last: int | None = None) -> IntArray | None:
        """Return the BarQuality of each bar, or of the ``last`` ones."""
        leg = self._legs.get(symbol)
        return leg.bars.qualities(interval, last) if leg else None

    def missing_times(self, symbol: str, interval: str) -> IntArray:
        """Return the open times amid the bars at which trades are missing and no bar stands."""
        leg = self._legs.get(symbol)
        return leg.bars.missing_times(interval) if leg else np.empty(0, np.int64)

    def gaps_behind(self, symbol: str, interval: str, open_time: int) -> tuple[Gap, ...]:
        """Return the gaps that lack trades of one bar: they tell why it is not complete."""
        leg = self._legs.get(symbol)
        return leg.bars.gaps_behind(interval, open_time) if leg else ()

    def trades(self, symbol: str, since: int | None = None) -> TradePrices:
        """Return the newest trades of a symbol: those of the last half hour (or ``since``, ms), 300,000 at most."""
        leg = self._legs.get(symbol)
        if leg is None:
            return TradePrices.empty()
        return leg.recent.read() if since is None else leg.recent.since(since)

    def quote(self, symbol: str) -> LegQuote:
        """Return the newest prices of a symbol."""
        leg = self._legs.get(symbol)
        if leg is None:
            return LegQuote(symbol)
        if leg.trade is None:
            return leg.quote
        return replace(leg.quote, last=leg.trade.price, last_quantity=leg.trade.quantity, last_trade_ts=leg.trade.ts)

    def kline_checks(self, symbol: str) -> tuple[int, int]:
        """Return (matched, compared): how many of the exchange's klines our bars agree with; explained ones agree."""
        leg = self._legs.get(symbol)
        return (leg.checks.matched, leg.checks.compared) if leg else (0, 0)

    def kline_explained(self, symbol: str) -> int:
        """Return how many of the matching bars needed an explanation."""
        leg = self._legs.get(symbol)
        return leg.checks.explained if leg else 0

    def kline_differences(self, symbol: str) -> tuple[KlineCheck, ...]:
        """Return the bars of the last three days that differ from the klines or needed an explanation."""
        leg = self._legs.get(symbol)
        return leg.checks.differences() if leg else ()

    def load(self, symbol: str, interval: str, stored: StoredBars) -> None:
        """Show stored bars; call it after on_instrument and before the feed starts."""
        self._leg(symbol).bars.load(interval, stored)
        self._mark_changed(symbol, (interval,))

    def reload(self, symbol: str, interval: str, span: tuple[int, int], stored: StoredBars, *, sources: bool) -> None:
        """Show what the store still has of [start, end) (ms), in which all bars, or ``sources`` alone, were deleted."""
        self._leg(symbol).bars.reload(interval, span, stored, sources=sources)
        self._mark_changed(symbol, (interval,))

    def forget_trades(self, symbol: str, start: int, end: int) -> None:
        """Forget the trades of [start, end) (ms), which were deleted; bars made of them stay."""
        self._leg(symbol).recent.drop(start, end)

    def seed(self, symbol: str, ticks: TickArrays) -> None:
        """Give the builder the stored ticks since the 5-minute bar of the last one, before the feed starts.

        The ticks must begin at the start of a 5-minute bar and end with the last stored one; without
        them the bars running at the end of the last session would show the new trades only. Blocks
        come one after the other, ascending.
        """
        leg = self._leg(symbol)
        newest = leg.bars.seed(ticks)
        leg.recent.extend(ticks.ts, ticks.agg_id, ticks.price)
        if newest is not None and (leg.trade is None or newest.agg_id > leg.trade.agg_id):
            leg.trade = newest
        self._mark_changed(symbol, self.intervals(symbol))

    def restart(self) -> None:
        """Forget everything but the symbols: a replay begins anew."""
        self._legs = {symbol: _Leg(leg.bars.instrument) for symbol, leg in self._legs.items()}
        self._live_since = self._exchange_ms = None
        self._closed.clear()
        self._changed.clear()
        for symbol in self._legs:
            self._touch(symbol)
        self.restarted.emit()

    def remove_symbol(self, symbol: str) -> None:
        """Forget a symbol; what still arrives of it is dropped."""
        self._removed.add(symbol)
        if self._legs.pop(symbol, None) is None:
            return
        self._closed = {key: times for key, times in self._closed.items() if key[0] != symbol}
        self._touched.discard(symbol)
        self.symbols_changed.emit()

    def on_instrument(self, instrument: Instrument) -> None:
        """Take a symbol's precision, or a new symbol."""
        self._removed.discard(instrument.symbol)
        leg = self._legs.get(instrument.symbol)
        if leg is not None:
            leg.bars.set_instrument(instrument)
            return
        self._legs[instrument.symbol] = _Leg(instrument)
        self.symbols_changed.emit()

    def on_tick(self, tick: Tick) -> None:
        """Add a trade, live or filled in behind."""
        leg = self._legs.get(tick.symbol)
        if leg is None:
            if tick.symbol in self._removed:
                return
            leg = self._leg(tick.symbol)
        if leg.trade is None or tick.agg_id > leg.trade.agg_id:
            leg.trade = tick
            self.latency.received(tick.symbol)
        closed = leg.bars.on_tick(tick)
        leg.recent.add(tick.ts, tick.agg_id, tick.price)
        leg.checks.on_tick(tick)
        leg.checks.on_bars(closed)
        self._mark_closed(tick.symbol, leg, closed)
        self._touch(tick.symbol)

    def on_quote(self, quote: BookTicker) -> None:
        """Take the best bid and ask."""
        leg = self._legs.get(quote.symbol)
        if leg is not None:
            leg.quote = replace(leg.quote, bid=quote.bid, ask=quote.ask)
            self._touch(quote.symbol)

    def on_mark(self, mark: MarkPrice) -> None:
        """Take mark price and funding."""
        leg = self._legs.get(mark.symbol)
        if leg is not None:
            leg.quote = replace(
                leg.quote,
                mark=mark.mark,
                index=mark.index,
                funding_rate=mark.funding_rate,
                next_funding_ts=mark.next_funding_ts,
            )
            self._touch(mark.symbol)

    def on_kline(self, kline: Kline) -> None:
        """Keep the exchange's own bar to check ours."""
        leg = self._legs.get(kline.symbol)
        if leg is not None:
            leg.checks.add(kline)

    def on_time(self, exchange_ms: int) -> None:
        """Close the bars that ended by the exchange's time."""
        if self._live_since is None:
            self._live_since = exchange_ms
        self._exchange_ms = max(exchange_ms, self._exchange_ms or exchange_ms)
        for symbol, leg in self._legs.items():
            changed = leg.bars.forget_jumps(exchange_ms)
            if changed:
                self._mark_changed(symbol, changed)
                leg.checks.recheck()
            closed = leg.bars.on_time(exchange_ms)
            self._mark_closed(symbol, leg, closed)
            if closed:
                leg.checks.on_bars(closed)
                self._touch(symbol)
            leg.checks.settle(exchange_ms, leg.bars)

    def on_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Merge the exchange's closed klines behind and between the bars from trades."""
        if instrument.symbol in self._removed:
            return
        if instrument.symbol not in self._legs:
            self.on_instrument(instrument)
        leg = self._leg(instrument.symbol)
        leg.bars.merge_source(interval, bars)
        leg.checks.add_bars(interval, bars)
        self._mark_changed(instrument.symbol, (interval,))

    def on_gaps(self, symbol: str, gaps: Sequence[Gap]) -> None:
        """Take the gaps open now: bars that overlap them are partial."""
        leg = self._legs.get(symbol)
        if leg is None:
            return
        self._mark_changed(symbol, leg.bars.on_gaps(gaps))
        leg.checks.recheck()
        span = leg.bars.take_outdated()
        if span is not None:
            self.reload_wanted.emit(symbol, *span)

    def on_status(self, status: FeedStatus) -> None:
        """Take the feed's state."""
        self._feed_status = status
        self.status_changed.emit()

    def _timer(self, ms: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.setInterval(ms)
        return timer

    def _leg(self, symbol: str) -> _Leg:
        if symbol not in self._legs:
            self.on_instrument(Instrument("", symbol))
        return self._legs[symbol]

    def _touch(self, symbol: str) -> None:
        self._touched.add(symbol)
        if not self._news.isActive():
            self._news.start()

    def _mark_closed(self, symbol: str, leg: _Leg, bars: Iterable[Bar]) -> None:
        waits = leg.bars.has_ended
        for bar in bars:
            self._closed.setdefault((symbol, bar.interval.value), set()).add(bar.open_time)
            waits = True
        if waits:
            self._tell_soon()

    def _mark_changed(self, symbol: str, intervals: Iterable[str]) -> None:
        for interval in intervals:
            self._changed.update((symbol, name) for name in (str(interval), *derived_of(interval)))
            self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._tells_when_asked and not self._turn.isActive():
            self._turn.start()

    @Slot()
    def _on_news(self) -> None:
        touched, self._touched = self._touched, set()
        for symbol in sorted(touched):
            self.ticked.emit(symbol)

    def tell_when_asked(self) -> None:
        """Keep what closed and changed until ``tell``: a replay decides when a frame is made."""
        self._tells_when_asked = True

    @Slot()
    def tell(self) -> None:
        """Tell of the bars that closed or changed since it was last told."""
        # Once a turn: to look for derived bars at every trade that repairs one would show each form of every bar.
        for symbol, leg in self._legs.items():
            for interval, time in leg.bars.take_ended():
                self._closed.setdefault((symbol, interval), set()).add(time)
        changed, self._changed = self._changed, set()
        closed, self._closed = self._closed, {}
        for symbol, interval in sorted(changed):
            self.series_changed.emit(symbol, interval)
        for (symbol, interval), times in closed.items():
            self.bar_closed.emit(symbol, interval, tuple(sorted(times)))
