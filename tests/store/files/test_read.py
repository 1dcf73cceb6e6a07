"""What people open: every layout, exact counts, and the line of what is wrong."""

from __future__ import annotations

import gzip
import threading
import zipfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.store.files import Cancelled, FileError, LoadedFile, interval_name, read_file

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


@pytest.mark.parametrize("header", ["", HEADER])
@pytest.mark.parametrize("zeros", ["", "000", "000000"])
def test_klines_open_with_and_without_header_at_any_stamp_unit(tmp_path: Path, header: str, zeros: str) -> None:
    rows = []
    for line in KLINES.splitlines():
        cells = line.split(",")
        cells[0] += zeros
        cells[6] += zeros
        rows.append(",".join(cells))
    loaded = load(tmp_path, header + "\n".join(rows) + "\n", "BTCUSDT-1m-2024-07-18.csv")
    assert_klines(loaded)
    assert loaded.legs[0].name == "BTCUSDT"
    assert (loaded.report.kind, loaded.report.rows) == ("klines", 3)


def test_stamps_in_seconds_and_fractions_of_them(tmp_path: Path) -> None:
    leg = load(tmp_path, "time,close\n1721347020,1.5\n1721347080.000,1.6\n1721347140.5,1.7\n").legs[0]
    assert leg.bars.open_time.tolist() == [1721347020000, 1721347080000, 1721347140500]


def test_zipped_gzipped_and_plain_are_the_same(tmp_path: Path) -> None:
    assert_klines(load(tmp_path, HEADER + KLINES))
    assert_klines(load(tmp_path, gzip.compress((HEADER + KLINES).encode()), "table.csv.gz"))
    with zipfile.ZipFile(tmp_path / "table.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", HEADER + KLINES)
    assert_klines(read_file(tmp_path / "table.zip"))


@pytest.mark.parametrize("extra", [",", ",,,"])
@pytest.mark.parametrize("header", ["", HEADER])
def test_empty_columns_at_the_right_do_not_matter(tmp_path: Path, extra: str, header: str) -> None:
    text = header + KLINES.replace("\n", extra + "\n")
    assert_klines(load(tmp_path, text))
    named = HEADER.replace("\n", ",open_time.1,open_time.2" + "\n") + KLINES.replace("\n", ",,\n")
    assert_klines(load(tmp_path, named))


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
def test_byte_order_marks_and_utf_16(tmp_path: Path, coding: str) -> None:
    text = HEADER + KLINES
    raw = b"\xff\xfe" + text.encode("utf-16-le") if coding == "utf-16-le-bom" else text.encode(coding)
    assert_klines(load(tmp_path, raw))


COLUMNS = ("Open Time", "open", "HIGH", "Low", "Close", "Volume", "quote_volume", "Count", "comment")


@settings(max_examples=60, deadline=None)
@given(
    order=st.permutations(range(len(COLUMNS))),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.booleans(),
    blank=st.booleans(),
    bom=st.booleans(),
    last=st.booleans(),
    rows=st.permutations(range(3)),
)
def test_order_separator_and_line_ending_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[int],
    separator: str,
    ending: str,
    quoted: bool,
    blank: bool,
    bom: bool,
    last: bool,
    rows: list[int],
) -> None:
    table = [list(COLUMNS)]
    lines = KLINES.splitlines()
    for row in rows:
        cells = lines[row].split(",")
        stamp = datetime.fromtimestamp(int(cells[0]) / 1000, UTC).isoformat()
        table.append([stamp, *cells[1:6], *cells[7:9], "note"])
    mark = '"' if quoted else ""
    space = " " if blank else ""
    text = ending.join((space + separator + space).join(f"{mark}{line[i]}{mark}" for i in order) for line in table)
    raw = (text + (ending if last else "")).encode("utf-8-sig" if bom else "utf-8")
    loaded = load(tmp_path_factory.mktemp("t"), raw)
    assert_klines(loaded)
    assert loaded.report.out_of_order == sum(b < a for a, b in pairwise(rows))


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


def test_more_price_columns_are_refused_in_words(tmp_path: Path) -> None:
    words = refused(tmp_path, "date,A,B,C\n2024-01-02,1,2,3\n")
    assert "3 columns" in words and "A, B, C" in words and "two price columns" in words


