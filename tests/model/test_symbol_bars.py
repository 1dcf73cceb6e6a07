from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.bars.arrays import BarArrays, bars_from_trades
from quantdesk.model.symbol_bars import SymbolBars
from quantdesk.store.base import StoredBars, TickArrays
from quantdesk.types import Gap, GapState, Instrument, Interval, Tick

BTC = Instrument("test", "BTCUSDT", Decimal("0.1"), Decimal("0.001"))
START = 1_720_000_800_000 - 1_720_000_800_000 % 300_000


def tick(agg_id: int, ts: int, price: float = 100.0, quantity: float = 1.0) -> Tick:
    return Tick("BTCUSDT", agg_id, price, quantity, ts, False, 2)


def market(count: int, seed: int, gap_ms: int = 400) -> list[Tick]:
    rng = np.random.default_rng(seed)
    ts = START + np.cumsum(rng.integers(0, gap_ms, count))
    price = np.round(60_000 + np.cumsum(rng.integers(-3, 4, count)) * 0.1, 1)
    quantity = rng.integers(1, 5_000, count) / 1_000
    return [tick(i, int(t), float(p), float(q)) for i, (t, p, q) in enumerate(zip(ts, price, quantity, strict=True))]


def built(ticks: list[Tick], interval: Interval) -> BarArrays:
    columns = [np.array([getattr(t, n) for t in ticks]) for n in ("ts", "agg_id", "price", "quantity", "trades")]
    return bars_from_trades(*columns, interval_ms=interval.ms, price_decimals=1, quantity_decimals=3)


def as_arrays(ticks: list[Tick]) -> TickArrays:
    names = ("agg_id", "ts", "price", "quantity", "is_buyer_maker", "trades")
    return TickArrays(*(np.array([getattr(t, n) for t in ticks]) for n in names))


def assert_same(got: BarArrays, wanted: BarArrays) -> None:
    for field in fields(BarArrays):
        np.testing.assert_array_equal(getattr(got, field.name), getattr(wanted, field.name), field.name)


def gap(first: Tick, last: Tick, ids: tuple[int, int], state: GapState = GapState.OPEN) -> Gap:
    return Gap("BTCUSDT", *ids, first.ts, last.ts, 0, state)


@given(st.integers(0, 2**32), st.integers(1, 250), st.lists(st.integers(0, 10**6), max_size=250), st.booleans())
def test_bars_equal_those_of_all_trades_whatever_the_order_they_came_in(seed, count, swaps, timed):
    ticks = market(count, seed, 3_000)
    order = list(ticks)
    for place, swap in enumerate(swaps[:count]):
        order[place], order[swap % count] = order[swap % count], order[place]
    bars = SymbolBars(BTC)
    for one in order:
        bars.on_tick(one)
        if timed:
            bars.on_time(one.ts + 700)
    for interval in Interval:
        assert_same(bars.series(interval).arrays(), built(ticks, interval))


@given(st.integers(0, 2**32), st.data())
def test_klines_stand_in_for_bars_with_a_gap_until_it_is_filled(seed, data):
    ticks = market(300, seed, 3_000)
    low = data.draw(st.integers(1, 250))
    high = data.draw(st.integers(low + 1, 299))
    missing, bars = ticks[low:high], SymbolBars(BTC)
    klines = {i: built([*ticks, tick(10**6, ticks[-1].ts, 9.0)], i) for i in (Interval.M1, Interval.M5)}
    early = data.draw(st.booleans())
    for one in ticks[:low] + ticks[high:]:
        bars.on_tick(one)
    bars.on_time(ticks[-1].ts + 300_000)
    hole = gap(ticks[low - 1], ticks[high], (low, high - 1))
    if early:
        bars.on_gaps([hole])
    for interval, source in klines.items():
        bars.merge_source(interval, source)
    if not early:
        bars.on_gaps([hole])
    for interval, source in klines.items():
        series = bars.series(interval)
        touched = (source.open_time <= hole.end_ts) & (source.open_time + interval.ms > hole.start_ts)
        if early:
            np.testing.assert_array_equal(series.from_trades()[touched], False)
            assert_same(series.arrays()[touched], source[touched])
        np.testing.assert_array_equal(series.from_trades()[1:][~touched[1:]], True)
    for one in data.draw(st.permutations(missing)):
        bars.on_tick(one)
    bars.on_gaps([])
    for interval, source in klines.items():
        series, whole = bars.series(interval), built(ticks, interval)
        trusted = slice(1, None)  # the first bar may have begun before the first trade we saw
        assert_same(series.arrays()[trusted], whole[trusted])
        np.testing.assert_array_equal(series.from_trades()[trusted], True)
        assert len(source) == len(whole)


