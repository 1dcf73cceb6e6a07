"""Delete an instrument's trades, bars and source bars from a store in slices; the statements of both stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from quantdesk.store.base import IdRun
from quantdesk.store.ledger_cut import rows_of_dropped
from quantdesk.store.ledger_report import HOLES
from quantdesk.store.ledger_sql import joined_runs
from quantdesk.store.schema import gaps, instruments, source_bars, ticks
from quantdesk.store.sql_writer import SqlWriter
from quantdesk.types import GapState, Instrument


class SqlDropper(SqlWriter):
    """Delete by hand, each call in one transaction; used by ONE thread.

    ``book_dropped`` comes first: whenever the program dies between, the ledger says no more than is true.
    """

    def book_dropped(self, instrument: Instrument, runs: Sequence[IdRun], now: int) -> None:
        """Note in the ledger that these ids are about to be deleted by hand."""
        rows = rows_of_dropped(instrument.symbol, self.load_gaps(instrument), runs, now)
        if rows:
            self.save_gaps(instrument, rows)

    def unbooked(self, instrument: Instrument, start: int, end: int, rows: int) -> list[IdRun]:
        """Return the ids among the ``rows`` oldest trades of [start, end) (ms) that no row calls dropped, as runs."""
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            mine = (ticks.c.instrument_id == held, ticks.c.ts >= start, ticks.c.ts < end)
            key = (ticks.c.ts, ticks.c.agg_id)
            oldest = connection.execute(sa.select(*key).where(*mine).order_by(*key).limit(rows)).all()
            ids = [row.agg_id for row in oldest]
            theirs = (gaps.c.instrument_id == held, gaps.c.state == GapState.DROPPED.value)
            near = (gaps.c.first_id <= max(ids, default=0), gaps.c.last_id >= min(ids, default=0))
            spans = sa.select(gaps.c.first_id, gaps.c.last_id).where(*theirs, *near).order_by(gaps.c.first_id)
            booked = connection.execute(spans).all()
        firsts = np.array([row.first_id for row in booked], np.int64)
        reach = np.maximum.accumulate(np.array([row.last_id for row in booked], np.int64))
        before = np.searchsorted(firsts, ids, "right") - 1
        known = (before >= 0) & (reach[before] >= ids) if len(booked) else np.zeros(len(ids), np.bool_)
        strays = (row for row, is_known in zip(oldest, known.tolist(), strict=True) if not is_known)
        return joined_runs(IdRun(row.agg_id, row.agg_id, row.ts, row.ts) for row in strays)

    def give_up_holes(self, instrument: Instrument, start: int, end: int) -> None:
        """Let go of holes whose trades were of [start, end) (ms): nothing is to be filled in there."""
        inside = [g for g in self.load_gaps(instrument) if g.state in HOLES and start <= g.start_ts and g.end_ts < end]
        rows = [replace(g, state=GapState.DROPPED if g.size > 0 else GapState.FILLED) for g in inside]
        if rows:
            self.save_gaps(instrument, rows)

    def drop_ticks(
        self, instrument: Instrument, start: int, end: int, rows: int, *, keep_bars: bool
    ) -> tuple[int, int | None]:
        """Delete at most ``rows`` of the oldest trades with start <= ts < end (ms).

        Return how many went and the time of the first one that is left of them, None where none is.
        ``keep_bars``: their bars stay; else those are the caller's to delete.
        """
        key = (ticks.c.ts, ticks.c.agg_id)
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            mine = (ticks.c.instrument_id == held, ticks.c.ts >= start, ticks.c.ts < end)
            first = connection.execute(sa.select(ticks.c.ts).where(*mine).order_by(ticks.c.ts).limit(1)).scalar()
            if first is None:
                return 0, None
            cut = connection.execute(sa.select(*key).where(*mine).order_by(*key).offset(rows).limit(1)).one_or_none()
            doomed, until = sa.delete(ticks).where(*mine), end
            if cut is not None:
                sooner = sa.and_(ticks.c.ts == cut.ts, ticks.c.agg_id < cut.agg_id)
                doomed = doomed.where(ticks.c.ts <= cut.ts, sa.or_(ticks.c.ts < cut.ts, sooner))
                until = cut.ts + 1
            self._before_drop(connection, held, int(first), until, keep_bars=keep_bars)
            gone = connection.execute(doomed).rowcount
            counted = {"ticks": instruments.c.ticks - gone}
            connection.execute(sa.update(instruments).where(instruments.c.id == held).values(**counted))
            return gone, None if cut is None else int(cut.ts)

    def drop_trade_bars(self, instrument: Instrument, start: int, end: int) -> int:
        """Delete the bars from trades with start <= open time < end (ms) whose trades are gone; return how many."""
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            table = self._kept
            mine = (table.c.instrument_id == held, table.c.open_time >= start, table.c.open_time < end)
            return connection.execute(sa.delete(table).where(*mine)).rowcount

    def drop_source_bars(self, instrument: Instrument, interval: str, start: int, end: int) -> int:
        """Delete the source bars of an interval ("" = of all) with start <= open time < end (ms); return how many."""
        own = source_bars.c
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            mine = [own.instrument_id == held, own.open_time >= start, own.open_time < end]
            mine += [own.interval == interval] if interval else []
            return connection.execute(sa.delete(source_bars).where(*mine)).rowcount

    def forget_ledger(self, instrument: Instrument) -> None:
        """Forget which ids were ever held where no trade is left: the next record begins anew."""
        fresh = {"ticks": 0, "last_agg_id": None, "last_agg_ts": None, "duplicates": 0}
        with self._writing() as connection:
            held, _ = self._ensure(connection, instrument)
            self._admit(connection, held, instrument)
            if connection.execute(sa.select(ticks.c.ts).where(ticks.c.instrument_id == held).limit(1)).first():
                return
            connection.execute(sa.delete(gaps).where(gaps.c.instrument_id == held))
            connection.execute(sa.update(instruments).where(instruments.c.id == held).values(**fresh))

    def settle(self, timeout: float = 5.0) -> bool:
        """Return True: a table of bars is up to date at every commit."""
        return True

    def _before_drop(self, connection: sa.Connection, held: int, start: int, end: int, *, keep_bars: bool) -> None:
        """Take care of the bars of trades in [start, end) (ms) that go; a table of bars needs none."""
