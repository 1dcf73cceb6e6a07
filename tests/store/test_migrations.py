"""An older store is brought up to date in one transaction, or left as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from quantdesk.store import migrations
from quantdesk.store.base import SCHEMA_VERSION, StoreError
from quantdesk.store.embedded import open_embedded
from tests.store.samples import BTC, trades


def first_version(path: Path) -> Path:
    """Make a store as the first version left it."""
    store = open_embedded(path)
    store.append_ticks(BTC, trades(50))
    store.close()
    raw = sqlite3.connect(path)
    raw.execute("ALTER TABLE instruments DROP COLUMN duplicates")
    raw.execute("DROP TABLE alerts")
    raw.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    raw.execute("PRAGMA user_version=1")
    raw.commit()
    raw.close()
    return path


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    raw = sqlite3.connect(path)
    names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    found = {name: sorted(row[1:] for row in raw.execute(f"PRAGMA table_info({name})")) for name in names}
    version = raw.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchall()
    found["versions"] = [*version, *raw.execute("PRAGMA user_version").fetchall()]
    raw.close()
    return found


def test_there_is_a_step_to_every_version() -> None:
    assert len(migrations.STEPS) == SCHEMA_VERSION - 1


def test_a_migrated_store_equals_a_new_one_and_keeps_its_rows(tmp_path: Path) -> None:
    path = first_version(tmp_path / "old.sqlite")
    open_embedded(tmp_path / "new.sqlite").close()
    store = open_embedded(path)
    assert store.find("BTCUSDT")[0].ticks == 50
    assert store.append_ticks(BTC, trades(60)) == 10
    store.add_duplicates(BTC, 50)
    assert store.duplicates(BTC) == 50
    store.close()
    assert tables(path) == tables(tmp_path / "new.sqlite")


def test_a_reader_does_not_touch_an_older_store(tmp_path: Path) -> None:
    path = first_version(tmp_path / "old.sqlite")
    before = tables(path)
    reader = open_embedded(path, read_only=True)
    assert reader.find("BTCUSDT")[0].ticks == 50
    assert reader.duplicates(BTC) == 0
    reader.close()
    assert tables(path) == before


def test_a_migration_that_fails_leaves_the_old_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_version(tmp_path / "old.sqlite")
    before = tables(path)

    def fail(connection: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, fail))
    with pytest.raises(StoreError, match="stays as it was: power cut; a backup is in"):
        open_embedded(path)
    assert tables(path) == before
    monkeypatch.undo()
    open_embedded(path).close()
    assert tables(path)["versions"] == [(str(SCHEMA_VERSION),), (SCHEMA_VERSION,)]
