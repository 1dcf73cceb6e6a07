"""Copy a SQLite store to a file beside it before an update changes its tables.

A store on a server is not copied: its backups are its administrator's.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from quantdesk.store.base import SCHEMA_VERSION, StoreError
from quantdesk.store.sqlite_plain import BUSY_SECONDS, read_only_connection

#: Hears in words how far the opening of a store is.
Said = Callable[[str], None]
#: So many backups of a store stay; the oldest go.
KEPT = 2
#: Free bytes that are left beside the backup: the update itself writes a log.
MARGIN = 64_000_000
#: Pages copied between two looks at whether to stop.
_SLICE = 2_048
#: Steps of the check's own machine between two looks.
_STEPS = 1_000_000
_STAMP = "%Y%m%d-%H%M%S"

_log = logging.getLogger(__name__)


def back_up(
    path: Path,
    said: Said | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    now: datetime | None = None,
) -> Path:
    """Copy the store with what its log holds, check the copy, and return its name; the oldest copies go.

    The caller holds the writer's lock. Raises StoreError in words where there is not enough room, the
    copy is not whole, or ``cancelled`` says so; the store is then untouched and no copy is left.
    """
    told, stopped = said or (lambda _: None), cancelled or (lambda: False)
    when = (now or datetime.now(UTC)).strftime(_STAMP)
    target = path.with_name(f"{path.name}.before-v{SCHEMA_VERSION}-{when}.backup")
    temporary = path.with_name(f"{path.name}.backup.part")
    temporary.unlink(missing_ok=True)  # of a program that was killed
    _check_room(path)
    try:
        with _in_words(path, stopped), closing(read_only_connection(path)) as source:
            temporary.touch(mode=stat.S_IMODE(path.stat().st_mode))  # as closed to others as the store is
            _copy(source, temporary, told, stopped)
            _sync(temporary)
            told("checking the backup of the store")
            _check(source, temporary, stopped)
        temporary.replace(target)
        _sync(path.parent)
    except OSError as error:
        raise _failed(path, error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    _log.info("the store was backed up to %s", target)
    _remove_oldest(path, target)
    return target


def backups(path: Path) -> list[Path]:
    """List the backups of a store, oldest first."""
    named = re.compile(re.escape(path.name) + r"\.before-v\d+-(\d{8}-\d{6})\.backup")
    found = [(match[1], each) for each in path.parent.iterdir() if (match := named.fullmatch(each.name))]
    return [each for _, each in sorted(found)]


def _check_room(path: Path) -> None:
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError:
        return  # a system that does not tell: the copy will
    log = path.with_name(path.name + "-wal")
    need = path.stat().st_size + (log.stat().st_size if log.exists() else 0) + MARGIN
    if free >= need:
        return
    older = " or delete the older backups there" if backups(path) else ""
    raise StoreError(
        f"the store {path} has to be updated, and there is no room for its backup: {_words(need)} are needed in "
        f"{path.parent}, {_words(free)} are free; free some space{older} and start again, nothing was changed"
    )


def _copy(source: sqlite3.Connection, target: Path, told: Said, stopped: Callable[[], bool]) -> None:
    size = int(source.execute("PRAGMA page_size").fetchone()[0])
    locked_since: float | None = None

    def on_slice(status: int, remaining: int, total: int) -> None:
        nonlocal locked_since
        if stopped():
            raise InterruptedError
        now = time.monotonic()
        locked_since = (locked_since or now) if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) else None
        if locked_since is not None and now - locked_since > BUSY_SECONDS:
            raise StoreError("it is locked by another program: close what has it open")
        done = f"{_words((total - remaining) * size)} of {_words(total * size)}"
        told(f"backing up the store before an update: {done}")

    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")  # a copy that fails is thrown away
        copy.execute("PRAGMA synchronous=OFF")  # and synced once, when it is whole
        source.backup(copy, pages=_SLICE, progress=on_slice, sleep=0.1)


def _check(source: sqlite3.Connection, target: Path, stopped: Callable[[], bool]) -> None:
    """Raise StoreError unless the copy is sound and holds as many rows of each table."""
    with closing(sqlite3.connect(f"{target.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        copy.set_progress_handler(stopped, _STEPS)
        source.set_progress_handler(stopped, _STEPS)
        answer = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise StoreError(f"its copy is damaged ({' '.join(str(answer).split())}), perhaps as the store itself is")
        for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            count = f'SELECT count(*) FROM "{table}"'  # noqa: S608  # a name from the store itself
            held, copied = (each.execute(count).fetchone()[0] for each in (source, copy))
            if held != copied:
                raise StoreError(f"its copy has {copied:,} rows of {held:,} in {table}")


@contextmanager
def _in_words(path: Path, stopped: Callable[[], bool]) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise _failed(path, str(error)) from error
    except (InterruptedError, sqlite3.Error) as error:
        if stopped():
            raise StoreError(f"the backup of the store {path} was stopped; nothing was changed") from error
        raise _failed(path, " ".join(str(error).split())) from error


def _failed(path: Path, why: str) -> StoreError:
    return StoreError(f"the store {path} has to be updated and could not be backed up: {why}; nothing was changed")


def _remove_oldest(path: Path, newest: Path) -> None:
    for old in [each for each in backups(path) if each != newest][: -(KEPT - 1)]:
        try:
            old.unlink()
        except OSError as error:
            _log.warning("the old backup %s could not be deleted: %s", old, error.strerror)


def _sync(path: Path) -> None:
    """Put a file, or a folder's names, on the disk itself."""
    if path.is_dir() and os.name == "nt":
        return  # its folders cannot be opened
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _words(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
