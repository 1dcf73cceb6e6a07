"""Write the statements that build bars from ticks, fold them and mark the partial ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from quantdesk.bars.arrays import quote_decimals
from quantdesk.store.schema import EpochMs, bars, gaps, ticks
from quantdesk.types import GapState, Instrument, Interval

#: While a gap is in one of these states, some trades of the bars it touches are not held.
UNHELD = (GapState.OPEN.value, GapState.FILLING.value, GapState.EXPIRED.value)
#: Touched buckets nearer to one another than this many are refreshed by one statement.
_JOIN_BUCKETS = 10

_KEY = ("instrument_id", "interval", "open_time")
_COLUMNS = (
    *_KEY,
    "open",
    "high",
    "low",
    "close",
    "volume",
    "quote_volume",
    "trades",
    "first_id",
    "last_id",
    "partial",
)
_INSTRUMENT = sa.bindparam("instrument", type_=sa.Integer)
_START, _END = sa.bindparam("start", type_=EpochMs), sa.bindparam("end", type_=EpochMs)
_MS = sa.bindparam("ms", type_=sa.BigInteger)
_TO = sa.bindparam("to", type_=sa.Text)
_VOLUME_SCALE = sa.bindparam("volume_scale", type_=sa.Double)
_QUOTE_SCALE = sa.bindparam("quote_scale", type_=sa.Double)


@dataclass(frozen=True, slots=True)
class RefreshSql:
    """Hold the two statements of a refresh: seconds from ticks, and a longer interval from a shorter."""

    build: sa.Executable
    fold: sa.Executable


class bucket_start(FunctionElement[int]):  # noqa: N801  # spelt as SQL spells functions
    """Floor a time to its bucket of that many ms; a database with real timestamps compiles its own."""

    type = EpochMs()
    inherit_cache = True


class plus_ms(FunctionElement[int]):  # noqa: N801  # spelt as SQL spells functions
    """Add milliseconds to a time; a database with real timestamps compiles its own."""

    type = EpochMs()
    inherit_cache = True


@compiles(bucket_start)
def _compile_bucket_start(element: bucket_start, compiler: SQLCompiler, **options: Any) -> str:
    time, ms = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({time} - {time} % {ms})"


@compiles(plus_ms)
def _compile_plus_ms(element: plus_ms, compiler: SQLCompiler, **options: Any) -> str:
    time, ms = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({time} + {ms})"


@compiles(bucket_start, "postgresql")
def _compile_date_bin(element: bucket_start, compiler: SQLCompiler, **options: Any) -> str:
    time, ms = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date_bin({ms} * INTERVAL '1 millisecond', {time}, TIMESTAMPTZ 'epoch')"


@compiles(plus_ms, "postgresql")
def _compile_plus_interval(element: plus_ms, compiler: SQLCompiler, **options: Any) -> str:
    time, ms = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({time} + {ms} * INTERVAL '1 millisecond')"


def _steps(value: sa.ColumnElement[Any], scale: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Sum in whole steps, exact below 2**53 of them; the quotient is then the double nearest to the decimal."""
    return sa.func.sum(sa.func.round(value * scale), type_=sa.Double) / scale


def _is_partial(open_time: sa.ColumnElement[Any]) -> sa.Exists:
    return sa.exists().where(
        gaps.c.instrument_id == _INSTRUMENT,
        gaps.c.state.in_(UNHELD),
        gaps.c.end_ts >= open_time,
        gaps.c.start_ts < plus_ms(open_time, _MS),
    )


def _upsert(insert: Any, select: sa.Select[Any]) -> sa.Executable:
    """Insert bars or replace them, but never by a bar of fewer trades.

    Once old ticks are deleted, a late one would rebuild its bar from what is left; what is left
    has fewer trades or does not reach both ends, and the bar stays as it was.
    """
    statement = insert(bars).from_select(list(_COLUMNS), select)
    new = statement.excluded
    upsert: sa.Executable = statement.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={name: new[name] for name in _COLUMNS if name not in _KEY},
        where=sa.and_(new.trades >= bars.c.trades, new.first_id <= bars.c.first_id, new.last_id >= bars.c.last_id),
    )
    return upsert


def _selected(groups: sa.Subquery, first: Any, last: Any) -> sa.Select[Any]:
    columns = groups.c
    return sa.select(
        _INSTRUMENT,
        _TO,
        columns.open_time,
        first,
        columns.high,
        columns.low,
        last,
        columns.volume,
        columns.quote_volume,
        columns.trades,
        columns.first_id,
        columns.last_id,
        _is_partial(columns.open_time),
    ).where(columns.open_time >= _START)


