"""Tell what a person wants to know of a store on a server: kind, sizes, health, who writes what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import StoreFacts
from quantdesk.store.schema import bars, gaps, instruments, source_bars
from quantdesk.store.server.leases import holders
from quantdesk.store.server.link import SCHEMA
from quantdesk.store.server.probe import Ability, StoreForm
from quantdesk.store.server.schema import VIEWS
from quantdesk.store.server.settings import read_retention

#: Bars that take less are counted.
_COUNTED_BYTES = 32_000_000
_TABLES = ("ticks", "bars", "source_bars", "kept_bars", "gaps")
_SIZE = sa.text("SELECT COALESCE(pg_total_relation_size(to_regclass(:name)), 0)")
_HYPERTABLE_SIZE = sa.text("SELECT COALESCE(hypertable_size(CAST(:name AS regclass)), 0)")
_COMPRESSED = sa.text(
    "SELECT COALESCE(sum(before_compression_total_bytes), 0), COALESCE(sum(after_compression_total_bytes), 0)"
    " FROM chunk_compression_stats('ticks') WHERE compression_status = 'Compressed'"
)
_JOBS = sa.text(
    "SELECT j.application_name, s.last_run_status, s.total_failures, s.total_runs FROM timescaledb_information.jobs j"
    " LEFT JOIN timescaledb_information.job_stats s USING (job_id) WHERE j.hypertable_schema IS NOT NULL"
    " AND (j.hypertable_schema = :schema OR j.proc_name = 'policy_refresh_continuous_aggregate') ORDER BY j.job_id"
)
_ROWS = sa.text("SELECT GREATEST(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(:name)")
_ROWS_OF = sa.text("SELECT COALESCE(approximate_row_count(CAST(:name AS regclass)), 0)")


def collect(connection: sa.Connection, address: StoreAddress, ability: Ability, form: StoreForm) -> StoreFacts:
    """Ask the server; what a version does not tell is left out."""
    sizes = _sizes(connection, form)
    packed = _asked(connection, _COMPRESSED) if form.aggregates else None
    before, after = (int(packed[0]), int(packed[1])) if packed is not None and packed[1] else (None, None)
    return StoreFacts(
        ability.words,
        form.bar_mode,
        address.words,
        _rows(connection, form, sizes["bars"]),
        sizes,
        sum(sizes.values()),
        before,
        after,
        jobs=_jobs(connection) if form.aggregates else (),
        notes=_notes(ability, form),
        leases=tuple(holders(connection)),
        retention=read_retention(connection),
    )


def with_refresher(found: StoreFacts, lag: float, trouble: str) -> StoreFacts:
    """Add what the program's own refresher tells."""
    return replace(found, refresh_lag=lag, trouble=trouble)


def total_bytes(connection: sa.Connection, form: StoreForm | None) -> int:
    """Return what the whole store takes."""
    return sum(_sizes(connection, form).values()) if form is not None else 0


def _sizes(connection: sa.Connection, form: StoreForm) -> dict[str, int]:
    sizes = {}
    for name in _TABLES:
        if name == "bars" and form.aggregates:
            sizes[name] = sum(_number(connection, _HYPERTABLE_SIZE, view) for view in VIEWS.values())
            continue
        is_hypertable = name == "ticks" and form.hypertable
        sizes[name] = _number(connection, _HYPERTABLE_SIZE if is_hypertable else _SIZE, name)
    return sizes


def _rows(connection: sa.Connection, form: StoreForm, bar_bytes: int) -> dict[str, int]:
    """Count by table; many bars as the server's statistics have them, for counting would read them all."""
    ticks = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(instruments.c.ticks), 0))).scalar_one()
    rows = {"ticks": int(ticks)}
    if bar_bytes < _COUNTED_BYTES:  # a young table has no statistics yet
        rows["bars"] = int(connection.execute(sa.select(sa.func.count()).select_from(bars)).scalar_one())
    elif form.aggregates:
        rows["bars"] = sum(_number(connection, _ROWS_OF, view) for view in VIEWS.values())
    else:
        rows["bars"] = _number(connection, _ROWS, "bars")
    for table in (source_bars, gaps):
        rows[table.name] = int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
    return rows


def _number(connection: sa.Connection, statement: sa.TextClause, name: str) -> int:
    row = _asked(connection, statement, name=f"{SCHEMA}.{name}")
    return int(row[0]) if row is not None and row[0] is not None else 0


def _asked(connection: sa.Connection, statement: sa.TextClause, **values: str) -> Any:
    """Return one row, None where this server's version does not know what is asked."""
    try:
        with connection.begin_nested():
            return connection.execute(statement, values).one_or_none()
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return None


def _jobs(connection: sa.Connection) -> tuple[str, ...]:
    """Name the server's own jobs that fail or never ran; the program refreshes by itself all the same."""
    try:
        with connection.begin_nested():
            rows = connection.execute(_JOBS, {"schema": SCHEMA}).all()
    except sa.exc.DBAPIError:
        return ("the server's jobs cannot be looked at",)
    words = []
    for name, status, failures, runs in rows:
        if status == "Failed" or (runs and failures and failures == runs):
            words.append(f"{name} fails ({failures} of {runs} runs)")
        elif not runs:
            words.append(f"{name} has not run yet")
    return tuple(words)


def _notes(ability: Ability, form: StoreForm) -> tuple[str, ...]:
    if form.aggregates:
        return ()
    if ability.can_aggregate:
        return ("this server now offers continuous aggregates: copy the store into a new database there to use them",)
    return ("bars are kept in tables: continuous aggregates need TimescaleDB's community edition",)
