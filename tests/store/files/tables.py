"""Tables as people have them, and opening them from a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantdesk.store.files import FileError, LoadedFile, read_file

KLINES = (
    "1721347020000,63943.90,63952.70,63943.90,63952.60,24.115,1721347079999,1542101.97130,291,17.450,1115886.3,0\n"
    "1721347080000,63952.70,63952.70,63945.20,63947.90,33.530,1721347139999,2144203.87590,367,6.155,393601.0,0\n"
    "1721347140000,63947.90,63950.00,63940.10,63942.25,12.000,1721347199999,767307.00000,150,3.000,191826.0,0\n"
)
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
AGG = (
    "2200000000,63943.90,0.021,5182005737,5182005739,1721347022956,true\n"
    "2200000001,63943.80,0.013,5182005740,5182005742,1721347023756,false\n"
    "2200000002,63944.00,1.500,5182005743,5182005743,1721347023757,true\n"
)
RAW = "5,63943.90,0.003,191.83,1721347022956,true\n6,63943.80,0.017,1087.05,1721347023018,false\n"
YAHOO = (
    "Date,Open,High,Low,Close,Adj Close,Volume\n"
    "2024-01-02,10.00,11.00,9.50,10.50,5.25,1000\n"
    "2024-01-03,10.50,12.00,10.00,11.75,5.875,2000\n"
)


def load(folder: Path, text: str | bytes, name: str = "table.csv", **options: bool) -> LoadedFile:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_file(path, **options)


def refused(folder: Path, text: str | bytes, name: str = "table.csv") -> str:
    with pytest.raises(FileError) as caught:
        load(folder, text, name)
    words = str(caught.value)
    assert words.startswith(name) and "\n" not in words
    return words


def refused_with_skip(folder: Path, text: str) -> str:
    with pytest.raises(FileError) as caught:
        load(folder, text, skip_bad_rows=True)
    return str(caught.value)


def assert_klines(loaded: LoadedFile) -> None:
    (leg,) = loaded.legs
    assert leg.bars.open_time.tolist() == [1721347020000, 1721347080000, 1721347140000]
    assert leg.bars.open.tolist() == [63943.9, 63952.7, 63947.9]
    assert leg.bars.high.tolist() == [63952.7, 63952.7, 63950.0]
    assert leg.bars.low.tolist() == [63943.9, 63945.2, 63940.1]
    assert leg.bars.close.tolist() == [63952.6, 63947.9, 63942.25]
    assert leg.bars.volume.tolist() == [24.115, 33.53, 12.0]
    assert leg.bars.quote_volume.tolist() == [1542101.9713, 2144203.8759, 767307.0]
    assert leg.bars.trades.tolist() == [291, 367, 150]
    assert (leg.interval_ms, leg.price_decimals, leg.quantity_decimals) == (60_000, 2, 3)
    assert leg.statistic_closes.tolist() == leg.bars.close.tolist()
    assert leg.ticks is None