def _build(insert: Any) -> sa.Executable:
    bucket = bucket_start(ticks.c.ts, _MS)
    groups = (
        sa.select(
            bucket.label("open_time"),
            sa.func.min(ticks.c.agg_id).label("first_id"),
            sa.func.max(ticks.c.agg_id).label("last_id"),
            sa.func.max(ticks.c.price).label("high"),
            sa.func.min(ticks.c.price).label("low"),
            _steps(ticks.c.quantity, _VOLUME_SCALE).label("volume"),
            _steps(ticks.c.price * ticks.c.quantity, _QUOTE_SCALE).label("quote_volume"),
            sa.func.sum(ticks.c.trades).label("trades"),
        )
        .where(ticks.c.instrument_id == _INSTRUMENT, ticks.c.ts >= _START, ticks.c.ts < _END)
        .group_by(bucket)
        .subquery("buckets")
    )
    edge = ticks.alias("edge")

    def price(agg_id: sa.ColumnElement[Any], order: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        inside = (edge.c.ts >= groups.c.open_time, edge.c.ts < plus_ms(groups.c.open_time, _MS))
        found = sa.select(edge.c.price).where(edge.c.instrument_id == _INSTRUMENT, *inside, edge.c.agg_id == agg_id)
        return found.order_by(order).limit(1).scalar_subquery()

    # Ids rise with time, so the scan for the last one starts at the end of the bucket.
    return _upsert(
        insert,
        _selected(groups, price(groups.c.first_id, edge.c.ts), price(groups.c.last_id, edge.c.ts.desc())),
    )


def _fold(insert: Any) -> sa.Executable:
    short, edge = bars.alias("short"), bars.alias("edge")
    source = sa.bindparam("source", type_=sa.Text)
    bucket = bucket_start(short.c.open_time, _MS)
    groups = (
        sa.select(
            bucket.label("open_time"),
            sa.func.min(short.c.first_id).label("first_id"),
            sa.func.max(short.c.last_id).label("last_id"),
            sa.func.max(short.c.high).label("high"),
            sa.func.min(short.c.low).label("low"),
            _steps(short.c.volume, _VOLUME_SCALE).label("volume"),
            _steps(short.c.quote_volume, _QUOTE_SCALE).label("quote_volume"),
            sa.func.sum(short.c.trades).label("trades"),
        )
        .where(
            short.c.instrument_id == _INSTRUMENT,
            short.c.interval == source,
            short.c.open_time >= _START,
            short.c.open_time < _END,
        )
        .group_by(bucket)
        .subquery("buckets")
    )

    def price(column: str, match: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
        inside = (edge.c.open_time >= groups.c.open_time, edge.c.open_time < plus_ms(groups.c.open_time, _MS))
        key = (edge.c.instrument_id == _INSTRUMENT, edge.c.interval == source)
        return sa.select(edge.c[column]).where(*key, *inside, match).limit(1).scalar_subquery()

    first = price("open", edge.c.first_id == groups.c.first_id)
    return _upsert(insert, _selected(groups, first, price("close", edge.c.last_id == groups.c.last_id)))


def refresh_sql(insert: Any) -> RefreshSql:
    """Return the statements for a database whose ``insert`` knows ``on_conflict_do_update``."""
    return RefreshSql(_build(insert), _fold(insert))


def touched_ranges(times: Iterable[int], ms: int) -> list[tuple[int, int]]:
    """Return the ranges [start, end) of whole buckets of ``ms`` that hold ``times``, ascending, near ones joined."""
    ranges: list[tuple[int, int]] = []
    for bucket in sorted({time - time % ms for time in times}):
        if ranges and bucket <= ranges[-1][1] + _JOIN_BUCKETS * ms:
            ranges[-1] = (ranges[-1][0], bucket + ms)
        else:
            ranges.append((bucket, bucket + ms))
    return ranges


def refresh(
    connection: sa.Connection, sql: RefreshSql, instrument_id: int, instrument: Instrument, times: Iterable[int]
) -> None:
    """Refresh the 1s, 1m and 5m bars of an instrument that hold the trade ``times`` (ms), in this order."""
    scales = {
        "instrument": instrument_id,
        "volume_scale": 10.0**instrument.quantity_decimals,
        "quote_scale": 10.0 ** quote_decimals(instrument.price_decimals, instrument.quantity_decimals),
    }
    seconds = touched_ranges(times, Interval.S1.ms)
    for start, end in seconds:
        span = {"ms": Interval.S1.ms, "start": start, "end": end, "to": Interval.S1.value}
        connection.execute(sql.build, {**scales, **span})
    shorter, edges = Interval.S1, _stamps(seconds, Interval.S1.ms)
    for longer in (Interval.M1, Interval.M5):
        spans = touched_ranges(edges, longer.ms)
        for start, end in spans:
            span = {"ms": longer.ms, "start": start, "end": end, "to": longer.value, "source": shorter.value}
            connection.execute(sql.fold, {**scales, **span})
        shorter, edges = longer, _stamps(spans, longer.ms)


def _stamps(ranges: Sequence[tuple[int, int]], ms: int) -> list[int]:
    return [time for start, end in ranges for time in range(start, end, ms)]


def _mark() -> sa.Update:
    interval = sa.bindparam("to", type_=sa.Text)
    is_partial = _is_partial(bars.c.open_time)
    return (
        sa.update(bars)
        .values(partial=is_partial)
        .where(
            bars.c.instrument_id == _INSTRUMENT,
            bars.c.interval == interval,
            bars.c.open_time > sa.bindparam("after", type_=EpochMs),
            bars.c.open_time <= _END,
            bars.c.partial != is_partial,
        )
    )


_MARK = _mark()


def mark_partial(connection: sa.Connection, instrument_id: int, start: int, end: int) -> None:
    """Set or clear the partial flag of every bar that overlaps [start, end] (ms), as the ledger says."""
    for interval in Interval:
        span = {"after": start - interval.ms, "end": end, "ms": interval.ms, "to": interval.value}
        connection.execute(_MARK, {"instrument": instrument_id, **span})
