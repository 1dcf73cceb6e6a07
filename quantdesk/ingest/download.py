"""Download history into the store: whole days, proven before they are written, each skipped once it is held."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import FeedLimits
from quantdesk.feed.archive import (
    ArchiveAbsentError,
    ArchiveClient,
    ArchiveDamagedError,
    ArchiveFile,
    Rate,
)
from quantdesk.feed.rest import RestClient, RestError, RestLimitedError, RestRejectedError
from quantdesk.ingest.archive_files import FileTrades, hours_of, lacking_in, read_bars, read_trades, slice_of
from quantdesk.ingest.download_order import (
    DAY_MS,
    INTERVALS,
    DownloadOrder,
    DownloadProgress,
    DownloadReport,
    Piece,
    Source,
    day_start,
    pieces,
)
from quantdesk.store.base import Store, StoreError, Writer
from quantdesk.store.day_ledger import DayIds, MisfitError, begin_day, check_fits, end_day, is_whole
from quantdesk.store.files import Cancelled, FileError
from quantdesk.store.tick_days import Mask, chosen, ticks_of
from quantdesk.types import UNKNOWN_STEP, Instrument, Light

T = TypeVar("T")

KLINE_ORIGIN = "kline"
#: So many trades are written in one turn of the store: what is recorded meanwhile waits no longer than that.
_CHUNK = 5_000
#: A download lets the feed's own requests go first: it asks only below this share of the exchange's limit.
_SHARE = 0.25
_PAGE = 1_000
_TRIES = 4
#: Cancel is heard within so many seconds whatever is waited for.
_LISTEN = 0.2


class Download:
    """Carry out one order; ``archive`` or ``rest`` is asked, as the order says; neither is closed here.

    ``told`` hears of the progress, ``cancelled`` is asked between any two steps: whole days stay, nothing else.
    ``is_recorded`` tells which symbols this program records itself: the others are released at the end. Files
    wait in ``folder`` (default: the system's) until they are proven and read.
    """

    def __init__(
        self,
        order: DownloadOrder,
        writer: Writer,
        venue: str,
        *,
        archive: ArchiveClient | None = None,
        rest: RestClient | None = None,
        told: Callable[[DownloadProgress], None] = lambda progress: None,
        cancelled: Callable[[], bool] = lambda: False,
        is_recorded: Callable[[str], bool] = lambda symbol: False,
        folder: Path | None = None,
        limits: FeedLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._order, self._writer, self._venue = order, writer, venue
        self._archive, self._rest = archive, rest
        self._told, self._cancelled, self._is_recorded = told, cancelled, is_recorded
        self._folder = folder
        self._limits, self._clock, self._now = limits or FeedLimits(), clock, now
        self.report = DownloadReport()
        self._rate = Rate(clock)
        self._begun = clock()
        self._days = 0
        self._words = ""

    async def run(self) -> DownloadReport:
        """Download; raises Cancelled, StoreError, RestError or ArchiveError in words, with what came kept."""
        order = self._order
        order.check(datetime.fromtimestamp(self._now(), UTC).date())
        await self._check_kept()
        for symbol in order.symbols:
            instrument = await self._instrument(symbol)
            try:
                for piece in pieces(order, symbol, _PAGE):
                    await self._piece(instrument, piece)
            finally:
                if not self._is_recorded(symbol):
                    self._writer.release(instrument)
        self._tell("")
        return self.report

    # -- pieces --------------------------------------------------------------------------------

    async def _piece(self, instrument: Instrument, piece: Piece) -> None:
        """Bring one piece; what the archive refuses to prove is named and the next one is tried."""
        self._pause()
        name = f"{piece.symbol} {_span(piece)}"
        self._tell(name)
        if await self._is_held(instrument, piece):
            self.report.held += len(piece.days)
            self._days += len(piece.days)
            return
        try:
            if self._order.source is Source.REST:
                await self._by_rest(instrument, piece)
            elif self._order.is_trades:
                await self._trades(instrument, piece)
            else:
                await self._klines(instrument, piece)
        except ArchiveAbsentError:
            if piece.monthly:  # a month is there some days after its end: until then its days are
                for day in piece.days:
                    await self._piece(instrument, Piece(piece.symbol, (day,)))
                return
            self.report.absent.append(name)
        except (ArchiveDamagedError, FileError) as error:
            self.report.failed.append(str(error))
        self._days += len(piece.days)

    async def _is_held(self, instrument: Instrument, piece: Piece) -> bool:
        if self._order.is_trades:
            return await self._ask(lambda store: is_whole(store, instrument, piece.start))
        what = self._order.what
        wanted = (piece.end - piece.start) // INTERVALS[what]

        def count(store: Store) -> int:
            return store.source_bar_span(instrument, what, piece.start, piece.end, origin=KLINE_ORIGIN).rows

        return await self._ask(count) >= wanted

    async def _trades(self, instrument: Instrument, piece: Piece) -> None:
        with tempfile.TemporaryDirectory(prefix="quantdesk-", dir=self._folder) as folder:
            path = await self._fetched(piece, "", Path(folder))
            self._tell(f"{path.name}: reading", 0.5)
            trades = await asyncio.to_thread(read_trades, path, piece.start, piece.end, self._cancelled)
        try:
            await self._bring_in(_precise(instrument, trades), piece.start, trades, path.name)
        except MisfitError as error:
            self.report.failed.append(f"{path.name}: {error}: nothing of it was used")

    async def _bring_in(self, instrument: Instrument, start: int, trades: FileTrades, name: str) -> None:
        """Write a day; once it has begun it is brought to its end."""
        ticks = trades.ticks
        day = DayIds(start, int(ticks.agg_id[0]), int(ticks.agg_id[-1]))
        await self._ask(lambda store: check_fits(store, instrument, day))
        lacking = await self._lacking(instrument, trades, day)
        self._pause()
        now = int(self._now() * 1_000)
        await self._ask(lambda store: begin_day(store, instrument, day, now))
        new = chosen(ticks, lacking)
        for at in range(0, len(new), _CHUNK):
            part = ticks_of(instrument.symbol, slice_of(new, at, at + _CHUNK))
            self._check_disk()
            self.report.rows += await self._ask(lambda store, part=part: store.append_ticks(instrument, part))  # type: ignore[misc]  # a lambda's default
            self._tell(f"{name}: storing", 0.5 + 0.5 * (at + len(part)) / len(new))
        reach_from = now - self._limits.rest_reach_ms
        self.report.lacking += await self._ask(lambda store: end_day(store, instrument, day, now, reach_from))
        self.report.fetched += 1

    async def _lacking(self, instrument: Instrument, trades: FileTrades, day: DayIds) -> Mask:
        """Return which of a day's trades the store lacks, hour by hour."""
        ticks = trades.ticks
        if not await self._ask(lambda store: store.count_ticks(instrument, day.start, day.end)):
            return np.ones(len(ticks), np.bool_)
        parts = []
        for low, high in hours_of(day.start, day.end):
            self._pause()
            parts.append(
                await self._ask(lambda store, low=low, high=high: lacking_in(store, instrument, ticks, low, high))  # type: ignore[misc]  # a lambda's default
            )
        return np.concatenate(parts)

    async def _klines(self, instrument: Instrument, piece: Piece) -> None:
        ms = INTERVALS[self._order.what]
        with tempfile.TemporaryDirectory(prefix="quantdesk-", dir=self._folder) as folder:
            path = await self._fetched(piece, self._order.what, Path(folder))
            bars = await asyncio.to_thread(read_bars, path, ms, piece.start, piece.end, self._cancelled)
        await self._store_bars(instrument, piece, bars)

    async def _store_bars(self, instrument: Instrument, piece: Piece, bars: BarArrays) -> None:
        """Write bars day by day, each in one transaction."""
        for day in piece.days:
            start = day_start(day)
            mine = bars[(bars.open_time >= start) & (bars.open_time < start + DAY_MS)]
            if not len(mine):
                self.report.absent.append(f"{piece.symbol} {day}")
                continue
            self._check_disk()
            self.report.rows += await self._ask(
                lambda store, mine=mine: store.append_source_bars(instrument, self._order.what, mine, KLINE_ORIGIN)  # type: ignore[misc]  # a lambda's default
            )
            self.report.fetched += 1

    async def _by_rest(self, instrument: Instrument, piece: Piece) -> None:
        ms = INTERVALS[self._order.what]
        limit = max(_PAGE, DAY_MS // ms) if len(piece.days) == 1 else _PAGE
        for left in reversed(range(_TRIES)):
            await self._give_way()
            try:
                assert self._rest is not None
                ask = self._rest.klines(piece.symbol, self._order.what, piece.start, piece.end - 1, limit)
                bars = await self._heard(ask)
                break
            except RestRejectedError:
                raise
            except RestError as error:
                if not left and not isinstance(error, RestLimitedError):
                    raise
                await self._wait(error.wait if isinstance(error, RestLimitedError) else 2.0 ** (_TRIES - left))
        else:
            raise RestLimitedError("the exchange wants no more requests: start the download again later", 60.0)
        self._count(32 * len(bars))
        await self._store_bars(instrument, piece, bars)

    # -- the exchange --------------------------------------------------------------------------

    async def _fetched(self, piece: Piece, interval: str, folder: Path) -> Path:
        assert self._archive is not None
        file = ArchiveFile(piece.symbol, interval, piece.days[0], piece.monthly)
        path = folder / file.name

        came = 0

        def said(size: int, total: int) -> None:
            nonlocal came
            came += size
            self._count(size)
            # A line that broke begins anew: what came of it before is not half of the file.
            self._tell(file.name, 0.5 * min(1.0, came / total) if total else 0.0)

        await self._heard(self._archive.fetch(file, path, said))
        return path

    async def _heard(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer, and hear Cancel meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LISTEN)
                self._pause()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _give_way(self) -> None:
        """Wait until the feed's requests leave room below our share of the limit."""
        rest = self._rest
        while rest is not None and rest.budget.used(self._clock()) > rest.budget.limit * _SHARE:
            await self._wait(0.5)

    async def _wait(self, seconds: float) -> None:
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._pause()
            await asyncio.sleep(min(0.2, left))

    # -- the store -----------------------------------------------------------------------------

    async def _ask(self, act: Callable[[Store], T]) -> T:
        """Let the writer's thread do something behind what is queued, one step at a time."""
        return await asyncio.wrap_future(self._writer.call(act))

    async def _instrument(self, symbol: str) -> Instrument:
        """Return the instrument with the precision that the store or the exchange knows."""
        fresh = Instrument(self._venue, symbol)
        held = await self._ask(lambda store: store.find(symbol, self._venue))
        exact = [one.instrument for one in held if one.instrument.symbol == symbol]
        if exact:
            return exact[0]
        if self._rest is not None:
            with suppress(RestError):  # the files tell it, too
                infos = {info.symbol: info for info in await self._rest.exchange_info()}
                if symbol in infos:
                    return replace(fresh, tick_size=infos[symbol].tick_size, step_size=infos[symbol].step_size)
        return fresh

    async def _check_kept(self) -> None:
        """Raise StoreError where the store would delete at once what is to be downloaded."""
        if not self._order.is_trades:
            return
        kept = await self._ask(lambda store: store.retention())
        oldest = self._now() * 1_000 - kept.keep_days * DAY_MS
        if kept.keep_days and day_start(self._order.first) < oldest:
            raise StoreError(
                f"this store keeps trades for {kept.keep_days} days: what is older would go at once, "
                "change Data > Storage > Limits first"
            )

    def _fault(self) -> str:
        status = self._writer.status
        return status.text if status.light is Light.RED or status.read_only else ""

    def _check_disk(self) -> None:
        if words := self._fault():
            raise StoreError(f"{words} (start the download again: what is stored stays)")

    # -- progress ------------------------------------------------------------------------------

    def _pause(self) -> None:
        if self._cancelled():
            done = self.report.fetched
            raise Cancelled(f"stopped: {done:,} whole days were stored; the same download goes on from there")

    def _count(self, size: int) -> None:
        self.report.bytes += size
        self._rate.add(size)

    def _tell(self, words: str, part: float = 0.0) -> None:
        of_days = len(self._order.days) * len(self._order.symbols)
        came = self._days - self.report.held
        spent = self._clock() - self._begun
        left = spent / came * (of_days - self._days - part) if came > 0 else None
        self._told(DownloadProgress(self._days, of_days, part, self.report.bytes, self._rate.per_second, left, words))


def _precise(instrument: Instrument, trades: FileTrades) -> Instrument:
    """Return the instrument as finely as it is known and as the file is written."""

    def finer(known: Decimal, written: Decimal) -> Decimal:
        return written if known == UNKNOWN_STEP else min(known, written)

    sizes = finer(instrument.tick_size, trades.tick_size), finer(instrument.step_size, trades.step_size)
    return replace(instrument, tick_size=sizes[0], step_size=sizes[1])


def _span(piece: Piece) -> str:
    first: date = piece.days[0]
    return f"{first}" if len(piece.days) == 1 else f"{first} to {piece.days[-1]}"
