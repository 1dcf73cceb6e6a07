"""Run the live feed: two routes, a sequencer for each symbol, the gaps' filling, the fan-out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from quantdesk.config import Endpoints, FeedLimits
from quantdesk.feed.backfill import Account, Backfill
from quantdesk.feed.binance import Route
from quantdesk.feed.client import StreamClient
from quantdesk.feed.pace import ConnectBudget
from quantdesk.feed.pauses import PauseWatch
from quantdesk.feed.rest import PAGE, RestClient, RestError
from quantdesk.ingest.clock import ExchangeClock
from quantdesk.ingest.leg import Leg
from quantdesk.ingest.listener import FeedListener, Guarded
from quantdesk.ingest.old_bars import OldBars
from quantdesk.ingest.opening import Opening
from quantdesk.ingest.report import feed_report, report
from quantdesk.ingest.tally import Tally
from quantdesk.store.base import Writer
from quantdesk.types import (
    BookTicker,
    FeedReport,
    FeedStatus,
    Gap,
    Instrument,
    Kline,
    MarketEvent,
    MarkPrice,
    ServerShutdown,
    SymbolInfo,
    Tick,
)

FLUSH_SECONDS = 0.05
#: After each of so many tries to learn of the very last trades, the wait (s) for the next.
LAST_TRIES = (0.1, 0.3, 1.0, 0.0)
CLOCK_SECONDS = 0.25
STATUS_EVERY = 2  # clock ticks
#: A symbol whose last trade came so long (s) ago may be fed no more.
DELIVERS_WITHIN = 3.0
#: After data flow again, a symbol that stays quiet so long (s) is looked up by REST.
TAIL_CHECK = 2.0
#: So long (s) the end of a session waits for the ledger of what it has just taken over.
ADOPT_WAIT = 3.0


class Ingest:
    """Bring trades of some symbols to the store and to a listener, each id once, until cancelled.

    What is stored is asked of the writer, in order behind what is queued there. ``carry_on`` names by
    symbol the last (id, ts) that the listener has already.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        limits: FeedLimits,
        writer: Writer,
        listener: FeedListener,
        symbols: Sequence[str],
        *,
        history: bool = True,
        carry_on: Mapping[str, tuple[int, int]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._endpoints, self.limits, self._writer, self._clock = endpoints, limits, writer, clock
        self._listener = Guarded(listener)
        self.legs: dict[str, Leg] = {}
        self.rejected: dict[str, str] = {}  #: symbols that the exchange does not have, with the words for it
        self.tally = Tally(clock)
        self.exchange_clock = ExchangeClock()
        self.rest = RestClient(endpoints, limits, clock)
        connects = ConnectBudget(limits)
        self.clients = {
            route: StreamClient(
                endpoints.ws_url,
                route,
                limits,
                connects,
                self._on_event,
                self.tally.on_bad,
                self._on_back if route is Route.MARKET else lambda: None,
                clock=clock,
                wall=wall,
            )
            for route in Route
        }
        self.backfill = Backfill(self.rest, limits, self._accounts, self.exchange_now, clock)
        self.opening = Opening(self, writer, self._listener, limits, history=history, carry_on=carry_on)
        self.old_bars = OldBars(self.rest, writer, self._listener, lambda: self.legs, self.exchange_now, clock)
        self._pauses = PauseWatch(clock, wall)
        self._feed_tasks: list[asyncio.Task[None]] = []
        self._leg_tasks: dict[str, asyncio.Task[None]] = {}
        self._adoptions: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._left: set[str] = set()
        self._status = FeedStatus()
        self.is_stopping = False
        for symbol in symbols:
            self._add(symbol)

    @property
    def status(self) -> FeedStatus:
        """Return how the feed is now."""
        return self._status

    async def run(self) -> None:
        """Feed until cancelled; no frame, stream or REST error ends it."""
        self._want()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._feed_tasks = [group.create_task(client.run()) for client in self.clients.values()]
                self._feed_tasks.append(group.create_task(self.backfill.run(), name="backfill"))
                self._feed_tasks.append(group.create_task(self.old_bars.run(), name="old bars"))
                self._feed_tasks.append(group.create_task(self.opening.keep_informed(), name="exchange info"))
                group.create_task(self._flush_often(), name="flush")
                group.create_task(self._tell_time(), name="exchange time")
                for leg in list(self.legs.values()):
                    self._open(leg)
                await asyncio.Event().wait()
        finally:
            self._group = None
            for leg in self.legs.values():
                leg.flush(final=True)
            await self.rest.close()

    async def add_symbol(self, symbol: str) -> None:
        """Take a symbol in, also while running."""
        self.rejected.pop(symbol, None)
        if symbol not in self.legs:
            self._open(self._add(symbol))
            self._want()

    async def remove_symbol(self, symbol: str) -> None:
        """Let a symbol go; what came of it is stored."""
        leg = self.legs.pop(symbol, None)
        if leg is None:
            return
        self._left.add(symbol)
        self._want()
        task = self._leg_tasks.pop(symbol, None)
        if task is not None:
            task.cancel()
        leg.flush(final=True)
        self._writer.release(leg.instrument)

    def prefer(self, symbols: Sequence[str], interval: str = "", others: Sequence[tuple[str, str]] = ()) -> None:
        """Fill these symbols first: somebody looks at them, at this interval; at others at an interval each."""
        self.backfill.preferred = self.old_bars.preferred = frozenset((*symbols, *(symbol for symbol, _ in others)))
        self.old_bars.show(symbols, interval)
        for symbol, other in others:
            self.old_bars.show((symbol,), other)

    def delivers(self, symbol: str) -> bool:
        """Tell whether the stream has brought a trade of a symbol in the last seconds."""
        leg = self.legs.get(symbol)
        return leg is not None and leg.opened.is_set() and self._clock() - leg.heard_at < DELIVERS_WITHIN

    def report(self) -> FeedReport:
        """Return the whole state of the feed, for a person to look at; costs about a millisecond."""
        return feed_report(self, self._clock())

    async def symbols_info(self) -> list[SymbolInfo]:
        """Return the exchange's symbols, tradable ones first; asked for once. Raises RestError."""
        return await self.opening.symbols_info()

    async def finish(self, seconds: float) -> list[Gap]:
        """Stop the feed, fill what is open for at most so long, store it; return the gaps that remain."""
        self.is_stopping = True
        deadline = self._clock() + seconds
        for task in self._feed_tasks:
            task.cancel()
        await asyncio.gather(*self._feed_tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                self._take_over()
                if self._adoptions:
                    await asyncio.wait(self._adoptions, timeout=ADOPT_WAIT)
                await self._complete()
                for leg in self.legs.values():
                    leg.flush(final=True)
                await self.backfill.drain(deadline - self._clock())
        for task in self._leg_tasks.values():
            task.cancel()
        for leg in self.legs.values():
            leg.flush(final=True)
        self._tell_gaps()
        return [gap for leg in self.legs.values() for gap in leg.sequencer.gaps.active()]

    def exchange_now(self) -> int:
        """Return the exchange's time (ms): by its events, else by REST's clock, else ours."""
        now = self.exchange_clock.now(self._clock())
        return now if now is not None else int(self.rest.exchange_ms or time.time() * 1_000)

    def reject(self, symbol: str, words: str) -> None:
        """Give up a symbol that the exchange does not have."""
        self.rejected[symbol] = words
        self.legs.pop(symbol, None)
        task = self._leg_tasks.pop(symbol, None)
        if task is not None:
            task.cancel()
        self._want()
        self._tell_status()

    def _add(self, symbol: str) -> Leg:
        instrument = Instrument(self._endpoints.venue, symbol)
        settle, seam_ms = 2 * self.limits.gap_collect, self.limits.seam_minutes * 60_000
        leg = Leg(instrument, self._writer, self._listener, self._clock, settle=settle, seam_ms=seam_ms)
        self.legs[symbol] = leg
        self._left.discard(symbol)
        return leg

    def _open(self, leg: Leg) -> None:
        if self._group is not None:
            self._leg_tasks[leg.symbol] = self._group.create_task(self.opening.run(leg), name=f"open {leg.symbol}")

    def _want(self) -> None:
        for client in self.clients.values():
            client.want(self.legs)

    def _accounts(self) -> list[Account]:
        return [Account(s, leg.sequencer.gaps, leg.deliver, leg.is_blocked) for s, leg in self.legs.items()]

    def _on_event(self, event: MarketEvent) -> None:
        if isinstance(event, ServerShutdown):
            return
        leg = self.legs.get(event.symbol)
        if leg is None:
            if event.symbol not in self._left:
                self.tally.on_bad(repr(event).encode(), f"a symbol that nobody asked for: {event.symbol[:40]}")
            return
        now = self._clock()
        self.tally.on_message(event.event_ts, now)
        self.exchange_clock.on_event(event.event_ts, now)
        match event:
            case Tick():
                leg.on_tick(event)
            case BookTicker():
                leg.on_quote(event)
            case MarkPrice():
                self._listener.on_mark(event)
            case Kline():
                self.opening.on_kline(leg, event)
                self._listener.on_kline(event)

    def _on_back(self) -> None:
        """After a loss, look up the symbols that stay quiet: their last trades may have come meanwhile."""
        for leg in self.legs.values():
            self.check_tail(leg)

    def check_tail(self, leg: Leg) -> None:
        """Look a symbol up by REST unless it trades soon."""
        leg.tail_check = self._clock() + TAIL_CHECK, leg.sequencer.expected

    async def _complete(self) -> None:
        """Learn of the trades up to the end of the session that the stream did not bring."""
        for leg in list(self.legs.values()):
            if leg.started.is_set():
                await leg.opened.wait()
            if leg.seam is not None:
                await self.opening.close_seam(leg, tries=1)
            leg.sequencer.gaps.settle()
            for pause in LAST_TRIES:
                if await self._catch_up(leg):
                    break
                await asyncio.sleep(pause)

    async def _catch_up(self, leg: Leg) -> bool:
        """Ask for what came after the last trade; return whether there was an answer and it was all."""
        expected = leg.sequencer.expected
        if expected is None or leg.is_blocked():
            return True
        try:
            page = await self.rest.agg_trades(leg.symbol, from_id=expected)
        except RestError:
            return False
        leg.deliver(page)
        return len(page) < PAGE

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            for leg in list(self.legs.values()):
                leg.flush()

    async def _tell_time(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            turn += 1
            if self._pauses.look().is_sleep:
                self.tally.forget_lags()
                self.opening.on_sleep()
            closing = self.exchange_clock.closing(self._clock())
            if closing is not None and not self.is_stopping:
                self._listener.on_time(closing)
            if turn % STATUS_EVERY == 0:
                self._tell_gaps()
                self._tell_status()
                self._take_over()
            for leg in list(self.legs.values()):
                check = leg.tail_check
                if check is not None and self._clock() >= check[0] and self._group is not None:
                    leg.tail_check = None
                    if leg.sequencer.expected == check[1] and not self.is_stopping:
                        self._group.create_task(self._catch_up(leg), name=f"tail of {leg.symbol}")

    def _take_over(self) -> None:
        """Take in the ledger of symbols that another program has written until now."""
        for instrument in self._writer.takeovers():
            leg = self.legs.get(instrument.symbol)
            if leg is not None:
                self.adopt(leg)

    def learn_of_past(self, symbol: str, start_ms: int, end_ms: int) -> None:
        """Take in what was brought into the store from elsewhere: what it left open, and what is whole by now."""
        leg = self.legs.get(symbol)
        if leg is not None and leg.opened.is_set() and self._group is not None:
            self._group.create_task(self.opening.relearn(leg, start_ms, end_ms), name=f"past of {symbol}")

    def adopt(self, leg: Leg) -> None:
        """Take in what the store's ledger says of a symbol, once it answers."""
        if self._group is not None:
            task = self._group.create_task(self.opening.adopt(leg), name=f"adopt {leg.symbol}")
            self._adoptions.add(task)
            task.add_done_callback(self._adoptions.discard)

    def _tell_gaps(self) -> None:
        now = self._clock()
        for leg in self.legs.values():
            if leg.gaps_changed:
                leg.gaps_changed = False
                self._listener.on_gaps(leg.symbol, leg.missing(now))

    def _tell_status(self) -> None:
        self._status = report(self, self._clock())
        self._listener.on_status(self._status)
