"""A store is copied whole before an update, or the update does not happen and says why."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quantdesk.store import backup, migrations
from quantdesk.store.backup import KEPT, MARGIN, back_up, backups
from quantdesk.store.base import SCHEMA_VERSION, StoreError
from quantdesk.store.embedded import open_embedded
from tests.store.samples import BTC, trades
from tests.store.test_migrations import first_version, tables

Usage = namedtuple("Usage", "total used free")
WHEN = datetime(2026, 11, 26, 1, 15, tzinfo=UTC)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return first_version(tmp_path / "quantdesk.sqlite")


def rows(path: Path, table: str = "ticks") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as raw:
        return raw.execute(f"SELECT * FROM {table}").fetchall()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith((".lock", "-shm", "-wal")))


def is_untouched(path: Path, before: dict[str, list[tuple[object, ...]]]) -> bool:
    """Tell whether a first version is still what it was, with no copy or half a copy beside it."""
    return tables(path) == before and names(path.parent) == [path.name] and len(rows(path)) == 50


def test_an_update_leaves_a_copy_that_is_the_store_of_before(old: Path) -> None:
    before, ticks = tables(old), rows(old)
    heard: list[str] = []
    open_embedded(old, said=heard.append).close()
    (copy,) = backups(old)
    assert copy.name.startswith(f"quantdesk.sqlite.before-v{SCHEMA_VERSION}-")
    assert rows(copy) == ticks
    assert tables(copy) == before
    assert heard[0].startswith("backing up the store before an update: ")
    assert heard[-1] == "updating the store"


def test_a_copy_put_in_the_stores_place_is_a_store_again(old: Path) -> None:
    open_embedded(old).close()
    (copy,) = backups(old)
    copy.replace(old)
    store = open_embedded(old)
    assert store.append_ticks(BTC, trades(60)) == 10
    store.close()


def test_what_is_only_in_the_log_is_in_the_copy(old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:  # keeps the log from being folded in
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("UPDATE instruments SET tick_size = '0.25'")
        assert old.with_name(old.name + "-wal").stat().st_size > 0
        assert b"0.25" not in old.read_bytes()
        copy = back_up(old)
    assert [row[3] for row in rows(copy, "instruments")] == ["0.25"]


def test_a_store_of_this_version_and_a_new_one_are_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        open_embedded(tmp_path / "quantdesk.sqlite").close()
    assert backups(tmp_path / "quantdesk.sqlite") == []


def test_without_room_nothing_happens_and_it_is_said_what_to_do(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, need = tables(old), old.stat().st_size + MARGIN
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, need - 1))
    with pytest.raises(StoreError, match=r"no room for its backup.*64.* MB are needed.*free some space and start"):
        open_embedded(old)
    assert is_untouched(old, before)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, need))
    open_embedded(old).close()


def test_older_copies_are_named_where_there_is_no_room(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up(old, now=WHEN)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 0, 1))
    with pytest.raises(StoreError, match="delete the older backups there"):
        open_embedded(old)


def test_a_disk_that_fills_up_during_the_copy_leaves_the_store(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(old)

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_sync", full)
    with pytest.raises(StoreError, match="could not be backed up: No space left on device; nothing was changed"):
        open_embedded(old)
    assert is_untouched(old, before)


def test_a_copy_that_lacks_rows_stops_the_update(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = tables(old), backup._sync

    def lose(path: Path) -> None:
        if path.is_file():
            with closing(sqlite3.connect(path)) as raw:
                raw.execute("DELETE FROM ticks WHERE agg_id = 7")
                raw.commit()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        real(path)

    monkeypatch.setattr(backup, "_sync", lose)
    with pytest.raises(StoreError, match="49 rows of 50 in ticks; nothing was changed"):
        open_embedded(old)
    assert is_untouched(old, before)


def test_a_damaged_copy_stops_the_update(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = tables(old), backup._sync

    def spoil(path: Path) -> None:
        if path.is_file():
            with path.open("r+b") as file:
                file.seek(2 * 4_096)
                file.write(b"\xff" * 4_096)
        real(path)

    monkeypatch.setattr(backup, "_sync", spoil)
    with pytest.raises(StoreError, match="could not be backed up"):
        open_embedded(old)
    assert is_untouched(old, before)


@pytest.mark.parametrize("words", ["backing up the store", "checking the backup"])
def test_a_copy_can_be_given_up(old: Path, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_SLICE", 1)
    monkeypatch.setattr(backup, "_STEPS", 1)
    before, stop, heard = tables(old), threading.Event(), list[str]()

    def said(text: str) -> None:
        heard.append(text)
        if text.startswith(words):
            stop.set()

    with pytest.raises(StoreError, match="was stopped; nothing was changed"):
        open_embedded(old, said=said, cancelled=stop.is_set)
    assert heard[-1].startswith(words), "it went on no further"
    assert is_untouched(old, before)
    open_embedded(old).close()


def test_an_update_that_fails_names_the_copy(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(old)

    def fail(connection) -> None:
        connection.exec_driver_sql("DELETE FROM ticks")
        connection.exec_driver_sql("ALTER TABLE other ADD COLUMN more INTEGER")

    monkeypatch.setattr(migrations, "STEPS", (fail,))
    with pytest.raises(StoreError, match=r"stays as it was: no such table: other; a backup is in") as caught:
        open_embedded(old)
    (copy,) = backups(old)
    assert str(copy) in str(caught.value)
    assert tables(old) == before
    assert len(rows(old)) == len(rows(copy)) == 50


def test_the_newest_copies_are_kept(old: Path, tmp_path: Path) -> None:
    mine = tmp_path / "quantdesk.sqlite.before-v2.mine.backup"
    mine.write_text("not ours")
    made = [back_up(old, now=WHEN + timedelta(hours=hour)) for hour in range(KEPT + 2)]
    assert made[0].name == f"quantdesk.sqlite.before-v{SCHEMA_VERSION}-20261126-011500.backup"
    assert backups(old) == made[-KEPT:]
    earlier = back_up(old, now=WHEN - timedelta(days=1))  # a clock that was set back
    assert earlier in backups(old)
    assert len(backups(old)) == KEPT
    assert mine.exists()


def test_half_a_copy_of_a_killed_program_is_removed(old: Path) -> None:
    left = old.with_name(old.name + ".backup.part")
    left.write_bytes(b"half")
    open_embedded(old).close()
    assert not left.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("place", ["backup._copy", "backup._check", "backup._remove_oldest", "sqlite_file.migrate"])
def test_a_kill_during_an_update_leaves_a_store_that_is_updated_at_the_next_start(old: Path, place: str) -> None:
    code = (
        "import os, sys; from pathlib import Path; from quantdesk.store import backup, embedded, sqlite_file\n"
        f"real = {place}\n"
        "def die(*given):\n    real(*given)\n    os.kill(os.getpid(), 9)\n"
        f"{place} = die\nembedded.open_embedded(Path(sys.argv[1]))"
    )
    before, root = tables(old), Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code, str(old)], cwd=root, check=False).returncode == -9
    assert tables(old) == before
    open_embedded(old).close()
    assert len(rows(old)) == 50
    assert tables(old)["versions"] == [(str(SCHEMA_VERSION),), (SCHEMA_VERSION,)]
    assert not list(old.parent.glob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="rights are told otherwise there")
def test_a_copy_is_as_closed_to_others_as_the_store(old: Path) -> None:
    old.chmod(0o600)
    assert stat.S_IMODE(back_up(old).stat().st_mode) == 0o600


def test_the_copy_is_noted_in_the_log(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        copy = back_up(old)
    assert str(copy) in caplog.text
