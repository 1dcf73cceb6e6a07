"""Bring the tables of an older store up to date, step by step, in the caller's one transaction.

A file is backed up before (``backup.py``); a server is not: its backups are its administrator's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from quantdesk.store.base import SCHEMA_VERSION
from quantdesk.store.schema import meta


def _count_duplicates(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE instruments ADD COLUMN duplicates BIGINT DEFAULT '0' NOT NULL")


def create_alerts(connection: sa.Connection, moment: str) -> None:
    """Create the table of alerts as version 3 had it; ``moment`` is the type of a time in this database."""
    texts = ("rule_id", "venue", "y", "x", '"interval"', "origin", "settings")
    columns = [
        "id TEXT NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in texts),
        f"bar_time {moment} NOT NULL",
        f"fired_at {moment} NOT NULL",
        "rule TEXT NOT NULL",
        "snapshot TEXT NOT NULL",
        "outcome TEXT",
        f"outcome_at {moment}",
        "PRIMARY KEY (id)",
    ]
    connection.exec_driver_sql(f"CREATE TABLE alerts ({', '.join(columns)})")
    connection.exec_driver_sql("CREATE INDEX alerts_by_time ON alerts (fired_at, id)")


def _keep_alerts(connection: sa.Connection) -> None:
    create_alerts(connection, "BIGINT")


Steps = Sequence[Callable[[sa.Connection], None]]

#: Entry k turns version k + 1 into k + 2; what once was released stays as it is. A server has its own.
STEPS: Steps = (_count_duplicates, _keep_alerts)


def migrate(connection: sa.Connection, version: int, steps: Steps | None = None) -> None:
    """Take the steps (of SQLite, unless given) from ``version`` to the present one and note it in the store."""
    for step in (STEPS if steps is None else steps)[version - 1 :]:
        step(connection)
    noted = sa.update(meta).where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION))
    connection.execute(noted)
