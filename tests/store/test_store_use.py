"""Open, share, close and look at a store of every kind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, Store, StoreError
from quantdesk.store.opening import open_reader, open_store, try_address
from quantdesk.store.writer import StoreWriter
from quantdesk.types import GapState, Interval, Light
from tests.store.kinds import all_bars, assert_bars_are_exact, gap, held_ids, own, sql, told_by
from tests.store.samples import BTC, ETH, reference, rows, source, trades

Opened = Callable[[StoreAddress], Store]


def test_a_store_opened_again_holds_the_same(store_address: StoreAddress, opened: Opened) -> None:
    ticks = trades(200)
    first = open_store(store_address)
    first.append_ticks(BTC, ticks[:150])
    first.save_gaps(BTC, [gap(ticks, 20, 22)])
    first.add_duplicates(BTC, 5)
    first.close()
    first.close()
    again = opened(store_address)
    again.append_ticks(BTC, ticks[100:])
    assert_bars_are_exact(again, ticks, BTC)
    assert (again.load_gaps(BTC), again.duplicates(BTC)) == ([gap(ticks, 20, 22)], 5)
    assert again.find("BTCUSDT")[0].ticks == 200


def test_a_reader_sees_what_is_committed_and_cannot_write(store_address: StoreAddress, opened: Opened) -> None:
    store, ticks = opened(store_address), trades(300)
    reader = open_reader(store_address)
    assert reader.instruments() == []
    late = ticks.pop(40)
    store.append_ticks(BTC, ticks[:200])
    assert held_ids(reader, BTC) == [t.agg_id for t in ticks[:200]]
    store.append_ticks(BTC, ticks[200:])
    store.append_ticks(BTC, [late])
    store.append_source_bars(BTC, "1d", source([0]), "kline")
    store.save_gaps(BTC, [gap(ticks, 20, 22)])
    assert all_bars(store, BTC) == all_bars(reader, BTC) == told_by([*ticks[:40], late, *ticks[40:]])
    assert reader.load_gaps(BTC) == store.load_gaps(BTC) and reader.find("BTCUSDT") == store.find("BTCUSDT")
    assert reader.intervals(BTC) == ["1s", "1m", "5m", "1d"]
    for attempt in (
        lambda: reader.append_ticks(BTC, ticks),
        lambda: reader.enforce_limits(None),
        lambda: reader.save_gaps(BTC, []),
    ):
        with pytest.raises((StoreError, AttributeError), match=r"reading only|has no attribute"):
            attempt()
    reader.close()


def test_a_reader_of_what_is_no_store_yet_says_so(store_address: StoreAddress) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        open_reader(store_address)


def test_the_facts_tell_kind_mode_rows_and_sizes(
    request: pytest.FixtureRequest, empty: StoreAddress, opened: Opened
) -> None:
    kind = request.node.callspec.params["empty"]
    store = opened(empty)
    store.append_ticks(BTC, trades(400))
    store.append_source_bars(BTC, "1d", source([0, 1]), "kline")
    store.save_gaps(BTC, [gap(trades(50), 20, 22)])
    told = {"sqlite": "SQLite", "timescale": "TimescaleDB", "aggregates": "TimescaleDB", "plain": "PostgreSQL"}
    for facts in (store.facts(), try_address(empty)):
        assert facts.kind.startswith(told[kind])
        assert facts.bar_mode == ("continuous aggregates" if kind == "aggregates" else "tables")
        assert facts.place == empty.words
        assert (facts.rows["ticks"], facts.rows["source_bars"], facts.rows["gaps"]) == (400, 2, 1)
        assert facts.rows["bars"] == sum(len(store.load_bars(BTC, i.value).bars) for i in Interval)
        assert facts.sizes["ticks"] > 20_000 and facts.sizes["bars"] > 8_000
        assert facts.size_bytes is not None and facts.size_bytes >= sum(facts.sizes.values()) // 2
        assert (facts.retention.keep_days, facts.trouble) == (0, "")
        if empty.password:
            assert empty.password not in repr(facts).replace(empty.words, "")
    assert store.size_bytes() > 0
    assert told[kind] in store.words or kind == "sqlite"
    if empty.is_server:
        assert [symbol for symbol, _ in store.facts().leases] == ["BTCUSDT"]
    notes = " ".join(store.facts().notes)
    assert ("community edition" in notes) is (kind in ("timescale", "plain"))


def test_the_retention_is_read_back(store_address: StoreAddress, opened: Opened) -> None:
    store = opened(store_address)
    assert store.retention().keep_days == 0
    store.set_retention(Retention(30, 5_000_000_000, 7))
    assert (store.retention().keep_days, store.retention().keep_bytes) == (30, 5_000_000_000)
    if store_address.is_server:
        assert try_address(store_address).retention == Retention(30, 5_000_000_000, 7)


def test_the_writers_thread_keeps_the_neighbours_of_impossible_rows(
    store_address: StoreAddress, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "quantdesk")
    ticks = trades(300)
    writer = StoreWriter(lambda: open_store(store_address))
    writer.start()
    writer.put_ticks(BTC, [replace(ticks[0], price=float("nan"))])
    for k, tick in enumerate(ticks):
        writer.put_ticks(BTC, [tick, replace(tick, agg_id=2**63)] if not k % 60 else [tick])
    writer.put_source_bars(ETH, "1d", source([0], price=float("nan")), "kline")
    writer.put_ticks(ETH, trades(20, symbol="ETHUSDT"))
    assert writer.flush(30)
    status = writer.status
    assert (status.light, status.written) == (Light.AMBER, 320)
    assert "7 impossible rows were not kept" in status.text
    assert writer.stop()
    reader = open_reader(store_address)
    assert_bars_are_exact(reader, ticks, BTC)
    assert reader.find("ETHUSDT")[0].ticks == 20
    reader.close()


def test_the_writers_thread_writes_repairs_and_the_ledger_in_order(store_address: StoreAddress) -> None:
    ticks = trades(900)
    hole = gap(ticks, 300, 420)
    writer = StoreWriter(lambda: open_store(store_address))
    writer.start()
    writer.put_ticks(BTC, ticks[:299])
    writer.put_gaps(BTC, [hole])
    writer.put_ticks(BTC, ticks[420:])
    partial = writer.call(lambda store: store.load_bars(BTC, "1m").origin).result(30)
    assert "partial" in partial
    writer.put_ticks(BTC, ticks[299:420])
    writer.put_gaps(BTC, [replace(hole, state=GapState.FILLED)])
    writer.put_duplicates(BTC, 9)
    loaded = writer.call(lambda store: store.load_bars(BTC, "1m")).result(30)
    assert rows(loaded.bars) == rows(reference(ticks, Interval.M1)) and set(loaded.origin) == {"trades"}
    assert writer.stop()
    assert writer.status.light is Light.OFF
    reader = open_reader(store_address)
    assert reader.duplicates(BTC) == 9
    reader.close()


def test_readers_of_many_threads_share_one(store_address: StoreAddress, opened: Opened) -> None:
    from concurrent.futures import ThreadPoolExecutor

    ticks = trades(300)
    opened(store_address).append_ticks(BTC, ticks)
    reader = open_reader(store_address)
    with ThreadPoolExecutor(6) as pool:
        found = [pool.submit(all_bars, reader, BTC) for _ in range(12)]
        assert all(one.result() == told_by(ticks) for one in found)
    reader.close()


def test_an_instrument_that_was_registered_elsewhere_meanwhile_is_one(
    store_address: StoreAddress, opened: Opened
) -> None:
    first = opened(store_address)
    if not store_address.is_server:
        assert first.ensure_instrument(BTC) == first.ensure_instrument(BTC)
        return
    second, ids = opened(store_address), set()
    for _ in range(3):
        fresh = own()
        ids.add((first.ensure_instrument(fresh), second.ensure_instrument(fresh)))
    assert all(one == other for one, other in ids) and len(ids) == 3
    assert sql(store_address, "SELECT count(*) FROM instruments") == [(3,)]
