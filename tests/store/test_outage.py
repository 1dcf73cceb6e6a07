"""While the store takes nothing, trades wait in the spill; none is lost, doubled or overtaken."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from quantdesk.config import StoreLimits
from quantdesk.store.base import StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.ledger_report import account_of
from quantdesk.store.spill import waiting_trades
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, GapState, Interval, Light
from tests.store.samples import BTC, ETH, reference, rows, source, trades
from tests.store.test_writer import stored, until

QUICK = StoreLimits(batch_rows=50, batch_seconds=0.01, spill_after=0.02, first_retry=0.002, last_retry=0.01)


@contextmanager
def writing(path: Path, limits: StoreLimits = QUICK) -> Iterator[tuple[StoreWriter, EmbeddedStore]]:
    """Run a writer whose store is also given, to break it."""
    opened: list[EmbeddedStore] = []

    def opening() -> EmbeddedStore:
        opened.append(open_embedded(path / "store.sqlite", limits))
        return opened[0]

    writer = StoreWriter(opening, limits)
    writer.start()
    try:
        yield writer, opened[0]
    finally:
        writer.stop(20)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the database as another program would."""
    other = sqlite3.connect(path / "store.sqlite", isolation_level=None, timeout=20)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait five seconds for a lock that stays."""
    monkeypatch.setattr("quantdesk.store.sqlite_file.BUSY_SECONDS", 0.02)


def spill_of(path: Path) -> Path:
    return path / "store.sqlite.spill"


def test_a_locked_database_is_said_with_what_waits_and_loses_nothing(tmp_path: Path) -> None:
    ticks = trades(3_000)
    with writing(tmp_path) as (writer, _):
        writer.put_ticks(BTC, ticks[:100])
        assert writer.flush(20)
        with locked(tmp_path):
            for k in range(100, 2_000, 50):
                assert writer.put_ticks(BTC, ticks[k : k + 50])
            until(lambda: writer.status.spilled == 1_900)
            status = writer.status
            assert status.light is Light.RED and status.queued == 0
            assert "is locked by another program" in status.text
            assert status.text.endswith(": 1,900 trades wait in the spill file")
            assert not writer.flush(0.05)
            assert waiting_trades(spill_of(tmp_path)) == 1_900
        for k in range(2_000, 3_000, 50):
            assert writer.put_ticks(BTC, ticks[k : k + 50])
        assert writer.flush(30)
        assert (writer.status.light, writer.status.spilled) == (Light.GREEN, 0)
        assert (writer.status.written, writer.status.duplicates) == (3_000, 0)
        for interval in Interval:
            bars = writer.call(lambda s, i=interval: s.load_bars(BTC, i.value).bars).result(20)
            assert rows(bars) == rows(reference(ticks, interval))
    assert stored(tmp_path) == [t.agg_id for t in ticks]
    assert not spill_of(tmp_path).exists()


def test_ticks_ledger_bars_and_calls_keep_their_order_through_the_spill(tmp_path: Path) -> None:
    ticks = trades(60)
    hole = Gap("BTCUSDT", 20, 29, ticks[18].ts, ticks[29].ts, ticks[29].ts)
    with writing(tmp_path) as (writer, _):
        with locked(tmp_path):
            writer.put_gaps(BTC, [hole])
            writer.put_ticks(BTC, ticks[:19] + ticks[29:])
            writer.put_source_bars(ETH, "1m", source([0, 60_000]), "kline")
            until(lambda: writer.status.spilled == 50)
            before = writer.call(lambda s: s.load_bars(BTC, "5m").origin)
            writer.put_ticks(BTC, ticks[19:29])
            writer.put_gaps(BTC, [replace(hole, state=GapState.FILLING, calls=1)])
            writer.put_gaps(BTC, [replace(hole, state=GapState.FILLED, calls=1)])
            until(lambda: writer.status.spilled == 60)
            assert not before.done()
        assert "partial" not in before.result(20)  # it waited for what was queued before it, and for more
        assert writer.flush(20)
        (row,) = writer.call(lambda s: s.load_gaps(BTC)).result(20)
        assert (row.state, row.calls) == (GapState.FILLED, 1)
        assert writer.call(lambda s: s.load_bars(ETH, "1m").origin).result(20) == ("kline", "kline")
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_what_waits_at_the_end_is_stored_at_the_next_start(tmp_path: Path) -> None:
    ticks = trades(400)
    with writing(tmp_path) as (writer, _), locked(tmp_path):
        for k in range(0, 400, 20):
            writer.put_ticks(BTC, ticks[k : k + 20])
        asked = writer.call(lambda s: s.last_tick(BTC))
        assert not writer.stop(0.3)
        assert "400 trades wait in the spill file" in writer.status.text
        assert isinstance(asked.exception(5), StoreError)
    assert stored(tmp_path) == []
    with writing(tmp_path) as (writer, _):
        assert writer.call(lambda s: s.last_tick(BTC)).result(20) == (400, ticks[-1].ts)
        assert writer.status.duplicates == 0
    assert stored(tmp_path) == [t.agg_id for t in ticks]
    assert not spill_of(tmp_path).exists()


def test_a_spill_that_was_stored_already_adds_nothing_and_counts_no_duplicate(tmp_path: Path) -> None:
    ticks = trades(200)
    with writing(tmp_path) as (writer, _), locked(tmp_path):
        writer.put_ticks(BTC, ticks)
        writer.stop(0.1)
    content = spill_of(tmp_path).read_bytes()
    for _ in range(2):
        spill_of(tmp_path).write_bytes(content)  # as if killed before the file was removed
        with writing(tmp_path) as (writer, _):
            assert writer.flush(20) and writer.call(lambda s: s.duplicates(BTC)).result(20) == 0
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_memory_is_bounded_by_the_spill_at_once(tmp_path: Path) -> None:
    limits = replace(QUICK, spill_after=1e9, spill_rows=500, first_retry=0.01, last_retry=0.01)
    ticks = trades(20_000)
    most = 0
    with writing(tmp_path, limits) as (writer, _):
        with locked(tmp_path):
            for k in range(0, 20_000, 100):
                until(lambda: writer.status.queued < 2_000)
                assert writer.put_ticks(BTC, ticks[k : k + 100])
                most = max(most, writer.status.queued)
            until(lambda: writer.status.spilled >= 19_000)
        assert writer.flush(30)
    assert most < 2_100
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_a_spill_at_its_bound_refuses_loudly_and_what_was_taken_is_stored(tmp_path: Path) -> None:
    limits = replace(QUICK, spill_bytes=8_000, queue_rows=300, batch_rows=10)
    taken: list[int] = []
    with writing(tmp_path, limits) as (writer, _):
        with locked(tmp_path):
            for tick in trades(2_000):
                if writer.put_ticks(BTC, [tick]):
                    taken.append(tick.agg_id)
                elif not taken or taken[-1] < tick.agg_id - 200:
                    break
                time.sleep(0.0002)
            until(lambda: "recording has stopped" in writer.status.text)
            assert writer.status.light is Light.RED
            assert "has reached its bound" in writer.status.text and "wait in memory" in writer.status.text
            assert spill_of(tmp_path).stat().st_size <= 8_000
        assert writer.flush(20)
        assert writer.status.light is Light.GREEN
        assert writer.put_ticks(BTC, trades(1, first_id=9_000))
    assert 300 < len(taken) < 2_000
    assert stored(tmp_path) == [*taken, 9_000] or sorted(stored(tmp_path)) == [*taken, 9_000]


def test_without_a_place_for_the_spill_memory_keeps_what_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedStore, "spill_path", property(lambda self: self.path.parent / "gone" / "x.spill"))
    ticks = trades(600)
    with writing(tmp_path, replace(QUICK, queue_rows=400)) as (writer, _):
        with locked(tmp_path):
            taken = [t for t in ticks if writer.put_ticks(BTC, [t])]
            until(lambda: "wait in memory" in writer.status.text)
            assert "cannot be used: No such file or directory" in writer.status.text
        assert writer.flush(20)
    assert len(taken) == 400 and stored(tmp_path) == [t.agg_id for t in taken]


def test_a_database_that_became_read_only_is_said_and_loses_nothing(tmp_path: Path) -> None:
    ticks = trades(300)
    with writing(tmp_path) as (writer, store):
        raw = store._connection.connection.driver_connection
        writer.call(lambda _: raw.execute("PRAGMA query_only=1")).result(20)
        writer.put_ticks(BTC, ticks)
        until(lambda: writer.status.spilled == 300)
        assert "read-only" in writer.status.text
        raw.execute("PRAGMA query_only=0")
        assert writer.flush(20)
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_a_damaged_spill_is_said_and_its_ids_are_booked_as_missing(tmp_path: Path) -> None:
    ticks = trades(300)
    with writing(tmp_path) as (writer, _):
        with locked(tmp_path):
            for k in range(0, 200, 50):
                writer.put_ticks(BTC, ticks[k : k + 50])
                until(lambda k=k: writer.status.spilled == k + 50)
            writer.put_ticks(ETH, ticks[:1])
            writer.put_ticks(BTC, ticks[250:])
            until(lambda: writer.status.spilled == 251)
            content = bytearray(spill_of(tmp_path).read_bytes())
            content[len(content) // 3] ^= 4
            spill_of(tmp_path).write_bytes(content)
        assert writer.flush(20)
        assert writer.status.light is Light.AMBER and "could not be read" in writer.status.text
        assert writer.put_ticks(BTC, ticks[-5:])
        assert writer.flush(20)
        found = writer.call(lambda s: account_of(s, BTC)).result(20)
        assert [(g.first_id, g.last_id, g.state) for g in found.gaps] == [(51, 295, GapState.OPEN)]
        assert [g.first_id for g in writer.call(lambda s: s.load_gaps(BTC)).result(20)] == [51]
    held = stored(tmp_path)
    assert held[:50] == list(range(1, 51)) and held[-5:] == list(range(296, 301))
    assert (tmp_path / "store.sqlite.spill.damaged").exists()


def test_a_commit_whose_answer_was_lost_counts_no_duplicate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(tmp_path, replace(QUICK, spill_after=20.0)) as (writer, store):
        append, lost = store.append_ticks, [True]

        def unheard(*arguments: Any, **options: Any) -> int:
            new = append(*arguments, **options)
            if lost.pop():
                lost.append(False)
                raise StoreError("the line broke")
            lost.append(False)
            return new

        monkeypatch.setattr(store, "append_ticks", unheard)
        writer.put_ticks(BTC, trades(30))
        assert writer.flush(20)
        assert not lost[0]
        assert writer.status.duplicates == 0
        writer.put_ticks(BTC, trades(5))
        assert writer.flush(20)
        assert writer.status.duplicates == 5, "what comes again later is one"
    assert stored(tmp_path) == list(range(1, 31))


def test_a_row_of_the_ledger_that_waits_alone_is_not_said_to_be_trades(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, _), locked(tmp_path):
        writer.put_gaps(BTC, [Gap("BTCUSDT", 5, 6, 0, 1, 1)])
        until(lambda: tmp_path.joinpath("store.sqlite.spill").exists())
        until(lambda: "locked" in writer.status.text)
        assert "trades" not in writer.status.text


def test_an_impossible_number_does_not_block_the_spill(tmp_path: Path) -> None:
    ticks = trades(30)
    with writing(tmp_path) as (writer, _):
        with locked(tmp_path):
            writer.put_ticks(BTC, [*ticks[:10], replace(ticks[10], agg_id=2**70), *ticks[11:]])
            until(lambda: writer.status.spilled == 29)
        assert writer.flush(20)
        assert writer.status.text.startswith("1 impossible rows")
    assert stored(tmp_path) == [t.agg_id for t in ticks if t.agg_id != 11]


def sabotage(store: EmbeddedStore, first: int, count: int) -> list[int]:
    """Make the operations number first .. first + count - 1 on the connection fail, commits and rollbacks too."""
    done = [0]

    def maybe(*_: Any) -> None:
        done[0] += 1
        if first < done[0] <= first + count:
            raise sqlite3.OperationalError("disk I/O error")

    for name in ("begin", "commit", "before_cursor_execute"):
        sa.event.listen(store._engine, name, maybe)
    return done


def short_session(path: Path, break_it: Callable[[EmbeddedStore], object]) -> Any:
    """Write two symbols, a gap and its filling on a store that fails; all must be there in the end."""
    btc, eth = trades(90), trades(40, symbol="ETHUSDT", seed=2)
    hole = Gap("BTCUSDT", 31, 50, btc[29].ts, btc[50].ts, btc[50].ts)
    path.mkdir()
    with writing(path, replace(QUICK, spill_after=0.0, batch_seconds=0.0, first_retry=0.0005)) as (writer, store):
        told = break_it(store)
        assert writer.put_ticks(BTC, btc[:30])
        writer.put_gaps(BTC, [hole])
        assert writer.put_ticks(ETH, eth) and writer.put_ticks(BTC, btc[50:])
        writer.put_duplicates(BTC, 3)
        assert writer.put_ticks(BTC, btc[30:50])
        writer.put_gaps(BTC, [replace(hole, state=GapState.FILLED)])
        assert writer.flush(20)
    with suppress(FileNotFoundError):
        raise AssertionError(f"{spill_of(path).stat()} is left")
    reader = open_embedded(path / "store.sqlite", read_only=True)
    assert stored(path) == [t.agg_id for t in btc] and stored(path, ETH) == [t.agg_id for t in eth]
    assert [g.state for g in reader.load_gaps(BTC)] == [GapState.FILLED]
    for interval in Interval:
        assert rows(reader.load_bars(BTC, interval.value).bars) == rows(reference(btc, interval))
    reader.close()
    return told


@pytest.mark.parametrize("count", [1, 7])
def test_every_operation_of_a_session_may_fail(tmp_path: Path, count: int) -> None:
    (total,) = short_session(tmp_path / "sound", lambda store: sabotage(store, 10**9, 0))
    assert total > 30
    for first in range(total):
        short_session(tmp_path / str(first), lambda store, first=first: sabotage(store, first, count))


def test_a_statement_may_be_broken_off_anywhere(tmp_path: Path) -> None:
    def interrupt(first: int) -> Callable[[EmbeddedStore], list[int]]:
        def install(store: EmbeddedStore) -> list[int]:
            done = [0]

            def step() -> int:
                done[0] += 1
                return int(first < done[0] <= first + 3)

            store._connection.connection.driver_connection.set_progress_handler(step, 20)
            return done

        return install

    (total,) = short_session(tmp_path / "sound", interrupt(10**9))
    assert total > 100
    for first in range(0, total, max(1, total // 40)):
        short_session(tmp_path / str(first), interrupt(first))
