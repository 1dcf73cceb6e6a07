import numpy as np
import pytest

from quantdesk.bars.arrays import bars_from_trades
from quantdesk.simulator import market
from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.exchange import INTERVALS, REACH_MS, Exchange
from quantdesk.simulator.market import MINUTE_MS
from quantdesk.simulator.synthetic import SyntheticSource

START = 1_795_392_450_000


def bars_of(exchange, symbol, interval_ms):
    ticks = exchange.generated(symbol).ticks(exchange.symbols[symbol])
    listing = exchange.symbols[symbol]
    return bars_from_trades(
        np.array([t.ts for t in ticks]),
        np.array([t.agg_id for t in ticks]),
        np.array([t.price for t in ticks]),
        np.array([t.quantity for t in ticks]),
        np.array([t.trades for t in ticks]),
        interval_ms=interval_ms,
        price_decimals=listing.price_digits,
        quantity_decimals=listing.quantity_digits,
    )


@pytest.mark.parametrize("interval", ["1m", "5m"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_bars_equal_those_built_from_the_generated_trades(exchange, clock, symbol, interval):
    clock.jump(200)
    expected = bars_of(exchange, symbol, INTERVALS[interval])
    listing = exchange.symbols[symbol]
    first = -(-exchange.first_minute * MINUTE_MS // INTERVALS[interval]) * INTERVALS[interval]
    expected = expected[expected.open_time >= first]
    bars = exchange.bars(symbol, interval, first, exchange.now_ms())
    price, size = 10**listing.price_digits, 10**listing.quantity_digits
    assert len(bars) == len(expected) > 3
    np.testing.assert_array_equal(bars[:, market.OPEN_TIME], expected.open_time)
    for column, values in (
        (market.OPEN, expected.open),
        (market.HIGH, expected.high),
        (market.LOW, expected.low),
        (market.CLOSE, expected.close),
    ):
        np.testing.assert_array_equal(bars[:, column], np.rint(values * price))
    np.testing.assert_array_equal(bars[:, market.VOLUME], np.rint(expected.volume * size))
    np.testing.assert_array_equal(bars[:, market.TRADES], expected.trades)
    np.testing.assert_allclose(bars[:, market.QUOTE] / (price * size), expected.quote_volume, atol=1e-4)


def test_history_stands_at_once_and_without_a_hole(exchange):
    for interval in ("1m", "5m"):
        length = INTERVALS[interval]
        bars = exchange.bars("BTCUSDT", interval, START - 1_500 * length, START)
        assert len(bars) == 1_500
        assert set(np.diff(bars[:, market.OPEN_TIME])) == {length}
        closes = bars[:, market.CLOSE]
        assert np.abs(bars[1:, market.OPEN] / closes[:-1] - 1).max() < 0.002
        assert (bars[:, market.HIGH] >= np.maximum(bars[:, market.OPEN], closes)).all()
        assert (bars[:, market.LOW] <= np.minimum(bars[:, market.OPEN], closes)).all()


@pytest.mark.parametrize("interval", sorted(INTERVALS))
def test_longer_bars_are_folds_of_the_minutes(exchange, interval):
    length = INTERVALS[interval]
    start = START // length * length - length
    minutes = exchange.bars("ETHUSDT", "1m", start, start + length - 1)
    bar = exchange.bars("ETHUSDT", interval, start, start)[0]
    assert bar[market.OPEN] == minutes[0, market.OPEN]
    assert bar[market.HIGH] == minutes[:, market.HIGH].max()
    assert bar[market.VOLUME] == minutes[:, market.VOLUME].sum()
    assert bar[market.CLOSE] == minutes[-1, market.CLOSE]
    assert (bar[market.FIRST], bar[market.LAST]) == (minutes[0, market.FIRST], minutes[-1, market.LAST])


def test_a_minute_without_trades_stands_at_the_close_before_it():
    exchange = Exchange(SyntheticSource(7, 0.02), VirtualClock(START), history_minutes=60)
    bars = exchange.bars("SOLUSDT", "1m", START - 50 * MINUTE_MS, START)
    empty = np.flatnonzero(bars[1:, market.TRADES] == 0) + 1
    assert len(empty) > 5
    np.testing.assert_array_equal(bars[empty, market.OPEN], bars[empty - 1, market.CLOSE])
    np.testing.assert_array_equal(bars[empty, market.HIGH], bars[empty, market.LOW])
    assert (bars[empty, market.VOLUME] == 0).all()


def test_paging_by_id_gives_every_generated_trade_once(exchange):
    generated = exchange.generated("BTCUSDT")
    pages, next_id = [], int(generated.ids[0])
    while len(page := exchange.trades_from_id("BTCUSDT", next_id, 1_000)):
        pages.append(page.ids)
        next_id = int(page.ids[-1]) + 1
    np.testing.assert_array_equal(np.concatenate(pages), generated.ids)
    assert len(pages[0]) == 1_000


def test_an_id_from_before_the_kept_trades_gives_the_first_ones_kept(exchange):
    assert exchange.trades_from_id("BTCUSDT", 1, 5).ids[0] == exchange.generated("BTCUSDT").ids[0]


def test_a_time_window_holds_both_its_ends(exchange):
    generated = exchange.generated("ETHUSDT")
    start, end = int(generated.ts[100]), int(generated.ts[3_000])
    found = exchange.trades_between("ETHUSDT", start, end, 10_000)
    inside = (generated.ts >= start) & (generated.ts <= end)
    np.testing.assert_array_equal(found.ids, generated.ids[inside])
    np.testing.assert_array_equal(exchange.last_trades("ETHUSDT", 1_500).ids, generated.ids[-1_500:])


def test_a_trade_is_seen_by_everybody_from_its_event_time_on(exchange, clock):
    cursor = exchange.trade_cursor("BTCUSDT", START)
    first = exchange.generated("BTCUSDT")
    seen = []
    for _ in range(500):
        clock.jump(0.35)
        for part in cursor.take(clock.now_ms()):
            seen += part.ids.tolist()
            assert (part.event <= clock.now_ms()).all()
        assert exchange.last_trades("BTCUSDT", 1).ids[-1] == exchange.generated("BTCUSDT").ids[-1] == seen[-1]
    assert seen == list(range(int(first.ids[-1]) + 1, seen[-1] + 1))


def test_trades_older_than_48_hours_are_out_of_reach(clock):
    exchange = Exchange(SyntheticSource(7, 0.2), clock, history_minutes=10)
    old = exchange.generated("BTCUSDT").ids
    assert len(old)
    clock.jump(REACH_MS / 1_000 + 11 * 60)
    reached = exchange.trades_from_id("BTCUSDT", int(old[0]), 1_000)
    assert reached.ids[0] > old[-1]
    assert (reached.ts >= clock.now_ms() - REACH_MS).all()
    assert len(exchange.trades_between("BTCUSDT", START - 600_000, START, 1_000)) == 0


def test_the_quote_is_the_newest_and_the_mark_follows_the_last_trade(exchange):
    book = exchange.book("BTCUSDT")
    assert len(book) == 1
    assert 0 <= START - int(book.event[0]) < 200
    mark = exchange.mark("BTCUSDT")
    assert mark.price == exchange.last_price("BTCUSDT") / 100
    assert mark.funding_ts == 1_795_392_000_000 + 8 * 3_600_000
