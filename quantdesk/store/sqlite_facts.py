"""Count the rows and bytes of a SQLite store."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

from quantdesk.store.schema import bars, gaps, instruments, source_bars, ticks

#: Bytes by table are found by looking at every page: of a larger file (bytes) only the total is told.
SIZES_BELOW = 1 << 30


def row_counts(connection: sa.Connection) -> dict[str, int]:
    """Return the rows by table; the ticks were counted when they were written."""
    counted = connection.execute(sa.select(sa.func.sum(instruments.c.ticks))).scalar()
    rows = {ticks.name: int(counted or 0)}
    for table in (bars, source_bars, gaps, instruments):
        rows[table.name] = int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
    return rows


def table_bytes(connection: sa.Connection) -> dict[str, int]:
    """Return the bytes by table with its indexes; nothing where this SQLite cannot tell."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    try:
        found = raw.execute(
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
            " WHERE s.aggregate = TRUE GROUP BY m.tbl_name"
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "dbstat" not in str(error):
            raise
        return {}
    known = {table.name for table in (ticks, bars, source_bars, gaps, instruments)}
    return {str(name): int(size) for name, size in found if name in known}
