"""What is the embedded store's own: one file, set up for batches and retention, with one writer beside any readers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.store.base import Store, StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.sqlite_plain import APPLICATION_ID
from tests.store.kinds import held_ids
from tests.store.samples import BTC, trades


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_embedded(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def test_the_embedded_store_keeps_the_promise_of_a_store(store: EmbeddedStore) -> None:
    promised: Store = store
    assert promised.size_bytes() > 0 and (promised.free_bytes() or 0) > 0
    assert promised.acquire(BTC) and promised.words == "embedded store"


def test_the_file_is_set_up_for_batches_and_retention(store: EmbeddedStore) -> None:
    raw = sqlite3.connect(store.path)
    try:
        pragmas = [raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "auto_vacuum")]
        application = raw.execute("PRAGMA application_id").fetchone()[0]
        indexes = raw.execute("SELECT name FROM sqlite_master WHERE type='index' AND tbl_name='ticks'").fetchall()
    finally:
        raw.close()
    assert pragmas == ["wal", 2] and application == APPLICATION_ID
    assert [name for (name,) in indexes if "autoindex" not in name] == []


def test_a_store_opened_for_reading_sees_what_is_committed_and_refuses_to_write(store: EmbeddedStore) -> None:
    reader = open_embedded(store.path, read_only=True)
    ticks = trades(30)
    store.append_ticks(BTC, ticks)
    assert held_ids(reader, BTC) == [t.agg_id for t in ticks]
    with pytest.raises(StoreError, match="reading only"):
        reader.append_ticks(BTC, ticks)
    with pytest.raises(StoreError, match="reading only"):
        reader.enforce_limits()
    reader.close()


def test_a_batch_that_is_refused_registers_no_instrument(store: EmbeddedStore) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        store.append_ticks(BTC, trades(2, first_id=2**63))
    assert store.instruments() == []
