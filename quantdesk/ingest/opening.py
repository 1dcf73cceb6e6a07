"""Open a symbol: what is stored of it, its precision, the seam to history, the klines before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import FeedLimits
from quantdesk.feed.rest import RestClient, RestError, RestLimitedError, RestRejectedError
from quantdesk.ingest.leg import Leg, TickStore
from quantdesk.ingest.listener import Guarded
from quantdesk.store.base import Store, StoredInstrument, StoreError, Writer
from quantdesk.store.ledger_report import open_holes
from quantdesk.types import Gap, Instrument, Kline, SymbolInfo

if TYPE_CHECKING:
    from quantdesk.ingest.live import Ingest

#: So long (s) the first ticks wait for the precision; then they go on without.
PRECISION_WAIT = 2.0
INFO_EVERY = 600.0
#: The shortest of so many round trips tells the exchange's clock; the first one also opens the connection.
CLOCK_SAMPLES = 4
LONGEST_PAUSE = 30.0
KLINE_ORIGIN = "kline"
HISTORY = (("1m", 1_000), ("5m", 1_000))

#: So long (s) the first trades wait for a store that does not answer.
BLIND_AFTER = 3.0

#: What is stored of an instrument, its last (id, ts), the ledger, its first id.
Held = tuple[StoredInstrument | None, tuple[int, int] | None, list[Gap], int | None]
_NOTHING: Held = (None, None, [], None)


class Opening:
    """Prepare the symbols of one feed; what REST cannot give now is asked for again, for ever."""

    def __init__(
        self,
        ingest: Ingest,
        writer: Writer,
        listener: Guarded,
        limits: FeedLimits,
        *,
        history: bool,
        carry_on: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self._ingest, self._writer = ingest, writer
        self._listener, self._limits, self._history = listener, limits, history
        self._carry_on = carry_on or {}
        self._rest: RestClient = ingest.rest
        self._store: TickStore = writer
        self._infos: dict[str, SymbolInfo] = {}
        self._informed = asyncio.Event()
        self._slept = asyncio.Event()
        self.trouble = ""

    async def run(self, leg: Leg) -> None:
        """Open a leg, close its seam, fetch its klines."""
        held = await self._held(leg.instrument, BLIND_AFTER)
        stored, last, rows, first = held or _NOTHING
        shown = self._carry_on.get(leg.symbol)
        if shown is not None and (held is None or (last is not None and shown[0] < last[0])):
            last = shown  # another program has gone on writing since the screen was filled
        instrument = await self._precise(leg.instrument, stored)
        if self._infos and leg.symbol not in self._infos and not leg.started.is_set():
            self._ingest.reject(leg.symbol, unknown(leg.symbol))
            return
        await self._exchange_time(leg)
        horizon = self._ingest.exchange_now() - self._limits.rest_reach_ms
        carry_on, old = (last, None) if last is not None and last[1] > horizon else (None, last)
        leg.open(instrument, carry_on, rows, stored, first=first, old=old)
        self._ingest.check_tail(leg)
        if held is None:
            self._ingest.adopt(leg)
        async with asyncio.TaskGroup() as group:
            if self._history:
                group.create_task(self._klines(leg), name=f"klines {leg.symbol}")
            group.create_task(self._seam(leg), name=f"seam {leg.symbol}")

    async def adopt(self, leg: Leg) -> None:
        """Take in the holes that the store has of a symbol, once it answers; they are filled like any other."""

        def look(store: Store) -> list[Gap]:
            last = store.last_tick(leg.instrument)
            since = None if last is None else last[1] - self._limits.rest_reach_ms
            return open_holes(store, leg.instrument, since)

        await leg.started.wait()
        await leg.opened.wait()
        while True:
            try:
                with leg.adopting() as handed:
                    leg.adopt(await asyncio.wrap_future(self._writer.call(look)), handed)
                return
            except StoreError as error:
                self.trouble = str(error)
            await asyncio.sleep(1.0)

    async def relearn(self, leg: Leg, start_ms: int, end_ms: int) -> None:
        """Take in the ledger of [start, end) in ms, which was changed behind the feed's back."""
        before = list(leg.lost)
        try:
            rows = await asyncio.wrap_future(self._writer.call(lambda store: store.load_gaps(leg.instrument)))
        except StoreError as error:
            self.trouble = str(error)
            return
        leg.relearn(rows, before, start_ms, end_ms)
        await self.adopt(leg)

    async def symbols_info(self) -> list[SymbolInfo]:
        """Return the exchange's symbols, asked for once; raise RestError where that fails."""
        if not self._infos:
            self._learn(await self._rest.exchange_info())
        return list(self._infos.values())

    async def keep_informed(self) -> None:
        """Learn limits, precision and the exchange's clock; the clock again every ten minutes, and after a sleep."""
        await self._again(self.symbols_info)
        while True:
            self._slept.clear()
            for _ in range(CLOCK_SAMPLES):
                await self._again(self._rest.time)
            try:
                async with asyncio.timeout(INFO_EVERY):
                    await self._slept.wait()
            except TimeoutError:
                continue

    def on_sleep(self) -> None:
        """Measure the exchange's clock anew: ours has stood still."""
        self._rest.offset.forget()
        self._slept.set()

    def on_kline(self, leg: Leg, kline: Kline) -> None:
        """Keep a closed bar of the exchange: it stands in where trades are missing."""
        if kline.closed and kline.trades > 0:
            row = (kline.open_time, kline.open, kline.high, kline.low, kline.close, kline.volume, kline.quote_volume)
            bars = BarArrays.from_rows([(*row, kline.trades)])
            self._store.put_source_bars(leg.instrument, kline.interval, bars, KLINE_ORIGIN)

    async def close_seam(self, leg: Leg, *, tries: int | None = None) -> None:
        """Ask REST where the history of the last minutes begins."""

        async def ask() -> None:
            seam = leg.seam
            if seam is not None:
                page = await self._rest.agg_trades(leg.symbol, start=seam.start, end=seam.end)
                # A busy market has more trades in those minutes than REST may be asked for in one.
                amid = bool(page) and seam.low - page[0].agg_id > self._limits.seam_trades
                if amid:
                    page = await self._rest.agg_trades(leg.symbol, from_id=seam.low - self._limits.seam_trades)
                if leg.seam is seam:
                    leg.close_seam(seam, page, amid=amid)

        await self._again(ask, tries=tries)

    async def _seam(self, leg: Leg) -> None:
        await leg.started.wait()
        await self.close_seam(leg)

    async def _klines(self, leg: Leg) -> None:
        for interval, limit in HISTORY:

            async def ask(interval: str = interval, limit: int = limit) -> None:
                bars = await self._rest.klines(leg.symbol, interval, limit=limit)
                if len(bars):
                    self._store.put_source_bars(leg.instrument, interval, bars, KLINE_ORIGIN)
                    self._listener.on_source_bars(leg.instrument, interval, bars, KLINE_ORIGIN)

            await self._again(ask)

    async def _held(self, instrument: Instrument, patience: float) -> Held | None:
        """Ask the store what it holds; the writer answers in order behind what is queued.

        None where it does not answer for so long (s): then the feed begins without, and learns of it later.
        """

        def look(store: Store) -> Held:
            found = store.find(instrument.symbol, instrument.venue)
            exact = [held for held in found if held.instrument.symbol == instrument.symbol]
            held = exact[0] if exact else None
            first = None
            if held is not None and held.first_ts is not None:
                block = next(iter(store.load_ticks(instrument, held.first_ts, held.first_ts + 1)), None)
                first = int(block.agg_id.min()) if block is not None else None
            return held, store.last_tick(instrument), store.load_gaps(instrument), first

        with suppress(TimeoutError):  # the answer may wait behind trades that the store does not take
            async with asyncio.timeout(patience):
                while True:
                    try:
                        return await asyncio.wrap_future(self._writer.call(look))
                    except StoreError as error:
                        self.trouble = str(error)
                    await asyncio.sleep(0.5)
        return None

    async def _precise(self, instrument: Instrument, stored: StoredInstrument | None) -> Instrument:
        if not self._informed.is_set() and stored is None:
            try:
                async with asyncio.timeout(PRECISION_WAIT):
                    await self._informed.wait()
            except TimeoutError:
                return instrument
        info = self._infos.get(instrument.symbol)
        if info is not None:
            return Instrument(instrument.venue, instrument.symbol, info.tick_size, info.step_size)
        return stored.instrument if stored is not None else instrument

    async def _exchange_time(self, leg: Leg) -> None:
        """Wait until the exchange's time is known, by an event or by REST."""
        while not self._ingest.exchange_clock.is_set and self._rest.exchange_ms is None:
            await asyncio.sleep(0.05)
            if leg.started.is_set():
                return

    def _learn(self, infos: list[SymbolInfo]) -> None:
        self._infos = {info.symbol: info for info in infos}
        self._informed.set()
        for symbol, leg in list(self._ingest.legs.items()):
            info = self._infos.get(symbol)
            if info is None and infos and not leg.started.is_set():
                self._ingest.reject(symbol, unknown(symbol))
            elif info is not None and leg.opened.is_set():
                better = Instrument(leg.instrument.venue, symbol, info.tick_size, info.step_size)
                if better != leg.instrument:
                    leg.set_instrument(better)

    async def _again(self, ask: Callable[[], Coroutine[Any, Any, Any]], *, tries: int | None = None) -> None:
        """Ask until REST answers, ever more seldom."""
        pause, tried = 0.5, 0
        while True:
            try:
                await ask()
                self.trouble = ""
                return
            except RestRejectedError as error:
                self.trouble = str(error)
                pause = LONGEST_PAUSE
            except RestLimitedError as error:
                self.trouble = str(error)
                pause = max(pause, error.wait)
            except RestError as error:
                self.trouble = str(error)
            tried += 1
            if tries is not None and tried >= tries:
                return
            await asyncio.sleep(pause * (0.75 + 0.25 * random.random()))  # noqa: S311  # jitter, no secret
            pause = min(LONGEST_PAUSE, pause * 2)


def unknown(symbol: str) -> str:
    """Say that the exchange does not have a symbol."""
    return f"{symbol} is not a symbol of the exchange"
