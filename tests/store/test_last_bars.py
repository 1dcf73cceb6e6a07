"""The bars of the first paint are those that the store's reader would load, told by the standard library alone."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantdesk.store.base import SCHEMA_VERSION, StoredBars, StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.last_bars import read_last_bars
from tests.store.kinds import gap
from tests.store.samples import BTC, ETH, START, rows, source, trades
from tests.store.test_migrations import first_version

_numbers = itertools.count(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_embedded(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def told(stored: StoredBars) -> list[tuple[object, ...]]:
    return list(zip(rows(stored.bars), stored.origin, strict=True))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(1, 200),
    minutes=st.lists(st.integers(-5, 8), unique=True),
    limit=st.integers(1, 12),
    hole=st.none() | st.integers(210, 290),
)
def test_they_are_what_the_reader_loads(
    store: EmbeddedStore, first: int, minutes: list[int], limit: int, hole: int | None
) -> None:
    ticks, instrument = trades(300), replace(BTC, symbol=f"LEG{next(_numbers)}")
    store.append_ticks(instrument, ticks[first:])
    for interval, ms in (("1m", 60_000), ("5m", 300_000), ("15m", 900_000)):
        store.append_source_bars(
            instrument, interval, source([START - START % ms + ms * at for at in minutes]), "kline"
        )
    if hole is not None:
        store.save_gaps(instrument, [replace(gap(ticks, hole, hole + 3), symbol=instrument.symbol)])
    for interval in ("1s", "5s", "1m", "5m", "15m", "1d"):
        ((held, found),) = read_last_bars(store.path, BTC.venue, [instrument.symbol], interval, limit)
        assert held == instrument
        assert told(found) == told(store.load_bars(instrument, interval, limit=limit))


def test_only_the_asked_symbols_of_the_venue_that_have_bars_are_read(store: EmbeddedStore) -> None:
    store.append_ticks(BTC, trades(5))
    store.ensure_instrument(ETH)
    assert [i for i, _ in read_last_bars(store.path, BTC.venue, ["ETHUSDT", "BTCUSDT", "NOUSDT"], "1m", 9)] == [BTC]
    assert read_last_bars(store.path, "elsewhere", ["BTCUSDT"], "1m", 9) == []
    assert read_last_bars(store.path, BTC.venue, ["BTCUSDT"], "2h", 9) == []


def test_what_the_writer_has_just_committed_is_there(store: EmbeddedStore) -> None:
    store.append_ticks(BTC, trades(50))
    ((_, before),) = read_last_bars(store.path, BTC.venue, ["BTCUSDT"], "1s", 1)
    store.append_ticks(BTC, trades(60))
    ((_, after),) = read_last_bars(store.path, BTC.venue, ["BTCUSDT"], "1s", 1)
    assert after.bars.open_time[0] > before.bars.open_time[0]


def test_volumes_that_a_file_did_not_tell_are_nan(store: EmbeddedStore) -> None:
    store.append_source_bars(BTC, "1m", source([0]), "file:a.csv")
    with closing(sqlite3.connect(store.path)) as raw:
        raw.execute("UPDATE source_bars SET volume = NULL")
        raw.commit()
    ((_, found),) = read_last_bars(store.path, BTC.venue, ["BTCUSDT"], "1m", 9)
    assert found.bars.volume[0] != found.bars.volume[0]


def test_an_older_store_is_read_as_it_is(tmp_path: Path) -> None:
    path = first_version(tmp_path / "old.sqlite")
    before = path.read_bytes()
    ((_, found),) = read_last_bars(path, BTC.venue, ["BTCUSDT"], "1m", 9)
    assert found.origin
    assert path.read_bytes() == before


def test_there_is_nothing_where_there_is_no_store(tmp_path: Path) -> None:
    assert read_last_bars(tmp_path / "store.sqlite", BTC.venue, ["BTCUSDT"], "1m", 9) == []
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"time,open\n" * 20)
    with pytest.raises(StoreError, match="not a quantdesk store"):
        read_last_bars(path, BTC.venue, ["BTCUSDT"], "1m", 9)
    path.unlink()
    open_embedded(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA locking_mode=EXCLUSIVE")
        raw.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked by another program"):
            read_last_bars(path, BTC.venue, ["BTCUSDT"], "1m", 9)
        raw.execute("ROLLBACK")
        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="use a newer quantdesk"):
        read_last_bars(path, BTC.venue, ["BTCUSDT"], "1m", 9)


def test_not_every_bar_is_read_for_the_last_few(store: EmbeddedStore) -> None:
    store.append_source_bars(BTC, "1m", source([60_000 * at for at in range(30_000)]), "kline")
    steps = []

    def count() -> int:
        steps.append(1)
        return 0

    real = sqlite3.connect

    def counted(*words, **options):
        raw = real(*words, **options)
        raw.set_progress_handler(count, 1_000)
        return raw

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", counted)
        read_last_bars(store.path, BTC.venue, ["BTCUSDT"], "1m", 10)
    assert len(steps) < 10, "thousands of steps, not millions"


def test_nothing_heavy_is_imported_for_it() -> None:
    code = "import sys, quantdesk.store.last_bars\nprint([m for m in ('sqlalchemy', 'pandas') if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert answer.stdout.strip() == "[]"
