import csv
import io
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.recording import read_frames
from quantdesk.trades import Aggregator, RawTrade, aggregate
from quantdesk.types import Tick

FIRST = RawTrade("BTCUSDT", 10, 100.0, 0.1, 1_000, True, event_ts=1_005)


def test_fills_of_one_order_become_one_trade_with_the_time_of_the_first():
    second = replace(FIRST, trade_id=11, quantity=0.2, ts=1_099, event_ts=1_104)
    assert list(aggregate([FIRST, second], 7)) == [Tick("BTCUSDT", 7, 100.0, 0.3, 1_000, True, 2, 1_104)]


@pytest.mark.parametrize(
    "other", [{"ts": 1_100}, {"price": 100.1}, {"is_buyer_maker": False}, {"trade_id": 12}], ids=lambda o: next(iter(o))
)
def test_another_price_side_time_or_a_jump_of_the_ids_starts_a_new_trade(other):
    second = replace(FIRST, **({"trade_id": 11} | other))
    assert [tick.agg_id for tick in aggregate([FIRST, second], 7)] == [7, 8]


def test_an_insurance_fund_trade_takes_an_id_and_is_not_aggregated():
    fund = replace(FIRST, trade_id=11, market_kind="INSURANCE_FUND")
    third = replace(FIRST, trade_id=12)
    ticks = list(aggregate([FIRST, fund, third], 7))
    assert [(tick.agg_id, tick.trades) for tick in ticks] == [(7, 1), (8, 1)]


def test_a_repeated_trade_is_dropped_and_counted():
    aggregator = Aggregator("BTCUSDT", 1)
    assert [aggregator.add(FIRST), aggregator.add(FIRST)] == [None, None]
    assert aggregator.repeated == 1
    assert aggregator.flush().quantity == 0.1
    assert aggregator.flush() is None


def test_an_open_trade_is_flushed_once_no_fill_can_join_it():
    aggregator = Aggregator("BTCUSDT", 1)
    aggregator.add(FIRST)
    assert aggregator.flush_before(1_099) is None
    assert aggregator.flush_before(1_100).agg_id == 1
    assert aggregator.first_trade_id == 10


def test_a_trade_of_another_symbol_is_a_mistake():
    with pytest.raises(ValueError, match="ETHUSDT"):
        Aggregator("BTCUSDT", 1).add(replace(FIRST, symbol="ETHUSDT"))


def test_symbols_are_numbered_apart():
    trades = [FIRST, replace(FIRST, symbol="ETHUSDT"), replace(FIRST, trade_id=11, ts=2_000)]
    assert sorted((t.symbol, t.agg_id) for t in aggregate(trades, 5)) == [
        ("BTCUSDT", 5),
        ("BTCUSDT", 6),
        ("ETHUSDT", 5),
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(1, 10_000),
            st.integers(0, 60),
            st.booleans(),
            st.sampled_from(["MARKET", "MARKET", "MARKET", "ADL"]),
        )
    )
)
def test_nothing_is_lost_or_made_up_by_aggregation(rows):
    ts, trades = 0, []
    for number, (price, thousandths, wait, maker, kind) in enumerate(rows):
        ts += wait
        trades.append(RawTrade("S", number, float(price), thousandths / 1_000, ts, maker, kind))
    kept = [trade for trade in trades if trade.market_kind == "MARKET"]
    ticks = list(aggregate(trades, 1))
    assert [tick.agg_id for tick in ticks] == list(range(1, len(ticks) + 1))
    assert sum(tick.trades for tick in ticks) == len(kept)
    total = sum((Decimal(repr(tick.quantity)) for tick in ticks), Decimal(0))
    assert total == sum((Decimal(repr(trade.quantity)) for trade in kept), Decimal(0))


def recorded_trades(folder: Path) -> list[RawTrade]:
    trades = []
    for _, frame in read_frames(next(folder.glob("frames_*.txt.gz"))):
        if b'"e":"trade"' in frame:
            d = msgspec.json.decode(frame)["data"]
            price, quantity = float(d["p"]), float(d["q"])
            trades.append(RawTrade(d["s"], d["t"], price, quantity, d["T"], d["m"], d["X"], d["E"]))
    return trades


def published(folder: Path, symbol: str) -> list[tuple]:
    rows = []
    for path in sorted(folder.glob(f"{symbol}-aggTrades-*.zip")):
        with zipfile.ZipFile(path) as archive:
            text = io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8")
            rows += [
                (
                    int(row["agg_trade_id"]),
                    float(row["price"]),
                    float(row["quantity"]),
                    int(row["transact_time"]),
                    row["is_buyer_maker"] == "true",
                    int(row["last_trade_id"]) - int(row["first_trade_id"]) + 1,
                )
                for row in csv.DictReader(text)
            ]
    return rows


def test_recorded_trades_aggregate_to_the_published_rows_one_by_one(shared_data):
    folder = shared_data / "usdm_20240718"
    trades = recorded_trades(folder)
    assert len(trades) == 24_356
    for symbol, first_id, count in (("BTCUSDT", 2_200_000_000, 4_393), ("ETHUSDT", 1_600_000_000, 4_469)):
        ticks = aggregate((trade for trade in trades if trade.symbol == symbol), first_id)
        rows = [(t.agg_id, t.price, t.quantity, t.ts, t.is_buyer_maker, t.trades) for t in ticks]
        assert len(rows) == count
        assert rows == published(folder, symbol)
