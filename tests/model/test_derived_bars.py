"""Derived bars equal those folded from the trades, whatever came late, is missing or stands in as a kline."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.bars.arrays import BarArrays, bars_from_trades
from quantdesk.bars.derived import Derived
from quantdesk.bars.quality import BarQuality
from quantdesk.model.market import MarketModel
from quantdesk.model.symbol_bars import SymbolBars
from quantdesk.store.base import StoredBars
from quantdesk.types import Interval
from tests.model.conftest import spin
from tests.model.test_symbol_bars import BTC, as_arrays, gap, market, tick

DAY = 86_400_000
MIDNIGHT = 1_720_000_800_000 - 1_720_000_800_000 % DAY
START = 1_720_000_800_000 - 1_720_000_800_000 % 300_000


def built(ticks, interval) -> BarArrays:
    columns = [np.array([getattr(t, n) for t in ticks]) for n in ("ts", "agg_id", "price", "quantity", "trades")]
    return bars_from_trades(*columns, interval_ms=interval.ms, price_decimals=1, quantity_decimals=3)


def assert_same(got: BarArrays, wanted: BarArrays) -> None:
    for field in fields(BarArrays):
        np.testing.assert_array_equal(getattr(got, field.name), getattr(wanted, field.name), field.name)


def fed(ticks) -> SymbolBars:
    bars = SymbolBars(BTC)
    for one in ticks:
        bars.on_tick(one)
    return bars


@given(
    st.integers(0, 2**32),
    st.integers(1, 250),
    st.sampled_from([400, 30_000, 2_000_000]),
    st.lists(st.integers(0, 10**6), max_size=60),
    st.data(),
)
def test_derived_bars_are_those_of_the_trades_whatever_order_they_came_in(seed, count, pace, swaps, data):
    ticks = market(count, seed, pace)
    order = list(ticks)
    for place, swap in enumerate(swaps[:count]):
        order[place], order[swap % count] = order[swap % count], order[place]
    looks = data.draw(st.sets(st.integers(0, count - 1), max_size=8))
    bars = SymbolBars(BTC)
    for place, one in enumerate(order):
        bars.on_tick(one)
        if place in looks:  # a look in between must not change what is seen at the end
            for derived in Derived:
                bars.series(derived.value).arrays()
    reach = ticks[-1].ts - 7_000_000  # older seconds have left the builder's memory: a late trade is the store's
    for derived in Derived:
        if derived.base is Interval.M5 or ticks[0].ts > reach:
            assert_same(bars.series(derived.value).arrays(), built(ticks, derived))


def test_a_day_is_one_of_utc():
    ticks = [tick(i, MIDNIGHT - 3_600_000 * 30 + i * 60_000) for i in range(40 * 60)]
    assert fed(ticks).series("1d").times().tolist() == [MIDNIGHT - 2 * DAY, MIDNIGHT - DAY, MIDNIGHT]


def test_the_forming_bar_moves_with_each_trade_and_closes_with_its_time():
    bars = fed([tick(1, START + 100, 10.0), tick(2, START + 4_500, 12.0)])
    for ident, price in ((3, 9.0), (4, 15.0)):
        bars.on_tick(tick(ident, START + 4_600, price))
        assert bars.series("5s").arrays().close.tolist() == [price]
    assert bars.series("5s").closed().tolist() == [False]
    bars.on_time(START + 4_999)
    assert bars.series("5s").closed().tolist() == [False]
    bars.take_ended()
    bars.on_time(START + 5_000)
    assert bars.series("5s").closed().tolist() == [True]
    assert bars.series("15s").closed().tolist() == [False]
    assert bars.take_ended() == (("5s", START),)


def test_a_stretch_without_a_trade_ends_without_a_bar():
    bars = fed([tick(1, START)])
    bars.on_time(START + 5_000)
    bars.take_ended()
    bars.on_time(START + 30_000)
    assert bars.take_ended() == (("15s", START),)
    assert bars.series("5s").times().tolist() == [START]


def test_a_bar_closes_though_nothing_is_traded_at_its_end_and_a_late_trade_repairs_it():
    bars = fed([tick(1, START), tick(2, START + 1_200)])
    bars.on_time(START + 5_100)
    assert bars.series("5s").closed().tolist() == [True]
    bars.take_ended()
    bars.on_tick(tick(3, START + 1_300, 50.0))
    assert ("5s", START) in bars.take_ended()
    assert bars.series("5s").arrays().high.tolist() == [100.0]
    assert bars.series("5s").arrays().low.tolist() == [50.0]
    assert bars.qualities("5s").tolist() == [BarQuality.REPAIRED]


def test_a_bar_is_partial_while_any_of_its_base_lacks_trades():
    ticks = market(900, 3, 4_000)
    whole, hole = fed(ticks), gap(ticks[400], ticks[404], (401, 403))
    bars = fed(ticks[:401] + ticks[404:])
    bars.on_gaps([hole])
    for derived in Derived:
        start = hole.start_ts - hole.start_ts % derived.ms
        assert start in bars.partial_times(derived.value)
        assert bars.gaps_behind(derived.value, start) == (hole,)
        row = int(np.searchsorted(bars.series(derived.value).times(), start))
        assert bars.qualities(derived.value)[row] == BarQuality.PARTIAL
    for one in ticks[401:404]:
        bars.on_tick(one)
    bars.on_gaps([])
    for derived in Derived:
        np.testing.assert_array_equal(bars.partial_times(derived.value), whole.partial_times(derived.value))
        assert_same(bars.series(derived.value).arrays(), whole.series(derived.value).arrays())


def test_a_bar_that_began_before_the_first_one_known_is_partial():
    ticks = [tick(i, MIDNIGHT + 3_600_000 + i * 60_000) for i in range(60 * 30)]
    bars = fed(ticks)
    assert bars.partial_times("1d").tolist() == [MIDNIGHT]
    assert bars.partial_times("1h").tolist() == []


def test_the_exchanges_own_bar_stands_where_ours_is_partial_and_goes_farther_back():
    ticks = [tick(i, MIDNIGHT + 3_600_000 + i * 60_000) for i in range(60 * 40)]
    bars = fed(ticks)
    own = built([tick(0, MIDNIGHT - DAY, 7.0), tick(1, MIDNIGHT, 8.0)], Derived.D1)
    bars.merge_source("1d", own)
    shown = bars.series("1d")
    assert shown.times().tolist() == [MIDNIGHT - DAY, MIDNIGHT, MIDNIGHT + DAY]
    assert shown.from_trades().tolist() == [False, False, True]
    assert shown.closed().tolist() == [True, True, False]
    assert shown.arrays().open.tolist() == [7.0, 8.0, 100.0]
    assert bars.qualities("1d").tolist() == [BarQuality.KLINES, BarQuality.KLINES, BarQuality.COMPLETE]
    assert bars.partial_times("1d").tolist() == []


def test_klines_of_the_base_make_whole_bars_once_they_leave_no_hole():
    minutes = [tick(i, START + i * 60_000) for i in range(60)]
    fives = built(minutes, Interval.M5)
    bars = SymbolBars(BTC)
    hour = START - START % 900_000 + 900_000
    rows = np.searchsorted(fives.open_time, hour)
    bars.merge_source("5m", fives[: rows + 1])
    bars.merge_source("5m", fives[rows + 2 :])
    assert hour in bars.partial_times("15m")
    bars.merge_source("5m", fives)
    row = bars.series("15m").times().tolist().index(hour)
    assert bars.qualities("15m")[row] == BarQuality.KLINES
    assert_same(bars.series("15m").arrays()[row : row + 1], built(minutes, Derived.M15)[row : row + 1])


def test_what_the_store_folded_reaches_back_and_gives_way_to_what_is_known_whole():
    old = [tick(i, START - 7_200_000 + i * 20_000, 50.0) for i in range(360)]
    new = [tick(400 + i, START + i * 20_000, 60.0) for i in range(200)]
    bars = SymbolBars(BTC)
    folded = built([*old, *new[:10]], Derived.M15)
    bars.load("15m", StoredBars(folded, ("trades",) * len(folded)))
    assert bars.series("15m").closed().tolist() == [True] * (len(folded) - 1) + [False]
    bars.load("5m", StoredBars(built(old, Interval.M5)[-6:], ("trades",) * 6))
    bars.seed(as_arrays(new))
    assert_same(bars.series("15m").arrays(), built([*old, *new], Derived.M15))


def test_the_market_tells_of_closed_and_changed_derived_bars(qapp):
    model, closed, changed = MarketModel(), [], []
    model.bar_closed.connect(lambda *told: closed.append(told))
    model.series_changed.connect(lambda *told: changed.append(told))
    for one in [tick(i, START + i * 1_000) for i in range(16)]:
        model.on_tick(one)
    spin()
    assert ("BTCUSDT", "5s", (START, START + 5_000, START + 10_000)) in closed
    assert ("BTCUSDT", "15s", (START,)) in closed
    assert not changed
    model.on_source_bars(BTC, "5m", built([tick(0, START - 600_000)], Interval.M5), "kline")
    spin()
    assert {told[1] for told in changed} == {"5m", "15m", "1h", "4h", "1d"}


@pytest.mark.parametrize("derived", list(Derived))
def test_a_derived_interval_is_a_multiple_of_the_longest_level_that_divides_it(derived):
    assert derived.ms % derived.base.ms == 0
    longer = [level for level in Interval if level.ms > derived.base.ms]
    assert all(derived.ms % level.ms for level in longer if level.ms < derived.ms)


@given(st.integers(0, 2**32), st.integers(1, 880), st.integers(1, 300), st.data())
def test_no_bar_that_lacks_a_trade_passes_for_whole(seed, low, size, data):
    """Take trades away, put klines into some places of the base, and compare what is called whole with the truth."""
    ticks = market(900, seed, data.draw(st.sampled_from([4_000, 60_000])))
    high = min(low + size, 899)
    bars = fed(ticks[:low] + ticks[high:])
    bars.on_gaps([gap(ticks[low - 1], ticks[high], (low, high - 1))])
    fives = built(ticks, Interval.M5)
    there = data.draw(st.lists(st.booleans(), min_size=len(fives), max_size=len(fives)))
    bars.merge_source("5m", fives[np.array(there, bool)])
    for derived in Derived:
        truth = built(ticks, derived)
        held, quality = bars.series(derived.value).arrays(), bars.qualities(derived.value)
        whole = np.array([BarQuality(code).is_whole for code in quality], bool)
        at = np.searchsorted(truth.open_time, held.open_time[whole])
        np.testing.assert_array_equal(held.trades[whole], truth.trades[at])
        np.testing.assert_array_equal(held.volume[whole], truth.volume[at])


@given(st.integers(0, 2**32), st.lists(st.integers(0, 10**6), max_size=40), st.booleans())
def test_who_has_read_up_to_a_closed_bar_is_told_when_anything_before_changes(seed, swaps, klines):
    ticks = market(300, seed, 4_000)
    for place, swap in enumerate(swaps):
        ticks[place * 7 % 300], ticks[swap % 300] = ticks[swap % 300], ticks[place * 7 % 300]
    bars, read = SymbolBars(BTC), {}
    for place, one in enumerate(ticks):
        bars.on_tick(one)
        if klines and place == 150:
            bars.merge_source("15m", built(ticks, Derived.M15)[:1])
        for derived in (Derived.S5, Derived.S15, Derived.M15) if place % 5 == 0 else ():
            series = bars.series(derived.value)
            shut = series.arrays()[series.closed()]
            before = read.get(derived)
            if before is not None and before[0] == series.standing:
                assert_same(shut[: len(before[1])], before[1])
            read[derived] = (series.standing, shut)


def test_a_bar_that_closes_and_one_that_forms_change_nothing_before_them():
    bars, standings = SymbolBars(BTC), set()
    for place in range(200):
        bars.on_tick(tick(place, START + place * 700))
        standings.add(bars.series("5s").standing)
    assert len(standings) == 1


@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(1, 40), st.booleans())
def test_what_was_deleted_leaves_the_bars_that_the_other_trades_make(seed, first, count, loaded):
    ticks = market(600, seed, 30_000)
    low = START + first * 300_000
    high = low + count * 300_000
    bars = fed(ticks)
    if loaded:  # as a start of the desk does
        bars = SymbolBars(BTC)
        for interval in (*Interval, *Derived):
            held = built(ticks, interval)
            bars.load(interval.value, StoredBars(held, ("trades",) * len(held)))
    left = [t for t in ticks if not low <= t.ts < high]
    for interval in Interval:
        bars.reload(interval.value, (low, high), StoredBars(BarArrays.empty(), ()), sources=False)
    for interval in (*Interval, *Derived) if left else ():
        assert_same(bars.series(interval.value).arrays(), built(left, interval))


def test_deleted_klines_leave_the_bars_of_trades_and_show_what_they_stood_in_for():
    ticks = [tick(i, START + i * 20_000) for i in range(90)]
    bars = fed(ticks)
    bars.on_gaps([gap(ticks[40], ticks[42], (100, 101))])
    minutes = built(ticks, Interval.M1)
    klines = BarArrays.from_rows([(int(t), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1) for t in minutes.open_time])
    bars.merge_source("1m", klines)
    shown = bars.series("1m")
    assert not shown.from_trades().all() and shown.from_trades().any()
    waits = minutes[~shown.from_trades()]
    bars.reload("1m", (0, 2**60), StoredBars(waits, ("partial",) * len(waits)), sources=True)
    assert shown.from_trades().all()
    assert_same(shown.arrays(), minutes)
