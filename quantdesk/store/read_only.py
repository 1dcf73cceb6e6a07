"""Stand where the writer stands when another program writes: show everything, keep nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import Store, StoreError
from quantdesk.types import Gap, Instrument, Light, StoreStatus, Tick

T = TypeVar("T")


class ReadOnlyWriter:
    """Accept what the feed hands over without keeping it, and say so in the status."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        """Take ticks for display only; True, because no gap arises: the other program keeps them."""
        return True

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Take bars for display only."""

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Take ledger rows for display only."""

    def call(self, act: Callable[[Store], T]) -> Future[T]:
        """Refuse to change the store, in words."""
        future: Future[T] = Future()
        future.set_exception(StoreError(self._reason))
        return future

    def flush(self, timeout: float) -> bool:
        """Report that nothing waits."""
        return True

    def stop(self, timeout: float = 30.0) -> bool:
        """Report that nothing was lost."""
        return True

    @property
    def status(self) -> StoreStatus:
        """Return an amber light with the reason."""
        return StoreStatus(Light.AMBER, self._reason, read_only=True)
