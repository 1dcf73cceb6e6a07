"""Exported tables are exact, safe in a spreadsheet and never half-written."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.store.csv_out import Block, Cell, Column, ExportError, number_cells, shortest, text_cell, write_table

COLUMNS = [Column("name", Cell.TEXT), Column("id", Cell.INTEGER), Column("price", decimals=2), Column("up", Cell.FLAG)]
BLOCKS: list[Block] = [
    ("BTC", np.array([1, 2]), np.array([1.5, np.nan]), [True, False]),
    (["a,b", 'say "x"'], [3, None], [2.0, -3.25], [0, 1]),
]


def test_a_table_is_written_in_fixed_point(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert write_table(path, COLUMNS, BLOCKS) == 4
    assert path.read_text() == (
        'name,id,price,up\nBTC,1,1.50,true\nBTC,2,,false\n"a,b",3,2.00,false\n"say ""x""",,-3.25,true\n'
    )
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_table_without_rows_is_its_header(tmp_path: Path) -> None:
    assert write_table(tmp_path / "out.csv", COLUMNS, []) == 0
    assert (tmp_path / "out.csv").read_text() == "name,id,price,up\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert next(csv.reader(io.StringIO(text_cell(text), newline=""))) == ["'" + text]


def test_a_negative_number_stays_a_number_and_a_header_is_text(tmp_path: Path) -> None:
    write_table(tmp_path / "out.csv", [Column("=a", decimals=1)], [([-1.0],)])
    assert (tmp_path / "out.csv").read_text() == "'=a\n-1.0\n"


@given(st.text(max_size=20))
def test_every_text_is_one_cell(text: str) -> None:
    read = list(csv.reader(io.StringIO(text_cell(text) + ",end\n", newline="")))
    assert len(read) == 1 and read[0][1] == "end" and read[0][0].removeprefix("'").endswith(text.removeprefix("'"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_shortest_digits_read_back_and_have_no_exponent(value: float) -> None:
    assert float(shortest(value)) == value
    assert "e" not in shortest(value).lower()


@pytest.mark.parametrize(
    ("value", "digits"), [(1e-7, "0.0000001"), (2.0, "2"), (61800.3, "61800.3"), (1e22, "1" + "0" * 22), (0.1, "0.1")]
)
def test_shortest_digits(value: float, digits: str) -> None:
    assert shortest(value) == digits


@given(st.lists(st.decimals(0, 10**6, places=3), max_size=20))
def test_numbers_at_their_step_come_out_as_the_exchange_wrote_them(values: list[Decimal]) -> None:
    cells = number_cells([float(v) for v in values], 3, lossless=True)
    assert cells == [f"{v:.3f}" for v in values]


def test_what_a_coarser_tick_would_round_is_kept_when_asked() -> None:
    assert number_cells([1.25, 1.2, float("nan")], 1, lossless=True) == ["1.25", "1.2", ""]
    assert number_cells([1.26, 1.2, float("inf")], 1, lossless=False) == ["1.3", "1.2", ""]
    assert number_cells([-0.001, 0.0], 2, lossless=False) == ["0.00", "0.00"]


def failing() -> Iterator[Block]:
    yield BLOCKS[0]
    raise ExportError("the store went away")


def test_a_failure_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(ExportError):
        write_table(path, COLUMNS, failing())
    assert path.read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    path.chmod(0o640)
    write_table(path, COLUMNS, BLOCKS)
    assert path.read_text().startswith("name") and path.stat().st_mode & 0o777 == 0o640


def test_a_folder_or_a_missing_folder_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is a folder"):
        write_table(tmp_path, COLUMNS, BLOCKS)
    with pytest.raises(ExportError, match=r"cannot write .*No such file"):
        write_table(tmp_path / "absent" / "out.csv", COLUMNS, BLOCKS)


def test_a_link_keeps_pointing_at_its_file(tmp_path: Path) -> None:
    target = tmp_path / "target.csv"
    target.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    write_table(link, COLUMNS, BLOCKS)
    assert link.is_symlink() and target.read_text().startswith("name")


@pytest.mark.skipif(not Path(os.devnull).exists() or os.name == "nt", reason="devices are files on POSIX")
def test_a_device_is_written_and_not_replaced() -> None:
    write_table(os.devnull, COLUMNS, BLOCKS)
    assert not Path(os.devnull).is_file()


def test_standard_output_takes_the_table(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert write_table("-", [Column("名", Cell.TEXT)], [(["币安人生"],)]) == 1
    assert capfdbinary.readouterr().out == "名\n币安人生\n".encode()
