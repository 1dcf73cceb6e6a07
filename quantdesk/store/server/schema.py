"""Make and migrate the store's schema on a server: the shared tables, what only a server has, the bars' form."""

from __future__ import annotations

import psycopg2
import sqlalchemy as sa

from quantdesk.store import schema as shared
from quantdesk.store.base import SCHEMA_VERSION, StoreRefusedError
from quantdesk.store.migrations import Steps, create_alerts, migrate
from quantdesk.store.server.link import SCHEMA
from quantdesk.store.server.probe import AGGREGATES, TABLES, Ability, StoreForm, check, form_of, look
from quantdesk.types import Interval

#: One of our own numbers: two programs that make the schema at once wait for one another.
_SCHEMA_LOCK = 0x5144736B

server_metadata = sa.MetaData()

# Who may write an instrument: until ``expires_at`` by the server's clock; each new holder raises ``fence``.
leases = sa.Table(
    "leases",
    server_metadata,
    sa.Column("instrument_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
)

# Bars whose trades are gone: a continuous aggregate cannot take them in.
kept_bars = sa.Table(
    "kept_bars",
    server_metadata,
    *(
        sa.Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable, autoincrement=False)
        for c in shared.bars.columns
        if c.name != "partial"
    ),
)

_WIDTHS = {Interval.S1: "1 second", Interval.M1: "1 minute", Interval.M5: "5 minutes"}
VIEWS = {interval: f"bars_{interval.value}" for interval in Interval}
#: The policies are a net for when no program runs: (how far back, how near to now, how often).
_POLICIES = {
    Interval.S1: ("1 hour", "30 seconds", "1 minute"),
    Interval.M1: ("3 hours", "3 minutes", "5 minutes"),
    Interval.M5: ("12 hours", "15 minutes", "15 minutes"),
}
_TAKES_BATCHES = (
    "SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'add_continuous_aggregate_policy'"
    " AND 'buckets_per_batch' = ANY (proargnames))"
)


def prepare(connection: sa.Connection, ability: Ability) -> StoreForm:
    """Make the schema where there is none, bring an older one up to date; all of it or nothing.

    Raises StoreRefusedError where the store is of a newer version or the user may not.
    """
    with connection.begin():
        form = form_of(connection)
    if form is not None and form.version == SCHEMA_VERSION:
        check(form, ability, SCHEMA_VERSION)
        return form
    if ability.standby:
        raise StoreRefusedError("the database server is a standby without a quantdesk store: name the primary")
    with connection.begin():
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
        form = form_of(connection)  # again: another program may have made it meanwhile
        if form is None:
            return _create(connection, ability)
        check(form, ability, SCHEMA_VERSION)
        migrate(connection, form.version, STEPS)
        return StoreForm(SCHEMA_VERSION, form.bar_mode, form.hypertable)


def _count_duplicates(connection: sa.Connection) -> None:
    connection.exec_driver_sql(
        "ALTER TABLE instruments ADD COLUMN IF NOT EXISTS duplicates BIGINT DEFAULT '0' NOT NULL"
    )


def _keep_alerts(connection: sa.Connection) -> None:
    create_alerts(connection, "TIMESTAMP WITH TIME ZONE")


#: Entry k turns version k + 1 into k + 2; what once was released stays as it is.
STEPS: Steps = (_count_duplicates, _keep_alerts)


def _create(connection: sa.Connection, ability: Ability) -> StoreForm:
    if ability.offered and not ability.timescale:
        ability = _with_extension(connection, ability)
    # Where an administrator has made it for this user, the right to make one is not asked for.
    if not connection.execute(sa.text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": SCHEMA}).scalar():
        connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    aggregates = ability.can_aggregate
    tables = [t for t in shared.metadata.sorted_tables if not (aggregates and t is shared.bars)]
    shared.metadata.create_all(connection, tables=tables, checkfirst=False)
    server_metadata.create_all(connection, checkfirst=False)
    if ability.timescale:
        connection.exec_driver_sql(
            "SELECT create_hypertable('ticks', 'ts', chunk_time_interval => INTERVAL '1 day',"
            " create_default_indexes => false)"
        )
    if aggregates:
        _create_aggregates(connection)
    view = shared.all_bars_select().compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"CREATE VIEW all_bars AS {view}")
    form = StoreForm(SCHEMA_VERSION, AGGREGATES if aggregates else TABLES, bool(ability.timescale))
    noted = {
        "schema_version": str(form.version),
        "bar_mode": form.bar_mode,
        "hypertable": "yes" if form.hypertable else "no",
    }
    connection.execute(sa.insert(shared.meta), [{"key": key, "value": value} for key, value in noted.items()])
    return form