@pytest.mark.parametrize(
    ("cell", "word"),
    [("", "empty"), ("NaN", "NaN"), ("n/a", "n/a"), ("abc", "abc"), ("-5", "-5"), ("0", "'0'"), ("inf", "inf"),
     ("1e400", "1e400"), ("1_0", "1_0"), ("0x10", "0x10"), ("1.2.3", "1.2.3"),
     ("٣", "٣"), ("1e5e", "1e5e"), ("--1", "--1")],
)  # fmt: skip
def test_a_cell_that_is_no_price_fails_the_file_with_its_line(tmp_path: Path, cell: str, word: str) -> None:
    text = f"time,close\n2024-01-01,1.5\n\n2024-01-02,{cell}\n2024-01-03,1.7\n2024-01-04,x\n"
    words = refused(tmp_path, text)
    assert "line 4:" in words and word in words
    loaded = load(tmp_path, text, skip_bad_rows=True)
    assert loaded.legs[0].bars.close.tolist() == [1.5, 1.7]
    assert [line for line, _ in loaded.report.bad_rows] == [4, 6] and loaded.report.rejected == 2


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "yesterday",
        "2024-13-01",
        "2024-02-30",
        "2024-01-01 25:00",
        "01/02/2024",
        "9e30",
        "NaN",
        "1e12",
        "99999999999999999999",
    ],
)
def test_a_cell_that_is_no_time_fails_the_file_with_its_line(tmp_path: Path, cell: str) -> None:
    text = f"time,close\n2024-01-01,1.5\n{cell},1.6\n2024-01-03,1.7\n"
    assert "line 3:" in refused(tmp_path, text)
    report = load(tmp_path, text, skip_bad_rows=True).report
    assert (report.rows, report.rejected) == (2, 1)


@pytest.mark.parametrize(
    "row", ["1721347080000,1,2,3,1.5,1", "1721347080000,1,3,2,1.5,-1",
     "1721347080000,1,3,2,1.5,many", "1721347080000,1,3",
     "1721347080000,1,234.5,3,2,1.5,1", '1721347080000,"1,3,2,1.5,1']
)  # fmt: skip
def test_impossible_bars_and_cut_rows_are_bad_rows(tmp_path: Path, row: str) -> None:
    text = f"time,open,high,low,close,volume\n1721347020000,1,3,1,2,5\n{row}\n1721347140000,1,3,1,2,5\n"
    assert "line 3:" in refused(tmp_path, text)
    assert load(tmp_path, text, skip_bad_rows=True).report.rows == 2


def test_rows_wider_than_the_header_are_bad_and_a_short_first_row_spoils_no_other(tmp_path: Path) -> None:
    assert "line 2:" in refused(tmp_path, "time,close\n2024-01-01,1,234\n2024-01-02,1,235\n")
    text = "time,open,high,low,close,volume\n2024-01-01,1\n"
    text += "2024-01-02,1,2,1,2,5\n2024-01-03,1,2,1,2,5\n"
    report = load(tmp_path, text, skip_bad_rows=True).report
    assert (report.rows, report.rejected) == (2, 1)


def test_two_filled_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two columns called close" in refused(tmp_path, "time,close,close\n2024-01-01,1,2\n")
    assert load(tmp_path, "time,close,close\n2024-01-01,1,\n").report.rows == 1


def test_a_name_with_a_line_break_still_makes_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        load(tmp_path, "time,close\nx,1\n", "a\nb.csv")
    assert "\n" not in str(caught.value)


def test_the_first_bad_line_is_named_whatever_column_it_is_in(tmp_path: Path) -> None:
    text = "time,open,high,low,close\n" + "2024-01-01,1,2,1,2\n" * 3 + "2024-01-02,1,2,1,x\nnever,1,2,1,2\n1,2\n"
    assert "line 5:" in refused(tmp_path, text)


def test_more_than_a_hundred_bad_rows_are_counted_but_not_all_named(tmp_path: Path) -> None:
    text = "time,close\n2024-01-01,1\n" + "2024-01-02,x\n" * 250
    report = load(tmp_path, text, skip_bad_rows=True).report
    assert (len(report.bad_rows), report.rejected, report.bad_rows[99][0]) == (100, 250, 102)
    assert "250 rejected" in report.summary() and "\n" not in report.summary()
    assert "all 250" in refused_with_skip(tmp_path, "time,close\n" + "2024-01-02,x\n" * 250)


def refused_with_skip(folder: Path, text: str) -> str:
    with pytest.raises(FileError) as caught:
        load(folder, text, skip_bad_rows=True)
    return str(caught.value)


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


