"""``quantdesk import``: all or nothing, twice adds nothing, each kind to its place."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from quantdesk.commands import import_
from quantdesk.commands.shared import UsageError, open_reader, open_writer
from quantdesk.store.base import StoreBusyError, StoreError
from quantdesk.store.files import FileError

AGG = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
    "100,63943.90,0.021,1,3,1721347022956,true\n"
    "101,63943.80,0.013,4,6,1721347023756,false\n"
    "102,63944.00,1.500,7,7,1721347083757,true\n"
)
RAW = "id,price,qty,quote_qty,time,is_buyer_maker\n" + "".join(
    f"{i},63943.9,0.003,191.8,{1721347022956 + 1000 * (i - 7001)},true\n" for i in range(7_001, 7_060)
)
DAILY = (
    "Date,Open,High,Low,Close,Adj Close,Volume\n"
    "2024-01-02,10,11,9.5,10.5,5.25,1000\n2024-01-03,10.5,12,10,11.75,5.875,2000\n"
)


def parse(*words: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    import_.add_parser(parser.add_subparsers(dest="command"))
    return parser.parse_args(["import", *map(str, words)])


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data dir"


def held(data: Path) -> dict[tuple[str, str], int]:
    reader = open_reader(parse("x", "--data-dir", data))
    try:
        return {(s.instrument.venue, s.instrument.symbol): s.ticks for s in reader.instruments()}
    finally:
        reader.close()


def test_agg_trades_become_ticks_and_bars_and_twice_adds_none(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "BTCUSDT-aggTrades-2024-07-18.csv", AGG)
    assert import_.run(parse(path, "--data-dir", data)) == 0
    assert "imported 3 ticks into file:BTCUSDT" in capsys.readouterr().out
    assert held(data) == {("file", "BTCUSDT"): 3}
    reader = open_reader(parse("x", "--data-dir", data))
    (found,) = reader.find("BTCUSDT", "file")
    assert reader.load_bars(found.instrument, "1m").bars.trades.tolist() == [6, 1]
    reader.close()
    assert import_.run(parse(path, "--data-dir", data)) == 0
    assert "imported 0 ticks into file:BTCUSDT, all were there already" in capsys.readouterr().out
    assert held(data) == {("file", "BTCUSDT"): 3}


def test_ohlcv_becomes_source_bars_with_its_origin(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "KO.csv", DAILY)
    for wanted in ("imported 2 1d bars into mine:PEPSI", "imported 0 1d bars into mine:PEPSI"):
        assert import_.run(parse(path, path, "--symbol", "PEPSI", "--venue", "mine", "--data-dir", data)) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2 and wanted in lines[0] and "imported 0" in lines[1]
    reader = open_reader(parse("x", "--data-dir", data))
    (found,) = reader.find("PEPSI", "mine")
    stored = reader.load_bars(found.instrument, "1d")
    assert stored.bars.close.tolist() == [10.5, 11.75] and set(stored.origin) == {"file:KO.csv"}
    reader.close()


def test_a_pair_gives_two_instruments_and_takes_no_symbol(tmp_path: Path, data: Path) -> None:
    path = write(tmp_path, "pair.csv", "date,EWA,EWC\n2024-01-02,20.5,30.25\n2024-01-03,20.6,30.5\n")
    with pytest.raises(UsageError, match="two"):
        import_.run(parse(path, "--symbol", "X", "--data-dir", data))
    assert import_.run(parse(path, "--data-dir", data)) == 0
    assert set(held(data)) == {("file", "EWA"), ("file", "EWC")}


def test_one_bad_file_imports_nothing(tmp_path: Path, data: Path) -> None:
    good = write(tmp_path, "BTCUSDT-aggTrades-2024-07-18.csv", AGG)
    bad = write(tmp_path, "bad.csv", "time,close\n2024-01-01,1\n2024-01-02,x\n")
    with pytest.raises(FileError, match="line 3"):
        import_.run(parse(good, bad, "--data-dir", data))
    assert not data.exists()
    assert import_.run(parse(good, bad, "--skip-bad-rows", "--data-dir", data)) == 0


def test_trades_and_agg_trades_of_one_symbol_do_not_mix(tmp_path: Path, data: Path) -> None:
    agg = write(tmp_path, "BTCUSDT-aggTrades-2024-07-18.csv", AGG)
    raw = write(tmp_path, "BTCUSDT-trades-2024-07-18.csv", RAW)
    with pytest.raises(StoreError, match="do not mix"):
        import_.run(parse(agg, raw, "--data-dir", data))
    assert not data.exists()
    assert import_.run(parse(agg, "--data-dir", data)) == 0
    assert import_.run(parse(raw, "--venue", "raw", "--data-dir", data)) == 0
    with pytest.raises(StoreError, match="do not mix"):
        import_.run(parse(raw, "--data-dir", data))


def test_the_next_day_of_the_same_symbol_joins(tmp_path: Path, data: Path) -> None:
    header, *rows = AGG.splitlines(keepends=True)
    one = write(tmp_path, "one.csv", header + rows[0] + rows[1])
    two = write(tmp_path, "two.csv", header + rows[1] + rows[2])
    assert import_.run(parse(one, two, "--symbol", "BTCUSDT", "--data-dir", data)) == 0
    assert held(data) == {("file", "BTCUSDT"): 3}


def test_a_coarser_file_does_not_coarsen_the_instrument(tmp_path: Path, data: Path) -> None:
    agg = write(tmp_path, "BTCUSDT-aggTrades-2024-07-18.csv", AGG)
    coarse = write(tmp_path, "BTCUSDT-1d.csv", DAILY.replace(".5", "").replace("11.75", "11"))
    assert import_.run(parse(agg, coarse, "--data-dir", data)) == 0
    reader = open_reader(parse("x", "--data-dir", data))
    (found,) = reader.find("BTCUSDT", "file")
    assert (found.instrument.price_decimals, found.instrument.quantity_decimals) == (2, 3)
    reader.close()


@pytest.mark.parametrize(
    "words", [("--venue", "binance-um"), ("--venue", ""), ("--symbol", "A B"), ("--symbol", "x" * 99)]
)
def test_names_that_would_mix_or_break_are_wrong_use(tmp_path: Path, data: Path, words: tuple[str, str]) -> None:
    path = write(tmp_path, "KO.csv", DAILY)
    with pytest.raises(UsageError):
        import_.run(parse(path, *words, "--data-dir", data))


def test_a_desk_that_holds_the_writer_is_named(tmp_path: Path, data: Path) -> None:
    path = write(tmp_path, "KO.csv", DAILY)
    writer = open_writer(parse("x", "--data-dir", data))
    try:
        with pytest.raises(StoreBusyError, match="desk"):
            import_.run(parse(path, "--data-dir", data))
    finally:
        assert writer.stop()
