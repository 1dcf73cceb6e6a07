"""Files open whole or not at all, packed or plain, wherever they are."""

from __future__ import annotations

import gzip
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.store.files import Cancelled, FileError, read_file
from tests.store.files.tables import HEADER, KLINES, assert_klines, load, refused


def test_zipped_gzipped_and_plain_are_the_same(tmp_path: Path) -> None:
    assert_klines(load(tmp_path, HEADER + KLINES))
    assert_klines(load(tmp_path, gzip.compress((HEADER + KLINES).encode()), "table.csv.gz"))
    with zipfile.ZipFile(tmp_path / "table.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", HEADER + KLINES)
    assert_klines(read_file(tmp_path / "table.zip"))


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
def test_byte_order_marks_and_utf_16(tmp_path: Path, coding: str) -> None:
    text = HEADER + KLINES
    raw = b"\xff\xfe" + text.encode("utf-16-le") if coding == "utf-16-le-bom" else text.encode(coding)
    assert_klines(load(tmp_path, raw))


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
