"""Say what a listener hears of the feed; its faults never reach the feed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import ParamSpec, Protocol

from quantdesk.bars.arrays import BarArrays
from quantdesk.types import BookTicker, FeedStatus, Gap, Instrument, Kline, MarkPrice, Tick

P = ParamSpec("P")
_log = logging.getLogger(__name__)

#: A log full of the same line helps nobody.
LOGGED_FAULTS = 20


class FeedListener(Protocol):
    """Hear the feed, on the loop's thread. A method returns soon and starts nothing that blocks."""

    def on_instrument(self, instrument: Instrument) -> None:
        """Learn an instrument's precision, before its first tick and when it changes."""

    def on_tick(self, tick: Tick) -> None:
        """Hear of each new aggregate trade id exactly once, live or filled in later, in any order."""

    def on_quote(self, quote: BookTicker) -> None:
        """Hear of the newest best bid and ask; those between are left out."""

    def on_mark(self, mark: MarkPrice) -> None:
        """Hear of the mark price."""

    def on_kline(self, kline: Kline) -> None:
        """Hear of the exchange's own bar, forming or closed."""

    def on_time(self, exchange_ms: int) -> None:
        """Hear what time it is at the exchange, about four times a second; bars close by it."""

    def on_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Hear of closed bars whose trades are not held."""

    def on_gaps(self, symbol: str, gaps: Sequence[Gap]) -> None:
        """Hear which gaps are open now."""

    def on_status(self, status: FeedStatus) -> None:
        """Hear how the feed is, about twice a second."""


class Guarded:
    """Pass everything on to a listener; an exception in it is logged and counted, the feed goes on."""

    def __init__(self, listener: FeedListener) -> None:
        self._listener = listener
        self.faults = 0
        self.on_instrument = self._guard(listener.on_instrument)
        self.on_tick = self._guard(listener.on_tick)
        self.on_quote = self._guard(listener.on_quote)
        self.on_mark = self._guard(listener.on_mark)
        self.on_kline = self._guard(listener.on_kline)
        self.on_time = self._guard(listener.on_time)
        self.on_source_bars = self._guard(listener.on_source_bars)
        self.on_gaps = self._guard(listener.on_gaps)
        self.on_status = self._guard(listener.on_status)

    def _guard(self, act: Callable[P, None]) -> Callable[P, None]:
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                act(*args, **kwargs)
            except Exception:  # noqa: BLE001  # a fault on the screen must not cost trades
                self.faults += 1
                if self.faults <= LOGGED_FAULTS:
                    _log.exception("a listener of the feed failed")

        return guarded
