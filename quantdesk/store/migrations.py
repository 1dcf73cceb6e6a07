"""Bring the tables of an older store up to date, step by step, in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from quantdesk.store.schema import SCHEMA_VERSION, meta


def _count_duplicates(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE instruments ADD COLUMN duplicates BIGINT DEFAULT '0' NOT NULL")


#: Entry k turns version k + 1 into k + 2; what once was released stays as it is.
STEPS: tuple[Callable[[sa.Connection], None], ...] = (_count_duplicates,)


def migrate(connection: sa.Connection, version: int) -> None:
    """Take the steps from ``version`` to the present one and note it in the store."""
    for step in STEPS[version - 1 :]:
        step(connection)
    noted = sa.update(meta).where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION))
    connection.execute(noted)
