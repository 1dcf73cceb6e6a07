"""In every kind of store old trades go, and no bar with them, whatever comes or is refreshed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, Store
from quantdesk.store.opening import open_reader, open_store
from quantdesk.types import Instrument, Interval, Tick
from tests.store.kinds import all_bars, held_ids, told_by
from tests.store.samples import BTC, ETH, START, trades

DAY = 86_400_000
Bars = dict[Interval, list[tuple[float, ...]]]
#: Six days of trades, several in each bar of five minutes that has any.
TICKS = [
    replace(t, agg_id=k * 60 + t.agg_id, ts=t.ts + k * DAY // 2)
    for k in range(13)
    for t in trades(60, seed=k, every=400)
]
LATE = TICKS[70:90:3]
EARLY = [t for t in TICKS if t not in LATE]


def enforced(store: Store) -> int:
    total = 0
    while gone := store.enforce_limits():
        total += gone
    return total


def assert_no_less(after: Bars, before: Bars, whole: Bars) -> None:
    """Every bar is there with no fewer trades than before, and none tells what the trades never said."""
    for interval, rows in before.items():
        now, all_of_it = ({row[0]: row for row in bars[interval]} for bars in (after, whole))
        assert [row for row in rows if now.get(row[0], (0,) * 8)[-1] < row[-1]] == []
        assert [at for at, row in now.items() if row[-1] > all_of_it[at][-1]] == []


@pytest.fixture
def store(store_address: StoreAddress, opened: Callable[[StoreAddress], Store]) -> Store:
    return filled(opened(store_address))


def filled(made: Store) -> Store:
    made.append_ticks(BTC, EARLY)
    made.set_retention(Retention(keep_days=3))
    return made


def test_old_trades_go_by_age_and_no_bar_does(empty: StoreAddress, opened: Callable[[StoreAddress], Store]) -> None:
    store = filled(opened(empty))
    before = all_bars(store, BTC)
    assert before == told_by(EARLY)
    gone = enforced(store)
    held_now = set(held_ids(store, BTC))
    left = [t for t in EARLY if t.agg_id in held_now]
    assert left == EARLY[gone:]  # the oldest go
    newest = EARLY[-1].ts
    assert 2 * DAY < newest - left[0].ts <= 4 * DAY  # a server drops whole days
    assert (held := store.find("BTCUSDT")[0]).ticks == len(left) and held.first_ts == left[0].ts
    assert held.last_agg_id == EARLY[-1].agg_id
    assert store.facts().rows["ticks"] == len(left)
    assert all_bars(store, BTC) == before
    assert enforced(store) == 0


def test_trades_go_by_size_too_but_never_the_newest(store: Store, store_address: StoreAddress) -> None:
    store.set_retention(Retention(keep_bytes=60 * 142 if not store_address.is_server else 1))
    before = all_bars(store, BTC)
    assert enforced(store) > 200
    if store_address.is_server and store.facts().kind.startswith("TimescaleDB") and held_ids(store, BTC):
        assert EARLY[-1].ts - store.find("BTCUSDT")[0].first_ts >= 2 * DAY - DAY // 2
    assert all_bars(store, BTC) == before


def test_a_late_trade_into_the_dropped_range_takes_no_bar_away(store: Store, store_address: StoreAddress) -> None:
    before, whole = all_bars(store, BTC), told_by(TICKS)
    enforced(store)
    for tick in LATE:
        assert store.append_ticks(BTC, [tick]) == 1
        assert_no_less(all_bars(store, BTC), before, whole)
    assert enforced(store) >= len(LATE)
    assert_no_less(all_bars(store, BTC), before, whole)
    again = open_store(store_address) if store_address.is_server else store
    assert_no_less(all_bars(again, BTC), before, whole)
    for tick in EARLY[:40]:  # what was dropped comes again, bit by bit
        again.append_ticks(BTC, [tick], guest=True)
    assert_no_less(all_bars(again, BTC), before, whole)
    if again is not store:
        again.close()


def test_a_second_program_that_refreshes_everything_takes_no_bar_away(
    store: Store, store_address: StoreAddress
) -> None:
    before = all_bars(store, BTC)
    enforced(store)
    store.close()
    again = open_store(store_address)
    newer = [replace(t, agg_id=t.agg_id + 10_000, ts=t.ts + 7 * DAY) for t in trades(60)]
    again.append_ticks(BTC, newer)
    now = all_bars(again, BTC)
    assert {i: rows[: len(before[i])] for i, rows in now.items()} == before
    again.set_retention(Retention(keep_days=1))
    enforced(again)
    assert all_bars(again, BTC) == now
    again.close()
    reader = open_reader(store_address)
    assert all_bars(reader, BTC) == now
    reader.close()


def test_another_instrument_can_be_imported_into_the_dropped_range(store: Store) -> None:
    before = all_bars(store, BTC)
    enforced(store)
    ticks = [replace(t, symbol="ETHUSDT") for t in EARLY[:120]]
    store.append_ticks(ETH, ticks[1::2])
    store.append_ticks(ETH, ticks[::2])
    assert all_bars(store, ETH) == told_by(ticks, ETH)
    enforced(store)
    assert all_bars(store, ETH) == told_by(ticks, ETH)
    assert all_bars(store, BTC) == before


def test_trades_older_than_all_that_was_dropped_make_bars(store: Store) -> None:
    before = all_bars(store, BTC)
    enforced(store)
    older = [replace(t, agg_id=t.agg_id + 50_000, ts=t.ts - 30 * DAY) for t in trades(60)]
    store.append_ticks(BTC, older)
    both = {i: told_by(sorted(older, key=lambda t: t.ts))[i] + rows for i, rows in before.items()}
    assert all_bars(store, BTC) == both
    assert enforced(store) >= len(older)
    assert all_bars(store, BTC) == both


def test_bars_kept_without_trades_stay_when_trades_are_dropped(store: Store) -> None:
    lonely = Instrument(BTC.venue, "LONELY", BTC.tick_size, BTC.step_size)
    store.append_ticks(lonely, [Tick("LONELY", 1, 5.0, 1.0, START, False)])
    enforced(store)
    assert held_ids(store, lonely) == []
    assert [row[1:5] for row in all_bars(store, lonely)[Interval.M5]] == [(5.0, 5.0, 5.0, 5.0)]
    assert store.find("LONELY")[0].ticks == 0 and store.intervals(lonely) == ["1s", "1m", "5m"]
