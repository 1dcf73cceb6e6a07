"""Open SQLite files as stores: check what they are, set them up, and say errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

from quantdesk.store.base import DiskLowError, StoreError
from quantdesk.store.migrations import migrate
from quantdesk.store.schema import SCHEMA_VERSION, create_tables

#: "QDsk": tells our files from other SQLite files.
APPLICATION_ID = 0x5144736B
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100
_BUSY_SECONDS = 5.0


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn the database's errors into StoreError with one line that says what to do."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _worded(path, error.orig if isinstance(error.orig, sqlite3.Error) else error) from error
    except sqlite3.Error as error:
        raise _worded(path, error) from error


def _worded(path: Path, error: BaseException) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskLowError(f"the disk is full: free some space for {path}")
    words = {
        sqlite3.SQLITE_BUSY: "is locked by another program: close what has it open",
        sqlite3.SQLITE_LOCKED: "is locked by another program: close what has it open",
        sqlite3.SQLITE_READONLY: "cannot be written: the file or its folder is read-only",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that the folder exists and may be read",
        sqlite3.SQLITE_PERM: "cannot be opened: check its access rights",
        sqlite3.SQLITE_CORRUPT: "is damaged: move it away and a new store begins; nothing in it was changed",
        sqlite3.SQLITE_NOTADB: "is not a quantdesk store: name another --data-dir",
        sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
    }
    if code in words:
        return StoreError(f"the store {path} {words[code]}")
    return StoreError(f"the store {path} reports: {' '.join(str(error).split())}")


def check_file(path: Path) -> bool:
    """Return whether there is a store in the file; raise StoreError where it is something else. Only reads."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"the store {path} cannot be read: {error.strerror}") from error
    if not header:
        return False
    application_id = int.from_bytes(header[68:72], "big")
    if len(header) < _HEADER or not header.startswith(_MAGIC) or application_id != APPLICATION_ID:
        raise StoreError(f"{path} is not a quantdesk store: name another --data-dir; the file was not touched")
    check_version(path, int.from_bytes(header[60:64], "big"))
    return True


def check_version(path: Path, version: int) -> None:
    """Raise StoreError where a newer program made the store."""
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store {path} is of version {version}, this program knows {SCHEMA_VERSION}: use a newer quantdesk"
        )


@contextmanager
def impatient(connection: sqlite3.Connection) -> Iterator[None]:
    """Wait for no lock inside the block."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1_000)}")


def writing_engine(path: Path) -> sa.Engine:
    """Return an engine with the one writing connection; transactions take the write lock at their start."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        raw.execute("PRAGMA temp_store=MEMORY")
        return raw

    return _engine(connect, StaticPool, "BEGIN IMMEDIATE")


def reading_engine(path: Path) -> sa.Engine:
    """Return an engine that opens a connection for every call: readers may be called from any thread."""
    uri = path.absolute().as_uri()

    def connect() -> sqlite3.Connection:
        try:
            return _read_only(f"{uri}?mode=ro")
        except sqlite3.OperationalError:
            # A folder that cannot be written cannot hold the shared index of a WAL; without a WAL none is needed.
            if path.with_name(path.name + "-wal").exists() or not path.exists():
                raise
            return _read_only(f"{uri}?mode=ro&immutable=1")

    return _engine(connect, NullPool, "BEGIN")


def _read_only(uri: str) -> sqlite3.Connection:
    raw = sqlite3.connect(uri, timeout=_BUSY_SECONDS, isolation_level=None, uri=True, check_same_thread=False)
    try:
        raw.execute("PRAGMA query_only=ON")
        raw.execute("PRAGMA wal_autocheckpoint=0")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        raw.close()
        raise
    return raw


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


def prepare(path: Path, engine: sa.Engine) -> None:
    """Set up the writing connection. The caller holds the writer's lock."""
    execute(engine, "PRAGMA journal_mode=WAL")
    # A killed program loses nothing with NORMAL; a power cut can lose the last moments, never the file,
    # and the feed fetches again what is behind the last stored id.
    execute(engine, "PRAGMA synchronous=NORMAL")
    execute(engine, "PRAGMA journal_size_limit=67108864")
    version = int(execute(engine, "PRAGMA user_version")[0][0])
    check_version(path, version)
    if version < SCHEMA_VERSION:
        with engine.begin() as connection:
            migrate(connection, version)
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


def execute(engine: sa.Engine, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement outside of any transaction."""
    raw = engine.raw_connection()
    try:
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection.execute(statement).fetchall()
    finally:
        raw.close()
