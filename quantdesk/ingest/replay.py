"""Play recorded frames, ticks, or a stored span through the same listener and store as the live feed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from quantdesk.feed.sequencer import Sequencer, Verdict
from quantdesk.ingest.clock import FREE_RUN_MS, GRACE_MS
from quantdesk.ingest.leg import TickStore
from quantdesk.ingest.listener import FeedListener, Guarded
from quantdesk.ingest.record_blocks import Bad, Played, timed_records
from quantdesk.ingest.tape import PlayedBar, Precision, Tape, open_tape, step_of
from quantdesk.ingest.transport import FASTEST, Follower, News, Transport
from quantdesk.trades import Aggregator, RawTrade
from quantdesk.types import BookTicker, FeedStatus, Instrument, Kline, Light, MarkPrice, Tick

#: Trades handed to the store at once, and how long (s) events are played before others get their turn.
BATCH = 1_000
SLICE = 0.005
#: The exchange's clock is told at every multiple of this (ms): the marks, at which a replay can rest.
CLOCK_MS = 250
STATUS_SECONDS = 0.5
#: A pause of the recording longer than this (s) is shortened to it; beyond this speed in proportion.
LONGEST_PAUSE = 5.0
_PAUSE_SPEED = 60.0
FIRST_ID = 1
#: A store that refuses so often in a row (about ten seconds) will not take any more.
REFUSALS = 200


@dataclass(slots=True)
class ReplaySummary:
    """Count what a replay brought; stamps are ms."""

    records: int = 0
    ticks: int = 0
    quotes: int = 0
    bad: int = 0
    duplicates: int = 0
    first_ts: int | None = None
    last_ts: int | None = None
    symbols: dict[str, int] = field(default_factory=dict)
    damage: str = ""


class Replay:
    """Play a file or a tape; raw trades are aggregated by the exchange's rule, numbered from 1 for each symbol.

    Numbering by the file makes a second replay into the same store add nothing. Between two marks
    only trades are told; at a mark the clock is told, and the ``follower`` waited for. Marks and all
    that happens between them depend on the records alone, never on the speed: the same records bring
    the same bars, frames and alerts.

    Without a ``transport`` it plays once, ``speed`` times the recorded pace; 0 or infinity means as
    fast as it goes. With one it obeys it until it is cancelled.
    """

    def __init__(
        self,
        source: Path | Tape,
        writer: TickStore | None,
        listener: FeedListener,
        *,
        venue: str = "replay",
        speed: float = 1.0,
        transport: Transport | None = None,
        follower: Follower | None = None,
    ) -> None:
        self._source, self._writer, self._venue = source, writer, venue
        self._listener = Guarded(listener)
        self._stays = transport is not None
        self._transport = transport or Transport(speed)
        self._follower = follower
        self._precision: Precision = {}
        self._furthest = 0  # records that the store has been given, ever
        self._next_status = 0.0
        self._anchor: tuple[float, float, float] | None = None  # wall clock (s), the recording's (s), speed
        self._turn = 0.0
        self.summary = ReplaySummary()
        self._begin()

    def _begin(self) -> None:
        """Stand before the first record."""
        self._furthest = max(self._furthest, self.summary.records)
        self._instruments = {
            symbol: Instrument(self._venue, symbol, *sizes) for symbol, sizes in self._precision.items()
        }
        self._aggregators: dict[str, Aggregator] = {}
        self._sequencers: dict[str, Sequencer] = {}
        self._pending: dict[str, list[Tick]] = {}
        self._quotes: dict[str, BookTicker] = {}
        self._event_ms = self._told_ms = 0
        self._event_at = 0.0  # when the newest event was recorded (s)
        self._fresh = False  # whether anything was told since the last mark
        self._anchor = None
        self.summary = ReplaySummary()

    async def run(self) -> ReplaySummary:
        """Play to the end, or until cancelled; raise ConfigError for a file that cannot be read."""
        source, transport = self._source, self._transport
        tape = await asyncio.to_thread(open_tape, source) if isinstance(source, Path) else source
        self._precision = await asyncio.to_thread(tape.precision)
        measuring = asyncio.ensure_future(self._measure(tape)) if self._stays else None
        try:
            while True:
                self._begin()
                transport.begin()
                if self._follower is not None:
                    self._follower.begin()
                for instrument in self._instruments.values():
                    self._listener.on_instrument(instrument)
                if self._follower is not None:
                    await self._follower.settle()
                if not await self._played(tape):
                    continue
                transport.end()
                if not self._stays:
                    return self.summary
                if self._follower is not None:
                    await self._follower.settle()
                while not transport.wants_restart():
                    await transport.wake(None)
        finally:
            if measuring is not None:
                measuring.cancel()
                await asyncio.gather(measuring, return_exceptions=True)

    async def _measure(self, tape: Tape) -> None:
        self._transport.know_span(await asyncio.to_thread(tape.extent))

    async def _played(self, tape: Tape) -> bool:
        """Play from the start; return whether the end was reached: False where it is to begin anew."""
        ended = False
        try:
            ended = await self._play(tape)
            if ended:
                for symbol, aggregator in self._aggregators.items():
                    self._tick(aggregator.flush(), symbol)
                # What the last events began is over a moment later.
                ended = await self._go_to(self._event_ms + FREE_RUN_MS)
        finally:
            self._show_quotes()
            await self._store(0)
            self.summary.bad += tape.skipped
            self.summary.damage = self.summary.damage or tape.damage
            if ended or not self._stays:
                damage = self.summary.damage
                self._tell_status("replay ended" if not damage else f"replay ended: {damage}")
        return ended

    async def _play(self, tape: Tape) -> bool:
        async with aclosing(timed_records(tape)) as blocks:
            async for block in blocks:
                for at, event_ms, event in block:
                    if event_ms - GRACE_MS >= self._told_ms + CLOCK_MS and not await self._go_to(event_ms):
                        return False
                    await self._pace(at)
                    if self._transport.wants_restart():
                        return False
                    if event_ms > self._event_ms:
                        self._event_ms, self._event_at = event_ms, at
                    self._fresh = True
                    self._take(event)
        return True

    async def _go_to(self, event_ms: int) -> bool:
        """Stand at every mark due before an event; return False where the replay is to begin anew."""
        for mark in self._marks(event_ms):
            await self._pace(self._event_at + (mark + GRACE_MS - self._event_ms) / 1_000)
            if self._transport.wants_restart():
                return False
            await self._stand_at(mark)
            await self._stay()
            if self._transport.wants_restart():
                return False
        return True

    def _marks(self, event_ms: int) -> Iterator[int]:
        """Yield the marks before an event: as the exchange's clock runs on in silence, then stops."""
        if self._told_ms == 0:
            self._told_ms = event_ms - GRACE_MS - (event_ms - GRACE_MS) % CLOCK_MS
            return
        free = min(event_ms, self._event_ms + FREE_RUN_MS) - GRACE_MS
        yield from range(self._told_ms + CLOCK_MS, free + 1, CLOCK_MS)
        last = event_ms - GRACE_MS - (event_ms - GRACE_MS) % CLOCK_MS
        if last > self._told_ms:
            yield last

    async def _stand_at(self, mark: int) -> None:
        """Tell the time, and wait until all that follows from what was played is known."""
        self._told_ms = mark
        for symbol, aggregator in self._aggregators.items():
            self._tick(aggregator.flush_before(mark), symbol)
        self._show_quotes()
        self._listener.on_time(mark)
        news = await self._follower.settle() if self._follower is not None else News()
        self._fresh = False
        self._transport.reach(mark, news)

    async def _stay(self) -> None:
        """Rest at a mark while that is wanted."""
        if self._transport.waits and self._follower is not None:
            await self._follower.settle()
        while self._transport.waits:
            self._tell_status("replay paused")
            await self._transport.wake(None)
            self._anchor = None

    async def _pace(self, at: float) -> None:
        """Wait until the recorded moment ``at`` (s) is due, or something else is wanted."""
        transport = self._transport
        while not transport.wants_restart():
            now = time.monotonic()
            if transport.waits and not self._fresh and transport.position is not None:
                await self._stay()  # it stands at a mark: nothing was told since
                continue
            if transport.is_fast:
                self._anchor = None
                if now - self._turn > SLICE:
                    await self._rest(0)
                return
            speed = transport.speed
            if self._anchor is None or self._anchor[2] != speed:
                self._anchor = (now, at, speed)
            wait = self._anchor[0] + (at - self._anchor[1]) / speed - now
            longest = LONGEST_PAUSE / max(1.0, speed / _PAUSE_SPEED)
            if wait > longest:
                self._anchor = (self._anchor[0] - (wait - longest), self._anchor[1], speed)
                wait = longest
            if wait > SLICE:
                await self._rest(wait)
                continue
            if now - self._turn > SLICE:
                await self._rest(0)
            return

    async def _rest(self, seconds: float) -> None:
        """Show what has gathered, let the others work, wait."""
        self._show_quotes()
        if time.monotonic() >= self._next_status:
            self._tell_status("replay")
        paced = self._transport.speed != FASTEST
        if paced or any(len(ticks) >= BATCH for ticks in self._pending.values()):
            await self._store(0 if paced else BATCH)
        if seconds:
            await self._transport.wake(seconds)
        else:
            await asyncio.sleep(0)
        self._turn = time.monotonic()

    def _take(self, event: Played) -> None:
        self.summary.records += 1
        match event:
            case Bad():
                self.summary.bad += 1
            case RawTrade():
                self._raw(event)
            case Tick():
                self._tick(event, event.symbol)
            case BookTicker():
                self.summary.quotes += 1
                self._quotes[event.symbol] = event
            case MarkPrice():
                self._listener.on_mark(event)
            case Kline():
                self._listener.on_kline(event)
            case PlayedBar():
                self._listener.on_source_bars(self._instrument(event.symbol), event.interval, event.bar, "kline")

    def _raw(self, raw: RawTrade) -> None:
        aggregator = self._aggregators.get(raw.symbol)
        if aggregator is None:
            aggregator = self._aggregators[raw.symbol] = Aggregator(raw.symbol, FIRST_ID)
        repeated = aggregator.repeated
        self._tick(aggregator.add(raw), raw.symbol)
        self.summary.duplicates += aggregator.repeated - repeated

    def _tick(self, tick: Tick | None, symbol: str) -> None:
        if tick is None:
            return
        sequencer = self._sequencers.get(symbol)
        if sequencer is None:
            sequencer = self._sequencers[symbol] = Sequencer(symbol)
            self._listener.on_instrument(self._instrument(symbol))
        elif sequencer.gaps.is_full:
            # Nobody fills the holes of a replay: they are forgotten, or no trade beyond a further one would pass.
            sequencer = self._sequencers[symbol] = Sequencer(symbol, sequencer.expected, sequencer.last_ts)
        if sequencer.on_tick(tick) not in (Verdict.NEW, Verdict.LATE):
            self.summary.duplicates += 1
            return
        summary = self.summary
        summary.ticks += 1
        summary.symbols[symbol] = summary.symbols.get(symbol, 0) + 1
        summary.first_ts = tick.ts if summary.first_ts is None else min(summary.first_ts, tick.ts)
        summary.last_ts = tick.ts if summary.last_ts is None else max(summary.last_ts, tick.ts)
        instrument = self._instrument(symbol)
        digits, steps = instrument.price_decimals, instrument.quantity_decimals
        if round(tick.price, digits) != tick.price or round(tick.quantity, steps) != tick.quantity:
            self._refine(instrument, tick)
        self._listener.on_tick(tick)
        if summary.records > self._furthest:  # a replay that has begun anew brings the store nothing new
            self._pending.setdefault(symbol, []).append(tick)

    def _instrument(self, symbol: str) -> Instrument:
        return self._instruments.setdefault(symbol, Instrument(self._venue, symbol))

    def _refine(self, instrument: Instrument, tick: Tick) -> None:
        """Take over a precision that only a later record shows."""
        tick_size = min(instrument.tick_size, step_of(tick.price))
        step_size = min(instrument.step_size, step_of(tick.quantity))
        self._instruments[tick.symbol] = Instrument(self._venue, tick.symbol, tick_size, step_size)
        self._listener.on_instrument(self._instruments[tick.symbol])

    def _show_quotes(self) -> None:
        quotes, self._quotes = self._quotes, {}
        for quote in quotes.values():
            self._listener.on_quote(quote)

    async def _store(self, least: int) -> None:
        """Hand over what has gathered; a full queue is waited for, because a file can wait."""
        for symbol, ticks in self._pending.items():
            if self._writer is None:
                ticks.clear()
            while self._writer is not None and ticks and len(ticks) >= least:
                batch = ticks[:BATCH]
                tries = 0
                while not self._writer.put_ticks(self._instrument(symbol), batch):
                    tries += 1
                    if tries > REFUSALS:
                        self.summary.damage = "the store takes no more trades"
                        ticks.clear()
                        break
                    await asyncio.sleep(0.05)
                del ticks[:BATCH]

    def _tell_status(self, text: str) -> None:
        self._next_status = time.monotonic() + STATUS_SECONDS
        summary = self.summary
        self._listener.on_status(
            FeedStatus(
                light=Light.GREEN,
                text=text,
                symbols=tuple(self._sequencers),
                duplicates=summary.duplicates,
                quarantined=summary.bad,
            )
        )
