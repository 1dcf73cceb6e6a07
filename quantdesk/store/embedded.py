"""Keep ticks, bars and the ledger in one SQLite file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import StoreLimits
from quantdesk.store import retention
from quantdesk.store.bars_sql import mark_partial, refresh, refresh_sql
from quantdesk.store.base import StoreError
from quantdesk.store.lock import WriterLock
from quantdesk.store.reader import SqlReader, transaction
from quantdesk.store.schema import BAR_COLUMNS, gaps, instruments, source_bars
from quantdesk.store.sqlite_file import (
    check_file,
    create_file,
    impatient,
    in_words,
    prepare,
    reading_engine,
    writing_engine,
)
from quantdesk.types import UNKNOWN_STEP, Gap, Instrument, Tick, decimals_of

_INT64 = 2**63
# The driver's own call: eight times faster than the same statement through Core.
_INSERT_TICKS = (
    "INSERT OR IGNORE INTO ticks (instrument_id, ts, agg_id, price, quantity, is_buyer_maker, trades)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_REFRESH = refresh_sql(insert)
#: Pages given back to the system after each deleted slice.
_VACUUM_PAGES = 256


def open_embedded(path: Path, limits: StoreLimits | None = None, *, read_only: bool = False) -> EmbeddedStore:
    """Open the store in ``path``, made when it is new and not ``read_only``.

    Raises StoreBusyError where another process writes to it, and StoreError where the file is
    missing, damaged, foreign or of a newer version; such a file is not touched.
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
            prepare(path, engine)
            return EmbeddedStore(path, limits or StoreLimits(), engine, engine.connect(), lock)
    except BaseException:
        engine.dispose()
        lock.release()
        raise


