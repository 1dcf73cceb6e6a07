"""Bar tables become legs; what their order shows is reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.store.files.tables import YAHOO, load


def test_adj_close_is_what_statistics_use_and_never_a_leg(tmp_path: Path) -> None:
    (leg,) = load(tmp_path, YAHOO, "KO.csv").legs
    assert leg.name == "KO"
    assert leg.bars.close.tolist() == [10.5, 11.75]
    assert leg.statistic_closes.tolist() == [5.25, 5.875]
    assert leg.price_decimals == 2
    (only,) = load(tmp_path, "Date,Close,Adj Close\n2024-01-02,10.5,5.25\n").legs
    assert (only.bars.close.tolist(), only.statistic_closes.tolist()) == ([10.5], [5.25])


def test_tradingview_exports_open_and_indicators_are_ignored(tmp_path: Path) -> None:
    text = (
        "time,open,high,low,close,Volume,Volume MA,RSI\n"
        "1721347020,1.5,2,1,1.7,10,9,NaN\n1721347080,1.7,2,1.6,1.8,11,9,55.1\n"
    )
    leg = load(tmp_path, text).legs[0]
    assert leg.bars.volume.tolist() == [10, 11] and leg.interval_ms == 60_000
    iso = text.replace("1721347020", "2024-07-18T23:57:00Z").replace("1721347080", "2024-07-19T01:58:00+02:00")
    assert load(tmp_path, iso).legs[0].bars.open_time.tolist() == leg.bars.open_time.tolist()


@pytest.mark.parametrize(
    "text", ["time,close\n2024-01-01,1.5\n", "date,price\n2024-01-01,1.5\n", "2024-01-01,1.5\n", "1.5;2024-01-01\n"]
)
def test_close_only_files_are_flat_bars_without_volume(tmp_path: Path, text: str) -> None:
    if text.startswith("1.5"):
        text = "Price;Date\n" + text
    leg = load(tmp_path, text, "EWA.csv").legs[0]
    assert leg.name == "EWA"
    for column in (leg.bars.open, leg.bars.high, leg.bars.low, leg.bars.close):
        assert column.tolist() == [1.5]
    assert leg.bars.volume.tolist() == [0.0] and leg.bars.open_time.tolist() == [1704067200000]


def test_two_price_columns_that_are_not_ohlc_are_a_pair(tmp_path: Path) -> None:
    loaded = load(tmp_path, "date,EWA,EWC\n2024-01-02,20.5,30.25\n2024-01-03,20.6,30.5\n")
    assert [leg.name for leg in loaded.legs] == ["EWA", "EWC"]
    assert loaded.legs[0].bars.close.tolist() == [20.5, 20.6]
    assert loaded.legs[1].bars.close.tolist() == [30.25, 30.5]
    assert (loaded.legs[0].price_decimals, loaded.legs[1].price_decimals) == (1, 2)
    one = load(tmp_path, "date,EWA\n2024-01-02,20.5\n").legs
    assert [leg.name for leg in one] == ["EWA"]


def test_padding_zeros_do_not_count_as_precision(tmp_path: Path) -> None:
    leg = load(
        tmp_path, "time,close,volume\n1721347020,13715.65000000,1.50000000\n1721347080,13715.60000000,1.25000000\n"
    ).legs[0]
    assert (leg.price_decimals, leg.quantity_decimals) == (2, 2)
    fine = load(tmp_path, "time,close\n1721347020,0.00001234\n").legs[0]
    assert fine.price_decimals == 8
    endless = load(tmp_path, "time,close\n1721347020,0.3333333333333333\n").legs[0]
    assert endless.price_decimals == 12 and endless.bars.close[0] == 1 / 3


def test_prices_faster_than_a_second_are_folded(tmp_path: Path) -> None:
    rows = "".join(f"{1721347020000 + 250 * i},{10 + i}\n" for i in range(8))
    leg = load(tmp_path, "time,price\n" + rows).legs[0]
    assert leg.bars.open.tolist() == [10, 14] and leg.bars.close.tolist() == [13, 17]
    assert leg.interval_ms == 1_000 and leg.statistic_closes.tolist() == [13, 17]


def test_duplicates_disorder_and_gaps_are_reported_not_fatal(tmp_path: Path) -> None:
    text = (
        "time,close\n1721347080,2\n1721347020,1\n1721347080,2\n1721347080,2.5\n"
        "1721347140,3\n1721347200,4\n1721347440,5\n"
    )
    loaded = load(tmp_path, text)
    report = loaded.report
    assert loaded.legs[0].bars.close.tolist() == [1, 2.5, 3, 4, 5]
    assert (report.rows, report.duplicates, report.out_of_order, report.gaps) == (5, 2, 1, 3)
    assert any("1 duplicates differed" in note for note in report.notes)
    assert np.all(np.diff(loaded.legs[0].bars.open_time) > 0)


def test_weekends_are_no_gaps_in_daily_data_but_a_lost_week_is(tmp_path: Path) -> None:
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    weekdays = [str(d) for d in days if np.is_busday(d)]
    rows = [f"{day},1.5" for day in weekdays if day != "2024-01-15"]
    assert load(tmp_path, "date,close\n" + "\n".join(rows)).report.gaps == 0
    lost = [row for row in rows if not "2024-02-05" <= row[:10] <= "2024-02-09"]
    assert load(tmp_path, "date,close\n" + "\n".join(lost)).report.gaps == 5
    every = [f"{day},1.5" for day in days if str(day) != "2024-01-13"]
    assert load(tmp_path, "date,close\n" + "\n".join(every)).report.gaps == 1
