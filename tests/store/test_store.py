"""A store of every kind holds each trade once and its bars exactly, in any order of arrival."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantdesk.store.base import Store
from quantdesk.types import UNKNOWN_STEP, Instrument, Interval, Tick
from tests.store.kinds import all_bars, assert_bars_are_exact, examples, held_ids, own, told_by
from tests.store.samples import ETH, START, reference, rows, trades

MINUTE = 60_000


def test_any_order_any_batches_and_any_duplicates_make_the_same_ticks_and_bars(store: Store) -> None:
    @settings(max_examples=examples(store, 60), suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def tried(data: st.DataObject) -> None:
        btc = own()
        ticks = trades(data.draw(st.integers(1, 150)), seed=data.draw(st.integers(0, 99)))
        doubled = [*ticks, *data.draw(st.lists(st.sampled_from(ticks), max_size=40))]
        arriving = data.draw(st.permutations(doubled))
        cuts = sorted(data.draw(st.sets(st.integers(0, len(arriving)), max_size=6)) | {0, len(arriving)})
        new = [store.append_ticks(btc, arriving[a:b]) for a, b in pairwise(cuts)]
        assert sum(new) == len(ticks)
        assert held_ids(store, btc) == [t.agg_id for t in ticks]
        assert_bars_are_exact(store, ticks, btc)
        assert store.last_tick(btc) == (ticks[-1].agg_id, ticks[-1].ts)
        assert store.find("BTCUSDT", btc.venue)[0].ticks == len(ticks)

    tried()


def test_what_was_written_is_read_back_to_the_digit(store: Store, btc: Instrument) -> None:
    odd = [0.1 + 0.2, 1e-8, 123_456_789.123_456_7, 2**53 + 0.0]
    ticks = trades(500)
    ticks += [replace(ticks[0], agg_id=501 + k, ts=ticks[-1].ts + k, price=p) for k, p in enumerate(odd[:3])]
    ticks += [replace(ticks[0], agg_id=504 + k, ts=ticks[-1].ts, quantity=q) for k, q in enumerate(odd[:4])]
    ticks += [replace(ticks[0], agg_id=2**62, ts=ticks[-1].ts, trades=2**31 - 1)]
    store.append_ticks(btc, ticks)
    read = [
        Tick("BTCUSDT", int(i), float(p), float(q), int(ts), bool(m), int(n))
        for b in store.load_ticks(btc, chunk=7)
        for i, p, q, ts, m, n in zip(b.agg_id, b.price, b.quantity, b.ts, b.is_buyer_maker, b.trades, strict=True)
    ]
    assert read == ticks


def test_doubles_of_numpy_are_numbers(store: Store, btc: Instrument) -> None:
    assert store.append_ticks(btc, [Tick("BTCUSDT", 7, np.float64(1.5), np.float64(0.25), START, True, 2)]) == 1
    (block,) = store.load_ticks(btc)
    assert (block.price[0], block.quantity[0]) == (1.5, 0.25)


def test_ticks_are_read_from_start_up_to_but_not_at_end(store: Store, btc: Instrument) -> None:
    ticks = trades(100)
    store.append_ticks(btc, ticks)
    start, end = ticks[20].ts, ticks[80].ts
    inside = [t.agg_id for t in ticks if start <= t.ts < end]
    assert [int(i) for b in store.load_ticks(btc, start, end, chunk=11) for i in b.agg_id] == inside
    assert store.count_ticks(btc, start, end) == len(inside)
    assert store.count_ticks(own(), start, end) == 0


@pytest.mark.parametrize("chunk", [1, 2, 7, 1_000])
def test_pages_of_ticks_at_the_same_millisecond_leave_none_out(store: Store, btc: Instrument, chunk: int) -> None:
    ids = [*range(1, 9), *range(20, 28)]
    ticks = [Tick("BTCUSDT", i, 1.0, 1.0, START + (i > 10), False) for i in ids]
    store.append_ticks(btc, ticks[::-1])
    blocks = list(store.load_ticks(btc, chunk=chunk))
    assert [int(i) for b in blocks for i in b.agg_id] == ids
    assert max(map(len, blocks)) <= chunk


def test_each_instrument_keeps_its_own(store: Store, btc: Instrument) -> None:
    elsewhere, other = own(), replace(ETH, venue=btc.venue)
    mine, theirs = trades(50), trades(60, seed=2)
    store.append_ticks(btc, mine)
    store.append_ticks(elsewhere, theirs)
    store.append_ticks(other, trades(5, symbol="ETHUSDT"))
    assert_bars_are_exact(store, mine, btc)
    assert_bars_are_exact(store, theirs, elsewhere)
    found = [h for h in store.instruments() if h.instrument.venue in (btc.venue, elsewhere.venue)]
    assert sorted((h.instrument.venue, h.instrument.symbol, h.ticks) for h in found) == sorted(
        [(btc.venue, "BTCUSDT", 50), (btc.venue, "ETHUSDT", 5), (elsewhere.venue, "BTCUSDT", 60)]
    )
    assert [(h.instrument, h.first_ts, h.last_ts) for h in found if h.instrument.symbol == "ETHUSDT"] == [
        (other, trades(5)[0].ts, trades(5)[-1].ts)
    ]
    assert [h.instrument.symbol for h in found if h.instrument.venue == btc.venue] == ["BTCUSDT", "ETHUSDT"]
    assert {h.instrument.venue for h in store.find("btcusdt")} >= {btc.venue, elsewhere.venue}
    assert [h.last_agg_id for h in store.find("BTCUSDT", elsewhere.venue)] == [60]
    assert store.find("BTC") == []


def test_open_and_close_belong_to_the_lowest_and_highest_id(store: Store, btc: Instrument) -> None:
    prices = {7: 3.0, 5: 1.0, 9: 2.0, 6: 9.0}
    for agg_id, price in prices.items():
        store.append_ticks(btc, [Tick("BTCUSDT", agg_id, price, 1.0, START, False)])
    bar = store.load_bars(btc, "5m").bars
    assert (bar.open[0], bar.high[0], bar.low[0], bar.close[0], bar.volume[0]) == (1.0, 9.0, 1.0, 2.0, 4.0)


def test_volumes_that_doubles_cannot_add_are_exact(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, [Tick("BTCUSDT", i, 0.1, 0.1, START + i * 100, False) for i in range(1, 2_001)])
    bars = store.load_bars(btc, "5m").bars
    assert (bars.volume.tolist(), bars.quote_volume.tolist()) == ([200.0], [20.0])


def test_late_trades_reach_every_level(store: Store, btc: Instrument) -> None:
    ticks = trades(900)
    early, late = [t for t in ticks if t.agg_id % 97], [t for t in ticks if not t.agg_id % 97]
    store.append_ticks(btc, early)
    assert_bars_are_exact(store, early, btc)
    done = list(early)
    for tick in late[::-1]:
        store.append_ticks(btc, [tick])
        done.append(tick)
        assert all_bars(store, btc) == told_by(sorted(done, key=lambda t: t.agg_id), btc)


def test_trades_of_one_batch_may_be_years_apart(store: Store, btc: Instrument) -> None:
    near = trades(40)
    far = [replace(t, agg_id=t.agg_id + 1_000, ts=t.ts + 3 * 365 * 86_400_000) for t in near]
    store.append_ticks(btc, [*far, *near])
    assert_bars_are_exact(store, [*near, *far], btc)


def test_an_unknown_precision_still_makes_right_bars(store: Store) -> None:
    unknown = replace(own(), tick_size=UNKNOWN_STEP, step_size=UNKNOWN_STEP)
    ticks = trades(300)
    store.append_ticks(unknown, ticks)
    for interval in Interval:
        assert rows(store.load_bars(unknown, interval.value).bars) == rows(reference(ticks, interval))


def test_a_finer_precision_serves_the_bars_that_follow(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, [Tick("BTCUSDT", 1, 60_000.1, 0.001, START, False)])
    finer = replace(btc, step_size=Decimal("0.00001"))
    store.append_ticks(finer, [Tick("BTCUSDT", 2, 60_000.1, 0.00001, START + 300_000, False)])
    assert store.load_bars(finer, "1m").bars.volume.tolist() == [0.001, 0.00001]
    assert store.find("BTCUSDT", btc.venue)[0].instrument == finer


def test_a_coarser_precision_does_not_lose_digits_of_what_is_held(store: Store, btc: Instrument) -> None:
    ticks = trades(50)
    store.append_ticks(btc, ticks[:40])
    store.append_ticks(replace(btc, step_size=Decimal("0.1"), tick_size=Decimal("0.5")), ticks[40:])
    assert_bars_are_exact(store, ticks, btc)
    assert store.find("BTCUSDT", btc.venue)[0].instrument == replace(btc, tick_size=Decimal("0.5"))


def test_an_unknown_precision_does_not_replace_a_known_one(store: Store, btc: Instrument) -> None:
    first = store.ensure_instrument(btc)
    store.append_ticks(replace(btc, tick_size=UNKNOWN_STEP), trades(1))
    assert store.ensure_instrument(btc) == first
    assert store.find("BTCUSDT", btc.venue)[0].instrument == btc


IMPOSSIBLE = (
    {"price": float("nan")},
    {"price": float("-inf")},
    {"agg_id": 2**63},
    {"agg_id": -1},
    {"quantity": float("inf")},
    {"ts": -1},
    {"ts": 2**63},
)


@pytest.mark.parametrize("change", IMPOSSIBLE, ids=str)
def test_an_impossible_trade_is_refused_and_its_batch_not_half_written(
    store: Store, btc: Instrument, change: dict[str, float]
) -> None:
    ticks = trades(3)
    with pytest.raises(ValueError, match="cannot be stored"):
        store.append_ticks(btc, [*ticks[:2], replace(ticks[2], **change)])
    assert store.find("BTCUSDT", btc.venue) == []
    assert store.append_ticks(btc, ticks) == 3


def test_reading_what_is_not_there_gives_nothing(store: Store, btc: Instrument) -> None:
    assert store.find("BTCUSDT", btc.venue) == [] and store.last_tick(btc) is None and store.intervals(btc) == []
    assert len(store.load_bars(btc, "1m").bars) == 0 and list(store.load_ticks(btc)) == []
    assert len(store.load_bars(btc, "1m", limit=3).bars) == 0 and list(store.iter_bars(btc, "1m")) == []
    assert store.load_gaps(btc) == [] and store.id_runs(btc) == [] and store.duplicates(btc) == 0
    assert store.append_ticks(btc, []) == 0
    assert store.last_tick(btc) is None and store.intervals(btc) == [] and store.id_runs(btc) == []


def test_ids_run_whatever_the_times_say(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, [Tick("BTCUSDT", i, 1.0, 1.0, START + MINUTE * (5 - i % 5), False) for i in range(1, 12)])
    assert store.last_tick(btc) == (11, START + MINUTE * 4)
    assert [(run.first_id, run.last_id) for run in store.id_runs(btc)] == [(1, 11)]
    found = store.find("BTCUSDT", btc.venue)[0]
    assert (found.first_ts, found.last_ts, found.last_agg_id) == (START + MINUTE, START + 5 * MINUTE, 11)
