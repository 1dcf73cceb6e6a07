"""Play recorded frames, ticks or a ticks export through the same listener and store as the live feed."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quantdesk.feed.binance import BadFrame, parse
from quantdesk.feed.sequencer import Sequencer, Verdict
from quantdesk.ingest.clock import GRACE_MS
from quantdesk.ingest.leg import TickStore
from quantdesk.ingest.listener import FeedListener, Guarded
from quantdesk.ingest.tape import Recorded, Tape, open_tape, precision_of, step_of
from quantdesk.trades import Aggregator, RawTrade
from quantdesk.types import BookTicker, FeedStatus, Instrument, Kline, Light, MarkPrice, Tick

#: Trades handed to the store at once, and how long (s) events are played before others get their turn.
BATCH = 1_000
SLICE = 0.005
CLOCK_MS = 250
STATUS_SECONDS = 0.5
#: A pause of the recording longer than this (s) is shortened to it.
LONGEST_PAUSE = 5.0
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
    """Play a file once; raw trades are aggregated by the exchange's rule, numbered from 1 for each symbol.

    Numbering by the file makes a second replay into the same store add nothing. ``speed`` multiplies
    the recorded pace; 0 or infinity means as fast as it goes.
    """

    def __init__(
        self,
        path: Path,
        writer: TickStore | None,
        listener: FeedListener,
        *,
        venue: str = "replay",
        speed: float = 1.0,
    ) -> None:
        self._path, self._writer, self._venue = path, writer, venue
        self._listener = Guarded(listener)
        self._speed = speed if 0 < speed < math.inf else 0.0
        self._instruments: dict[str, Instrument] = {}
        self._aggregators: dict[str, Aggregator] = {}
        self._sequencers: dict[str, Sequencer] = {}
        self._pending: dict[str, list[Tick]] = {}
        self._quotes: dict[str, BookTicker] = {}
        self._event_ms = self._told_ms = 0
        self._next_status = 0.0
        self.summary = ReplaySummary()

    async def run(self) -> ReplaySummary:
        """Play to the end, or until cancelled; raise ConfigError for a file that cannot be read."""
        tape = await asyncio.to_thread(open_tape, self._path)
        for symbol, (tick_size, step_size) in (await asyncio.to_thread(precision_of, tape)).items():
            self._instruments[symbol] = Instrument(self._venue, symbol, tick_size, step_size)
        try:
            await self._play(tape)
            for symbol, aggregator in self._aggregators.items():
                self._tick(aggregator.flush(), symbol)
        finally:
            self._show_quotes()
            await self._store(0)
            self.summary.bad += tape.skipped
            self.summary.damage = tape.damage
            self._tell_status("replay ended" if not tape.damage else f"replay ended: {tape.damage}")
        return self.summary

    async def _play(self, tape: Tape) -> None:
        begun: tuple[float, float] | None = None
        turn = time.monotonic()
        records: Iterator[Recorded] = iter(tape)
        for at, record in records:
            now = time.monotonic()
            if begun is None:
                begun = (now, at)
            if self._speed:
                wait = begun[0] + (at - begun[1]) / self._speed - now
                if wait > LONGEST_PAUSE:
                    begun = (begun[0] - (wait - LONGEST_PAUSE), begun[1])
                    wait = LONGEST_PAUSE
                if wait > SLICE:
                    await self._rest(wait)
                    turn = time.monotonic()
            if now - turn > SLICE:
                await self._rest(0)
                turn = time.monotonic()
            self._take(record)

    async def _rest(self, seconds: float) -> None:
        """Show what has gathered, let the others work, wait."""
        self._show_quotes()
        over = self._event_ms - GRACE_MS
        if over - self._told_ms >= CLOCK_MS:
            self._told_ms = over
            for symbol, aggregator in self._aggregators.items():
                self._tick(aggregator.flush_before(over), symbol)
            self._listener.on_time(over)
        if time.monotonic() >= self._next_status:
            self._tell_status("replay")
        if self._speed or any(len(ticks) >= BATCH for ticks in self._pending.values()):
            await self._store(0 if self._speed else BATCH)
        await asyncio.sleep(seconds)

    def _take(self, record: bytes | Tick) -> None:
        self.summary.records += 1
        if isinstance(record, Tick):
            self._tick(record, record.symbol)
            return
        try:
            event = parse(record)
        except BadFrame:
            self.summary.bad += 1
            return
        match event:
            case RawTrade():
                self._event_ms = max(self._event_ms, event.event_ts)
                self._raw(event)
            case Tick():
                self._event_ms = max(self._event_ms, event.event_ts)
                self._tick(event, event.symbol)
            case BookTicker():
                self._event_ms = max(self._event_ms, event.event_ts)
                self.summary.quotes += 1
                self._quotes[event.symbol] = event
            case MarkPrice():
                self._listener.on_mark(event)
            case Kline():
                self._listener.on_kline(event)

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
        if sequencer.on_tick(tick) not in (Verdict.NEW, Verdict.LATE):
            self.summary.duplicates += 1
            return
        summary = self.summary
        summary.ticks += 1
        summary.symbols[symbol] = summary.symbols.get(symbol, 0) + 1
        summary.first_ts = tick.ts if summary.first_ts is None else min(summary.first_ts, tick.ts)
        summary.last_ts = tick.ts if summary.last_ts is None else max(summary.last_ts, tick.ts)
        self._event_ms = max(self._event_ms, tick.ts)
        instrument = self._instrument(symbol)
        digits, steps = instrument.price_decimals, instrument.quantity_decimals
        if round(tick.price, digits) != tick.price or round(tick.quantity, steps) != tick.quantity:
            self._refine(instrument, tick)
        self._listener.on_tick(tick)
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
