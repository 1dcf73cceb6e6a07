"""Every cell is checked, and what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.files.tables import load, refused


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


def test_the_first_bad_line_is_named_whatever_column_it_is_in(tmp_path: Path) -> None:
    text = "time,open,high,low,close\n" + "2024-01-01,1,2,1,2\n" * 3 + "2024-01-02,1,2,1,x\nnever,1,2,1,2\n1,2\n"
    assert "line 5:" in refused(tmp_path, text)


def test_stamps_in_seconds_and_fractions_of_them(tmp_path: Path) -> None:
    leg = load(tmp_path, "time,close\n1721347020,1.5\n1721347080.000,1.6\n1721347140.5,1.7\n").legs[0]
    assert leg.bars.open_time.tolist() == [1721347020000, 1721347080000, 1721347140500]


def test_date_and_clock_in_two_columns_are_one_time(tmp_path: Path) -> None:
    text = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    text += "2024.01.02\t09:30:00\t1\t2\t1\t2\t5\t0\t1\n2024.01.02\t09:31:00\t1\t2\t1\t2\t5\t0\t1\n"
    leg = load(tmp_path, text).legs[0]
    assert leg.bars.open_time.tolist() == [1704187800000, 1704187860000]


def test_date_only_rows_at_midnight_stand_among_full_stamps(tmp_path: Path) -> None:
    text = "time,close\n2024-01-01 23:59:00,1\n2024-01-02,2\n2024-01-02 00:01:00,3\n"
    leg = load(tmp_path, text).legs[0]
    assert leg.bars.open_time.tolist() == [1704153540000, 1704153600000, 1704153660000]
