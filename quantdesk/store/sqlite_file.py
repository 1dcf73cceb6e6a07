"""Open SQLite files as stores through SQLAlchemy: set them up, update them, and say errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

from quantdesk.store.backup import Said, back_up
from quantdesk.store.base import SCHEMA_VERSION, StoreError
from quantdesk.store.migrations import migrate
from quantdesk.store.schema import create_tables
from quantdesk.store.sqlite_plain import APPLICATION_ID, BUSY_SECONDS, check_version, read_only_connection, worded


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn the database's errors into StoreError with one line that says what to do."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise worded(path, error.orig if isinstance(error.orig, sqlite3.Error) else error) from error
    except sqlite3.Error as error:
        raise worded(path, error) from error


@contextmanager
def impatient(connection: sqlite3.Connection) -> Iterator[None]:
    """Wait for no lock inside the block."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1_000)}")


def writing_engine(path: Path) -> sa.Engine:
    """Return an engine with the one writing connection; transactions take the write lock at their start."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        raw.execute("PRAGMA temp_store=MEMORY")
        return raw

    return _engine(connect, StaticPool, "BEGIN IMMEDIATE")


def reading_engine(path: Path) -> sa.Engine:
    """Return an engine that opens a connection for every call: readers may be called from any thread."""
    return _engine(lambda: read_only_connection(path), NullPool, "BEGIN")


def _engine(connect: Callable[[], sqlite3.Connection], pool: type[NullPool | StaticPool], begin: str) -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=pool)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def create_file(path: Path) -> None:
    """Make an empty store beside ``path`` and move it into place: whoever is killed leaves none or a whole one."""
    made = path.with_name(path.name + ".new")
    for left in (made, made.with_name(made.name + "-journal")):
        left.unlink(missing_ok=True)
    engine = _engine(lambda: sqlite3.connect(made, isolation_level=None), StaticPool, "BEGIN IMMEDIATE")
    try:
        execute(engine, "PRAGMA auto_vacuum=INCREMENTAL")
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
            create_tables(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
    finally:
        engine.dispose()
    made.replace(path)


def prepare(
    path: Path, engine: sa.Engine, said: Said | None = None, cancelled: Callable[[], bool] | None = None
) -> None:
    """Set up the writing connection; update an older store once it is backed up. The caller holds the writer's lock.

    Raises StoreError in words; a store whose backup or update fails stays as it was.
    """
    version = int(execute(engine, "PRAGMA user_version")[0][0])
    check_version(path, version)
    backup = back_up(path, said, cancelled) if version < SCHEMA_VERSION else None
    execute(engine, "PRAGMA journal_mode=WAL")
    # A killed program loses nothing with NORMAL; a power cut can lose the last moments, never the file,
    # and the feed fetches again what is behind the last stored id.
    execute(engine, "PRAGMA synchronous=NORMAL")
    execute(engine, "PRAGMA journal_size_limit=67108864")
    if backup is not None:
        if said is not None:
            said("updating the store")
        _update(path, engine, version, backup)


def _update(path: Path, engine: sa.Engine, version: int, backup: Path) -> None:
    try:
        with engine.begin() as connection:
            migrate(connection, version)
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
    except Exception as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise StoreError(
            f"the store {path} could not be updated from version {version} to {SCHEMA_VERSION} and stays as it was: "
            f"{' '.join(str(cause).split())}; a backup is in {backup}"
        ) from error


def execute(engine: sa.Engine, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement outside of any transaction."""
    raw = engine.raw_connection()
    try:
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection.execute(statement).fetchall()
    finally:
        raw.close()
