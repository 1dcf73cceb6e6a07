"""Say what a pair view needs of the place its bars come from: live market or opened files."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import SignalInstance

from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.bars.series import BarSeries
from quantdesk.model.recent_trades import TradePrices
from quantdesk.types import Instrument, Origin


class SeriesSource(Protocol):
    """Offer bar series by symbol and interval; read on the main thread only."""

    @property
    def origin(self) -> Origin:
        """Return where the bars come from."""

    @property
    def live_since(self) -> int | None:
        """Return the exchange time (ms) at which data began to stream in, or None."""

    @property
    def bar_closed(self) -> SignalInstance:
        """Return the signal (symbol, interval, open_times) of bars closed or revised."""

    @property
    def series_changed(self) -> SignalInstance:
        """Return the signal (symbol, interval) of merged history or another file."""

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that can be a leg."""

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals held of a symbol, shortest first."""

    def series(self, symbol: str, interval: str) -> BarSeries | None:
        """Return the bars, or None where there are none."""

    def instrument(self, symbol: str) -> Instrument | None:
        """Return venue, tick and step of a symbol."""

    def statistic_closes(self, symbol: str, interval: str) -> FloatArray | None:
        """Return the closes that statistics use, one a bar of the series; None means the bars' own."""

    def partial_times(self, symbol: str, interval: str) -> IntArray:
        """Return the open times of shown bars of which trades are missing; statistics leave them out."""

    def qualities(self, symbol: str, interval: str, last: int | None = None) -> IntArray | None:
        """Return the BarQuality of each bar (or of the ``last`` ones); None where nobody can tell."""

    def missing_times(self, symbol: str, interval: str) -> IntArray:
        """Return the open times amid the bars at which trades are missing and no bar stands, ascending."""

    def trades(self, symbol: str, since: int | None = None) -> TradePrices | None:
        """Return the trades of a symbol that are at hand, none yet perhaps; None where it has bars only.

        With ``since`` (ms) those made then or later, which costs no more than they are.
        """
