"""Keep the settings that belong to the database, not to one desk: how long trades stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from quantdesk.store.base import Retention
from quantdesk.store.ranges import Ranges
from quantdesk.store.schema import meta

_KEYS = tuple(field.name for field in fields(Retention))
_DROPPED = "ticks_dropped"


def read_retention(connection: sa.Connection) -> Retention:
    """Return the store's retention; the defaults where nothing was set."""
    noted = _read(connection, _KEYS)
    return Retention(**{key: int(noted[key]) for key in _KEYS if noted.get(key, "").isdecimal()})


def write_retention(connection: sa.Connection, retention: Retention) -> None:
    """Set the store's retention."""
    for key in _KEYS:
        _write(connection, key, str(max(0, int(getattr(retention, key)))))


def dropped(connection: sa.Connection) -> Ranges:
    """Return the times (ms) whose trades were dropped; there the bars tell more than the trades."""
    ranges = Ranges()
    for part in filter(None, _read(connection, [_DROPPED]).get(_DROPPED, "").split(",")):
        start, _, end = part.partition("-")
        ranges.add(int(start), int(end))
    return ranges


def write_dropped(connection: sa.Connection, ranges: Ranges) -> None:
    """Note the times whose trades were dropped."""
    _write(connection, _DROPPED, ",".join(f"{start}-{end}" for start, end in ranges))


def _write(connection: sa.Connection, key: str, value: str) -> None:
    """Note one value."""
    statement = insert(meta).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def _read(connection: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(sa.select(meta.c.key, meta.c.value).where(meta.c.key.in_(keys)))
    return {row.key: row.value for row in rows}
