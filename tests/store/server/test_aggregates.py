"""Continuous aggregates tell what the trades say: late ones, compressed ones, and never a frozen bucket."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, Store
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.server.refresher import GRACE_MS, Refresher
from quantdesk.types import Interval, Tick
from tests.store.kinds import all_bars, assert_bars_are_exact, sql, told_by
from tests.store.samples import BTC, START, trades

Opened = Callable[[StoreAddress], Store]
DAY = 86_400_000
_MATERIALISED = (
    "SELECT view_name::text, format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)"
    " FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'quantdesk'"
)


@pytest.fixture
def store(aggregate_address: StoreAddress, opened: Opened) -> Store:
    return opened(aggregate_address)


def materialised(address: StoreAddress, interval: Interval) -> list[int]:
    """Return the open times (ms) of what is materialised, not computed when it is asked for."""
    table = dict(sql(address, _MATERIALISED))[f"bars_{interval.value}"]
    found: list[tuple[datetime]] = sql(address, f"SELECT open_time FROM {table} ORDER BY 1")
    return [round(row[0].timestamp() * 1_000) for row in found]


def test_every_level_is_real_time(store: Store, aggregate_address: StoreAddress) -> None:
    found = sql(
        aggregate_address,
        "SELECT view_name::text, materialized_only FROM timescaledb_information.continuous_aggregates ORDER BY 1",
    )
    assert found == [("bars_1m", False), ("bars_1s", False), ("bars_5m", False)]


def test_the_open_bucket_is_never_materialised(store: Store, aggregate_address: StoreAddress) -> None:
    ticks, reader = trades(900), open_reader(aggregate_address)
    for start in range(0, 900, 50):
        store.append_ticks(BTC, ticks[start : start + 50])
        assert store.settle(10)
        newest = ticks[start + 49].ts
        for interval in Interval:
            done = materialised(aggregate_address, interval)
            assert all(at + interval.ms <= newest - GRACE_MS for at in done)
        # Through another session, which waits for nothing.
        assert all_bars(reader, BTC) == told_by(ticks[: start + 50])
    for interval in Interval:
        last = (newest - GRACE_MS) // interval.ms * interval.ms
        held = [int(row[0]) for row in told_by(ticks)[interval] if row[0] < last]
        assert materialised(aggregate_address, interval) == held  # and all the others are
    reader.close()


def test_a_late_trade_below_the_watermark_is_in_every_level_after_its_refresh(
    store: Store, aggregate_address: StoreAddress
) -> None:
    ticks, reader = trades(900), open_reader(aggregate_address)
    late = ticks.pop(300)
    store.append_ticks(BTC, ticks)
    assert store.settle(10)
    store._refresher.stop()
    store.append_ticks(BTC, [late])
    assert all_bars(reader, BTC) == told_by(ticks)  # hidden until then: that is what the refresher is for
    again = Refresher(aggregate_address)
    again.start()
    again.touch(late.ts, late.ts + 1)
    again.touch(ticks[-1].ts, ticks[-1].ts + 1)
    assert again.settle(10)
    assert all_bars(reader, BTC) == told_by([*ticks[:300], late, *ticks[300:]])
    again.stop()
    reader.close()


def test_a_store_that_is_opened_refreshes_what_a_dead_one_left(aggregate_address: StoreAddress, opened: Opened) -> None:
    ticks, dead = trades(900), open_store(aggregate_address)
    late = ticks.pop(300)
    dead.append_ticks(BTC, ticks)
    assert dead.settle(10)
    dead._refresher.stop()
    dead.append_ticks(BTC, [late])
    dead.close()
    again = opened(aggregate_address)
    assert all_bars(again, BTC) == told_by([*ticks[:300], late, *ticks[300:]])


@pytest.mark.parametrize("asks_first", [True, False])
def test_who_takes_an_instrument_over_refreshes_what_its_dead_writer_left(
    store: Store, aggregate_address: StoreAddress, asks_first: bool
) -> None:
    ticks, heir = trades(900), store
    late = ticks.pop(300)
    dead = open_store(aggregate_address)
    dead.append_ticks(BTC, ticks[:-1])
    assert dead.settle(10)
    dead._refresher.stop()
    dead.append_ticks(BTC, [late])
    dead.close()
    assert not asks_first or heir.acquire(BTC)
    heir.append_ticks(BTC, ticks[-1:])
    assert all_bars(heir, BTC) == told_by([*ticks[:300], late, *ticks[300:]])


def test_refreshing_again_changes_nothing(store: Store, aggregate_address: StoreAddress) -> None:
    ticks = trades(600)
    store.append_ticks(BTC, ticks)
    before = all_bars(store, BTC), [materialised(aggregate_address, i) for i in Interval]
    for _ in range(2):
        store._refresher.touch(ticks[0].ts, ticks[-1].ts + 1)
        assert store.settle(10)
    assert (all_bars(store, BTC), [materialised(aggregate_address, i) for i in Interval]) == before


def test_a_commit_that_may_have_gone_through_is_refreshed(
    store: Store, aggregate_address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line breaks between the commit and its answer: the store hears of a failure, the trades are there."""
    ticks = trades(600)
    late = ticks.pop(200)
    store.append_ticks(BTC, ticks)
    assert store.settle(10)
    raw = store._link._connection.connection.driver_connection

    def commit_and_break(*_: object) -> None:
        raw.commit()
        store._link.cut()
        raw.cursor().execute("SELECT 1")

    with monkeypatch.context() as breaking:
        breaking.setattr(store._link._engine.dialect, "do_commit", commit_and_break)
        with pytest.raises(Exception, match="connection broke"):
            store.append_ticks(BTC, [late])
    assert store.append_ticks(BTC, [late]) == 0
    assert all_bars(store, BTC) == told_by([*ticks[:200], late, *ticks[200:]])


