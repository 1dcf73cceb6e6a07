"""Find out what a server can do and in which form a store is kept on it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import StoreRefusedError
from quantdesk.store.server.link import SCHEMA

AGGREGATES = "continuous aggregates"
TABLES = "tables"
#: date_bin() and MERGE-free upserts need no less.
LEAST_POSTGRES = 140_000
#: Real-time aggregates on aggregates came with it.
LEAST_TIMESCALE = (2, 13)


@dataclass(frozen=True, slots=True)
class Ability:
    """Tell what a server offers now; ``timescale`` is the extension's version in this database or ""."""

    postgres: str
    postgres_number: int
    timescale: str
    license: str
    offered: str  #: the version of the extension that could be installed
    standby: bool

    @property
    def can_aggregate(self) -> bool:
        """Tell whether this is the community edition of a version whose aggregates are real-time on every level."""
        return self.license == "timescale" and _numbers(self.timescale) >= LEAST_TIMESCALE

    @property
    def words(self) -> str:
        """Return the name to show."""
        edition = "" if self.license == "timescale" else " (Apache edition)"
        timescale = f"TimescaleDB {self.timescale}{edition} on " if self.timescale else ""
        return f"{timescale}PostgreSQL {self.postgres}"


@dataclass(frozen=True, slots=True)
class StoreForm:
    """Tell how a store is kept: its version and bar mode, whether its ticks are a hypertable."""

    version: int
    bar_mode: str
    hypertable: bool

    @property
    def aggregates(self) -> bool:
        """Tell whether the bars are continuous aggregates."""
        return self.bar_mode == AGGREGATES


_LOOK = sa.text(
    "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
    " COALESCE((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), ''),"
    " COALESCE(current_setting('timescaledb.license', true), ''),"
    " COALESCE((SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'), ''),"
    " pg_is_in_recovery()"
)
# With the schema's name: who may not look into it is told so, instead of that there is nothing.
_META = sa.text("SELECT key, value FROM quantdesk.meta WHERE key IN ('schema_version', 'bar_mode', 'hypertable')")
_MAY_WRITE = sa.text("SELECT has_table_privilege(:ticks, 'INSERT')")
# One statement, so that a store which another program makes meanwhile is seen whole or not at all.
_THERE = sa.text(
    "SELECT count(*) AS tables, count(*) FILTER (WHERE c.relname = 'meta' AND 2 = (SELECT count(*) FROM pg_attribute a"
    " WHERE a.attrelid = c.oid AND a.attname IN ('key', 'value'))) AS metas"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema"
)


def look(connection: sa.Connection) -> Ability:
    """Ask the server what it is. Raises StoreRefusedError where it is too old."""
    postgres, number, timescale, licence, offered, standby = connection.execute(_LOOK).one()
    ability = Ability(postgres.split()[0], number, timescale, licence if timescale else "", offered, standby)
    if number < LEAST_POSTGRES:
        raise StoreRefusedError(f"the database server is PostgreSQL {ability.postgres}: 14 or newer is needed")
    return ability


def form_of(connection: sa.Connection) -> StoreForm | None:
    """Return how the store in this database is kept, or None where there is none yet.

    Raises StoreRefusedError where the schema of our name is somebody else's.
    """
    there = connection.execute(_THERE, {"schema": SCHEMA}).one()
    if not there.tables:
        return None
    noted = {row.key: row.value for row in connection.execute(_META)} if there.metas else {}
    if "schema_version" not in noted or not noted["schema_version"].isdecimal():
        raise StoreRefusedError(f"the schema {SCHEMA} of this database is not a quantdesk store: name another database")
    mode = noted.get("bar_mode", TABLES)
    return StoreForm(int(noted["schema_version"]), mode, noted.get("hypertable") == "yes")


def check(form: StoreForm, ability: Ability, newest: int) -> None:
    """Raise StoreRefusedError where this program or this server cannot serve the store."""
    if form.version > newest:
        raise StoreRefusedError(
            f"the store on the database server is of version {form.version}, this program knows {newest}: "
            "use a newer quantdesk; nothing was changed"
        )
    if form.aggregates and not ability.can_aggregate:
        raise StoreRefusedError(
            f"this store keeps its bars as continuous aggregates and {ability.words} has none: "
            "use TimescaleDB's community edition"
        )


def may_write(connection: sa.Connection, address: StoreAddress) -> None:
    """Raise StoreRefusedError where this user may only read."""
    if not connection.execute(_MAY_WRITE, {"ticks": f"{SCHEMA}.ticks"}).scalar():
        raise StoreRefusedError(f"{address.user} may only read the store {address.words}: it is shown, nothing is kept")


def _numbers(version: str) -> tuple[int, ...]:
    digits = version.split("-", maxsplit=1)[0].split(".")
    return tuple(int(part) for part in digits[:2] if part.isdecimal())
