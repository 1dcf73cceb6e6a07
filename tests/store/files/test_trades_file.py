"""Trades become ticks and the bars built from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantdesk.store.files import read_file
from tests.store.files.tables import AGG, RAW, load, refused


@pytest.mark.parametrize(
    "header", ["", "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"]
)
@pytest.mark.parametrize("spot", [False, True])
def test_agg_trades_become_bars_and_ticks(tmp_path: Path, header: str, spot: bool) -> None:
    text = AGG
    if spot:
        text = text.replace("true", "True").replace("false", "False").replace("\n", ",True\n")
        header = header.replace("\n", ",is_best_match\n")
    loaded = load(tmp_path, header + text, "BTCUSDT-aggTrades-2024-07-18.csv")
    (leg,) = loaded.legs
    assert (leg.name, leg.kind, leg.interval_ms) == ("BTCUSDT", "aggTrades", 1_000)
    assert leg.ticks is not None
    assert leg.ticks.agg_id.tolist() == [2200000000, 2200000001, 2200000002]
    assert leg.ticks.trades.tolist() == [3, 3, 1]
    assert leg.ticks.is_buyer_maker.tolist() == [1, 0, 1]
    assert leg.bars.open_time.tolist() == [1721347022000, 1721347023000]
    assert leg.bars.volume.tolist() == [0.021, 1.513]
    assert leg.bars.trades.tolist() == [3, 4]
    assert leg.bars.close.tolist() == [63943.9, 63944.0]


@pytest.mark.parametrize("header", ["", "id,price,qty,quote_qty,time,is_buyer_maker\n"])
@pytest.mark.parametrize("spot", [False, True])
def test_trades_become_bars_and_ticks(tmp_path: Path, header: str, spot: bool) -> None:
    text = RAW.replace("\n", ",True\n") if spot else RAW
    leg = load(tmp_path, header.replace("\n", ",is_best_match\n" if spot else "\n") + text).legs[0]
    assert leg.kind == "trades" and leg.ticks is not None
    assert leg.ticks.agg_id.tolist() == [5, 6] and leg.ticks.trades.tolist() == [1, 1]


def test_the_bar_interval_of_trades_is_obeyed_or_chosen_by_their_span(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(AGG)
    assert read_file(path).legs[0].interval_ms == 1_000
    assert read_file(path, bar_interval_ms=60_000).legs[0].bars.trades.tolist() == [7]
    path.write_text(AGG + "2200000003,63943.80,0.013,5182005744,5182005744,1721350623756,false\n")
    assert read_file(path).legs[0].interval_ms == 60_000


def test_missing_and_repeated_trade_ids_are_counted(tmp_path: Path) -> None:
    first, second, third = AGG.splitlines(keepends=True)
    loaded = load(tmp_path, third + first + first + third.replace("2200000002", "2200000009"))
    report = loaded.report
    assert (report.rows, report.duplicates, report.gaps, report.out_of_order) == (3, 1, 7 - 1 + 1, 1)
    assert load(tmp_path, first + second + third).report.gaps == 0


def test_our_own_ticks_export_opens_again(tmp_path: Path) -> None:
    text = (
        "symbol,agg_id,price,quantity,trade_time_ms,is_buyer_maker,trades\nETHUSDT,7,3400.10,0.5,1721347022956,true,4\n"
    )
    leg = load(tmp_path, text).legs[0]
    assert leg.name == "ETHUSDT" and leg.ticks is not None and leg.ticks.trades.tolist() == [4]
    assert "symbol changes" in refused(tmp_path, text + "BTCUSDT,8,3400.10,0.5,1721347022956,true,4\n")


def test_a_trade_before_1970_is_a_bad_row_because_no_store_takes_it(tmp_path: Path) -> None:
    text = RAW + "7,63943.80,0.017,1087.05,-1721347023018,false\n"
    assert "line 3: the time '-1721347023018' of a trade is before 1970" in refused(tmp_path, text)
    assert load(tmp_path, text, skip_bad_rows=True).report.rejected == 1
    assert load(tmp_path, "time,close\n-86400000,1\n0,2\n").report.rows == 2
