from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from quantdesk.bars.arrays import BarArrays
from quantdesk.model.market import MarketModel
from quantdesk.store.base import StoredBars
from quantdesk.types import (
    BookTicker,
    FeedStatus,
    Gap,
    Instrument,
    Interval,
    Kline,
    Light,
    MarkPrice,
    Origin,
    StoreStatus,
    Tick,
)
from tests.model.conftest import START, bars_of, spin

BTC = Instrument("test", "BTCUSDT", Decimal("0.1"), Decimal("0.001"))


def tick(agg_id: int, ts: int, price: float = 100.0, symbol: str = "BTCUSDT") -> Tick:
    return Tick(symbol, agg_id, price, 1.0, ts, False, 3)


@pytest.fixture
def market(qapp) -> MarketModel:
    model = MarketModel(Origin.LIVE)
    model.on_instrument(BTC)
    return model


def test_ten_thousand_ticks_make_few_signals(market, qtbot):
    ticked, closed = [], []
    market.ticked.connect(ticked.append)
    market.bar_closed.connect(lambda *args: closed.append(args))
    with qtbot.waitSignal(market.ticked, timeout=5_000):
        for number in range(10_000):
            market.on_tick(tick(number, START + number * 10))
    assert ticked == ["BTCUSDT"]
    assert sorted((s, i) for s, i, _ in closed) == [("BTCUSDT", i) for i in ("15s", "1m", "1s", "5s")]
    times = {interval: open_times for _, interval, open_times in closed}
    assert times["1m"] == (START,)
    assert (len(times["1s"]), len(times["5s"]), len(times["15s"])) == (99, 19, 6)


def test_the_exchange_time_closes_bars_without_a_next_trade(market, qtbot):
    market.on_tick(tick(1, START + 100))
    assert not market.series("BTCUSDT", "1s").closed().any()
    with qtbot.waitSignal(market.bar_closed, timeout=5_000) as told:
        market.on_time(START + 1_000)
    assert told.args == ["BTCUSDT", "1s", (START,)]
    assert market.live_since == market.exchange_ms == START + 1_000
    market.on_time(START + 900)
    assert market.exchange_ms == START + 1_000


def test_history_is_announced_once_a_turn(market, qtbot):
    changed = []
    market.series_changed.connect(lambda *args: changed.append(args))
    for page in range(5):
        times = START + 60_000 * np.arange(page * 100, page * 100 + 100)
        market.on_source_bars(BTC, "1m", bars_of(times, np.full(100, 50.0)), "kline")
    spin()
    assert changed == [("BTCUSDT", "1m")]
    assert len(market.series("BTCUSDT", "1m")) == 500


def test_the_quote_follows_the_newest_trade_not_the_last_told(market):
    market.on_tick(tick(10, START + 50, 101.0))
    market.on_tick(tick(4, START + 10, 99.0))
    market.on_quote(BookTicker("BTCUSDT", 1, 100.5, 1, 101.5, 1, START, START))
    market.on_mark(MarkPrice("BTCUSDT", 100.9, 100.8, 0.0001, START + 1, START))
    quote = market.quote("BTCUSDT")
    assert (quote.last, quote.last_trade_ts, quote.bid, quote.ask) == (101.0, START + 50, 100.5, 101.5)
    assert (quote.mark, quote.index, quote.funding_rate) == (100.9, 100.8, 0.0001)
    assert market.quote("NOTHING").last is None


def test_a_removed_symbol_is_forgotten_until_it_is_added_again(market):
    market.on_tick(tick(1, START))
    market.remove_symbol("BTCUSDT")
    market.on_tick(tick(2, START))
    market.on_source_bars(BTC, "1m", BarArrays.empty(), "kline")
    spin()
    assert market.symbols() == ()
    assert market.series("BTCUSDT", "1m") is None
    market.on_instrument(BTC)
    market.on_tick(tick(3, START))
    assert len(market.series("BTCUSDT", "1m")) == 1


def test_klines_are_compared_with_whole_bars_only(market):
    def kline(open_time: int, trades: int) -> Kline:
        end = open_time + 59_999
        return Kline("BTCUSDT", "1m", open_time, end, 100, 100, 100, 100, 2.0, 200, trades, True, end)

    for number, ts in enumerate((START, START + 1_000, START + 60_000, START + 61_000, START + 120_000)):
        market.on_tick(tick(number, ts))
    for open_time, trades in ((START, 6), (START + 60_000, 7)):
        market.on_kline(kline(open_time, trades))
    market.on_kline(kline(START - 60_000, 6))
    market.on_time(START + 130_000)
    assert market.kline_checks("BTCUSDT") == (1, 2)
    market.on_gaps("BTCUSDT", [Gap("BTCUSDT", 5, 6, START + 120_000, START + 121_000, 0)])
    market.on_kline(kline(START + 120_000, 6))
    market.on_time(START + 190_000)
    assert market.kline_checks("BTCUSDT") == (1, 2)


def test_stored_bars_hit_by_late_trades_are_asked_for_again_once_the_gap_is_closed(market, qtbot):
    stored = bars_of(START + 60_000 * np.arange(10), np.full(10, 100.0))
    for interval in Interval:
        market.load("BTCUSDT", interval, StoredBars(stored, ("partial",) * 10))
    market.on_tick(tick(100, START + 3_600_000))
    hole = Gap("BTCUSDT", 5, 9, START + 100_000, START + 110_000, 0)
    market.on_gaps("BTCUSDT", [hole])
    market.on_tick(tick(5, START + 105_000))
    assert market.series("BTCUSDT", "1m").arrays().trades[1] == 5
    with qtbot.waitSignal(market.reload_wanted, timeout=1_000) as told:
        market.on_gaps("BTCUSDT", [])
    assert told.args == ["BTCUSDT", START, START + 300_000]


def test_states_are_kept_and_told(market, qtbot):
    with qtbot.waitSignals([market.status_changed, market.status_changed]):
        market.on_status(FeedStatus(Light.GREEN, "connected"))
        market.set_store_status(StoreStatus(Light.GREEN, "fine"))
    assert market.feed_status.text == "connected"
    assert market.store_status.text == "fine"


def test_memory_of_a_long_session_is_bounded(market):
    for number in range(20_000):
        market.on_tick(tick(number, START + number * 60_000))
        market.on_kline(Kline("BTCUSDT", "1m", number * 60_000, number * 60_000 + 59_999, 1, 1, 1, 1, 1, 1, 1, True, 0))
    leg = market._legs["BTCUSDT"]
    assert len(leg.checks._klines) <= 3 * 1_440
    assert len(leg.checks._ids) <= 3 * 1_440
    assert all(len(held) < 8_800 for held in leg.bars._builder._bars.values())
    spin()
    assert market._closed == {}


def test_what_was_deleted_is_told_of_with_the_intervals_folded_from_it(market, qtbot):
    for number in range(60):
        market.on_tick(tick(number, START + number * 10_000))
    changed = []
    market.series_changed.connect(lambda *args: changed.append(args))
    spin()
    changed.clear()
    market.reload("BTCUSDT", "5m", (START, START + 300_000), StoredBars(BarArrays.empty(), ()), sources=False)
    market.forget_trades("BTCUSDT", START, START + 300_000)
    spin()
    assert {interval for _, interval in changed} == {"5m", "15m", "1h", "4h", "1d"}
    assert market.series("BTCUSDT", "5m").times().tolist() == [START + 300_000]
    assert market.trades("BTCUSDT").times[0] == START + 300_000
