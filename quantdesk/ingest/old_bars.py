"""Fetch the exchange's klines, page by page, the newest first: for stretches whose trades it no longer has,
and for the intervals of more than five minutes that somebody looks at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np

from quantdesk.bars.derived import DERIVED, Derived
from quantdesk.feed.rest import RestClient, RestError, RestLimitedError
from quantdesk.ingest.leg import Leg
from quantdesk.ingest.listener import Guarded
from quantdesk.store.base import Store, StoreError, Writer
from quantdesk.types import Gap, Instrument, Interval

ORIGIN = "kline"
#: Bars of one request: the most that its weight of 5 allows.
PAGE = 1_000
INTERVALS = (Interval.M1, Interval.M5)
#: So many pages of an interval that is shown for the first time are asked for at most.
DEEP_PAGES = 5
#: Stretches that wait; beyond, the oldest are left to the next start.
MOST_SPANS = 500
#: Klines are asked for no farther back than this (ms): the screen shows no more of them.
FARTHEST_MS = 90 * 86_400_000
LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class _Page:
    """Name one request: bars with start <= open time < end (ms)."""

    symbol: str
    interval: Interval | Derived
    start: int
    end: int


class OldBars:
    """Bring klines to the store and the listener, whatever fails, until cancelled.

    What the store already has is not asked for, so that a restart goes on where the last session stopped.
    """

    def __init__(
        self,
        rest: RestClient,
        writer: Writer,
        listener: Guarded,
        legs: Callable[[], dict[str, Leg]],
        exchange_now: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest, self._writer, self._listener = rest, writer, listener
        self._legs, self._exchange_now, self._clock = legs, exchange_now, clock
        self._pages: dict[_Page, None] = {}
        self._shown: dict[tuple[str, Derived], bool] = {}  # whether their pages have been listed
        self._pause_until = 0.0
        self._pause = 0.5
        self.preferred: Collection[str] = ()
        self.trouble = ""
        self.fetched = 0

    @property
    def waiting(self) -> int:
        """Return how many requests are yet to be made."""
        return len(self._pages)

    def add(self, gap: Gap) -> None:
        """Note a stretch whose trades are gone."""
        newest = max(gap.start_ts, gap.end_ts)
        oldest = max(gap.start_ts, self._exchange_now() - FARTHEST_MS)
        for interval in INTERVALS:
            for page in _pages(gap.symbol, interval, oldest, newest):
                self._pages.setdefault(page)
        while len(self._pages) > MOST_SPANS:
            del self._pages[min(self._pages, key=lambda page: page.end)]

    def show(self, symbols: Collection[str], interval: str) -> None:
        """Note that somebody looks at an interval: what the exchange has of it is fetched once a session."""
        derived = DERIVED.get(interval)
        if derived is not None and derived.has_klines:
            for symbol in symbols:
                self._shown.setdefault((symbol, derived), False)

    def _list_shown(self, legs: Collection[str]) -> None:
        for (symbol, derived), listed in self._shown.items():
            if symbol in legs and not listed:
                self._shown[symbol, derived] = True
                now, length = self._exchange_now(), derived.ms * PAGE
                deep = _pages(symbol, derived, max(0, now - DEEP_PAGES * length), now)
                # The bar that runs now began before our first trade: what its base lacks of it.
                running = _pages(symbol, derived.base, now - now % derived.ms, now)
                self._pages.update(dict.fromkeys((*deep, *running)))

    async def run(self) -> None:
        """Work for ever."""
        while True:
            if not await self.step():
                await asyncio.sleep(0.25)

    async def step(self) -> bool:
        """Fetch one page where one is due; return whether it was tried."""
        legs = self._legs()
        for leg in legs.values():
            gone, leg.expired = leg.expired, []
            for gap in gone:
                self.add(gap)
        self._list_shown(legs)
        self._pages = {page: None for page in self._pages if page.symbol in legs}
        if not self._pages or self._clock() < self._pause_until:
            return False
        page = max(self._pages, key=self._urgency)
        instrument = legs[page.symbol].instrument
        try:
            found = await self._fetch(page, instrument)
        except (RestError, StoreError) as error:
            self.trouble = str(error)
            wait = error.wait if isinstance(error, RestLimitedError) else 0.0
            self._pause_until = self._clock() + max(self._pause, wait)
            self._pause = min(LONGEST_PAUSE, 2 * self._pause)
            return True
        self._pages.pop(page, None)
        if not found:
            # Listed later than that: there is nothing older either.
            older = [p for p in self._pages if (p.symbol, p.interval) == (page.symbol, page.interval)]
            for each in older if isinstance(page.interval, Derived) else ():
                del self._pages[each]
        self._pause, self.trouble = 0.5, ""
        return True

    def _urgency(self, page: _Page) -> tuple[bool, bool, bool, int]:
        return page.symbol in self.preferred, page.interval in DERIVED, page.interval is INTERVALS[0], page.end

    async def _fetch(self, page: _Page, instrument: Instrument) -> bool:
        """Bring what the store lacks of a page; return whether the exchange has any of it."""
        start = await self._first_lacking(page, instrument)
        if start is None:
            return True
        last = page.end - page.interval.ms
        bars = await self._rest.klines(page.symbol, page.interval.value, start=start, end=last, limit=PAGE)
        bars = bars[(bars.open_time >= start) & (bars.open_time <= last)]
        self.fetched += len(bars)
        if len(bars):
            self._writer.put_source_bars(instrument, page.interval.value, bars, ORIGIN)
            self._listener.on_source_bars(instrument, page.interval.value, bars, ORIGIN)
        return len(bars) > 0 or start > page.start

    async def _first_lacking(self, page: _Page, instrument: Instrument) -> int | None:
        """Return the first open time of a page that the store shows no whole bar at, None where it has all."""

        def look(store: Store) -> list[int]:
            if isinstance(page.interval, Derived):
                # To fold years of bars would keep the writer from writing: its own klines are what counts.
                blocks = store.iter_source_bars(instrument, page.interval.value)
                return [int(t) for block in blocks for t in block.bars.open_time]
            stored = store.load_bars(instrument, page.interval.value, page.start, page.end)
            whole = np.array([origin != "partial" for origin in stored.origin], bool)
            return [int(t) for t in stored.bars.open_time[whole]]

        held = await asyncio.wrap_future(self._writer.call(look))
        closed = self._exchange_now() - page.interval.ms
        wanted = np.arange(page.start, min(page.end, closed), page.interval.ms)
        lacking = np.setdiff1d(wanted, np.array(held, np.int64))
        return int(lacking[0]) if len(lacking) else None


def _pages(symbol: str, interval: Interval | Derived, start: int, end: int) -> Iterator[_Page]:
    """Cut a stretch into pages on a fixed grid, so that neighbouring gaps share them."""
    ms, length = interval.ms, interval.ms * PAGE
    first, last = start - start % ms, end - end % ms + ms
    for grid in range(first - first % length, last, length):
        yield _Page(symbol, interval, max(first, grid), min(last, grid + length))
