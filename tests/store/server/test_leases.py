"""One program at a time writes an instrument; a dead one is taken over soon, and no trade is lost or doubled by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import LeasedElsewhereError, Store, StoreError, TradeBars
from quantdesk.store.opening import open_store
from quantdesk.store.server.link import connect
from quantdesk.store.server.words import ServerBusyError
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Interval
from tests.store.kinds import assert_bars_are_exact, gap, held_ids, sql
from tests.store.samples import BTC, ETH, reference, trades

Opened = Callable[..., Store]
TICKS = trades(400)
#: A lease that runs out soon.
SHORT = StoreLimits(lease_seconds=0.6)


def fence(address: StoreAddress) -> int:
    ((number,),) = sql(
        address, "SELECT fence FROM leases JOIN instruments ON id = instrument_id WHERE symbol = 'BTCUSDT'"
    )
    return int(number)


def test_the_second_writer_is_refused_and_told_who_the_first_is(server_address: StoreAddress, opened: Opened) -> None:
    first, second = opened(server_address), opened(server_address)
    first.append_ticks(BTC, TICKS[:100])
    holder = first._leases.holder
    for attempt in (
        lambda: second.append_ticks(BTC, TICKS),
        lambda: second.save_gaps(BTC, [gap(TICKS, 5, 6)]),
        lambda: second.add_duplicates(BTC, 1),
        lambda: second.append_trade_bars(BTC, "1m", bars()),
    ):
        with pytest.raises(LeasedElsewhereError, match=r"BTCUSDT is recorded by .*: this program stands by") as refused:
            attempt()
        assert refused.value.holder == holder and holder in str(refused.value)
    assert not second.acquire(BTC)
    assert held_ids(second, BTC) == [t.agg_id for t in TICKS[:100]]
    assert (second.load_gaps(BTC), second.duplicates(BTC)) == ([], 0)
    assert second.facts().leases == (("BTCUSDT", holder),)
    assert second.acquire(ETH) and second.append_ticks(ETH, trades(5)) == 5  # another instrument is another matter
    assert second.append_source_bars(BTC, "1d", bars().bars, "kline") > 0  # and so are the exchange's own bars


def bars() -> TradeBars:
    made = reference(TICKS, Interval.M1)
    return TradeBars(made, made.trades, made.trades)


def test_who_lets_go_or_closes_is_followed_at_once(server_address: StoreAddress, opened: Opened) -> None:
    first, second, third = open_store(server_address), opened(server_address), opened(server_address)
    first.append_ticks(BTC, TICKS[:100])
    assert not second.acquire(BTC)
    first.release(BTC)
    assert second.acquire(BTC) and not first.acquire(BTC)
    assert second.append_ticks(BTC, TICKS[:200]) == 100
    second.release(BTC)
    assert first.append_ticks(BTC, TICKS[:300]) == 100
    first.close()
    assert third.append_ticks(BTC, TICKS) == 100
    assert_bars_are_exact(third, TICKS, BTC)


def test_a_lease_runs_out_by_the_servers_clock_and_the_number_rises(
    timescale_address: StoreAddress, opened: Opened
) -> None:
    first, second = opened(timescale_address, SHORT), opened(timescale_address, SHORT)
    first.append_ticks(BTC, TICKS[:100])
    begun, number = time.monotonic(), fence(timescale_address)
    while not second.acquire(BTC):
        assert time.monotonic() - begun < 10
        time.sleep(0.02)
    assert 0.5 < time.monotonic() - begun < 3
    assert fence(timescale_address) == number + 1


def test_a_fenced_writer_is_refused_and_writes_nothing(server_address: StoreAddress, opened: Opened) -> None:
    first, second = opened(server_address, SHORT), opened(server_address, SHORT)
    first.append_ticks(BTC, TICKS[:100])
    sql(server_address, "UPDATE leases SET expires_at = now()")
    assert second.append_ticks(BTC, TICKS[:200]) == 100
    sql(
        server_address, "UPDATE leases SET expires_at = now()"
    )  # the second is dead as well: the first was not there meanwhile
    with pytest.raises(LeasedElsewhereError):
        first.append_ticks(BTC, TICKS)
    assert sql(server_address, "SELECT count(*) FROM ticks") == [(200,)]
    assert first.append_ticks(BTC, TICKS) == 200  # by a lease of its own, not by the old one
    first.tend()
    with pytest.raises(LeasedElsewhereError):
        second.save_gaps(BTC, [gap(TICKS, 5, 6)])
    assert second.load_gaps(BTC) == []


def test_who_renews_keeps_it(timescale_address: StoreAddress, opened: Opened) -> None:
    first, second = opened(timescale_address, SHORT), opened(timescale_address, SHORT)
    first.append_ticks(BTC, TICKS[:100])
    number, end = fence(timescale_address), time.monotonic() + 1.4
    while time.monotonic() < end:
        first.tend()
        assert not second.acquire(BTC)
        time.sleep(0.05)
    assert fence(timescale_address) == number


def test_a_lease_that_nobody_took_meanwhile_goes_on(timescale_address: StoreAddress, opened: Opened) -> None:
    store = opened(timescale_address, SHORT)
    store.append_ticks(BTC, TICKS[:100])
    number = fence(timescale_address)
    sql(timescale_address, "UPDATE leases SET expires_at = now() - INTERVAL '1 hour'")
    assert store.append_ticks(BTC, TICKS) == 300
    assert fence(timescale_address) == number


def test_a_lease_that_was_rolled_back_was_never_taken(server_address: StoreAddress, opened: Opened) -> None:
    first, second = opened(server_address), opened(server_address)
    first.ensure_instrument(BTC)
    sql(
        server_address,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE TRIGGER refuse BEFORE UPDATE ON instruments FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    with pytest.raises(StoreError, match="reports: no"):
        first.append_ticks(BTC, TICKS)
    sql(server_address, "DROP TRIGGER refuse ON instruments")
    assert second.append_ticks(BTC, TICKS[:100]) == 100
    assert not first.acquire(BTC)
    second.release(BTC)
    assert first.append_ticks(BTC, TICKS) == 300


def test_a_guest_and_the_writer_take_turns_and_the_bars_are_exact(server_address: StoreAddress, opened: Opened) -> None:
    writer, guest = opened(server_address), opened(server_address)
    ticks = trades(1_200)
    theirs = [t for t in ticks if t.agg_id % 3 == 0]
    ours = [t for t in ticks if t.agg_id % 3 or t.agg_id % 2]  # some of them are brought by both
    start = threading.Barrier(2)

    def write(store: Store, rows: list, *, guest: bool) -> int:
        start.wait(10)
        return sum(store.append_ticks(BTC, rows[k : k + 40], guest=guest) for k in range(0, len(rows), 40))

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(write, writer, ours, guest=False)
        other = pool.submit(write, guest, theirs[::-1], guest=True)
        assert one.result(60) + other.result(60) == len(ticks)
    assert held_ids(writer, BTC) == [t.agg_id for t in ticks]
    assert writer.find("BTCUSDT")[0].ticks == len(ticks)
    for store in (writer, guest):
        if hasattr(store, "settle"):
            assert store.settle(10)
    end = time.monotonic() + 10
    while True:  # each refreshes what it wrote as soon as it knows how far the other has come
        try:
            assert_bars_are_exact(writer, ticks, BTC)
            break
        except AssertionError:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert fence(server_address) == 1  # a guest takes no lease


def test_a_guest_may_come_first(timescale_address: StoreAddress, opened: Opened) -> None:
    guest, writer = opened(timescale_address), opened(timescale_address)
    assert guest.append_ticks(BTC, TICKS[:50], guest=True) == 50
    assert writer.append_ticks(BTC, TICKS) == 350
    assert writer.facts().leases == (("BTCUSDT", writer._leases.holder),)


def test_writers_of_two_instruments_do_not_wait_for_one_another(
    timescale_address: StoreAddress, opened: Opened
) -> None:
    stores, pair = [opened(timescale_address), opened(timescale_address)], (BTC, ETH)

    def write(store: Store, instrument: object) -> int:
        return sum(store.append_ticks(instrument, TICKS[k : k + 40]) for k in range(0, 400, 40))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(write, stores, pair)) == [400, 400]
    for store in stores:
        assert [h.ticks for h in store.instruments()] == [400, 400]


def test_a_client_that_hangs_in_its_transaction_is_freed_within_fifteen_seconds(
    timescale_address: StoreAddress, opened: Opened
) -> None:
    store = opened(timescale_address, SHORT)
    other = opened(timescale_address, SHORT)
    other.append_ticks(BTC, TICKS[:100])
    hung = connect(timescale_address)  # as every connection of ours is made
    with hung.cursor() as cursor:
        cursor.execute("SELECT fence FROM leases FOR UPDATE")  # and then its cable is pulled
    begun, refused = time.monotonic(), 0
    while True:
        try:
            assert store.append_ticks(BTC, TICKS) == 300
            break
        except (ServerBusyError, LeasedElsewhereError):
            refused += 1
            assert time.monotonic() - begun < 15
    assert refused and time.monotonic() - begun < 15
    hung.close()
    assert_bars_are_exact(store, TICKS, BTC)


def test_a_writer_that_stands_by_takes_a_dead_one_over_and_nothing_is_missing(
    server_address: StoreAddress, opened: Opened
) -> None:
    dead, limits = opened(server_address), replace(SHORT, batch_seconds=0.02)
    dead.append_ticks(BTC, TICKS[:150])
    heir = StoreWriter(lambda: open_store(server_address, limits), limits)
    heir.start()
    for start in range(0, 400, 50):
        heir.put_ticks(BTC, TICKS[start : start + 50])
    assert heir.flush(20)
    assert "BTCUSDT recorded by" in heir.status.standby
    dead.append_ticks(BTC, TICKS[150:210])
    sql(server_address, "UPDATE leases SET expires_at = now()")
    end = time.monotonic() + 15
    while heir.status.written < 190:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert heir.takeovers() == [BTC] and heir.takeovers() == []
    with pytest.raises(LeasedElsewhereError):
        dead.append_ticks(BTC, TICKS[:1])
    assert heir.stop()
    assert_bars_are_exact(dead, TICKS, BTC)
    assert held_ids(dead, BTC) == [t.agg_id for t in TICKS]


def test_the_lease_is_looked_at_in_the_transaction_that_writes(timescale_address: StoreAddress, opened: Opened) -> None:
    first, second = opened(timescale_address), opened(timescale_address)
    first.append_ticks(BTC, TICKS[:10])
    with first._writing() as connection:
        held = first._ensure(connection, BTC)[0]
        first._admit(connection, held, BTC)
        mine = connection.execute(sa.text("SELECT expires_at > clock_timestamp() FROM leases")).scalar()
        assert mine is True
    assert not second.acquire(BTC)