def test_the_policies_are_there_and_their_health_is_told(store: Store, aggregate_address: StoreAddress) -> None:
    jobs = sql(
        aggregate_address,
        "SELECT job_id, config->>'start_offset', schedule_interval::text FROM timescaledb_information.jobs"
        " WHERE proc_name = 'policy_refresh_continuous_aggregate' ORDER BY job_id",
    )
    assert [job[1:] for job in jobs] == [
        ("01:00:00", "00:01:00"),
        ("03:00:00", "00:05:00"),
        ("12:00:00", "00:15:00"),
    ]
    told = store.facts().jobs
    assert len(told) == 3 and all("has not run yet" in words for words in told)
    now = int(time.time() * 1_000)
    store.append_ticks(BTC, [Tick("BTCUSDT", i, 1.0, 1.0, now - 1_800_000 + 1_000 * i, False) for i in range(600)])
    store.settle(10)
    for job, *_ in jobs:
        sql(aggregate_address, f"CALL run_job({job})")  # what it does is right: no background worker is here to do it
    for (job, *_), failed in zip(jobs, (1, 0, 0), strict=True):  # as a background worker would have noted it
        noted = "SELECT %s, now(), now(), now(), now(), %s, 1, '0s', '0s', %s, %s, 0, %s, 0, 0"
        sql(
            aggregate_address,
            f"INSERT INTO _timescaledb_internal.bgw_job_stat {noted}",
            values=(job, not failed, 1 - failed, failed, failed),
        )
    told = store.facts().jobs
    assert len(told) == 1 and "fails (1 of 1 runs)" in told[0]


def test_compressed_trades_take_late_ones_and_duplicates(store: Store, aggregate_address: StoreAddress) -> None:
    new = trades(600, first_id=10_001)
    old = [replace(t, ts=t.ts - 10 * DAY) for t in trades(600)]
    older = [replace(t, agg_id=t.agg_id + 5_000, ts=t.ts - 12 * DAY) for t in trades(100)]
    store.append_ticks(BTC, [*old[:300], *old[310:], *older])
    store.append_ticks(BTC, new)
    assert store.facts().compressed_bytes is None
    for _ in range(3):
        assert store.enforce_limits() == 0
    facts = store.facts()
    assert facts.compressed_bytes is not None and facts.uncompressed_bytes is not None
    chunks = (
        "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'ticks' ORDER BY range_start"
    )
    assert sql(aggregate_address, chunks) == [(True,), (True,), (False,)]
    assert store.append_ticks(BTC, old[290:320]) == 10
    assert store.append_ticks(BTC, old) == 0
    bars = {i: told_by(older)[i] + told_by(old)[i] + told_by(new)[i] for i in Interval}
    assert all_bars(store, BTC) == bars
    assert store.find("BTCUSDT")[0].ticks == 1_300
    store.set_retention(Retention(keep_days=5))
    assert store.enforce_limits() == 700
    assert all_bars(store, BTC) == bars


def test_compression_can_be_switched_off(store: Store) -> None:
    store.append_ticks(BTC, [replace(t, ts=t.ts - 30 * DAY) for t in trades(50)])
    store.append_ticks(BTC, trades(50, first_id=1_001))
    store.set_retention(Retention(compress_days=0))
    store.enforce_limits()
    assert store.facts().compressed_bytes is None


def test_the_lag_is_told_while_nothing_can_be_refreshed(store: Store, aggregate_address: StoreAddress) -> None:
    ticks = trades(600)
    shadow = (
        "CREATE PROCEDURE quantdesk.refresh_continuous_aggregate(view regclass, low timestamptz, high timestamptz,"
        " force boolean DEFAULT false, options jsonb DEFAULT NULL) LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'the disk of the server is sad'; END $$"
    )
    sql(aggregate_address, shadow)
    store.append_ticks(BTC, ticks)
    begun = time.monotonic()
    store.load_bars(BTC, "1m")
    assert time.monotonic() - begun < 4
    facts = store.facts()
    assert "the disk of the server is sad" in facts.trouble
    assert facts.refresh_lag is not None and facts.refresh_lag > 0
    sql(aggregate_address, "DROP PROCEDURE quantdesk.refresh_continuous_aggregate")
    end = time.monotonic() + 15
    while store.facts().trouble and time.monotonic() < end:
        time.sleep(0.05)
    assert store.settle(10)
    assert_bars_are_exact(store, ticks, BTC)
    assert (store.facts().trouble, store.facts().refresh_lag) == ("", 0.0)


def test_bars_of_a_guest_beside_the_writer_are_exact(store: Store, aggregate_address: StoreAddress) -> None:
    ticks, guest = trades(600), open_store(aggregate_address)
    store.append_ticks(BTC, ticks[300:])
    guest.append_ticks(BTC, ticks[:300], guest=True)
    assert guest.settle(10)
    reader = open_reader(aggregate_address)
    assert all_bars(reader, BTC) == told_by(ticks)
    reader.close()
    guest.close()


def test_a_trade_far_in_the_future_does_not_freeze_the_bars(store: Store) -> None:
    ticks = trades(400)
    store.append_ticks(BTC, [Tick("BTCUSDT", 9_999, 1.0, 1.0, START + 40 * DAY, False)])
    for start in range(0, 400, 40):
        store.append_ticks(BTC, ticks[start : start + 40])
        held = all_bars(store, BTC)
        assert {i: rows[:-1] for i, rows in held.items()} == told_by(ticks[: start + 40])
