"""Show what another program writes to the store while this one's own feed brings nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import numpy as np

from quantdesk.model.market import MarketModel
from quantdesk.store.base import Reader, StoredBars, StoreError
from quantdesk.types import Instrument, Interval

_log = logging.getLogger(__name__)

#: New bars are on screen within a second of their commit; one question takes a millisecond or two.
PERIOD = 0.4
_AFTER_TROUBLE = 2.0
#: So far back (ms) bars are looked at again, so often (s): the other program fills its gaps behind them.
_AGAIN_MS, _AGAIN_EVERY = 600_000, 5.0
_MOST_BARS = 5_000


class AttachedBars:
    """Load the bars that were closed in the store since the last look, for symbols that are not fed here.

    Only bars that have ended by the newest stored trade: one that still runs would pass for closed.
    ``reader`` opens the store where it was not there yet; it raises StoreError in words.
    """

    def __init__(
        self,
        market: MarketModel,
        reader: Callable[[], Reader],
        instruments: Callable[[], Sequence[Instrument]],
        is_fed: Callable[[str], bool],
    ) -> None:
        self._market, self._reader, self._instruments, self._is_fed = market, reader, instruments, is_fed
        self._seen: dict[str, tuple[int, int]] = {}
        self._shown: dict[tuple[str, Interval], int] = {}
        self._tails: dict[tuple[str, Interval], dict[int, tuple[int, str]]] = {}
        self._again_at: dict[str, float] = {}

    async def run(self) -> None:
        """Look until cancelled; a store that does not answer is asked again."""
        while True:
            pause = PERIOD
            for instrument in self._instruments():
                if self._is_fed(instrument.symbol):
                    continue
                try:
                    await self._look(instrument)
                except StoreError as error:
                    _log.info("the store was not looked at: %s", error)
                    pause = _AFTER_TROUBLE
            await asyncio.sleep(pause)

    async def _look(self, instrument: Instrument) -> None:
        symbol = instrument.symbol
        reader = await asyncio.to_thread(self._reader)
        last = await asyncio.to_thread(reader.last_tick, instrument)
        again = time.monotonic() >= self._again_at.get(symbol, 0.0)
        if last is None or (self._seen.get(symbol) == last and not again):
            return
        self._seen[symbol] = last
        await self._introduce(reader, instrument)
        if again:
            self._again_at[symbol] = time.monotonic() + _AGAIN_EVERY
        for interval in Interval:
            end = last[1] - last[1] % interval.ms
            start = self._shown.get((symbol, interval), self._newest(symbol, interval))
            if start is not None and again:
                start = min(start, end - _AGAIN_MS)
            if start is not None and start >= end:
                continue
            stored = await asyncio.to_thread(_load, reader, instrument, interval, start, end)
            self._show(symbol, interval, stored, end)

    async def _introduce(self, reader: Reader, instrument: Instrument) -> None:
        """Let the screen know what the store knows of an instrument that no feed has told of."""
        known = self._market.instrument(instrument.symbol)
        if known is None or not known.venue:
            for held in await asyncio.to_thread(reader.find, instrument.symbol, instrument.venue):
                if self._wants(instrument.symbol):
                    self._market.on_instrument(held.instrument)

    def _show(self, symbol: str, interval: Interval, stored: StoredBars, end: int) -> None:
        key = (symbol, interval)
        self._shown[key] = end
        rows = dict(
            zip(
                stored.bars.open_time.tolist(),
                zip(stored.bars.trades.tolist(), stored.origin, strict=True),
                strict=True,
            )
        )
        tail = self._tails.setdefault(key, {})
        news = np.array([tail.get(at) != row for at, row in rows.items()], bool)
        tail.update(rows)
        for at in [at for at in tail if at < end - 2 * _AGAIN_MS]:
            del tail[at]
        if news.any() and self._wants(symbol):
            origin = tuple(each for each, new in zip(stored.origin, news.tolist(), strict=True) if new)
            self._market.load(symbol, interval, StoredBars(stored.bars[news], origin))

    def _wants(self, symbol: str) -> bool:
        """Tell whether a symbol is still shown and not fed: it may have been removed while the store was asked."""
        return not self._is_fed(symbol) and any(one.symbol == symbol for one in self._instruments())

    def _newest(self, symbol: str, interval: Interval) -> int | None:
        """Return the open time of the last bar on screen; it may not have been whole when it was loaded."""
        series = self._market.series(symbol, interval)
        return None if series is None or len(series) == 0 else int(series.times(1)[-1])


def _load(reader: Reader, instrument: Instrument, interval: Interval, start: int | None, end: int) -> StoredBars:
    return reader.load_bars(instrument, interval, start, end, _MOST_BARS if start is None else None)
