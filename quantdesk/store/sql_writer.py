"""Write a store with statements that every database shares; a store says how to connect and to insert ticks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np
import sqlalchemy as sa

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.alerts_sql import MOST_KEPT, beyond, outcome_update, values_of
from quantdesk.store.bars_sql import RefreshSql, mark_partial, refresh
from quantdesk.store.base import TradeBars
from quantdesk.store.reader import SqlReader
from quantdesk.store.schema import BAR_COLUMNS, EpochMs, alerts, gaps, instruments, source_bars
from quantdesk.store.schema import bars as bars_table
from quantdesk.types import UNKNOWN_STEP, AlertRow, Gap, Instrument, Tick, decimals_of

_INT64 = 2**63
#: So many rows of the ledger are looked up by one statement.
_KEYS = 500


class SqlWriter(SqlReader):
    """Write ticks, bars and the ledger, each call in one transaction; used by ONE thread."""

    #: The dialect's own insert(), which knows ``on_conflict_do_update``.
    _insert: Any
    #: The statements that build bars from ticks; None where the database does it by itself.
    _refresh: RefreshSql | None
    #: The table of bars whose trades may be gone.
    _kept: sa.Table = bars_table

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, Instrument]] = {}

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        """Return the writing connection inside a transaction; what was learnt is forgotten when it fails."""
        raise NotImplementedError

    def _insert_ticks(self, connection: sa.Connection, held: int, ticks: Sequence[Tick]) -> int:
        """Insert ticks that are not held yet; return how many were new."""
        raise NotImplementedError

    def _execute_many(self, connection: sa.Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> int:
        """Run an upsert for every row; return how many rows changed."""
        raise NotImplementedError

    def _admit(self, connection: sa.Connection, held: int, instrument: Instrument, *, guest: bool = False) -> None:
        """Raise LeasedElsewhereError where another program writes this instrument; nobody can to a file of ours."""

    def acquire(self, instrument: Instrument) -> bool:
        """Return True: who has the store writes every instrument."""
        return True

    def release(self, instrument: Instrument) -> None:
        """Do nothing: who has the store keeps all of it."""

    def tend(self) -> None:
        """Do nothing: a file needs no care."""

    def ensure_instrument(self, instrument: Instrument) -> int:
        """Register the instrument or update its tick and step size; return its id.

        An unknown or coarser size never replaces a known one.
        """
        with self._writing() as connection:
            return self._ensure(connection, instrument)[0]

    def append_ticks(self, instrument: Instrument, ticks: Sequence[Tick], *, guest: bool = False) -> int:
        """Insert ticks, ignore those already held, refresh the touched bars; return how many were new."""
        self._check_ticks(ticks)
        with self._writing() as connection:
            held, precise = self._ensure(connection, instrument)
            if not ticks:
                return 0
            self._admit(connection, held, instrument, guest=guest)
            new = self._insert_ticks(connection, held, ticks)
            if new:
                self._count(connection, held, new, max(ticks, key=lambda t: t.agg_id))
                self._on_new_ticks(connection, held, precise, [t.ts for t in ticks])
            return new

    def _on_new_ticks(self, connection: sa.Connection, held: int, instrument: Instrument, times: Sequence[int]) -> None:
        """Bring the bars that hold the trade ``times`` up to date."""
        assert self._refresh is not None
        refresh(connection, self._refresh, held, instrument, times)

    def append_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> int:
        """Upsert closed bars whose trades we do not hold; return how many rows changed."""
        if not all(np.isfinite(column).all() for column in (bars.open, bars.high, bars.low, bars.close)):
            raise ValueError(f"bars of {instrument.symbol} have a price that is no number")
        statement = self._insert(source_bars)
        new, old = statement.excluded, source_bars.c
        statement = statement.on_conflict_do_update(
            index_elements=["instrument_id", "interval", "open_time"],
            set_={name: new[name] for name in (*BAR_COLUMNS, "origin")},
            where=sa.or_(*(new[name].is_distinct_from(old[name]) for name in (*BAR_COLUMNS, "origin"))),
        )
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            rows = _bar_rows(bars, {"instrument_id": held, "interval": interval, "origin": origin})
            return self._execute_many(connection, statement, rows) if rows else 0

    def append_trade_bars(self, instrument: Instrument, interval: str, bars: TradeBars) -> int:
        """Keep bars whose trades are no longer held, never replacing one of more trades; return how many changed."""
        names = (*BAR_COLUMNS, "first_id", "last_id")
        with self._writing() as connection:
            table = self._kept  # a server's form is known once it is connected
            statement = self._insert(table)
            new, old = statement.excluded, table.c
            statement = statement.on_conflict_do_update(
                index_elements=["instrument_id", "interval", "open_time"],
                set_={name: new[name] for name in names},
                where=new.trades > old.trades,
            )
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            rows = _bar_rows(bars.bars, {"instrument_id": held, "interval": interval})
            for row, first, last in zip(rows, bars.first_id.tolist(), bars.last_id.tolist(), strict=True):
                row["first_id"], row["last_id"] = first, last
            changed = self._execute_many(connection, statement, rows) if rows else 0
            if changed:
                changed -= self._on_kept_bars(
                    connection, held, int(bars.bars.open_time[0]), int(bars.bars.open_time[-1])
                )
            return changed

    def _on_kept_bars(self, connection: sa.Connection, held: int, start: int, end: int) -> int:
        """Mark kept bars that open in [start, end] and are partial; return how many were not needed after all."""
        mark_partial(connection, held, start, end)
        return 0

    def save_gaps(self, instrument: Instrument, gaps_now: Sequence[Gap]) -> None:
        """Write the ledger rows, keyed by instrument and first_id, and mark or clear the bars they overlap."""
        names = ("first_id", "last_id", "start_ts", "end_ts", "opened_at", "calls")
        statement = self._insert(gaps)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["instrument_id", "first_id"],
            set_={n: new[n] for n in (*names[1:], "state")},
        )
        # Of two rows of one key the later one holds: one statement may not touch a row twice.
        latest = {gap.first_id: gap for gap in gaps_now}
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            spans = [(gap.start_ts, gap.end_ts) for gap in latest.values()]
            for keys in _parts(list(latest)):
                known = (gaps.c.instrument_id == held, gaps.c.first_id.in_(keys))
                old = connection.execute(sa.select(gaps.c.start_ts, gaps.c.end_ts).where(*known)).all()
                spans += [(row.start_ts, row.end_ts) for row in old]
                rows = [{name: getattr(latest[key], name) for name in names} for key in keys]
                for row, key in zip(rows, keys, strict=True):
                    row.update(instrument_id=held, state=latest[key].state.value)
                self._execute_many(connection, statement, rows)
            if self._refresh is not None:
                for start, end in _joined(spans):
                    mark_partial(connection, held, start, end)

    def add_duplicates(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped."""
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            more = {"duplicates": instruments.c.duplicates + count}
            connection.execute(sa.update(instruments).where(instruments.c.id == held).values(**more))

    def save_firing(self, firing: AlertRow) -> bool:
        """Keep an alert; return whether it was new: one with its key stays as it is. The oldest make room."""
        with self._writing() as connection:
            new = self._insert(alerts).values(**values_of(firing)).on_conflict_do_nothing()
            kept = bool(connection.execute(new).rowcount)
            if kept:
                connection.execute(beyond(MOST_KEPT))
            return kept

    def save_outcome(self, firing_id: str, outcome: str, at: int) -> bool:
        """Note what became of an alert, known ``at`` (ms), unless later news are noted; return whether it is noted."""
        with self._writing() as connection:
            return bool(connection.execute(outcome_update(firing_id, outcome, at)).rowcount)

    def _check_ticks(self, ticks: Sequence[Tick]) -> None:
        """Raise ValueError naming the first tick that the database cannot hold."""
        for tick in ticks:
            sound = isfinite(tick.price) and isfinite(tick.quantity)
            if not sound or not 0 <= tick.ts < _INT64 or not 0 <= tick.agg_id < _INT64:
                raise ValueError(f"trade {tick.agg_id} of {tick.symbol} cannot be stored: {tick}")

    def _ensure(self, connection: sa.Connection, instrument: Instrument) -> tuple[int, Instrument]:
        key = (instrument.venue, instrument.symbol)
        known = self._known.get(key)
        if known is not None and _refined(known[1], instrument) == known[1]:
            return known
        where = (instruments.c.venue == instrument.venue, instruments.c.symbol == instrument.symbol)
        found = sa.select(instruments).where(*where)
        row = connection.execute(found).one_or_none()
        if row is None:
            sizes = {"tick_size": str(instrument.tick_size), "step_size": str(instrument.step_size)}
            values = {"venue": instrument.venue, "symbol": instrument.symbol, **sizes}
            # Another program may register it at this very moment.
            connection.execute(self._insert(instruments).values(**values).on_conflict_do_nothing())
            row = connection.execute(found).one()
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
        values: dict[str, Any] = {
            "ticks": own.ticks + new,
            "last_agg_id": sa.case((newer, last.agg_id), else_=own.last_agg_id),
            "last_agg_ts": sa.case((newer, sa.literal(last.ts, EpochMs)), else_=own.last_agg_ts),
        }
        connection.execute(sa.update(instruments).where(own.id == held).values(**values))


def _bar_rows(bars: BarArrays, key: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("open_time", *BAR_COLUMNS)
    columns = {field.name: getattr(bars, field.name).tolist() for field in fields(bars)}
    return [{**key, **dict(zip(names, row, strict=True))} for row in zip(*(columns[n] for n in names), strict=True)]


def _parts(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), _KEYS):
        yield keys[start : start + _KEYS]


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


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
