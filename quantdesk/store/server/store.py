"""Keep ticks, bars and the ledger in a PostgreSQL database; one desktop or many use it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.bars_sql import RefreshSql, refresh_sql, touched_ranges
from quantdesk.store.base import (
    BarChecks,
    LeasedElsewhereError,
    Retention,
    StoredBars,
    StoreError,
    StoreFacts,
    StoreRefusedError,
    TradeBars,
)
from quantdesk.store.dropping import SqlDropper
from quantdesk.store.schema import bars
from quantdesk.store.server import facts, settings, upkeep
from quantdesk.store.server.copying import check_ticks, insert_ticks, prepare_staging
from quantdesk.store.server.kept import give_way, keep, let_go
from quantdesk.store.server.leases import Leases
from quantdesk.store.server.link import Link
from quantdesk.store.server.probe import Ability, StoreForm, look, may_write
from quantdesk.store.server.reader import ServerReader
from quantdesk.store.server.refresher import Refresher
from quantdesk.store.server.schema import kept_bars, prepare
from quantdesk.store.server.upserts import upsert
from quantdesk.store.spill_places import SpillPlace, claim
from quantdesk.types import Instrument, Tick

_REFRESH = refresh_sql(insert)
_SIZE_EVERY = 30.0
_UPKEEP_SECONDS = 120.0
#: So long (s) closing waits for the server to take the leases back.
_LAST_SECONDS = 2.0
#: So long (s) a read waits for late trades to reach the bars.
_SETTLE = 5.0
#: Trades of one batch that are far apart are refreshed apart; told by minutes.
_SPAN_MS = 60_000
#: So many of the newest days are refreshed where another session's writer is taken over.
_LEFT_DAYS = 3


def open_server(address: StoreAddress, limits: StoreLimits | None = None) -> ServerStore:
    """Open a store on a server for writing, made where the database has none.

    A server that cannot be reached now is no error here: every use says so until it answers. Raises
    StoreRefusedError where waiting cannot help: password, rights, versions, no such database.
    """
    store = ServerStore(address, limits or StoreLimits())
    try:
        store.probe()
    except StoreRefusedError:
        store.close()
        raise
    except StoreError:
        pass  # the writer asks again and says it in the status
    return store


class ServerStore(ServerReader, SqlDropper):
    """Write one database through one connection; used by ONE thread, the refresher has its own.

    Whatever breaks the connection, the next use makes a new one, probes the server and goes on.
    """

    _insert = staticmethod(insert)

    def __init__(self, address: StoreAddress, limits: StoreLimits) -> None:
        SqlDropper.__init__(self)
        self.address, self._limits = address, limits
        self._ability: Ability | None = None
        self._form: StoreForm | None = None
        self._refresher: Refresher | None = None
        self._leases = Leases(limits.lease_seconds)
        self._link = Link(address, self._on_connect, limits.answer_seconds)
        self._touched: list[tuple[int, int]] = []
        self._next_renewal = 0.0
        self._size, self._next_size = 0, 0.0
        self._place: SpillPlace | None = None

    @property
    def _refresh(self) -> RefreshSql | None:  # type: ignore[override]  # known once connected
        return None if self._form is not None and self._form.aggregates else _REFRESH

    @property
    def _kept(self) -> sa.Table:  # type: ignore[override]  # known once connected
        return kept_bars if self._form is not None and self._form.aggregates else bars

    @property
    def bar_mode(self) -> str:
        """Return how the bars are kept, empty while that is not known."""
        return self._form.bar_mode if self._form is not None else ""

    @property
    def words(self) -> str:
        """Return server and bar mode in words, for the status bar."""
        return f"{self._ability.words}, {self.bar_mode}" if self._ability is not None else ""

    def close(self) -> None:
        """Let go of leases and server."""
        if self._refresher is not None:
            self._refresher.stop()
        try:
            if self._link.is_up and self._leases.held:
                with self._link.transaction(min(_LAST_SECONDS, self._limits.answer_seconds)) as connection:
                    self._leases.release(connection)
        except StoreError:
            pass  # they run out by themselves
        finally:
            self._link.close()
            if self._place is not None:
                self._place.lock.release()

    def probe(self) -> None:
        """Raise StoreError in words where the server takes no rows now."""
        with self._writing() as connection:
            if connection.execute(sa.text("SHOW transaction_read_only")).scalar() == "on":
                raise StoreError(f"the database server {self.address.words} is read-only now: make it writable")

    def sync(self) -> None:
        """Do nothing: the server syncs before it answers a commit."""

    @property
    def spill_path(self) -> Path | None:
        """Name the file here that rows wait in while the server takes none: each program has its own."""
        if self._place is None and self.address.spill is not None:
            self._place = claim(self.address.spill)
        return self._place.path if self._place is not None else None

    def acquire(self, instrument: Instrument) -> bool:
        """Take or keep the right to write an instrument; False while another program has it."""
        try:
            with self._writing() as connection:
                self._admit(connection, self._ensure(connection, instrument)[0], instrument)
        except LeasedElsewhereError:
            return False
        return True

    def release(self, instrument: Instrument) -> None:
        """Give up the right to write an instrument; where the server does not answer it runs out."""
        held = self._leases.forget(instrument)
        if held is not None and self._link.is_up:
            with self._writing() as connection:
                self._leases.release(connection, [held])

    def tend(self) -> None:
        """Renew the leases when it is time; called about once a second."""
        now = time.monotonic()
        if now >= self._next_renewal and self._leases.held:
            self._next_renewal = now + self._leases.renew_every
            with self._writing() as connection:
                self._leases.renew(connection)

    def enforce_limits(self, seconds: float | None = None) -> int:
        """Drop old ticks (never bars) and compress, as the store's own settings say; return rows dropped.

        Only who writes an instrument does it.
        """
        if not self._leases.held or self._form is None:
            return 0
        retention = self.retention()
        if not self._form.hypertable:
            with self._link.session(_UPKEEP_SECONDS) as connection:
                return upkeep.drop_slices(connection, retention, seconds)
        with self._link.transaction(_UPKEEP_SECONDS) as connection:
            edge = upkeep.drop_edge(connection, retention)
        deleted = 0
        if edge is not None and self._bars_tell(edge):
            with self._link.transaction(_UPKEEP_SECONDS) as connection:
                deleted = upkeep.drop_before(connection, edge)
        if self._form.aggregates:
            with self._link.transaction(_UPKEEP_SECONDS) as connection:
                upkeep.compress_old(connection, retention)
        return deleted

    def _bars_tell(self, edge: int) -> bool:
        """Refresh all that is about to lose its trades; return whether it is done."""
        if self._refresher is None:
            return True
        with self._reading() as connection:
            spans = upkeep.held_spans(connection)
        for start, end in spans:
            self._refresher.touch(start, min(end, edge))
        return self._refresher.settle(_UPKEEP_SECONDS)

    def retention(self) -> Retention:
        """Return what the store keeps; the database's own settings, the same for every desk."""
        with self._reading() as connection:
            return settings.read_retention(connection)

    def set_retention(self, retention: Retention) -> None:
        """Change what the store keeps, for every desk."""
        with self._writing() as connection:
            settings.write_retention(connection, retention)

    def size_bytes(self) -> int:
        """Return what the store takes on the server, as of the last half minute; 0 while it cannot be asked."""
        now = time.monotonic()
        if now >= self._next_size and self._link.is_up:
            self._next_size = now + _SIZE_EVERY
            try:
                with self._reading() as connection:
                    self._size = facts.total_bytes(connection, self._form)
            except StoreError:
                return self._size
        return self._size

    def free_bytes(self) -> int | None:
        """Return None: a server does not tell; a full disk comes as an error."""
        return None

    def facts(self) -> StoreFacts:
        """Tell kind, sizes, health and who writes what."""
        with self._reading() as connection:
            assert self._ability is not None
            assert self._form is not None
            found = facts.collect(connection, self.address, self._ability, self._form)
        refresher = self._refresher
        return found if refresher is None else facts.with_refresher(found, refresher.lag, refresher.trouble)

    def load_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> StoredBars:
        """Load bars as a reader does, late trades included."""
        self.settle()
        return super().load_bars(instrument, interval, start, end, limit)

    def iter_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        chunk: int = 50_000,
    ) -> Iterator[StoredBars]:
        """Yield the bars that load_bars would load in blocks, late trades included."""
        self.settle()
        yield from super().iter_bars(instrument, interval, start, end, chunk)

    def iter_trade_bars(
        self, instrument: Instrument, interval: str, end: int, chunk: int = 50_000
    ) -> Iterator[TradeBars]:
        """Yield the bars from trades in blocks, late trades included."""
        self.settle()
        yield from super().iter_trade_bars(instrument, interval, end, chunk)

    def bar_checks(self, instrument: Instrument) -> BarChecks:
        """Compare bars with the exchange's, late trades included."""
        self.settle()
        return super().bar_checks(instrument)

    def settle(self, timeout: float = _SETTLE) -> bool:
        """Wait until what was written has reached every bar; return whether it has."""
        return self._refresher is None or self._refresher.settle(timeout)

    def _check_ticks(self, ticks: Sequence[Tick]) -> None:
        super()._check_ticks(ticks)
        check_ticks(ticks)

    def _insert_ticks(self, connection: sa.Connection, held: int, ticks: Sequence[Tick]) -> int:
        return insert_ticks(connection, held, ticks)

    def _on_new_ticks(self, connection: sa.Connection, held: int, instrument: Instrument, times: Sequence[int]) -> None:
        if self._refresh is not None:
            super()._on_new_ticks(connection, held, instrument, times)
            return
        first, last = min(times), max(times) + 1
        spans = [(max(start, first), min(end, last)) for start, end in touched_ranges(times, _SPAN_MS)]
        self._touched += spans
        for start, end in spans:
            give_way(connection, held, start, end)

    def _on_kept_bars(self, connection: sa.Connection, held: int, start: int, end: int) -> int:
        if self._refresh is not None:
            return super()._on_kept_bars(connection, held, start, end)
        return let_go(connection, held, start, end + 1)

    def _before_drop(self, connection: sa.Connection, held: int, start: int, end: int, *, keep_bars: bool) -> None:
        if self._refresh is None:
            if keep_bars:
                keep(connection, held, start, end)
            self._touched.append((start, end))

    def _admit(self, connection: sa.Connection, held: int, instrument: Instrument, *, guest: bool = False) -> None:
        if guest:
            self._leases.queue_behind(connection, held)
        elif held in self._leases.held:
            self._leases.admit(connection, held, instrument)
        else:
            self._leases.admit(connection, held, instrument)
            # Who wrote it before may have died before its last trades reached the bars.
            if self._refresh is None:
                self._touched += upkeep.held_spans(connection, held)[-_LEFT_DAYS:]

    def _execute_many(self, connection: sa.Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> int:
        return upsert(connection, statement, rows)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._link.transaction() as connection:
                yield connection
        except BaseException:
            self._known.clear()  # what was learnt may just have been rolled back
            self._leases.settle(committed=False)
            raise
        else:
            self._leases.settle(committed=True)
        finally:
            # Behind the commit: before it there is nothing to see. One that failed may have gone through all the same.
            touched, self._touched = self._touched, []
            if self._refresher is not None:
                for span in touched:
                    self._refresher.touch(*span)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._link.transaction() as connection:
            yield connection

    def _form_now(self) -> StoreForm | None:
        self._link.connection()
        return self._form

    def _on_connect(self, connection: sa.Connection) -> None:
        """Probe the server and set the session up; at every connect, for it may be another server by now."""
        with connection.begin():
            ability = look(connection)
        form = prepare(connection, ability)
        with connection.begin():
            self._ability = look(connection)  # the extension may just have been installed
            may_write(connection, self.address)
            prepare_staging(connection)
        self._form = form
        self._known.clear()
        if self._refresher is not None and not form.aggregates:
            self._refresher.stop()
            self._refresher = None
        if self._refresher is None and form.aggregates:
            with connection.begin():
                left = upkeep.held_spans(connection)
            self._refresher = Refresher(self.address)
            for span in left:  # what an earlier session left: quick where nothing is
                self._refresher.touch(*span)
            self._refresher.start()
