"""Keep ticks, bars and the ledger in one SQLite file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from quantdesk.config import StoreLimits
from quantdesk.store import retention, sqlite_facts
from quantdesk.store.backup import Said
from quantdesk.store.bars_sql import refresh_sql
from quantdesk.store.base import Retention, StoreError, StoreFacts
from quantdesk.store.dropping import SqlDropper
from quantdesk.store.lock import WriterLock
from quantdesk.store.reader import transaction
from quantdesk.store.sqlite_file import create_file, impatient, in_words, prepare, reading_engine, writing_engine
from quantdesk.store.sqlite_plain import check_file
from quantdesk.types import Tick

# The driver's own call: eight times faster than the same statement through Core.
_INSERT_TICKS = (
    "INSERT OR IGNORE INTO ticks (instrument_id, ts, agg_id, price, quantity, is_buyer_maker, trades)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
#: Pages given back to the system after each deleted slice.
_VACUUM_PAGES = 256


def open_embedded(
    path: Path,
    limits: StoreLimits | None = None,
    *,
    read_only: bool = False,
    said: Said | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EmbeddedStore:
    """Open the store in ``path``, made when it is new and not ``read_only``.

    A store of an older version is backed up beside itself and updated, which may take minutes: ``said``
    hears how far it is, ``cancelled`` ends it. Raises StoreBusyError where another process writes to it,
    and StoreError where the file is missing, damaged, foreign or of a newer version, or cannot be backed
    up; such a file is not touched.
    """
    path = Path(os.path.realpath(path))  # two names of one store share its lock
    if read_only:
        if not check_file(path):
            raise StoreError(f"there is no store at {path}")
        store = EmbeddedStore(path, limits or StoreLimits(), reading_engine(path), None, None)
        with in_words(path):
            store.instruments()
        return store
    check_file(path)
    lock = WriterLock(path)
    engine = writing_engine(path)
    try:
        with in_words(path):
            if not check_file(path):  # again: the file may have been made just before the lock was ours
                create_file(path)
            prepare(path, engine, said, cancelled)
            return EmbeddedStore(path, limits or StoreLimits(), engine, engine.connect(), lock)
    except BaseException:
        engine.dispose()
        lock.release()
        raise


class EmbeddedStore(SqlDropper):
    """Read and write one SQLite file; a writing store is used by one thread, a reading one by any."""

    _insert = staticmethod(insert)
    _refresh = refresh_sql(insert)

    def __init__(
        self,
        path: Path,
        limits: StoreLimits,
        engine: sa.Engine,
        connection: sa.Connection | None,
        lock: WriterLock | None,
    ) -> None:
        super().__init__()
        self.path = path
        self._limits = limits
        self._engine = engine
        self._connection = connection
        self._lock = lock
        self._closed = False

    @property
    def read_only(self) -> bool:
        """Return whether this store was opened for reading."""
        return self._lock is None

    def close(self) -> None:
        """Let go of the file and of the writer's lock."""
        if self._closed:
            return
        self._closed = True
        try:
            with in_words(self.path):
                if self._connection is not None:
                    self._connection.close()
                self._engine.dispose()
        finally:
            if self._lock is not None:
                self._lock.release()

    def size_bytes(self) -> int:
        """Return what the store takes on disk."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        total = 0
        for file in files:
            with suppress(OSError):  # the log comes and goes
                total += file.stat().st_size
        return total

    @property
    def words(self) -> str:
        """Return what the store is, for the status bar."""
        return "embedded store"

    def retention(self) -> Retention:
        """Return how long trades are kept."""
        return Retention(self._limits.max_tick_age_days, self._limits.max_tick_bytes)

    def set_retention(self, retention: Retention) -> None:
        """Change how long trades are kept, until the store is closed: the desk's settings remember it."""
        bounds = {"max_tick_age_days": retention.keep_days, "max_tick_bytes": retention.keep_bytes}
        self._limits = replace(self._limits, **bounds)

    def free_bytes(self) -> int | None:
        """Return what is free on the store's disk, or None where the system does not tell."""
        try:
            return shutil.disk_usage(self.path.parent).free
        except OSError:
            return None

    def _insert_ticks(self, connection: sa.Connection, held: int, ticks: Sequence[Tick]) -> int:
        raw = _driver(connection)
        before = raw.total_changes
        raw.executemany(
            _INSERT_TICKS, [(held, t.ts, t.agg_id, t.price, t.quantity, t.is_buyer_maker, t.trades) for t in ticks]
        )
        return raw.total_changes - before

    def _execute_many(self, connection: sa.Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> int:
        raw = _driver(connection)
        before = raw.total_changes
        connection.execute(statement, rows)
        return raw.total_changes - before

    def probe(self) -> None:
        """Raise StoreError where another program holds the lock now."""
        connection = self._writable()
        with in_words(self.path), impatient(_driver(connection)), transaction(connection):
            pass

    def sync(self) -> None:
        """Sync the log, so that no power cut takes back what is committed."""
        with in_words(self.path):
            _driver(self._writable()).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @property
    def spill_path(self) -> Path | None:
        """Name the file beside the store that rows wait in while the store takes none."""
        return self.path.with_name(self.path.name + ".spill")

    def enforce_limits(self, seconds: float | None = None) -> int:
        """Delete the oldest ticks above the size cap and those too old, in slices (never bars); return rows deleted.

        With ``seconds`` it stops after about that time and goes on at the next call.
        """
        connection, deleted = self._writable(), 0
        ends_at = None if seconds is None else time.monotonic() + seconds
        with in_words(self.path):
            excess = retention.excess(connection, self._limits.max_tick_bytes)
            too_old = retention.age_limit(connection, self._limits.max_tick_age_days)
            while ends_at is None or time.monotonic() < ends_at:
                left, gone = excess - deleted, 0
                if left > 0:
                    gone = retention.delete_oldest(connection, min(self._limits.delete_slice, left))
                elif too_old is not None:
                    gone = retention.delete_oldest(connection, self._limits.delete_slice, too_old)
                if not gone:
                    break
                deleted += gone
                # As a script: the driver's execute() would stop after the first page.
                _driver(connection).executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES});")
        return deleted

    def facts(self) -> StoreFacts:
        """Tell the rows and bytes by table; may take a moment."""
        size = self.size_bytes()
        with self._reading() as connection:
            rows = sqlite_facts.row_counts(connection)
            sizes = sqlite_facts.table_bytes(connection) if size < sqlite_facts.SIZES_BELOW else {}
        kind, kept = f"SQLite {sqlite3.sqlite_version}", self.retention()
        return StoreFacts(kind, "tables", str(self.path), rows, sizes, size, retention=kept)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with in_words(self.path):
            if self._connection is not None:
                with transaction(self._connection) as connection:
                    yield connection
            else:
                with self._engine.connect() as connection, connection.begin():
                    yield connection

    def _writable(self) -> sa.Connection:
        if self._connection is None:
            raise StoreError(f"the store {self.path} is open for reading only")
        if self._closed:
            raise StoreError(f"the store {self.path} is closed")
        return self._connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        connection = self._writable()
        try:
            with in_words(self.path), transaction(connection):
                yield connection
        except BaseException:
            self._known.clear()  # what was learnt may just have been rolled back
            raise


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
