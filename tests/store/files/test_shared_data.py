"""Real files open with the counts known of them."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from quantdesk.store.files import FileError, read_file

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
TITLES = ("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_asset_volume")
if not SHARED.is_dir():
    pytest.skip("shared data folder is absent", allow_module_level=True)


@pytest.mark.parametrize(
    ("symbol", "rows"), [("BTCUSDT", 2924), ("BCHUSDT", 2228), ("SOLUSDT", 1971), ("WBTCUSDT", 981)]
)
def test_daily_spot_klines_equal_a_plain_reading(symbol: str, rows: int) -> None:
    path = SHARED / "spot_1d" / f"{symbol}-1d.csv"
    loaded = read_file(path)
    bars = loaded.legs[0].bars
    assert (len(bars), loaded.legs[0].name, loaded.legs[0].interval) == (rows, symbol, "1d")
    with path.open() as file:
        plain = [dict(zip(TITLES, row, strict=False)) for row in list(csv.reader(file))[1:]]
    assert bars.open_time.tolist() == [round(datetime.fromisoformat(r["open_time"]).timestamp() * 1000) for r in plain]
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, name).tolist() == [float(r[name]) for r in plain]
    assert bars.quote_volume.tolist() == [float(r["quote_asset_volume"]) for r in plain]
    report = loaded.report
    assert (report.duplicates, report.gaps, report.out_of_order, report.rejected) == (0, 0, 0, 0)


@pytest.mark.parametrize(("symbol", "agg", "raw"), [("BTCUSDT", 3910, 9727), ("ETHUSDT", 3797, 12015)])
def test_trades_and_klines_of_one_stretch_agree(symbol: str, agg: int, raw: int) -> None:
    folder = SHARED / "usdm_20240718"

    def load(kind: str, bars: int | None = None):  # type: ignore[no-untyped-def]
        return read_file(folder / f"{symbol}-{kind}-2024-07-19.zip", bar_interval_ms=bars).legs[0]

    assert len(load("aggTrades").ticks) == agg and len(load("trades").ticks) == raw
    built, given = load("trades", 60_000).bars, load("1m").bars
    assert built.open_time.tolist() == given.open_time.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(built, name).tolist() == getattr(given, name).tolist()
    assert built.trades.tolist() == given.trades.tolist()
    assert np.allclose(built.quote_volume, given.quote_volume, rtol=1e-12)


def test_twenty_stocks_are_refused_and_two_of_them_are_a_pair(tmp_path: Path) -> None:
    path = SHARED / "stocks" / "sp500_dataset.csv.gz"
    with pytest.raises(FileError, match="20 columns"):
        read_file(path)
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    pair = tmp_path / "KO-PEP.csv"
    pair.write_text("Date,KO,PEP\n" + "".join(f"{r['Date']},{r['KO']},{r['PEP']}\n" for r in rows))
    loaded = read_file(pair)
    assert [leg.name for leg in loaded.legs] == ["KO", "PEP"]
    assert loaded.report.rows == len(rows)
    assert loaded.report.gaps < 20
