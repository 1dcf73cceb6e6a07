"""Look into SQLite stores with the standard library alone: what a file is, how to read it, its errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quantdesk.store.base import SCHEMA_VERSION, DiskLowError, StoreError

#: "QDsk": tells our files from other SQLite files.
APPLICATION_ID = 0x5144736B
BUSY_SECONDS = 5.0
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100


@contextmanager
def in_plain_words(path: Path) -> Iterator[None]:
    """Turn the driver's errors into StoreError with one line that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise worded(path, error) from error


def worded(path: Path, error: BaseException) -> StoreError:
    """Return the StoreError that says what has happened to the store, and what to do."""
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


def read_only_connection(path: Path, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Connect for reading, from any thread; the file and its log are not touched. Raises the driver's errors."""
    uri = path.absolute().as_uri()
    try:
        return _read_only(f"{uri}?mode=ro", busy_seconds)
    except sqlite3.OperationalError:
        # A folder that cannot be written cannot hold the shared index of a WAL; without a WAL none is needed.
        if path.with_name(path.name + "-wal").exists() or not path.exists():
            raise
        return _read_only(f"{uri}?mode=ro&immutable=1", busy_seconds)


def _read_only(uri: str, busy_seconds: float) -> sqlite3.Connection:
    raw = sqlite3.connect(uri, timeout=busy_seconds, isolation_level=None, uri=True, check_same_thread=False)
    try:
        raw.execute("PRAGMA query_only=ON")
        raw.execute("PRAGMA wal_autocheckpoint=0")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        raw.close()
        raise
    return raw