class EmbeddedStore(SqlReader):
    """Read and write one SQLite file; a writing store is used by one thread, a reading one by any."""

    def __init__(
        self,
        path: Path,
        limits: StoreLimits,
        engine: sa.Engine,
        connection: sa.Connection | None,
        lock: WriterLock | None,
    ) -> None:
        self.path = path
        self._limits = limits
        self._engine = engine
        self._connection = connection
        self._lock = lock
        self._closed = False
        self._known: dict[tuple[str, str], tuple[int, Instrument]] = {}

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

    def free_bytes(self) -> int | None:
        """Return what is free on the store's disk, or None where the system does not tell."""
        try:
            return shutil.disk_usage(self.path.parent).free
        except OSError:
            return None

    def ensure_instrument(self, instrument: Instrument) -> int:
        """Register the instrument or update its tick and step size; return its id.

        An unknown or coarser size never replaces a known one.
        """
        with self._writing() as connection:
            return self._ensure(connection, instrument)[0]

    def append_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> int:
        """Insert ticks, ignore those already held, refresh the touched bars; return how many were new."""
        _check_ticks(ticks)
        with self._writing() as connection:
            held, precise = self._ensure(connection, instrument)
            if not ticks:
                return 0
            raw = _driver(connection)
            before = raw.total_changes
            raw.executemany(
                _INSERT_TICKS,
                [(held, t.ts, t.agg_id, t.price, t.quantity, t.is_buyer_maker, t.trades) for t in ticks],
            )
            new = raw.total_changes - before
            if new:
                self._count(connection, held, new, max(ticks, key=lambda t: t.agg_id))
                refresh(connection, _REFRESH, held, precise, [t.ts for t in ticks])
            return new

    def append_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> int:
        """Upsert closed bars whose trades we do not hold; return how many rows changed."""
        if not all(np.isfinite(column).all() for column in (bars.open, bars.high, bars.low, bars.close)):
            raise ValueError(f"bars of {instrument.symbol} have a price that is no number")
        names = ("open_time", *BAR_COLUMNS)
        statement = insert(source_bars)
        new, old = statement.excluded, source_bars.c
        statement = statement.on_conflict_do_update(
            index_elements=["instrument_id", "interval", "open_time"],
            set_={name: new[name] for name in (*BAR_COLUMNS, "origin")},
            where=sa.or_(*(new[name].is_distinct_from(old[name]) for name in (*BAR_COLUMNS, "origin"))),
        )
        columns = {field.name: getattr(bars, field.name).tolist() for field in fields(bars)}
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            key = {"instrument_id": held, "interval": interval, "origin": origin}
            rows = [
                {**key, **dict(zip(names, row, strict=True))} for row in zip(*(columns[n] for n in names), strict=True)
            ]
            raw = _driver(connection)
            before = raw.total_changes
            if rows:
                connection.execute(statement, rows)
            return raw.total_changes - before

    def save_gaps(self, instrument: Instrument, gaps_now: Sequence[Gap]) -> None:
        """Write the ledger rows, keyed by instrument and first_id, and mark or clear the bars they overlap."""
        names = ("first_id", "last_id", "start_ts", "end_ts", "opened_at", "calls")
        statement = insert(gaps)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["instrument_id", "first_id"],
            set_={n: new[n] for n in (*names[1:], "state")},
        )
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            spans = [(gap.start_ts, gap.end_ts) for gap in gaps_now]
            for gap in gaps_now:
                key = (gaps.c.instrument_id == held, gaps.c.first_id == gap.first_id)
                old = connection.execute(sa.select(gaps.c.start_ts, gaps.c.end_ts).where(*key)).one_or_none()
                spans += [(old.start_ts, old.end_ts)] if old else []
                row = {name: getattr(gap, name) for name in names}
                connection.execute(statement, {**row, "instrument_id": held, "state": gap.state.value})
            for start, end in _joined(spans):
                mark_partial(connection, held, start, end)

    def add_duplicates(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped."""
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            more = {"duplicates": instruments.c.duplicates + count}
            connection.execute(sa.update(instruments).where(instruments.c.id == held).values(**more))

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
        """Delete the oldest ticks above the size cap in slices (never bars); return rows deleted.

        With ``seconds`` it stops after about that time and goes on at the next call.
        """
        connection, deleted, begun = self._writable(), 0, time.monotonic()
        with in_words(self.path):
            excess = (retention.tick_bytes(connection) - self._limits.max_tick_bytes) // retention.TICK_BYTES
            while deleted < excess and (seconds is None or time.monotonic() - begun < seconds):
                gone = retention.delete_oldest(connection, min(self._limits.delete_slice, excess - deleted))
                if not gone:
                    break
                deleted += gone
                # As a script: the driver's execute() would stop after the first page.
                _driver(connection).executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES});")
        return deleted

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

    def _ensure(self, connection: sa.Connection, instrument: Instrument) -> tuple[int, Instrument]:
        key = (instrument.venue, instrument.symbol)
        known = self._known.get(key)
        if known is not None and _refined(known[1], instrument) == known[1]:
            return known
        where = (instruments.c.venue == instrument.venue, instruments.c.symbol == instrument.symbol)
        row = connection.execute(sa.select(instruments).where(*where)).one_or_none()
        if row is None:
            sizes = {"tick_size": str(instrument.tick_size), "step_size": str(instrument.step_size)}
            values = {"venue": instrument.venue, "symbol": instrument.symbol, **sizes}
            held = connection.execute(sa.insert(instruments).values(**values)).inserted_primary_key[0]  # type: ignore[index]  # one row, one key
            self._known[key] = (int(held), instrument)
            return self._known[key]
        stored = Instrument(row.venue, row.symbol, Decimal(row.tick_size), Decimal(row.step_size))
        precise = _refined(stored, instrument)
        if precise != stored:
            sizes = {"tick_size": str(precise.tick_size), "step_size": str(precise.step_size)}
            connection.execute(sa.update(instruments).where(*where).values(**sizes))
        self._known[key] = (row.id, precise)
        return self._known[key]

    def _count(self, connection: sa.Connection, held: int, new: int, last: Tick) -> None:
        own = instruments.c
        newer = sa.or_(own.last_agg_id.is_(None), own.last_agg_id < last.agg_id)
        values: dict[str, Any] = {"ticks": own.ticks + new}
        connection.execute(sa.update(instruments).where(own.id == held).values(**values))
        ids = {"last_agg_id": last.agg_id, "last_agg_ts": last.ts}
        connection.execute(sa.update(instruments).where(own.id == held, newer).values(**ids))


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _refined(stored: Instrument, given: Instrument) -> Instrument:
    """Return the sizes to go on with: the given ones, unless unknown or coarser than what is stored already.

    Trades kept under a finer step would lose digits in the sums of a coarser one.
    """
    return Instrument(
        stored.venue,
        stored.symbol,
        _finer(stored.tick_size, given.tick_size),
        _finer(stored.step_size, given.step_size),
    )


def _finer(stored: Decimal, given: Decimal) -> Decimal:
    if UNKNOWN_STEP in (stored, given):
        return stored if given == UNKNOWN_STEP else given
    return given if decimals_of(given) >= decimals_of(stored) else stored


def _check_ticks(ticks: Sequence[Tick]) -> None:
    for tick in ticks:
        sound = tick.price < float("inf") and tick.quantity < float("inf")  # false for NaN as well
        if not sound or not 0 <= tick.ts < _INT64 or not 0 <= tick.agg_id < _INT64:
            raise ValueError(f"trade {tick.agg_id} of {tick.symbol} cannot be stored: {tick}")


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
