"""Stand where the writer stands when another program writes: show everything, keep nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import Reader, Store, StoredInstrument, StoreError
from quantdesk.types import AlertRow, Gap, Instrument, Light, StoreStatus, Tick

T = TypeVar("T")


class _Nothing:
    """Answer as an empty store does: a feed starts anew on it."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def find(self, symbol: str, venue: str | None = None) -> list[StoredInstrument]:
        return []

    def last_tick(self, instrument: Instrument) -> tuple[int, int] | None:
        return None

    def load_gaps(self, instrument: Instrument) -> list[Gap]:
        return []

    def firings(self, rule_id: str | None = None, since: int | None = None, limit: int = 1_000) -> list[AlertRow]:
        return []

    def __getattr__(self, name: str) -> Any:
        raise StoreError(self._reason)


class ReadOnlyWriter:
    """Accept what the feed hands over without keeping it, and say so in the status.

    Questions are answered by ``reader``, which refuses to write; without one nothing is held.
    """

    def __init__(self, reason: str, reader: Reader | None = None) -> None:
        self._reason = reason
        self._store = cast("Store", reader or _Nothing(reason))

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        """Take ticks for display only; True, because no gap arises: the other program keeps them."""
        return True

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Take bars for display only."""

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Take ledger rows for display only."""

    def put_duplicates(self, instrument: Instrument, count: int) -> None:
        """Leave the counting to the other program."""

    def call(self, act: Callable[[Store], T]) -> Future[T]:
        """Let ``act`` look; a change of the store is refused in words."""
        future: Future[T] = Future()
        try:
            future.set_result(act(self._store))
        except StoreError as error:
            future.set_exception(error)
        return future

    def takeovers(self) -> list[Instrument]:
        """Return nothing: this program writes nothing."""
        return []

    def release(self, instrument: Instrument) -> None:
        """Do nothing: this program writes nothing."""

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
