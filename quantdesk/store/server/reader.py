"""Read a store on a server: the shared statements, kept from looking at more than they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import SCHEMA_VERSION, StoredBars, StoreError, StoreFacts
from quantdesk.store.reader import SqlReader
from quantdesk.store.schema import bars, instruments
from quantdesk.store.server import facts
from quantdesk.store.server.link import PATIENCE, PING, Lines
from quantdesk.store.server.probe import StoreForm, check, form_of, look
from quantdesk.store.server.schema import kept_bars
from quantdesk.store.server.words import in_words
from quantdesk.types import Instrument, Interval

#: Newest bars are looked for in ever longer spans: without a lower bound the real-time part is ten times slower.
_FIRST_SPAN, _WIDER = 2, 8


class ServerReader(SqlReader):
    """Read through whatever connection the store has."""

    def load_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> StoredBars:
        """Load bars of the read view with start <= open_time < end, ascending; ``limit`` keeps the newest."""
        steps = {i.value: i.ms for i in Interval}
        last = self.last_tick(instrument) if limit is not None and start is None and interval in steps else None
        if last is None or limit is None:
            return super().load_bars(instrument, interval, start, end, limit)
        newest = last[1] if end is None else min(last[1], end)
        span = limit * steps[interval] * _FIRST_SPAN
        for _ in range(2):
            found = super().load_bars(instrument, interval, max(0, newest - span), end, limit)
            if len(found.bars) >= limit:
                return found
            span *= _WIDER
        return super().load_bars(instrument, interval, None, end, limit)

    def _form_now(self) -> StoreForm | None:
        """Return how the store is kept, asked for where it is not known yet."""
        raise NotImplementedError

    def _has_trade_bars(self) -> sa.ColumnElement[bool]:
        form = self._form_now()
        kept = kept_bars if form is not None and form.aggregates else bars
        # Where bars come from trades there was a last one; to look into the aggregates would read them all.
        return sa.or_(
            instruments.c.last_agg_id.is_not(None), sa.exists().where(kept.c.instrument_id == instruments.c.id)
        )


class PooledReader(ServerReader):
    """Read from any thread; a user who may only read is enough."""

    def __init__(self, address: StoreAddress, patience: float = PATIENCE) -> None:
        self.address = address
        self._lines = Lines(address, self._forget, patience, min(PING, patience))
        self._form: StoreForm | None = None

    @property
    def read_only(self) -> bool:
        """Return True: nothing can be written through it."""
        return True

    def close(self) -> None:
        """Let go of the server."""
        self._lines.close()

    def facts(self) -> StoreFacts:
        """Tell kind, sizes, health and who writes what."""
        with self._reading() as connection:
            form = form_of(connection)
            if form is None:
                ability = look(connection)
                return StoreFacts(ability.words, "", self.address.words, {}, {}, notes=("no store yet",))
            return facts.collect(connection, self.address, look(connection), form)

    def _forget(self) -> None:
        self._form = None  # a new connection may be to another server

    def _form_now(self) -> StoreForm | None:
        if self._form is None:
            with self._reading():
                pass
        return self._form

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with in_words(self.address), self._lines.transaction() as connection:
            if self._form is None:
                form = form_of(connection)
                if form is not None:
                    check(form, look(connection), SCHEMA_VERSION)
                    self._form = form
            yield connection


def open_server_reader(address: StoreAddress) -> PooledReader:
    """Open a store on a server for reading. Raises StoreError in words where there is none."""
    reader = PooledReader(address)
    try:
        with reader._reading() as connection:  # it is ours
            if form_of(connection) is None:
                raise StoreError(f"there is no store in {address.words} yet: record or import something first")
    except BaseException:
        reader.close()
        raise
    return reader