def test_date_and_clock_in_two_columns_are_one_time(tmp_path: Path) -> None:
    text = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    text += "2024.01.02\t09:30:00\t1\t2\t1\t2\t5\t0\t1\n2024.01.02\t09:31:00\t1\t2\t1\t2\t5\t0\t1\n"
    leg = load(tmp_path, text).legs[0]
    assert leg.bars.open_time.tolist() == [1704187800000, 1704187860000]


def test_date_only_rows_at_midnight_stand_among_full_stamps(tmp_path: Path) -> None:
    text = "time,close\n2024-01-01 23:59:00,1\n2024-01-02,2\n2024-01-02 00:01:00,3\n"
    leg = load(tmp_path, text).legs[0]
    assert leg.bars.open_time.tolist() == [1704153540000, 1704153600000, 1704153660000]


def test_a_decimal_comma_is_read_where_it_is_unambiguous(tmp_path: Path) -> None:
    leg = load(tmp_path, "Datum x;Date;Close\nA;02.01.2024;1,5\nB;03.01.2024;1234,25\n").legs[0]
    assert leg.bars.close.tolist() == [1.5, 1234.25] and leg.bars.open_time[0] == 1704153600000
    assert "write decimal points" in refused(tmp_path, "date;close\n2024-01-02;1,234\n")


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


@pytest.mark.parametrize(
    ("raw", "word"),
    [(b"", "empty"), (b"\n\n  \n", "empty"), (b"\xef\xbb\xbf", "empty"), (b"time,close\n", "no data rows"),
     (b"a,b\n1,2\n", "no time column"), (b"time,close\n1\x002,3\n", "binary"), (b"hello world\n", "separator"),
     (b"1,2,3\n4,5,6\n", "no header"), (b"time,volume\n2024-01-01,5\n", "no price column"),
     (b"x," * 1_000_000, "more than 1,000 columns"), (b"a" * 400_000, "longer"),
     (b"time,close\n2024-01-01," + b"9" * 300_000 + b"\n", "longer"),
     (b"\xff\xfea", "UTF-16"), (b"PAR1xxxx", "Parquet"), (b"\x89PNG\r\n\x1a\n\0\0", "binary")],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, raw: bytes, word: str) -> None:
    assert word in refused(tmp_path, raw)


def test_a_million_columns_in_one_row_are_a_bad_row_or_refused(tmp_path: Path) -> None:
    assert "columns" in refused(tmp_path, b"time,close\n2024-01-01,1\n" + b"1," * 1_000_000 + b"\n")
    assert "line 3:" in refused(tmp_path, b"time,close\n2024-01-01,1\n" + b"1," * 50_000 + b"\n")


def test_paths_with_blanks_and_unicode_and_paths_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "мои данные 価格"
    folder.mkdir()
    assert load(folder, "time,close\n2024-01-01,1\n", "цена 1.csv").legs[0].name == "цена 1"
    with pytest.raises(FileError, match="is a folder"):
        read_file(folder)
    with pytest.raises(FileError, match="no such file"):
        read_file(folder / "none.csv")
    with pytest.raises(FileError):
        read_file(Path("bad\0name"))


def test_cancel_is_heard_and_progress_rises_to_one(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text("time,close\n" + "".join(f"{1721347020 + 60 * i},{1 + i % 7}\n" for i in range(200_000)))
    seen: list[float] = []
    assert read_file(path, progress=seen.append).report.rows == 200_000
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) > 2
    asked = threading.Event()
    with pytest.raises(Cancelled):
        read_file(path, progress=lambda f: asked.set(), cancelled=asked.is_set)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet='0123456789.,;:-TZ\n\r" timeclosopnhgdx|\t+eé', max_size=300).map(str.encode),
    )
)
def test_random_bytes_only_ever_fail_as_a_file_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("f")
    for body in (raw, b"time,open,high,low,close,volume\n2024-01-01,1,2,1,2,3\n" + raw):
        for skip in (False, True):
            try:
                load(folder, body, skip_bad_rows=skip)
            except FileError as error:
                assert "\n" not in str(error)


def test_interval_names() -> None:
    names = {
        1_000: "1s",
        60_000: "1m",
        300_000: "5m",
        3_600_000: "1h",
        86_400_000: "1d",
        604_800_000: "1w",
        31 * 86_400_000: "1M",
    }
    assert {ms: interval_name(ms) for ms in names} == names
    assert (interval_name(90_000), interval_name(1_500)) == ("90s", "1500ms")