def _with_extension(connection: sa.Connection, ability: Ability) -> Ability:
    """Install the extension where this user may; the store does without it elsewhere."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg2.OperationalError):
            raise
        return ability
    return look(connection)


def _create_aggregates(connection: sa.Connection) -> None:
    for interval, source in zip(Interval, (None, Interval.S1, Interval.M1), strict=True):
        connection.exec_driver_sql(_aggregate(interval, source))
    connection.exec_driver_sql(f"CREATE VIEW bars AS {bars_view()}")
    connection.exec_driver_sql(
        "ALTER TABLE ticks SET (timescaledb.compress, timescaledb.compress_segmentby = 'instrument_id',"
        " timescaledb.compress_orderby = 'agg_id, ts')"
    )
    # By itself a policy refreshes bucket by bucket: an hour of seconds takes it six seconds instead of 50 ms.
    batches = connection.exec_driver_sql(_TAKES_BATCHES).scalar()
    at_once = ", buckets_per_batch => 0" if batches else ""
    for interval, (start, end, every) in _POLICIES.items():
        connection.exec_driver_sql(
            f"SELECT add_continuous_aggregate_policy('{VIEWS[interval]}', start_offset => INTERVAL '{start}',"
            f" end_offset => INTERVAL '{end}', schedule_interval => INTERVAL '{every}'{at_once})"
        )


def _aggregate(interval: Interval, source: Interval | None) -> str:
    """Return the statement of one level. Sums are decimals: they fold exactly, sums of doubles do not."""
    if source is None:
        time, open_, high, low, close = "ts", "first(price, agg_id)", "price", "price", "last(price, agg_id)"
        volume, quote = "quantity::numeric", "round(price::numeric * quantity::numeric, 8)"
        first, last, table = "agg_id", "agg_id", "ticks"
    else:
        time, open_, high, low, close = "open_time", "first(open, first_id)", "high", "low", "last(close, last_id)"
        volume, quote, first, last, table = "volume", "quote_volume", "first_id", "last_id", VIEWS[source]
    bucket = f"time_bucket(INTERVAL '{_WIDTHS[interval]}', {time})"
    return (
        f"CREATE MATERIALIZED VIEW {VIEWS[interval]}"
        " WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS"
        f" SELECT instrument_id, {bucket} AS open_time, {open_} AS open, max({high}) AS high, min({low}) AS low,"
        f" {close} AS close, sum({volume}) AS volume, sum({quote}) AS quote_volume,"
        f" sum(trades)::bigint AS trades, min({first}) AS first_id, max({last}) AS last_id"
        f" FROM {table} GROUP BY instrument_id, {bucket} WITH NO DATA"
    )


def bars_view() -> str:
    """Return the select that gives the aggregates the shape of the table ``bars``, each level a branch."""
    branches = []
    numbers = "{0}.open, {0}.high, {0}.low, {0}.close, {0}.volume::float8 AS volume,"
    numbers += " {0}.quote_volume::float8 AS quote_volume, {0}.trades, {0}.first_id, {0}.last_id"
    for interval, width in _WIDTHS.items():
        key = f"k.instrument_id = b.instrument_id AND k.interval = '{interval.value}' AND k.open_time = b.open_time"
        branches.append(
            f"SELECT b.instrument_id, '{interval.value}'::text AS interval, b.open_time, {numbers.format('b')},"
            f" {_partial('b', width)} AS partial FROM {VIEWS[interval]} b"
            f" WHERE NOT EXISTS (SELECT 1 FROM kept_bars k WHERE {key})"
        )
        branches.append(
            f"SELECT k.instrument_id, k.interval, k.open_time, {numbers.format('k')},"
            f" {_partial('k', width)} AS partial FROM kept_bars k WHERE k.interval = '{interval.value}'"
        )
    return " UNION ALL ".join(branches)


def _partial(bar: str, width: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM gaps g WHERE g.instrument_id = {bar}.instrument_id"
        " AND g.state IN ('open', 'filling', 'expired')"
        f" AND g.end_ts >= {bar}.open_time AND g.start_ts < {bar}.open_time + INTERVAL '{width}')"
    )
