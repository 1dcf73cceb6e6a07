"""The writer's thread loses nothing, refuses in the open, and says how it is doing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.config import StoreLimits
from quantdesk.store.base import DiskLowError, StoreBusyError, StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, GapState, Instrument, Interval, Light, Tick
from tests.store.samples import BTC, ETH, START, reference, rows, source, trades


class Troubled(EmbeddedStore):
    """A store whose writes can be made to fail or to wait; otherwise the real one."""

    trouble: StoreError | None = None
    batches: list[tuple[str, int]]
    gate: threading.Event

    def append_ticks(self, instrument: Instrument, ticks: list[Tick]) -> int:
        self.gate.wait(20)
        if self.trouble is not None:
            raise self.trouble
        new = super().append_ticks(instrument, ticks)
        self.batches.append((instrument.symbol, len(ticks)))
        return new


@contextmanager
def running(path: Path, limits: StoreLimits | None = None, **options: object) -> Iterator[tuple[StoreWriter, Troubled]]:
    stores: list[Troubled] = []

    def opened() -> Troubled:
        store = open_embedded(path / "store.sqlite", limits)
        store.__class__ = Troubled
        assert isinstance(store, Troubled)
        store.batches, store.gate = [], threading.Event()
        store.gate.set()
        stores.append(store)
        return store

    writer = StoreWriter(opened, limits or StoreLimits(), **options)  # type: ignore[arg-type]
    writer.start()
    try:
        yield writer, stores[0]
    finally:
        stores[0].gate.set()
        stores[0].trouble = None
        writer.stop(20)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not come true"
        time.sleep(0.005)


def stored(path: Path, instrument: Instrument = BTC) -> list[int]:
    reader = open_embedded(path / "store.sqlite", read_only=True)
    try:
        return [int(i) for block in reader.load_ticks(instrument) for i in block.agg_id]
    finally:
        reader.close()


def test_all_that_is_put_is_stored_and_counted(tmp_path: Path) -> None:
    ticks = trades(1_200)
    with running(tmp_path) as (writer, _):
        assert all(writer.put_ticks(BTC, ticks[k : k + 7]) for k in range(0, len(ticks), 7))
        assert writer.put_ticks(BTC, ticks[:10])
        assert writer.flush(20)
        status = writer.status
        assert (status.light, status.text, status.queued) == (Light.GREEN, "recording", 0)
        assert (status.written, status.duplicates) == (1_200, 10)
        assert status.size_bytes > 0
        bars = writer.call(lambda store: store.load_bars(BTC, "1m").bars).result(20)
        assert rows(bars) == rows(reference(ticks, Interval.M1))
    assert stored(tmp_path) == [t.agg_id for t in ticks]
    assert writer.status.light is Light.OFF


def test_ticks_wait_for_a_batch_but_not_for_long(tmp_path: Path) -> None:
    with running(tmp_path, StoreLimits(batch_rows=500, batch_seconds=0.05)) as (writer, store):
        for tick in trades(40):
            writer.put_ticks(BTC, [tick])
        until(lambda: writer.status.written == 40)
        assert len(store.batches) < 20


def test_a_writer_that_is_behind_takes_larger_batches_grouped_by_instrument(tmp_path: Path) -> None:
    with running(tmp_path, StoreLimits(batch_rows=10)) as (writer, store):
        store.gate.clear()
        writer.put_ticks(BTC, trades(1))
        btc, eth = trades(400, first_id=2), trades(300, symbol="ETHUSDT")
        for k in range(0, 400, 4):
            writer.put_ticks(BTC, btc[k : k + 4])
            writer.put_ticks(ETH, eth[k : k + 3])
        store.gate.set()
        assert writer.flush(20)
        assert len(store.batches) <= 6
        assert sum(count for symbol, count in store.batches if symbol == "BTCUSDT") == 401


def test_stop_drains_what_is_queued(tmp_path: Path) -> None:
    ticks = trades(5_000)
    with running(tmp_path) as (writer, store):
        store.gate.clear()
        for k in range(0, 5_000, 50):
            writer.put_ticks(BTC, ticks[k : k + 50])
        threading.Timer(0.1, store.gate.set).start()
        assert writer.stop(20)
        assert not writer.put_ticks(BTC, ticks[:1])
        with pytest.raises(StoreError, match="closed"):
            writer.call(lambda store: None).result(5)
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_a_failing_commit_turns_the_light_red_and_loses_nothing(tmp_path: Path) -> None:
    ticks = trades(300)
    with running(tmp_path) as (writer, store):
        store.trouble = DiskLowError("the disk is full: free some space")
        writer.put_ticks(BTC, ticks[:200])
        until(lambda: writer.status.light is Light.RED)
        assert writer.status.text == "the disk is full: free some space"
        assert writer.put_ticks(BTC, ticks[200:])
        assert writer.status.queued == 300
        assert not writer.flush(0.1)
        store.trouble = None
        assert writer.flush(20)
        assert writer.status.light is Light.GREEN
        assert writer.status.written == 300
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_stop_gives_up_on_a_store_that_keeps_failing_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as (writer, store):
        store.trouble = StoreError("no")
        writer.put_ticks(BTC, trades(3))
        asked = writer.call(lambda opened: opened.last_tick(BTC))
        assert not writer.stop(0.2)
        assert isinstance(asked.exception(5), StoreError)
    assert stored(tmp_path) == []


def test_a_full_queue_refuses_and_takes_again(tmp_path: Path) -> None:
    ticks = trades(100)
    with running(tmp_path, StoreLimits(queue_rows=50, batch_rows=5)) as (writer, store):
        store.gate.clear()
        taken = [t for t in ticks if writer.put_ticks(BTC, [t])]
        assert len(taken) == 50
        assert writer.status.light is Light.AMBER and "refused" in writer.status.text
        writer.put_gaps(BTC, [Gap("BTCUSDT", 51, 100, START, START + 1, START)])
        store.gate.set()
        assert writer.flush(20)
        assert writer.status.light is Light.GREEN
        assert writer.put_ticks(BTC, ticks[50:])
        assert writer.flush(20)
        assert [g.first_id for g in writer.call(lambda s: s.load_gaps(BTC)).result(20)] == [51]
    assert stored(tmp_path) == [t.agg_id for t in ticks]


def test_the_order_of_ticks_ledger_and_calls_is_kept(tmp_path: Path) -> None:
    ticks = trades(60)
    hole = Gap("BTCUSDT", 20, 29, ticks[18].ts, ticks[29].ts, START)
    with running(tmp_path) as (writer, _):
        writer.put_ticks(BTC, ticks[:19] + ticks[29:])
        writer.put_gaps(BTC, [hole])
        before = writer.call(lambda s: s.load_bars(BTC, "5m").origin)
        writer.put_ticks(BTC, ticks[19:29])
        writer.put_gaps(BTC, [replace(hole, state=GapState.FILLING)])
        writer.put_gaps(BTC, [replace(hole, state=GapState.FILLED)])
        after = writer.call(lambda s: s.load_bars(BTC, "5m").origin)
        assert "partial" in before.result(20)
        assert "partial" not in after.result(20)


def test_source_bars_are_stored(tmp_path: Path) -> None:
    with running(tmp_path) as (writer, _):
        writer.put_source_bars(BTC, "1m", source([0, 60_000]), "kline")
        assert writer.flush(20)
        assert writer.call(lambda s: s.load_bars(BTC, "1m").origin).result(20) == ("kline", "kline")


def test_an_error_of_a_call_is_its_own(tmp_path: Path) -> None:
    with running(tmp_path) as (writer, _):
        failed = writer.call(lambda store: 1 // 0)
        assert isinstance(failed.exception(20), ZeroDivisionError)
        assert writer.call(lambda store: 7).result(20) == 7
        assert writer.status.light is Light.GREEN


def test_an_impossible_trade_does_not_take_its_neighbours_along(tmp_path: Path) -> None:
    ticks = trades(50)
    broken = [replace(t, price=float("nan")) if t.agg_id in (7, 30) else t for t in ticks]
    with running(tmp_path) as (writer, _):
        writer.put_ticks(BTC, broken)
        assert writer.flush(20)
        assert writer.status.light is Light.AMBER and writer.status.text.startswith("2 impossible rows")
    assert stored(tmp_path) == [t.agg_id for t in ticks if t.agg_id not in (7, 30)]


def test_a_disk_that_fills_warns_stops_cleanly_and_recording_goes_on_later(tmp_path: Path) -> None:
    free = [10_000_000_000]
    ticks = trades(30)
    options = {"free_bytes": lambda: free[0], "disk_check_seconds": 0.01}
    with running(tmp_path, **options) as (writer, _):
        assert writer.status.light is Light.GREEN
        free[0] = 1_900_000_000
        until(lambda: writer.status.light is Light.AMBER)
        assert "1.9 GB free" in writer.status.text
        assert writer.put_ticks(BTC, ticks[:10])
        free[0] = 100_000_000
        until(lambda: writer.status.light is Light.RED)
        assert "recording has stopped" in writer.status.text
        assert not writer.put_ticks(BTC, ticks[10:20])
        writer.put_gaps(BTC, [Gap("BTCUSDT", 11, 20, START, START, START)])
        assert writer.flush(20)
        free[0] = 10_000_000_000
        until(lambda: writer.status.light is Light.GREEN)
        assert writer.put_ticks(BTC, ticks[20:])
    assert stored(tmp_path) == [*range(1, 11), *range(21, 31)]


def test_the_size_cap_is_kept_while_recording(tmp_path: Path) -> None:
    limits = StoreLimits(max_tick_bytes=60 * 500, retention_check_seconds=0.02, delete_slice=100)
    ticks = trades(3_000)
    with running(tmp_path, limits) as (writer, _):
        for k in range(0, 3_000, 100):
            writer.put_ticks(BTC, ticks[k : k + 100])
        assert writer.flush(20)
        until(lambda: writer.call(lambda s: s.find("BTCUSDT")[0].ticks).result(20) <= 500)
        bars = writer.call(lambda s: s.load_bars(BTC, "1m").bars).result(20)
    assert rows(bars) == rows(reference(ticks, Interval.M1))
    assert stored(tmp_path) == [t.agg_id for t in ticks[2_500:]]


def test_a_store_that_cannot_be_opened_is_said_at_the_start(tmp_path: Path) -> None:
    with running(tmp_path):
        second = StoreWriter(lambda: open_embedded(tmp_path / "store.sqlite"))
        with pytest.raises(StoreBusyError):
            second.start()
        assert second.status.light is Light.RED
        assert not second.put_ticks(BTC, trades(1))
        second.stop(5)


def test_many_threads_may_put_at_once(tmp_path: Path) -> None:
    ticks = trades(2_000)
    with running(tmp_path) as (writer, _):

        def put(part: int) -> None:
            for tick in ticks[part::4]:
                assert writer.put_ticks(BTC, [tick])

        threads = [threading.Thread(target=put, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert writer.flush(20)
        bars = writer.call(lambda s: s.load_bars(BTC, "1s").bars).result(20)
    assert rows(bars) == rows(reference(ticks, Interval.S1))


def test_a_writer_never_started_has_nothing_to_stop(tmp_path: Path) -> None:
    writer = StoreWriter(lambda: open_embedded(tmp_path / "store.sqlite"))
    assert writer.status.light is Light.OFF
    assert writer.stop()


def test_trades_that_wait_in_memory_for_long_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.store.writer._SLOW_AFTER", 0.3)
    with running(tmp_path) as (writer, store):
        store.gate.clear()
        writer.put_ticks(BTC, trades(30))
        assert writer.status.light is Light.GREEN
        until(lambda: writer.status.light is Light.AMBER)
        assert writer.status.text.startswith("the store is slow: 30 trades wait in memory, the oldest for ")
        store.gate.set()
        until(lambda: writer.status.text == "recording")
