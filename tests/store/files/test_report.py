"""What a file held is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantdesk.store.files import FileError, interval_name
from tests.store.files.tables import load, refused_with_skip


def test_more_than_a_hundred_bad_rows_are_counted_but_not_all_named(tmp_path: Path) -> None:
    text = "time,close\n2024-01-01,1\n" + "2024-01-02,x\n" * 250
    report = load(tmp_path, text, skip_bad_rows=True).report
    assert (len(report.bad_rows), report.rejected, report.bad_rows[99][0]) == (100, 250, 102)
    assert "250 rejected" in report.summary() and "\n" not in report.summary()
    assert "all 250" in refused_with_skip(tmp_path, "time,close\n" + "2024-01-02,x\n" * 250)


def test_a_name_with_a_line_break_still_makes_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        load(tmp_path, "time,close\nx,1\n", "a\nb.csv")
    assert "\n" not in str(caught.value)


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
