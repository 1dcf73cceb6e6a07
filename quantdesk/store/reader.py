"""Read ticks, bars, instruments and the ledger with statements that every store shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa

from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.derived import DERIVED
from quantdesk.store.alerts_sql import KEEPS_ALERTS, alert_of, firings_select
from quantdesk.store.base import BarChecks, IdRun, StoredBars, StoredInstrument, TickArrays, TradeBars
from quantdesk.store.derived import iter_derived, load_derived
from quantdesk.store.ledger_sql import COUNTS_DUPLICATES, counted, find_runs, pairs_select
from quantdesk.store.schema import BAR_COLUMNS, all_bars_select, bars, gaps, instruments, meta, source_bars, ticks
from quantdesk.store.span_reader import SpanReader
from quantdesk.types import AlertRow, Gap, GapState, Instrument, Interval

_NO_BARS = StoredBars(BarArrays.empty(), ())


class SqlReader(SpanReader):
    """Read a store through SQLAlchemy Core; a store says how to connect."""

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection inside a transaction; every use fetches all it asked for."""
        raise NotImplementedError

    def _rows(self, statement: sa.Executable) -> Sequence[Any]:
        with self._reading() as connection:
            return connection.execute(statement).all()

    def _id_of(self, instrument: Instrument) -> int | None:
        key = (instruments.c.venue == instrument.venue, instruments.c.symbol == instrument.symbol)
        rows = self._rows(sa.select(instruments.c.id).where(*key))
        return int(rows[0][0]) if rows else None

    def instruments(self) -> list[StoredInstrument]:
        """List every instrument that has ticks or source bars, by venue and symbol."""
        own = instruments.c

        def edge(order: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
            return (
                sa.select(ticks.c.ts).where(ticks.c.instrument_id == own.id).order_by(order).limit(1).scalar_subquery()
            )

        held = sa.or_(
            own.ticks > 0,
            sa.exists().where(source_bars.c.instrument_id == own.id),
            self._has_trade_bars(),
        )
        columns = (own.id, own.venue, own.symbol, own.tick_size, own.step_size, own.ticks, own.last_agg_id)
        statement = sa.select(*columns, edge(ticks.c.ts), edge(ticks.c.ts.desc()))
        return [
            StoredInstrument(row[0], _instrument(row), row[5], row[7], row[8], row[6])
            for row in self._rows(statement.where(held).order_by(own.venue, own.symbol))
        ]

    def _has_trade_bars(self) -> sa.ColumnElement[bool]:
        return sa.exists().where(bars.c.instrument_id == instruments.c.id)

    def find(self, symbol: str, venue: str | None = None) -> list[StoredInstrument]:
        """List the instruments of a symbol (in any case), of one venue or of all."""
        wanted = symbol.casefold()
        return [
            held
            for held in self.instruments()
            if held.instrument.symbol.casefold() == wanted and venue in (None, held.instrument.venue)
        ]

    def intervals(self, instrument: Instrument) -> list[str]:
        """List the intervals that bars are kept of, shortest of the built ones first; others are folded from them."""
        held = self._id_of(instrument)
        if held is None:
            return []
        found = [i.value for i in Interval if self._rows(_first_bar(held, i.value))]
        return [*found, *(name for name in self._source_intervals(held) if name not in found)]

    def source_intervals(self, instrument: Instrument) -> list[str]:
        """List the intervals that there are source bars of, in the order of their names."""
        held = self._id_of(instrument)
        return self._source_intervals(held) if held is not None else []

    def _source_intervals(self, held: int) -> list[str]:
        found: list[str] = []
        named = sa.select(sa.func.min(source_bars.c.interval)).where(source_bars.c.instrument_id == held)
        while True:
            # One seek for each interval; DISTINCT would read every bar.
            after = found[-1] if found else ""
            name = self._rows(named.where(source_bars.c.interval > after))[0][0]
            if name is None:
                return found
            found.append(name)

    def last_tick(self, instrument: Instrument) -> tuple[int, int] | None:
        """Return (agg_id, ts) of the highest stored id, or None."""
        key = (instruments.c.venue == instrument.venue, instruments.c.symbol == instrument.symbol)
        rows = self._rows(sa.select(instruments.c.last_agg_id, instruments.c.last_agg_ts).where(*key))
        return (int(rows[0][0]), int(rows[0][1])) if rows and rows[0][0] is not None else None

    def load_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> StoredBars:
        """Load bars of the read view with start <= open_time < end, ascending; ``limit`` keeps the newest.

        Derived intervals are folded here; the exchange's own bars of them stand where trades are missing.
        """
        held = self._id_of(instrument)
        if held is None:
            return _NO_BARS
        stored = _stored(self._rows(all_bars_select(held, interval, start, end, limit=limit))[::-1])
        derived = DERIVED.get(interval)
        return stored if derived is None else load_derived(self, instrument, derived, stored, start, end, limit)

    def iter_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        chunk: int = 50_000,
    ) -> Iterator[StoredBars]:
        """Yield the bars that load_bars would load in blocks, ascending."""
        held, derived = self._id_of(instrument), DERIVED.get(interval)
        if held is not None and derived is not None:
            source = _stored(self._rows(all_bars_select(held, interval, start, end, newest=False)))
            yield from iter_derived(self, instrument, derived, source, start, end, chunk)
            return
        while held is not None:
            rows = self._rows(all_bars_select(held, interval, start, end, limit=chunk, newest=False))
            if not rows:
                return
            yield _stored(rows)
            start = rows[-1].open_time + 1

    def load_ticks(
        self, instrument: Instrument, start: int | None = None, end: int | None = None, chunk: int = 50_000
    ) -> Iterator[TickArrays]:
        """Yield the ticks with start <= ts < end in blocks, ascending in (ts, agg_id)."""
        held = self._id_of(instrument)
        columns = ("agg_id", "ts", "price", "quantity", "is_buyer_maker", "trades")
        statement = sa.select(*(ticks.c[n] for n in columns)).where(ticks.c.instrument_id == held)
        if end is not None:
            statement = statement.where(ticks.c.ts < end)
        statement = statement.order_by(ticks.c.ts, ticks.c.agg_id).limit(chunk)
        after = () if start is None else (ticks.c.ts >= start,)
        while held is not None:
            rows = self._rows(statement.where(*after))
            if not rows:
                return
            yield _ticks(rows)
            last_id, last_ts = rows[-1][0], rows[-1][1]
            # The plain bound lets the key be seeked; the pair alone is not understood by every database.
            after = (ticks.c.ts >= last_ts, sa.or_(ticks.c.ts > last_ts, ticks.c.agg_id > last_id))  # type: ignore[assignment]  # one filter or two

    def count_ticks(self, instrument: Instrument, start: int, end: int) -> int:
        """Count the ticks with start <= ts < end."""
        held = self._id_of(instrument)
        if held is None:
            return 0
        span = (ticks.c.instrument_id == held, ticks.c.ts >= start, ticks.c.ts < end)
        return int(self._rows(sa.select(sa.func.count()).select_from(ticks).where(*span))[0][0])

    def iter_source_bars(self, instrument: Instrument, interval: str, chunk: int = 50_000) -> Iterator[StoredBars]:
        """Yield every source bar, shown or not, in blocks, ascending."""
        for rows in self._bar_rows(source_bars, ("origin",), instrument, interval, None, chunk):
            yield StoredBars(BarArrays.from_rows([tuple(row[:8]) for row in rows]), tuple(row[8] for row in rows))

    def iter_trade_bars(
        self, instrument: Instrument, interval: str, end: int, chunk: int = 50_000
    ) -> Iterator[TradeBars]:
        """Yield the bars from trades with open_time < end in blocks, ascending; partial ones as well."""
        for rows in self._bar_rows(bars, ("first_id", "last_id"), instrument, interval, end, chunk):
            ids = (np.array([row[at] for row in rows], np.int64) for at in (8, 9))
            yield TradeBars(BarArrays.from_rows([tuple(row[:8]) for row in rows]), *ids)

    def _bar_rows(
        self, table: sa.Table, more: Sequence[str], instrument: Instrument, interval: str, end: int | None, chunk: int
    ) -> Iterator[Sequence[Any]]:
        """Yield blocks of bars of one table; the key is given whole but for the time, so that it is seeked."""
        held = self._id_of(instrument)
        names = ("open_time", *BAR_COLUMNS, *more)
        key = (table.c.instrument_id == held, table.c.interval == interval)
        statement = sa.select(*(table.c[name] for name in names)).where(*key)
        if end is not None:
            statement = statement.where(table.c.open_time < end)
        statement = statement.order_by(table.c.open_time).limit(chunk)
        block = statement
        while held is not None:
            rows = self._rows(block)
            if not rows:
                return
            yield rows
            block = statement.where(table.c.open_time > rows[-1].open_time)

    def load_gaps(self, instrument: Instrument) -> list[Gap]:
        """Load the ledger of one instrument, ascending in first_id."""
        held = self._id_of(instrument)
        names = ("first_id", "last_id", "start_ts", "end_ts", "opened_at", "state", "calls")
        statement = sa.select(*(gaps.c[n] for n in names)).where(gaps.c.instrument_id == held)
        rows = self._rows(statement.order_by(gaps.c.first_id)) if held is not None else []
        return [
            Gap(instrument.symbol, first, last, start, end, opened, GapState(state), calls)
            for first, last, start, end, opened, state, calls in rows
        ]

    def id_runs(self, instrument: Instrument, since: int | None = None, until: int | None = None) -> list[IdRun]:
        """Find the runs of ids that are really stored, ascending and disjoint, in one pass over the key."""
        held = self._id_of(instrument)
        if held is None:
            return []
        with self._reading() as connection:
            return find_runs(connection, held, max(0, since or 0), until)

    def duplicates(self, instrument: Instrument) -> int:
        """Return how many trades came once more and were dropped, ever; 0 of a store that did not count them yet."""
        if self._version() < COUNTS_DUPLICATES:
            return 0
        key = (instruments.c.venue == instrument.venue, instruments.c.symbol == instrument.symbol)
        rows = self._rows(sa.select(instruments.c.duplicates).where(*key))
        return int(rows[0][0]) if rows else 0

    def firings(self, rule_id: str | None = None, since: int | None = None, limit: int = 1_000) -> list[AlertRow]:
        """Load alerts, oldest first: of one rule or all, fired at ``since`` (ms) or later, the newest ``limit``.

        None of a store that did not keep them yet.
        """
        if self._version() < KEEPS_ALERTS:
            return []
        return [alert_of(row) for row in reversed(self._rows(firings_select(rule_id, since, limit)))]

    def _version(self) -> int:
        rows = self._rows(sa.select(meta.c.value).where(meta.c.key == "schema_version"))
        return int(rows[0][0]) if rows else 0

    def bar_checks(self, instrument: Instrument) -> BarChecks:
        """Compare the closed, whole 1m bars from trades with the exchange's klines, at step precision."""
        held = self._id_of(instrument)
        return counted(self._rows(pairs_select(held)), instrument) if held is not None else BarChecks()


@contextmanager
def transaction(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Use a connection inside one transaction: all of it or nothing."""
    with connection.begin():
        yield connection


def _instrument(row: Any) -> Instrument:
    return Instrument(row[1], row[2], Decimal(row[3]), Decimal(row[4]))


def _first_bar(held: int, interval: str) -> sa.Select[Any]:
    return sa.select(bars.c.open_time).where(bars.c.instrument_id == held, bars.c.interval == interval).limit(1)


def _stored(rows: Sequence[Any]) -> StoredBars:
    return StoredBars(BarArrays.from_rows([tuple(row[2:10]) for row in rows]), tuple(row[10] for row in rows))


def _ticks(rows: Sequence[Any]) -> TickArrays:
    columns = list(zip(*rows, strict=True))
    ints = [np.array(columns[i], np.int64) for i in (0, 1, 4, 5)]
    price, quantity = np.array(columns[2], np.float64), np.array(columns[3], np.float64)
    for column in (*ints, price, quantity):
        column.setflags(write=False)
    return TickArrays(ints[0], ints[1], price, quantity, ints[2], ints[3])
