"""A file that is not a store of this program is said to be so, and stays as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from quantdesk.store.base import StoreError
from quantdesk.store.embedded import open_embedded
from quantdesk.store.schema import SCHEMA_VERSION
from tests.store.samples import BTC, trades


def a_store(path: Path, count: int = 200) -> Path:
    store = open_embedded(path)
    store.append_ticks(BTC, trades(count))
    store.close()
    return path


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("content", [b"time,open\n1,2\n", b"SQLite format 3\x00 cut", b"\x00" * 4_096])
def test_a_foreign_file_is_not_touched(tmp_path: Path, content: bytes, read_only: bool) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a quantdesk store"):
        open_embedded(path, read_only=read_only)
    assert path.read_bytes() == content
    assert not path.with_name("store.sqlite-wal").exists()


def test_a_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE mine (a)")
    raw.commit()
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a quantdesk store"):
        open_embedded(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path, read_only: bool) -> None:
    path = a_store(tmp_path / "store.sqlite")
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="use a newer quantdesk"):
        open_embedded(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_damaged_store_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.sqlite", 3_000)
    content = bytearray(path.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        open_embedded(path)
    assert path.read_bytes() == content
    with pytest.raises(StoreError, match="damaged"):
        open_embedded(path, read_only=True)


def test_a_cut_store_gives_words_and_no_crash(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.sqlite", 3_000)
    whole = path.read_bytes()
    for size in (100, 4_096, 8_192, len(whole) // 2):
        path.write_bytes(whole[:size])
        try:
            store = open_embedded(path)
        except StoreError:
            continue
        try:
            with pytest.raises(StoreError):
                store.append_ticks(BTC, trades(9_000))
        finally:
            store.close()


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.touch()
    store = open_embedded(path)
    assert store.append_ticks(BTC, trades(2)) == 2
    store.close()


def test_reading_a_store_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        open_embedded(tmp_path / "store.sqlite", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_another_program_that_holds_the_database_is_said_in_words_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.store.sqlite_file.BUSY_SECONDS", 0.05)
    store = open_embedded(tmp_path / "store.sqlite")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        store.append_ticks(BTC, trades(5))
    other.execute("ROLLBACK")
    other.close()
    assert store.append_ticks(BTC, trades(5)) == 5
    store.close()


_WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from quantdesk.store.base import StoreError
from quantdesk.store.embedded import open_embedded
path, spare = Path(sys.argv[1]), Path(sys.argv[2])
open_embedded(spare).close()
open_embedded(spare, read_only=True).close()
if os.getuid() == 0:  # access rights do not bind root; all is imported by now
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    path.stat()
except PermissionError:
    sys.exit("skip")
reader = open_embedded(path, read_only=True)
print(reader.instruments()[0].ticks)
reader.close()
try:
    open_embedded(path)
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="access rights of POSIX")
def test_a_store_in_a_read_only_folder_can_be_read_and_says_that_it_cannot_be_written(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path = a_store(folder / "store.sqlite")
        path.with_name("store.sqlite.lock").unlink()
        path.chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", _WITHOUT_RIGHTS, str(path), str(tmp_path / "spare.sqlite")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd(), check=False)
        folder.chmod(0o755)
    if done.stderr == "skip\n":
        pytest.skip("the temporary folder is closed to other users")
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "200"
    assert "cannot write beside the store" in done.stdout.splitlines()[1]


def test_a_full_disk_is_said_in_words_and_nothing_is_lost(tmp_path: Path) -> None:
    store = open_embedded(tmp_path / "store.sqlite")
    store.append_ticks(BTC, trades(10))
    raw = store._connection.connection.driver_connection
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        store.append_ticks(BTC, trades(5_000))
    raw.execute("PRAGMA max_page_count=1000000")
    assert store.append_ticks(BTC, trades(5_000)) == 4_990
    store.close()