def test_a_bar_that_began_before_the_first_trade_seen_is_partial_and_a_kline_stands_there():
    bars, ticks = SymbolBars(BTC), market(400, 5)
    late = [t for t in ticks if t.ts > START + 20_000]
    for one in late:
        bars.on_tick(one)
    assert START in bars.partial_times("1m")
    whole = built(ticks, Interval.M1)
    bars.on_time(START + 120_000)
    bars.merge_source("1m", whole[:1])
    assert_same(bars.series("1m").arrays()[:1], whole[:1])
    assert len(bars.partial_times("1m")) == 0
    for one in ticks:
        if one.ts <= START + 20_000:
            bars.on_tick(one)
    if ticks[0].ts == START:
        assert bars.series("1m").from_trades()[0]
    assert_same(bars.series("1m").arrays(), whole)


def test_seeded_bars_go_on_from_the_stored_trades_of_the_last_session():
    ticks = market(1_000, 3)
    bars = SymbolBars(BTC)
    for interval in Interval:
        stored = built(ticks[:600], interval)
        bars.load(interval, StoredBars(stored, ("trades",) * len(stored)))
    last = ticks[599].ts
    kept = [t for t in ticks[:600] if t.ts >= last - last % 300_000]
    bars.seed(as_arrays(kept[:50]))
    bars.seed(as_arrays(kept[50:]))
    for one in ticks[600:]:
        bars.on_tick(one)
    for interval in Interval:
        assert_same(bars.series(interval).arrays(), built(ticks, interval))
        assert len(bars.partial_times(interval)) == 0
    assert bars.take_outdated() is None


def test_without_a_seed_stored_bars_are_not_replaced_by_halves_and_a_reload_is_wanted():
    ticks = market(1_000, 3)
    bars = SymbolBars(BTC)
    stored = built(ticks[:600], Interval.M5)
    bars.load("5m", StoredBars(stored, ("trades",) * len(stored)))
    for one in ticks[600:]:
        bars.on_tick(one)
    row = len(stored) - 1
    assert bars.series("5m").arrays().trades[row] == stored.trades[row]
    span = bars.take_outdated()
    assert span is not None and span[0] <= stored.open_time[-1] < span[1]
    whole = built(ticks, Interval.M5)
    bars.load("5m", StoredBars(whole, ("trades",) * len(whole)))
    assert_same(bars.series("5m").arrays(), whole)


def test_a_gap_makes_a_standing_bar_partial_and_an_expired_one_keeps_it_so():
    bars, ticks = SymbolBars(BTC), market(600, 2)
    for one in ticks:
        bars.on_tick(one)
    hole = gap(ticks[300], ticks[301], (1, 2))
    assert Interval.S1 in bars.on_gaps([hole])
    second = ticks[300].ts - ticks[300].ts % 1_000
    assert second in bars.partial_times("1s")
    assert bars.on_gaps([hole]) == ()
    bars.on_gaps([Gap("BTCUSDT", 1, 2, hole.start_ts, hole.end_ts, 0, GapState.EXPIRED)])
    assert second in bars.partial_times("1s")
    bars.on_gaps([Gap("BTCUSDT", 1, 2, hole.start_ts, hole.end_ts, 0, GapState.MISSING)])
    assert second not in bars.partial_times("1s")


def test_memory_stays_bounded():
    bars = SymbolBars(BTC, capacity=500)
    for second in range(9_000):
        bars.on_tick(tick(second, START + second * 1_000))
    assert len(bars.series("1s")) == 500
    assert sum(len(w) for w in bars._waiting.values()) == 0
    assert len(bars._builder._bars[Interval.S1]) < 8_800


def test_other_intervals_can_be_loaded_and_unknown_ones_are_none():
    bars = SymbolBars(BTC)
    assert bars.series("2h") is None
    bars.merge_source("2h", built(market(10, 1), Interval.M5))
    assert bars.series("2h") is not None
    assert bars.intervals() == ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d", "2h")


@pytest.mark.parametrize("origin", ["kline", "partial"])
def test_stored_partial_bars_are_known_as_such(origin):
    bars, stored = SymbolBars(BTC), built(market(400, 1), Interval.M1)
    bars.load("1m", StoredBars(stored, (origin, *["trades"] * (len(stored) - 1))))
    wanted = [stored.open_time[0]] if origin == "partial" else []
    assert bars.partial_times("1m").tolist() == wanted
    bars.merge_source("1m", stored[:1])
    assert len(bars.partial_times("1m")) == 0


def test_a_stored_bar_of_more_trades_replaces_the_one_built_here_and_no_other_does():
    ticks = market(900, 3)
    cut = next(i for i, t in enumerate(ticks) if t.ts >= START + 90_000)  # this feed is lost amid the second minute
    bars = SymbolBars(BTC)
    bars.seed(as_arrays(ticks[:cut]))
    bars.on_time(ticks[-1].ts + 1)
    whole = built(ticks, Interval.M1)
    fewer = built(ticks[: cut // 4], Interval.M1)
    bars.load("1m", StoredBars(fewer, ("trades",) * len(fewer)))
    assert_same(bars.series("1m").arrays(), built(ticks[:cut], Interval.M1))
    bars.load("1m", StoredBars(whole, ("trades",) * len(whole)))
    assert_same(bars.series("1m").arrays(), whole)
