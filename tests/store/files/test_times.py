"""Times are read as the standard library reads them; naive ones are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.store.files.times import is_clock, parse_time

STAMPS = st.datetimes(min_value=datetime(1800, 1, 1), max_value=datetime(2199, 12, 31))
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(max_examples=300, deadline=None)
@given(
    STAMPS,
    st.one_of(st.none(), ZONES),
    st.sampled_from("T "),
    st.sampled_from(["seconds", "milliseconds", "microseconds", "minutes"]),
)
def test_iso_times_with_and_without_offset(when: datetime, zone: timezone | None, mark: str, spec: str) -> None:
    text = when.replace(tzinfo=zone).isoformat(mark, spec)
    exact = datetime.fromisoformat(text)
    exact = exact if exact.tzinfo else exact.replace(tzinfo=UTC)
    assert parse_time(text) == (exact - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) or not (
        datetime(1800, 1, 2) < when < datetime(2199, 12, 30)
    )


@pytest.mark.parametrize(
    "text",
    ["2024-07-18", "2024-07-18 00:00", "2024/07/18", "2024.07.18", "18.07.2024", "20240718", "2024-7-18",
     "2024-07-18T00:00:00Z",
     "2024-07-18 00:00:00 UTC", "2024-07-18T02:00+02", "2024-07-17 19:00:00-0500", "20240718T000000Z",
     "1721260800", "1721260800000", "1721260800000000", "1721260800000000000", "1721260800.000"],
)  # fmt: skip
def test_one_midnight_in_many_forms(text: str) -> None:
    assert parse_time(text) == 1721260800000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2024-02-30",
        "2023-02-29",
        "2024-00-10",
        "07/18/2024",
        "2024-07-18T24:00",
        "2024-07-18 10",
        "1e9",
        "12:00",
        "2500-01-01",
        "nan",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert parse_time(text) is None


def test_stamps_before_1970_are_negative() -> None:
    assert parse_time("-86400") == -86_400_000
    assert parse_time("1969-12-31") == -86_400_000


def test_clocks_are_no_dates() -> None:
    assert is_clock("09:30") and is_clock("9:30:00.5") and not is_clock("2024-01-01") and not is_clock("25:00")
