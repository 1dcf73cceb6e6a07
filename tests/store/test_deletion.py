"""What a person deletes goes, is booked as dropped and stays true in the ledger, in every kind of store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store, StoreError
from quantdesk.store.deletion import Deletion, DropOrder, Part, check_order, count_dropped
from quantdesk.store.files import Cancelled
from quantdesk.store.ledger_report import account_of
from quantdesk.types import Gap, GapState, Instrument
from tests.store.kinds import all_bars, held_ids, told_by
from tests.store.samples import START, source, trades

HOUR = 3_600_000


def deleted(store: Store, order: DropOrder, **more: Callable[..., object]) -> object:
    return Deletion(store, lambda act: act(store), order, **more).run()  # type: ignore[arg-type]


def dropped_ids(store: Store, instrument: Instrument) -> int:
    return account_of(store, instrument).ids(GapState.DROPPED)


def test_trades_of_a_span_go_and_their_bars_stay(store: Store, btc: Instrument) -> None:
    ticks = trades(600)
    store.append_ticks(btc, ticks)
    before = all_bars(store, btc)
    low, high = ticks[200].ts, ticks[400].ts
    gone = [t for t in ticks if low <= t.ts < high]
    order = DropOrder(btc, Part.TRADES, "", low, high)
    assert count_dropped(store, order).trades == len(gone)
    deleted(store, order)
    assert held_ids(store, btc) == [t.agg_id for t in ticks if not low <= t.ts < high]
    assert all_bars(store, btc) == before == told_by(ticks)
    account = account_of(store, btc)
    assert account.complete and account.ids(GapState.DROPPED) == len(gone)
    assert account.stored + len(gone) == 600 and store.find(btc.symbol, btc.venue)[0].ticks == 600 - len(gone)


def test_what_comes_back_closes_the_rows_and_makes_the_same_bars(store: Store, btc: Instrument) -> None:
    ticks = trades(300)
    store.append_ticks(btc, ticks)
    deleted(store, DropOrder(btc, Part.TRADES, "", ticks[50].ts, ticks[250].ts))
    assert dropped_ids(store, btc) > 0
    store.append_ticks(btc, ticks)
    account = account_of(store, btc)
    assert dropped_ids(store, btc) == 0 and account.stored == 300 and account.complete
    assert all_bars(store, btc) == told_by(ticks)


def test_everything_of_a_span_takes_bars_source_bars_and_holes_with_it(store: Store, btc: Instrument) -> None:
    ticks = trades(900, every=2_000)
    hole = Gap(btc.symbol, 301, 310, ticks[299].ts, ticks[310].ts, START, GapState.EXPIRED)
    store.append_ticks(btc, [t for t in ticks if not 301 <= t.agg_id <= 310])
    store.save_gaps(btc, [hole])
    low = ticks[150].ts - ticks[150].ts % 300_000
    high = ticks[600].ts - ticks[600].ts % 300_000
    store.append_source_bars(btc, "1h", source([low - HOUR, low, high]), "kline")
    store.append_source_bars(btc, "1m", source([low, high]), "kline")
    deleted(store, DropOrder(btc, Part.EVERYTHING, "", low, high))
    left = [t for t in ticks if not low <= t.ts < high]
    assert held_ids(store, btc) == [t.agg_id for t in left]
    store.settle()  # type: ignore[attr-defined]
    assert all_bars(store, btc) == told_by(left)
    assert [int(t) for b in store.iter_source_bars(btc, "1h") for t in b.bars.open_time] == [low - HOUR, high]
    assert account_of(store, btc).complete, "a hole within what was deleted is nobody's any more"


def test_everything_without_a_span_leaves_nothing(store: Store, btc: Instrument) -> None:
    ticks = trades(400)
    store.append_ticks(btc, ticks)
    store.append_source_bars(btc, "1d", source([START - 30 * HOUR]), "file:a.csv")
    deleted(store, DropOrder(btc, Part.EVERYTHING))
    assert store.find(btc.symbol, btc.venue) == [] and store.load_gaps(btc) == []
    assert store.last_tick(btc) is None, "the next record begins anew"
    store.append_ticks(btc, ticks[10:20])
    account = account_of(store, btc)
    assert (account.stored, account.complete, account.first_id) == (10, True, 11)


def test_source_bars_of_one_interval_go_alone(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, trades(50))
    store.append_source_bars(btc, "1h", source([START - HOUR, START]), "kline")
    store.append_source_bars(btc, "4h", source([START - HOUR]), "kline")
    deleted(store, DropOrder(btc, Part.SOURCE_BARS, "1h"))
    assert store.source_intervals(btc) == ["4h"] and len(held_ids(store, btc)) == 50


def test_a_stop_between_two_slices_leaves_a_true_ledger(
    store: Store, btc: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.store.deletion.SLICE", 50)
    ticks = trades(500)
    store.append_ticks(btc, ticks)
    seen: list[float] = []
    with pytest.raises(Cancelled, match="rows were deleted"):
        deleted(
            store,
            DropOrder(btc, Part.TRADES, "", ticks[100].ts, ticks[400].ts),
            progress=lambda done, _words: seen.append(done),
            cancelled=lambda: len(seen) >= 3,
        )
    account = account_of(store, btc)
    assert 0 < 500 - account.stored < 290 and account.complete
    assert account.stored + account.ids(GapState.DROPPED) == 500 and seen == sorted(seen)
    assert all_bars(store, btc) == told_by(ticks)


def test_what_is_filled_in_while_its_day_goes_is_booked_too(
    store: Store, btc: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.store.deletion.SLICE", 50)
    ticks = trades(500)
    hole = Gap(btc.symbol, 301, 310, ticks[299].ts, ticks[310].ts, START, GapState.OPEN)
    late = [t for t in ticks if 301 <= t.agg_id <= 310]
    store.append_ticks(btc, [t for t in ticks if t not in late])
    store.save_gaps(btc, [hole])
    acts: list[str] = []

    def call(act: Callable[[Store], object]) -> object:
        found = act(store)
        acts.append("act")
        if len(acts) == 2:  # booked, and the first slice is gone: the feed fills the hole of the others
            store.append_ticks(btc, late)
        if len(acts) == 8:  # the feed's own row comes a moment after its trades
            store.save_gaps(btc, [replace(hole, state=GapState.FILLED)])
        return found

    low, high = ticks[100].ts, ticks[400].ts
    gone = sum(low <= t.ts < high for t in ticks)
    Deletion(store, call, DropOrder(btc, Part.TRADES, "", low, high)).run()
    account = account_of(store, btc)
    assert account.stored == 500 - gone and account.complete
    rows = [row for row in store.load_gaps(btc) if row.state is GapState.DROPPED]
    assert {n for row in rows for n in range(row.first_id, row.last_id + 1)} == {
        t.agg_id for t in ticks if low <= t.ts < high
    }


def test_a_mark_for_bars_moves_when_its_key_is_needed(store: Store, btc: Instrument) -> None:
    ticks = trades(100, first_id=50)
    store.append_ticks(btc, ticks)
    mark = Gap(btc.symbol, 50, 49, ticks[0].ts - 1_000, ticks[0].ts, START, GapState.EXPIRED)
    store.save_gaps(btc, [mark])
    deleted(store, DropOrder(btc, Part.TRADES, "", None, ticks[40].ts))
    rows = store.load_gaps(btc)
    assert replace(mark, first_id=49, last_id=48) in rows
    assert [row.state for row in rows if row.first_id == 50] == [GapState.DROPPED]


def test_the_newest_trades_of_what_is_recorded_stay(btc: Instrument) -> None:
    whole, early = DropOrder(btc, Part.TRADES), DropOrder(btc, Part.TRADES, "", 0, START)
    with pytest.raises(StoreError, match="is being recorded: name a span"):
        check_order(whole, is_recorded=True, newest_ts=START)
    with pytest.raises(StoreError, match="last 10 minutes"):
        check_order(early, is_recorded=True, newest_ts=START + 1)
    check_order(early, is_recorded=True, newest_ts=START + HOUR)
    check_order(whole, is_recorded=False, newest_ts=START)
    with pytest.raises(StoreError, match="five minutes"):
        check_order(DropOrder(btc, Part.EVERYTHING, "", 1, START), is_recorded=False, newest_ts=None)
    with pytest.raises(StoreError, match="ends before"):
        check_order(DropOrder(btc, Part.TRADES, "", 5, 5), is_recorded=False, newest_ts=None)


def test_another_program_that_writes_it_is_named(
    request: pytest.FixtureRequest, timescale_address: StoreAddress, opened: Callable[[StoreAddress], Store]
) -> None:
    from tests.store.samples import BTC

    first, second = opened(timescale_address), opened(timescale_address)
    first.append_ticks(BTC, trades(20))
    with pytest.raises(StoreError, match="BTCUSDT"):
        deleted(second, DropOrder(BTC, Part.TRADES))
    assert len(held_ids(first, BTC)) == 20
