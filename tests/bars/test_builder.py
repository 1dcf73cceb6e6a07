from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.bars.arrays import bars_from_trades
from quantdesk.bars.builder import MEMORY, Bar, BarBuilder
from quantdesk.types import Instrument, Interval, Tick

DIGITS = (1, 3)
INSTRUMENT = Instrument("test", "BTCUSDT", Decimal("0.1"), Decimal("0.001"))

rows = st.lists(
    st.tuples(st.integers(0, 400_000), st.integers(1, 10**7), st.integers(1, 10**6), st.integers(1, 9)),
    min_size=1,
    max_size=60,
)


def ticks_of(rows: list[tuple[int, int, int, int]]) -> list[Tick]:
    return [
        Tick("BTCUSDT", number, price / 10, quantity / 1_000, ts, False, count)
        for number, (ts, price, quantity, count) in enumerate(sorted(rows, key=lambda r: r[0]), 1)
    ]


def tick(number: int, ts: int, price: float = 100.0, quantity: float = 1.0) -> Tick:
    return Tick("BTCUSDT", number, price, quantity, ts, False)


def latest(bars: list[Bar]) -> dict[tuple[Interval, int], Bar]:
    return {(bar.interval, bar.open_time): bar for bar in bars}


def expected(ticks: list[Tick], interval: Interval) -> list[tuple]:
    import numpy as np

    bars = bars_from_trades(
        np.array([t.ts for t in ticks], np.int64),
        np.array([t.agg_id for t in ticks], np.int64),
        np.array([t.price for t in ticks]),
        np.array([t.quantity for t in ticks]),
        np.array([t.trades for t in ticks], np.int64),
        interval_ms=interval.ms,
        price_decimals=DIGITS[0],
        quantity_decimals=DIGITS[1],
    )
    names = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades")
    return list(zip(*(getattr(bars, name).tolist() for name in names), strict=True))


def values(bar: Bar) -> tuple:
    return (bar.open_time, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.trades)


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False), st.booleans())
def test_ticks_in_any_order_build_the_bars_of_all_trades(rows: list, random, shuffled: bool) -> None:
    ticks = ticks_of(rows)
    arriving = list(ticks)
    if shuffled:
        random.shuffle(arriving)
    builder, seen = BarBuilder(INSTRUMENT), []
    for arrived in arriving:
        closed, forming = builder.on_tick(arrived)
        assert all(bar.closed for bar in closed)
        assert not any(bar.closed for bar in forming)
        seen += closed + forming
    seen += builder.on_time(1_000_000)
    last = latest(seen)
    for interval in Interval:
        found = [values(bar) for key, bar in sorted(last.items(), key=lambda e: e[0][1]) if key[0] is interval]
        assert found == expected(ticks, interval)
    assert all(bar.closed for bar in last.values())


def test_a_timer_closes_a_bar_without_a_next_trade() -> None:
    builder = BarBuilder(INSTRUMENT)
    builder.on_tick(tick(1, 500))
    assert builder.on_time(999) == []
    (bar,) = builder.on_time(1_000)
    assert (bar.interval, bar.open_time, bar.closed, bar.revision) == (Interval.S1, 0, True, 0)
    assert builder.on_time(1_000) == []
    assert [b.interval for b in builder.on_time(300_000)] == [Interval.M1, Interval.M5]


def test_a_late_trade_reopens_its_bar_with_a_revision() -> None:
    builder = BarBuilder(INSTRUMENT)
    builder.on_tick(tick(2, 500, 101.0))
    builder.on_tick(tick(4, 2_500, 103.0))
    closed, forming = builder.on_tick(tick(1, 400, 99.0))
    (second,) = closed
    assert (second.open, second.close, second.volume, second.revision) == (99.0, 101.0, 2.0, 1)
    assert {bar.interval for bar in forming} == {Interval.M1, Interval.M5}
    closed, _ = builder.on_tick(tick(3, 600, 98.0))
    assert (closed[0].close, closed[0].low, closed[0].revision) == (98.0, 98.0, 2)


def test_a_late_trade_of_an_empty_second_makes_its_bar() -> None:
    builder = BarBuilder(INSTRUMENT)
    builder.on_tick(tick(2, 5_000))
    closed, _ = builder.on_tick(tick(1, 3_000))
    assert [(bar.open_time, bar.closed, bar.revision) for bar in closed] == [(3_000, True, 1)]


def test_open_and_close_follow_the_ids_not_the_arrival() -> None:
    builder = BarBuilder(INSTRUMENT)
    for number, price in ((3, 103.0), (1, 101.0), (2, 102.0)):
        _, forming = builder.on_tick(tick(number, 100, price))
    assert {(bar.open, bar.close) for bar in forming} == {(101.0, 103.0)}


def test_a_trade_older_than_the_memory_is_counted_and_changes_nothing() -> None:
    builder = BarBuilder(INSTRUMENT)
    far = (MEMORY[Interval.S1] + 10) * 1_000
    builder.on_tick(tick(2, far))
    closed, forming = builder.on_tick(tick(1, 0))
    assert builder.too_late == 1
    assert Interval.S1 not in {bar.interval for bar in closed + forming}


def test_the_memory_of_bars_is_bounded() -> None:
    builder = BarBuilder(INSTRUMENT)
    for second in range(2 * MEMORY[Interval.S1]):
        builder.on_tick(tick(second + 1, second * 1_000))
    held = builder._bars[Interval.S1]
    assert MEMORY[Interval.S1] <= len(held) <= MEMORY[Interval.S1] + 601
    assert len(builder._open[Interval.S1]) == 1


@pytest.mark.parametrize("quantity", ["0.001", "123456789.123", "0.3"])
def test_sums_are_exact_at_the_step(quantity: str) -> None:
    builder = BarBuilder(INSTRUMENT)
    for number in range(1, 11):
        _, forming = builder.on_tick(tick(number, number, 0.1, float(quantity)))
    assert {Decimal(repr(bar.volume)) for bar in forming} == {10 * Decimal(quantity)}
    assert {bar.quote_volume for bar in forming} == {float(Decimal(quantity))}
