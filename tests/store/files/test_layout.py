"""Any order of columns, separator and stamp; what cannot be told apart is refused in words."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.files.tables import HEADER, KLINES, assert_klines, load, refused

COLUMNS = ("Open Time", "open", "HIGH", "Low", "Close", "Volume", "quote_volume", "Count", "comment")


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


@pytest.mark.parametrize("extra", [",", ",,,"])
@pytest.mark.parametrize("header", ["", HEADER])
def test_empty_columns_at_the_right_do_not_matter(tmp_path: Path, extra: str, header: str) -> None:
    text = header + KLINES.replace("\n", extra + "\n")
    assert_klines(load(tmp_path, text))
    named = HEADER.replace("\n", ",open_time.1,open_time.2" + "\n") + KLINES.replace("\n", ",,\n")
    assert_klines(load(tmp_path, named))


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


def test_more_price_columns_are_refused_in_words(tmp_path: Path) -> None:
    words = refused(tmp_path, "date,A,B,C\n2024-01-02,1,2,3\n")
    assert "3 columns" in words and "A, B, C" in words and "two price columns" in words


def test_two_filled_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two columns called close" in refused(tmp_path, "time,close,close\n2024-01-01,1,2\n")
    assert load(tmp_path, "time,close,close\n2024-01-01,1,\n").report.rows == 1


def test_a_decimal_comma_is_read_where_it_is_unambiguous(tmp_path: Path) -> None:
    leg = load(tmp_path, "Datum x;Date;Close\nA;02.01.2024;1,5\nB;03.01.2024;1234,25\n").legs[0]
    assert leg.bars.close.tolist() == [1.5, 1234.25] and leg.bars.open_time[0] == 1704153600000
    assert "write decimal points" in refused(tmp_path, "date;close\n2024-01-02;1,234\n")
