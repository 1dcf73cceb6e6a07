"""Bring the tables of an older store up to date, step by step, in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from quantdesk.store.schema import SCHEMA_VERSION, meta


def _count_duplicates(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE instruments ADD COLUMN duplicates BIGINT DEFAULT '0' NOT NULL")


Steps = Sequence[Callable[[sa.Connection], None]]

#: Entry k turns version k + 1 into k + 2; what once was released stays as it is. A server has its own.
STEPS: Steps = (_count_duplicates,)


def migrate(connection: sa.Connection, version: int, steps: Steps | None = None) -> None:
    """Take the steps (of SQLite, unless given) from ``version`` to the present one and note it in the store."""
    for step in (STEPS if steps is None else steps)[version - 1 :]:
        step(connection)
    noted = sa.update(meta).where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION))
    connection.execute(noted)
