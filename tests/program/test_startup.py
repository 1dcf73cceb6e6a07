"""The desk's first paint shows the last stored bars, and nothing heavy is imported on the way to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from quantdesk.store.base import SCHEMA_VERSION
from tests.benchmarks.screen import own_screen
from tests.benchmarks.startup import BARS, VENUE, Start, seed, start_once
from tests.program.desks import environment


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("seeded") / "quantdesk.sqlite"
    seed(path, VENUE)
    return path.read_bytes()


@pytest.fixture
def data(tmp_path: Path, seeded: bytes) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "quantdesk.sqlite").write_bytes(seeded)
    return folder


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[dict[str, str]]:
    with own_screen() as screen:
        shown = {name: screen[name] for name in ("DISPLAY", "QT_QPA_PLATFORM") if name in screen}
        yield environment(tmp_path, **shown)


def is_light(start: Start) -> bool:
    return start.heavy == () and start.menus > 0


def test_the_last_bars_are_painted_before_anything_heavy_is_imported(data, surroundings) -> None:
    start = start_once(data, surroundings)
    assert start.heavy == ()
    assert (start.bars, start.visible) == (BARS, True)
    assert start.menus > 0


def test_the_last_bars_of_an_older_store_are_painted_before_it_is_updated(data, surroundings) -> None:
    with closing(sqlite3.connect(data / "quantdesk.sqlite")) as raw:
        raw.execute("DROP TABLE IF EXISTS alerts")
        raw.execute("ALTER TABLE instruments DROP COLUMN duplicates")
        raw.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        raw.execute("PRAGMA user_version=1")
        raw.commit()
    start = start_once(data, surroundings)
    assert start.bars == BARS
    assert is_light(start)


@pytest.mark.parametrize("trouble", ["none", "foreign", "newer", "locked"])
def test_a_store_that_cannot_be_read_does_not_keep_the_window_away(data, surroundings, trouble: str) -> None:
    path = data / "quantdesk.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        if trouble == "newer":
            raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if trouble == "locked":
            raw.execute("PRAGMA locking_mode=EXCLUSIVE")
            raw.execute("BEGIN EXCLUSIVE")
        if trouble == "none":
            path.unlink()
        if trouble == "foreign":
            path.write_bytes(b"time,open,high\n")
        start = start_once(data, surroundings)
    assert start.bars == 0
    assert is_light(start)
