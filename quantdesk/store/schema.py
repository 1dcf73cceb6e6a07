"""Describe the tables once for every store: ticks, bars, source bars, the ledger and the read view."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from quantdesk.store.base import SCHEMA_VERSION

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class EpochMs(TypeDecorator[int]):
    """Keep epoch milliseconds as int in Python: INTEGER on SQLite, timestamptz on PostgreSQL."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        native = sa.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.BigInteger()
        return dialect.type_descriptor(native)

    def bind_processor(self, dialect: Dialect) -> Callable[[int | None], Any] | None:
        """Return what turns milliseconds into the column's value; nothing where the int itself is kept."""
        if dialect.name != "postgresql":
            return None
        return lambda ms: None if ms is None else _EPOCH + ms * _MILLISECOND

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int | None] | None:
        """Return what turns the column's value into milliseconds."""
        if dialect.name != "postgresql":
            return None
        return lambda stamp: None if stamp is None else (stamp - _EPOCH) // _MILLISECOND


metadata = sa.MetaData()

instruments = sa.Table(
    "instruments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("venue", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("tick_size", sa.Text, nullable=False),
    sa.Column("step_size", sa.Text, nullable=False),
    # Kept with every batch: counting ticks or looking for the highest id would read them all.
    sa.Column("ticks", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last_agg_id", sa.BigInteger),
    sa.Column("last_agg_ts", EpochMs),
    sa.Column("duplicates", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("venue", "symbol"),
)

# The key is the only index: a second one costs a third of the space and half of the speed.
ticks = sa.Table(
    "ticks",
    metadata,
    sa.Column("instrument_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ts", EpochMs, primary_key=True),
    sa.Column("agg_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("price", sa.Double, nullable=False),
    sa.Column("quantity", sa.Double, nullable=False),
    sa.Column("is_buyer_maker", sa.Boolean, nullable=False),
    sa.Column("trades", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)


def _ohlcv() -> list[sa.Column[Any]]:
    prices = (sa.Column(name, sa.Double, nullable=False) for name in ("open", "high", "low", "close"))
    # A file need not tell volumes: NULL is NaN here.
    volumes = (sa.Column(name, sa.Double) for name in ("volume", "quote_volume"))
    return [*prices, *volumes, sa.Column("trades", sa.BigInteger, nullable=False)]


#: The columns that a bar has whatever its source.
BAR_COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "trades")

bars = sa.Table(
    "bars",
    metadata,
    sa.Column("instrument_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("interval", sa.Text, primary_key=True),
    sa.Column("open_time", EpochMs, primary_key=True),
    *_ohlcv(),
    sa.Column("first_id", sa.BigInteger, nullable=False),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_with_rowid=False,
)

source_bars = sa.Table(
    "source_bars",
    metadata,
    sa.Column("instrument_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("interval", sa.Text, primary_key=True),
    sa.Column("open_time", EpochMs, primary_key=True),
    *_ohlcv(),
    sa.Column("origin", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("instrument_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("start_ts", EpochMs, nullable=False),
    sa.Column("end_ts", EpochMs, nullable=False),
    sa.Column("opened_at", EpochMs, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    # Whether a bar is partial is asked at every refresh.
    sa.Index("gaps_by_state", "instrument_id", "state", "end_ts"),
    sqlite_with_rowid=False,
)

# The key is made of what was judged: the same alert, seen twice, is one row.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rule_id", sa.Text, nullable=False),
    sa.Column("venue", sa.Text, nullable=False),
    sa.Column("y", sa.Text, nullable=False),
    sa.Column("x", sa.Text, nullable=False),
    sa.Column("interval", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("bar_time", EpochMs, nullable=False),
    sa.Column("fired_at", EpochMs, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("outcome_at", EpochMs),
    sa.Index("alerts_by_time", "fired_at", "id"),
)

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


def _same_bar(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(one.c[name] == other.c[name] for name in ("instrument_id", "interval", "open_time")))


def _narrowed(
    table: sa.Table, wheres: Callable[[sa.FromClause], list[sa.ColumnElement[bool]]], limit: int | None, newest: bool
) -> sa.FromClause:
    """Return the rows of a table that can be among the first ``limit`` bars of the view."""
    if limit is None:
        return table.alias()
    order = table.c.open_time.desc() if newest else table.c.open_time
    return sa.select(table).where(*wheres(table)).order_by(order).limit(limit).subquery()


def all_bars_select(
    instrument_id: int | None = None,
    interval: str | None = None,
    start: int | None = None,
    end: int | None = None,
    *,
    limit: int | None = None,
    newest: bool = True,
) -> sa.Select[Any]:
    """Return the read view: whole bars from trades, else source bars, else partial bars from trades.

    Bars with start <= open_time < end; the ``newest`` (else the oldest) ``limit`` of them. The limit
    goes into each table as well: without it every bar of the instrument would be read and sorted.
    """

    def wheres(table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        given = ((table.c.instrument_id, instrument_id), (table.c.interval, interval))
        same = [column == value for column, value in given if value is not None]
        after = [] if start is None else [table.c.open_time >= start]
        return [*same, *after, *([] if end is None else [table.c.open_time < end])]

    built, source = (_narrowed(table, wheres, limit, newest) for table in (bars, source_bars))
    stand_in, whole = source_bars.alias("stand_in"), bars.alias("whole")
    names = ("instrument_id", "interval", "open_time", *BAR_COLUMNS)
    origin = sa.case((built.c.partial, "partial"), else_="trades").label("origin")
    replaced = sa.and_(built.c.partial, sa.exists().where(_same_bar(stand_in, built)))
    covered = sa.exists().where(_same_bar(whole, source), ~whole.c.partial)
    union = sa.union_all(
        sa.select(*(built.c[n] for n in names), origin).where(~replaced, *wheres(built)),
        sa.select(*(source.c[n] for n in names), source.c.origin).where(~covered, *wheres(source)),
    ).subquery("all_bars")
    order = union.c.open_time.desc() if newest else union.c.open_time
    view = sa.select(union)
    return view if instrument_id is None else view.order_by(order).limit(limit)


def create_tables(connection: sa.Connection) -> None:
    """Create the tables and the read view, and note the schema's version; all in the caller's transaction."""
    metadata.create_all(connection)
    select = all_bars_select().compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"CREATE VIEW all_bars AS {select}")
    connection.execute(sa.insert(meta).values(key="schema_version", value=str(SCHEMA_VERSION)))
