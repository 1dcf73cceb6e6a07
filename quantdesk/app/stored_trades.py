"""Read the trades that candles of the spread want of the session's store, in blocks beside the screen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Slot

from quantdesk.model.jobs import Jobs
from quantdesk.model.recent_trades import TradePrices
from quantdesk.model.spread_bars import SpreadBarsModel, TradesWanted
from quantdesk.store.base import Reader, StoreError
from quantdesk.types import Instrument

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding

log = logging.getLogger(__name__)

STORED_TRADES = "stored trades"
_BLOCK = 20_000


class StoredTrades(QObject):
    """Answer ``trades_wanted``; the newest wish wins, and one that is being read is given up for it between blocks."""

    def __init__(self, bars: SpreadBarsModel, feeding: Feeding, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bars, self._feeding, self._jobs = bars, feeding, jobs
        self._newest: TradesWanted | None = None
        bars.trades_wanted.connect(self._on_wanted)

    @Slot(object)
    def _on_wanted(self, wanted: TradesWanted) -> None:
        self._newest = wanted
        session = self._feeding.session
        y, x = (session.market.instrument(symbol) for symbol in (wanted.y, wanted.x))
        if y is None or x is None:
            unknown = ", ".join(name for name, leg in ((wanted.y, y), (wanted.x, x)) if leg is None)
            words = f"{unknown} is no symbol of the recorded market: add it to have its stored trades looked for"
            self._on_failed(wanted, StoreError(words))
            return
        if not (y.venue and x.venue):
            return  # a file's trades are all in memory
        reading = session.reading

        def read() -> tuple[TradePrices, TradePrices]:
            def given_up() -> bool:
                return self._newest is not wanted

            reader = reading()
            return trades_between(reader, y, wanted, given_up), trades_between(reader, x, wanted, given_up)

        self._jobs.submit(
            STORED_TRADES,
            read,
            lambda found: self._bars.take_stored(wanted, *found),
            lambda error: self._on_failed(wanted, error),
        )

    def _on_failed(self, wanted: TradesWanted, error: Exception) -> None:
        """Leave these bars as closes."""
        log.warning("the trades behind the spread were not read: %s", error)
        if isinstance(error, StoreError):
            self._bars.take_stored(wanted, TradePrices.empty(), TradePrices.empty())


def trades_between(
    reader: Reader, instrument: Instrument, wanted: TradesWanted, given_up: Callable[[], bool]
) -> TradePrices:
    """Return an instrument's stored trades of a stretch, none once nobody waits for them. Raises StoreError."""
    blocks = []
    for block in reader.load_ticks(instrument, wanted.start, wanted.end, _BLOCK):
        if given_up():
            return TradePrices.empty()
        blocks.append(block)
    if not blocks:
        return TradePrices.empty()
    columns = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("ts", "agg_id", "price"))
    return TradePrices(*columns)
