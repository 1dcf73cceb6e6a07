"""Old ticks go when the cap is reached; bars stay, and stay right."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.config import StoreLimits
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.retention import TICK_BYTES
from quantdesk.types import Interval
from tests.store.samples import BTC, ETH, reference, rows, trades


def capped(path: Path, ticks: int, delete_slice: int = 50) -> EmbeddedStore:
    limits = StoreLimits(max_tick_bytes=ticks * TICK_BYTES, delete_slice=delete_slice)
    return open_embedded(path / "store.sqlite", limits)


@pytest.mark.parametrize("delete_slice", [1, 33, 4_000])
def test_the_oldest_ticks_go_and_no_bar_does(tmp_path: Path, delete_slice: int) -> None:
    store = capped(tmp_path, 100, delete_slice)
    ticks = trades(400)
    store.append_ticks(BTC, ticks)
    assert store.enforce_limits() == 300
    assert store.enforce_limits() == 0
    assert [int(i) for b in store.load_ticks(BTC) for i in b.agg_id] == [t.agg_id for t in ticks[300:]]
    held = store.instruments()[0]
    assert (held.ticks, held.first_ts, held.last_agg_id) == (100, ticks[300].ts, 400)
    for interval in Interval:
        assert rows(store.load_bars(BTC, interval.value).bars) == rows(reference(ticks, interval))
    store.close()


def test_the_oldest_of_all_instruments_go_first(tmp_path: Path) -> None:
    store = capped(tmp_path, 300)
    btc = trades(300)
    eth = [replace(t, symbol="ETHUSDT", ts=t.ts + 86_400_000) for t in trades(200)]
    store.append_ticks(ETH, eth)
    store.append_ticks(BTC, btc)
    assert store.enforce_limits() == 200
    assert [h.ticks for h in store.instruments()] == [100, 200]
    store.close()


def test_a_trade_that_comes_late_does_not_rebuild_its_bar_from_what_is_left(tmp_path: Path) -> None:
    store = capped(tmp_path, 20)
    ticks = trades(400, every=60)
    late = ticks[150]
    early = ticks[:150] + ticks[151:]
    store.append_ticks(BTC, early)
    store.enforce_limits()
    store.append_ticks(BTC, [late])
    for interval in Interval:
        held = {row[0]: row for row in rows(store.load_bars(BTC, interval.value).bars)}
        for row in rows(reference(early, interval)):
            assert held[row[0]] == row or held[row[0]][-1] >= row[-1]
    store.close()


def test_deleted_ticks_that_come_again_leave_the_bars_as_they_were(tmp_path: Path) -> None:
    store = capped(tmp_path, 20)
    ticks = trades(300, every=60)
    store.append_ticks(BTC, ticks)
    store.enforce_limits()
    for k in range(0, 300, 13):
        store.append_ticks(BTC, ticks[k : k + 13])
        for interval in Interval:
            assert rows(store.load_bars(BTC, interval.value).bars) == rows(reference(ticks, interval))
        store.enforce_limits()
    store.close()


def test_deleting_stops_in_time_and_goes_on_later(tmp_path: Path) -> None:
    store = capped(tmp_path, 10, delete_slice=5)
    store.append_ticks(BTC, trades(400))
    assert store.enforce_limits(seconds=0.0) == 0
    deleted, calls = 0, 0
    while deleted < 390 and calls < 10_000:  # on a busy machine the time may be over before the first slice
        deleted, calls = deleted + store.enforce_limits(seconds=0.001), calls + 1
    assert deleted == 390
    store.close()


def test_the_file_shrinks(tmp_path: Path) -> None:
    store = capped(tmp_path, 100, delete_slice=4_000)
    for k in range(20):
        store.append_ticks(BTC, trades(2_000, first_id=1 + 2_000 * k, seed=k, every=1))
    raw = store._connection.connection.driver_connection
    before = raw.execute("PRAGMA page_count").fetchone()[0]
    store.enforce_limits()
    after = raw.execute("PRAGMA page_count").fetchone()[0]
    assert after < before / 2
    store.close()


DAY = 86_400_000


def aged(path: Path, days: int, delete_slice: int = 50) -> EmbeddedStore:
    return open_embedded(path / "store.sqlite", StoreLimits(max_tick_age_days=days, delete_slice=delete_slice))


@pytest.mark.parametrize("delete_slice", [1, 33, 4_000])
def test_ticks_too_old_for_the_newest_one_go_and_no_bar_does(tmp_path: Path, delete_slice: int) -> None:
    store = aged(tmp_path, 1, delete_slice)
    ticks = trades(300, every=600_000)
    limit = ticks[-1].ts - DAY
    store.append_ticks(BTC, ticks)
    young = [t.agg_id for t in ticks if t.ts >= limit]
    assert store.enforce_limits() == 300 - len(young) > 0
    assert store.enforce_limits() == 0
    assert [int(i) for b in store.load_ticks(BTC) for i in b.agg_id] == young
    assert store.instruments()[0].ticks == len(young)
    for interval in Interval:
        assert rows(store.load_bars(BTC, interval.value).bars) == rows(reference(ticks, interval))
    store.close()


def test_the_newest_tick_of_any_instrument_is_the_clock(tmp_path: Path) -> None:
    store = aged(tmp_path, 2)
    btc = trades(50)
    store.append_ticks(BTC, btc)
    assert store.enforce_limits() == 0  # years old by the wall clock
    store.append_ticks(ETH, [replace(btc[0], symbol="ETHUSDT", ts=btc[-1].ts + 2 * DAY)])
    assert store.enforce_limits() == sum(t.ts < btc[-1].ts for t in btc)
    assert [held.ticks for held in store.instruments()][1] == 1
    store.close()


def test_a_trade_dated_in_the_future_deletes_nothing_of_the_present(tmp_path: Path) -> None:
    store = aged(tmp_path, 2)
    now = int(time.time() * 1_000)
    store.append_ticks(BTC, [replace(trades(1)[0], ts=now - DAY)])
    store.append_ticks(ETH, [replace(trades(1)[0], symbol="ETHUSDT", ts=now + 400 * DAY)])
    assert store.enforce_limits() == 0
    store.close()


def test_without_a_bound_nothing_goes(tmp_path: Path) -> None:
    store = open_embedded(tmp_path / "store.sqlite", StoreLimits(max_tick_bytes=0, max_tick_age_days=0))
    store.append_ticks(BTC, trades(300, every=600_000))
    assert store.enforce_limits() == 0
    store.close()


def test_size_and_age_hold_together_and_deleting_by_age_stops_in_time(tmp_path: Path) -> None:
    limits = StoreLimits(max_tick_bytes=290 * TICK_BYTES, max_tick_age_days=1, delete_slice=5)
    store = open_embedded(tmp_path / "store.sqlite", limits)
    ticks = trades(300, every=600_000)
    store.append_ticks(BTC, ticks)
    assert store.enforce_limits(seconds=0.0) == 0
    old, deleted, calls = sum(t.ts < ticks[-1].ts - DAY for t in ticks), 0, 0
    while deleted < old and calls < 10_000:
        deleted, calls = deleted + store.enforce_limits(seconds=0.001), calls + 1
    assert deleted == old > 10
    store.close()
